#include "sheet/column_evidence.h"

#include <algorithm>

#include "base/time.h"
#include "sheet/cells.h"
#include "sheet/dates.h"
#include "sheet/numbers.h"
#include "sheet/words.h"

namespace siegel::sheet {
namespace {

// Longer whole numbers are identifiers: spreadsheets and most programs change their last digits.
constexpr std::size_t kWholeDigitsMax = 18;
constexpr std::size_t kItemsMax = 64;  // of one cell

enum Class : std::uint16_t {
  kDigit = 1,
  kLetter = 2,
  kAt = 4,
  kPoint = 8,
  kComma = 16,
  kDash = 32,
  kSlash = 64,
  kColon = 128,
  kPlus = 256,
  kSpace = 512,  // also the bytes of U+00A0 and U+202F
  kBreak = 1024,
  kQuote = 2048,
  kParen = 4096,
  kSemicolon = 8192,
  kOther = 16384
};

constexpr std::uint16_t class_of(unsigned char c) {
  if (c >= '0' && c <= '9') return kDigit;
  if ((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z')) return kLetter;
  switch (c) {
    case '@':
      return kAt;
    case '.':
      return kPoint;
    case ',':
      return kComma;
    case '-':
      return kDash;
    case '/':
      return kSlash;
    case ':':
      return kColon;
    case '+':
      return kPlus;
    case ' ':
    case '\t':
    case 0xC2:
    case 0xA0:
    case 0xE2:
    case 0x80:
    case 0xAF:
      return kSpace;
    case '\r':
    case '\n':
      return kBreak;
    case '\'':
      return kQuote;
    case '(':
    case ')':
      return kParen;
    case ';':
      return kSemicolon;
    default:
      return kOther;
  }
}
constexpr auto kClasses = [] {
  std::array<std::uint16_t, 256> out{};
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = class_of(static_cast<unsigned char>(i));
  return out;
}();

constexpr std::uint32_t bit(Reading reading) noexcept { return std::uint32_t{1} << static_cast<unsigned>(reading); }
constexpr std::uint32_t kAllDates = bit(Reading::date_dotted) | bit(Reading::date_iso) | bit(Reading::date_ymd) |
                                    bit(Reading::slash_day) | bit(Reading::slash_month) | bit(Reading::dash_day) |
                                    bit(Reading::dash_month) | bit(Reading::any_date);
constexpr std::uint32_t kAllNumbers =
    bit(Reading::number_comma) | bit(Reading::number_point) | bit(Reading::any_number);

void keep(Samples& samples, std::uint64_t row, std::string_view text) {
  if (samples.size() >= kSamplesMax) return;
  if (text.size() > kSampleBytesMax) {
    auto end = kSampleBytesMax;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
    text = text.substr(0, end);
  }
  const auto is_it = [&](const Sample& sample) { return sample.text == text; };
  if (std::none_of(samples.begin(), samples.end(), is_it)) samples.push_back({row, std::string(text)});
}

void note(NumberEvidence& evidence, const NumberReading& found) {
  if (!found.fraction.empty()) evidence.has_fraction = true;
  if (found.whole_digits <= 3) return;
  if (found.group.empty()) {
    evidence.has_ungrouped = true;
  } else if (evidence.group.empty()) {
    evidence.group = found.group;
  } else if (evidence.group != found.group) {
    evidence.has_other_group = true;
  }
}

void note(DateEvidence& evidence, const DateReading& found) {
  if (found.first_shows()) (found.first_padded ? evidence.first_padded : evidence.first_bare) = true;
  if (found.second_shows()) (found.second_padded ? evidence.second_padded : evidence.second_bare) = true;
  if (!evidence.has_date) evidence.midnight = found.midnight;
  if (evidence.midnight != found.midnight) evidence.has_other_midnight = true;
  evidence.has_date = true;
}

// Null if the API would not take the number.
const NumberReading* usable(const std::optional<NumberReading>& found) {
  if (!found || found->leading_zero || (found->negative && found->is_zero()) ||
      found->whole_digits + found->fraction.size() > kNumberDigitsMax)
    return nullptr;
  return &*found;
}

bool is_local_time(std::string_view text) {
  const auto end = text.find_first_of("T ");
  return end != std::string_view::npos && text.find(':', end) != std::string_view::npos &&
         read_date(text.substr(0, end));
}

// Minutes of "+01:00" or "Z" at the end of an RFC 3339 time.
int offset_of(std::string_view text) {
  if (text.back() == 'Z' || text.back() == 'z') return 0;
  const auto at = text.substr(text.size() - 6);
  const int minutes = ((at[1] - '0') * 10 + (at[2] - '0')) * 60 + (at[4] - '0') * 10 + (at[5] - '0');
  return at[0] == '-' ? -minutes : minutes;
}

}  // namespace

struct ColumnEvidence::Seen {
  std::uint64_t row = 0;
  std::string_view text;  // without white space around
  std::uint16_t classes = 0;
  Mask fits = 0;

  [[nodiscard]] bool has(std::uint16_t which) const noexcept { return (classes & which) != 0; }
  [[nodiscard]] bool has_only(std::uint16_t which) const noexcept { return (classes & ~which) == 0; }
};

DateEvidence& ColumnEvidence::dates_of(Reading reading) noexcept {
  switch (reading) {
    case Reading::date_dotted:
      return dates_[0];
    case Reading::date_iso:
      return dates_[1];
    case Reading::date_ymd:
      return dates_[2];
    case Reading::slash_day:
    case Reading::slash_month:
      return dates_[3];
    default:
      return dates_[4];
  }
}

const DateEvidence& ColumnEvidence::dates(Reading reading) const noexcept {
  return const_cast<ColumnEvidence*>(this)->dates_of(reading);  // NOLINT: nothing is written
}

void ColumnEvidence::add(std::uint64_t row, const Cell& cell) {
  Seen seen{row, trimmed(cell.text)};
  if (cell.form == CellForm::empty || seen.text.empty()) return;
  ++cells;
  std::size_t length = 0;
  for (const char c : seen.text) {
    seen.classes |= kClasses[static_cast<unsigned char>(c)];
    length += (static_cast<unsigned char>(c) & 0xC0) != 0x80 ? 1 : 0;
  }
  length_max = std::max(length_max, length);
  length_sum += length;
  if (seen.has(kBreak)) has_break = true;
  const auto hash = hash_of(seen.text);
  few.add(seen.text, hash);
  distinct.add(hash);
  keep(samples, row, seen.text);
  if (cell.form == CellForm::text) {
    read_text(seen);
    read_items(seen.text);
  } else {
    read_typed(seen, cell.form);
    for (auto& items : few_items) items.give_up();
  }
  count(seen);
}

void ColumnEvidence::count(const Seen& seen) {
  for (Mask rest = seen.fits; rest != 0; rest &= rest - 1) ++fits_[static_cast<std::size_t>(__builtin_ctz(rest))];
  for (Mask rest = misfits_wanted_ & ~seen.fits; rest != 0; rest &= rest - 1) {
    const auto which = static_cast<std::size_t>(__builtin_ctz(rest));
    keep(misfits_[which], seen.row, seen.text);
    if (misfits_[which].size() == kSamplesMax) misfits_wanted_ &= ~(Mask{1} << which);
  }
}

void ColumnEvidence::warn(const Seen& seen, Warning warning) {
  ++warnings_[static_cast<std::size_t>(warning)];
  keep(warned_[static_cast<std::size_t>(warning)], seen.row, seen.text);
}

void ColumnEvidence::read_text(Seen& seen) {
  if (seen.has(kAt) && is_email(seen.text)) {
    seen.fits |= bit(Reading::email);
    if (email_value(seen.text) != seen.text) warn(seen, Warning::capital_domain);
  }
  if (!seen.has(kDigit)) {
    if (seen.has(kColon) && is_url(seen.text)) seen.fits |= bit(Reading::url);
    return;
  }
  if (seen.has_only(kDigit | kPoint | kComma | kDash | kSpace | kQuote)) read_number_text(seen);
  if (seen.has(kPoint | kDash | kSlash)) read_date_text(seen);
  if (seen.has_only(kDigit | kPlus | kDash | kSlash | kParen | kSpace | kPoint)) read_phone_text(seen);
  if (seen.has(kColon)) {
    if (is_url(seen.text)) seen.fits |= bit(Reading::url);
    read_datetime_text(seen);
  }
}

void ColumnEvidence::read_typed(Seen& seen, CellForm form) {
  switch (form) {
    case CellForm::number: {
      ++typed_numbers;
      const auto found = read_number(seen.text, DecimalSign::point);
      const auto* number = usable(found);
      if (number == nullptr) break;
      seen.fits |= kAllNumbers;
      if (number->whole_digits > kWholeDigitsMax) warn(seen, Warning::too_long_number);
      if (!number->fraction.empty()) has_typed_fraction = true;
      break;
    }
    case CellForm::date:
      ++typed_dates;
      if (parse_iso_date(seen.text)) seen.fits |= kAllDates;
      break;
    case CellForm::datetime:
      if (const auto found = read_date(seen.text); found && found->midnight == "T00:00:00") {
        ++typed_midnights;
        seen.fits |= kAllDates;
      } else {
        ++typed_times;
        warn(seen, Warning::time_without_zone);
      }
      break;
    case CellForm::time:
      warn(seen, Warning::time_of_day);
      break;
    case CellForm::boolean:
      ++typed_booleans;
      break;
    case CellForm::error:
      warn(seen, Warning::formula_error);
      break;
    case CellForm::empty:
    case CellForm::text:
      break;
  }
}

void ColumnEvidence::read_number_text(Seen& seen) {
  const auto as_comma = read_number(seen.text, DecimalSign::comma);
  const bool is_plain = seen.has_only(kDigit | kDash);
  const auto as_point = is_plain ? as_comma : read_number(seen.text, DecimalSign::point);
  const auto *by_comma = usable(as_comma), *by_point = usable(as_point);
  const bool has_zeros = (as_comma && as_comma->leading_zero) || (as_point && as_point->leading_zero);
  if (has_zeros && by_comma == nullptr && by_point == nullptr) warn(seen, Warning::leading_zero);
  const auto is_long = [](const std::optional<NumberReading>& found) {
    return found && !found->leading_zero &&
           (found->whole_digits > kWholeDigitsMax || found->whole_digits + found->fraction.size() > kNumberDigitsMax);
  };
  if (is_long(as_comma) || is_long(as_point)) warn(seen, Warning::too_long_number);
  if (by_comma != nullptr) {
    seen.fits |= bit(Reading::number_comma) | bit(Reading::any_number);
    note(comma, *by_comma);
  }
  if (by_point != nullptr) {
    seen.fits |= bit(Reading::number_point) | bit(Reading::any_number);
    note(point, *by_point);
  }
  if (!is_plain && by_comma != nullptr && by_point != nullptr && by_comma->value() != by_point->value())
    warn(seen, Warning::ambiguous_number);
}

void ColumnEvidence::read_date_text(Seen& seen) {
  const auto found = read_date(seen.text);
  if (!found) return;
  if (found->two_digit_year) {
    warn(seen, Warning::two_digit_year);
    return;
  }
  const auto take = [&](Reading reading, DateOrder order) {
    if (!found->in(order)) return false;
    seen.fits |= bit(reading) | bit(Reading::any_date);
    return true;
  };
  if (found->year_leads) {
    const auto reading = found->separator == '-' ? Reading::date_iso : Reading::date_ymd;
    if (take(reading, DateOrder::year_month_day)) note(dates_of(reading), *found);
    return;
  }
  if (found->separator == '.') {
    if (take(Reading::date_dotted, DateOrder::day_month_year)) note(dates_of(Reading::date_dotted), *found);
    return;
  }
  const bool is_slash = found->separator == '/';
  const bool by_day = take(is_slash ? Reading::slash_day : Reading::dash_day, DateOrder::day_month_year);
  const bool by_month = take(is_slash ? Reading::slash_month : Reading::dash_month, DateOrder::month_day_year);
  if (by_day || by_month) note(dates_of(is_slash ? Reading::slash_day : Reading::dash_day), *found);
  if (!by_day || !by_month) return;
  ++(is_slash ? slashes_both : dashes_both);
  warn(seen, Warning::ambiguous_date);
}

void ColumnEvidence::read_phone_text(Seen& seen) {
  const char begin = seen.text.front();
  if (begin != '+' && begin != '0' && begin != '(') return;
  const auto found = read_phone(seen.text, country_);
  if (!found) return;
  seen.fits |= bit(Reading::phone);
  if (begin == '+') ++phones_with_plus;
  if (found->digits_only) ++(found->national ? phones_national : phones_international);
}

void ColumnEvidence::read_datetime_text(Seen& seen) {
  if (!parse_rfc3339(seen.text)) {
    const bool is_midnight = (seen.fits & bit(Reading::any_date)) != 0;
    if (!is_midnight && is_local_time(seen.text)) warn(seen, Warning::time_without_zone);
    return;
  }
  seen.fits |= bit(Reading::datetime);
  constexpr std::size_t kFraction = 19;  // where it begins
  const auto end = seen.text.find_first_of("Zz+-", kFraction);
  const auto fraction = seen.text.substr(kFraction, end - kFraction);
  if (seen.text[10] != 'T' || seen.text.back() == 'z' || seen.text.ends_with("-00:00") || fraction == ".000" ||
      (!fraction.empty() && fraction.size() != 4))
    has_other_time_spelling = true;
  const bool is_z = seen.text.back() == 'Z';
  const int minutes = offset_of(seen.text);
  if (has_offset && (minutes != offset_minutes || is_z != offset_is_z)) has_other_offset = true;
  has_offset = true;
  offset_is_z = is_z;
  offset_minutes = minutes;
}

void ColumnEvidence::read_items(std::string_view text) {
  constexpr char kSeparators[] = {';', ','};
  for (std::size_t i = 0; i < few_items.size(); ++i) {
    auto& items = few_items[i];
    if (items.overflowed()) continue;
    std::array<std::uint64_t, kItemsMax> in_cell{};
    std::size_t n = 0;
    for (auto rest = text;; ++n) {
      const auto end = rest.find(kSeparators[i]);
      const auto item = trimmed(rest.substr(0, end));
      const auto hash = hash_of(item);
      const auto last = in_cell.begin() + static_cast<std::ptrdiff_t>(n);
      if (item.empty() || n == kItemsMax || std::find(in_cell.begin(), last, hash) != last) {
        items.give_up();
        break;
      }
      in_cell[n] = hash;
      items.add(item, hash);
      if (end == std::string_view::npos) break;
      rest.remove_prefix(end + 1);
    }
    if (n > 0) ++lists[i];
  }
}

}  // namespace siegel::sheet
