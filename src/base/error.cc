#include "base/error.h"

namespace siegel {

std::string_view name_of(Errc code) noexcept {
  switch (code) {
    case Errc::not_found:
      return "not_found";
    case Errc::gone:
      return "gone";
    case Errc::conflict:
      return "conflict";
    case Errc::invalid:
      return "invalid";
    case Errc::denied:
      return "denied";
    case Errc::overloaded:
      return "overloaded";
    case Errc::unavailable:
      return "unavailable";
    case Errc::corrupt:
      return "corrupt";
  }
  return "unknown";
}

const std::string* Error::find(std::string_view key) const noexcept {
  for (const auto& entry : context_)
    if (key == entry.key) return &entry.value;
  return nullptr;
}

std::string Error::text() const {
  std::string out = what_;
  const char* separator = " (";
  for (const auto& entry : context_) {
    out.append(separator).append(entry.key).append("=").append(entry.value);
    separator = ", ";
  }
  if (!context_.empty()) out.push_back(')');
  return out;
}

std::ostream& operator<<(std::ostream& o, const Error& error) { return o << error.code() << ": " << error.text(); }

}  // namespace siegel
