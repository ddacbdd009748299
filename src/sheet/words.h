// E-mail addresses, links and phone numbers: whether a text is one, by the rules that the API applies to a value.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace siegel::sheet {

bool is_email(std::string_view text) noexcept;
// With its domain in small letters, which is how the API keeps it.
std::string email_value(std::string_view text);
bool is_url(std::string_view text) noexcept;

// Phone numbers by the outer rules of E.164 only: a country code and a length. Number plans below that (which area code
// exists, how long a number of it is) are not known here, so a number can be well-formed and not in service.
struct PhoneReading {
  std::string e164;         // +4952112345
  bool national = false;    // written with the trunk prefix of the country: 0521 12345
  bool digits_only = true;  // nothing but digits, white space and the + before them
};

// "+49 521 12345", "0049 521 12345", "0521/123-45", "+49 (0) 521 12345"; national numbers only for a country whose
// trunk prefix is known (DE AT CH BE NL FR GB SE FI).
std::optional<PhoneReading> read_phone(std::string_view text, std::string_view country);
// As it is dialled in the country, without any separators; nothing for a number of another country.
std::optional<std::string> national_phone(std::string_view e164, std::string_view country);

}  // namespace siegel::sheet
