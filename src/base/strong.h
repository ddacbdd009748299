// Ids and units that cannot be mixed up or logged by accident.
#pragma once

#include <compare>
#include <ostream>
#include <utility>

namespace siegel {

enum class Log : bool { never, ok };

// No implicit conversion, no arithmetic: what a type can do gets a name.
template <class Tag, class T, Log kLog = Log::never>
class Strong {
 public:
  using Value = T;
  constexpr Strong() = default;
  constexpr explicit Strong(T v) : v_(std::move(v)) {}
  [[nodiscard]] constexpr const T& get() const noexcept { return v_; }
  friend constexpr auto operator<=>(const Strong&, const Strong&) = default;
  friend constexpr bool operator==(const Strong&, const Strong&) = default;
  friend std::ostream& operator<<(std::ostream& o, const Strong& s) requires(kLog == Log::ok) { return o << s.v_; }

 private:
  T v_{};
};

}  // namespace siegel
