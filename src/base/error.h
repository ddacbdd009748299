// Errors: what the caller can do about it (Errc), a stable code that stands in the contract, and context that is safe
// to log. A personal value cannot get in: with() takes only what has operator<<, and Personal<T> has none.
#pragma once

#include <concepts>
#include <cstdint>
#include <ostream>
#include <source_location>
#include <sstream>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <type_traits>
#include <utility>
#include <vector>

namespace siegel {

enum class Errc : std::uint8_t {
  not_found,
  gone,         // was there, erased
  conflict,     // the caller's view is stale; read again
  invalid,      // the input is wrong; the same call will fail again
  denied,       // no permit
  overloaded,   // try again later
  unavailable,  // disk, root store, another process: try again after the cause is gone
  corrupt,      // stored bytes are not what was written
};
std::string_view name_of(Errc code) noexcept;

template <class V>
concept Loggable = requires(std::ostream& o, const V& v) {
  o << v;
};

class Error {
 public:
  struct Context {
    const char* key;
    std::string value;
  };

  // code: a stable word of contract section 1 ("purpose_unknown") or of an exit code; what: one English sentence.
  // Both are literals: nothing of the input gets in by formatting.
  Error(Errc category, const char* code, const char* what,
        std::source_location at = std::source_location::current()) noexcept
      : category_(category), code_(code), what_(what), at_(at) {}

  template <Loggable V>
  [[nodiscard]] Error with(const char* key, const V& value) && {
    std::ostringstream text;
    text << value;
    context_.push_back({key, std::move(text).str()});
    return std::move(*this);
  }

  [[nodiscard]] Errc category() const noexcept { return category_; }
  [[nodiscard]] const char* code() const noexcept { return code_; }
  [[nodiscard]] const char* what() const noexcept { return what_; }
  [[nodiscard]] const std::vector<Context>& context() const noexcept { return context_; }
  [[nodiscard]] const std::string* find(std::string_view key) const noexcept;
  [[nodiscard]] std::source_location where() const noexcept { return at_; }
  [[nodiscard]] std::string text() const;  // "what (key=value, …)"
  [[nodiscard]] bool is(std::string_view code) const noexcept { return code == code_; }

 private:
  Errc category_;
  const char* code_;
  const char* what_;
  std::source_location at_;
  std::vector<Context> context_;
};
std::ostream& operator<<(std::ostream& o, const Error& error);

template <class T>
struct [[nodiscard]] Result : tl::expected<T, Error> {
  using tl::expected<T, Error>::expected;
  Result(Error e) : tl::expected<T, Error>(tl::unexpect, std::move(e)) {}  // NOLINT: return Error(…) is the idiom
};

struct Done {};  // the value of a call that yields nothing
using Status = Result<Done>;

}  // namespace siegel

#define SIEGEL_TRY_JOIN2(a, b) a##b
#define SIEGEL_TRY_JOIN(a, b) SIEGEL_TRY_JOIN2(a, b)
// SIEGEL_TRY(seq, ledger.append(batch)); declares seq, or returns the error.
#define SIEGEL_TRY(name, expression)                                                   \
  auto SIEGEL_TRY_JOIN(siegel_try_, __LINE__) = (expression);                          \
  if (!SIEGEL_TRY_JOIN(siegel_try_, __LINE__))                                         \
    return ::siegel::Error(std::move(SIEGEL_TRY_JOIN(siegel_try_, __LINE__)).error()); \
  [[maybe_unused]] auto name = std::move(*SIEGEL_TRY_JOIN(siegel_try_, __LINE__))  // NOLINT(bugprone-macro-parentheses)
// The same for a Status, or where the value is not needed.
#define SIEGEL_CHECK(expression)                                                                               \
  if (auto SIEGEL_TRY_JOIN(siegel_check_, __LINE__) = (expression); !SIEGEL_TRY_JOIN(siegel_check_, __LINE__)) \
  return ::siegel::Error(std::move(SIEGEL_TRY_JOIN(siegel_check_, __LINE__)).error())
