// Personal data as a type: it cannot be printed, compared or converted by accident.
#pragma once

#include <utility>

namespace siegel {

template <class T>
class Personal {
 public:
  Personal() = default;
  explicit Personal(T value) : value_(std::move(value)) {}
  // The one way to the value. Whoever writes "expose" says: this goes to the person entitled to it, or into a seal.
  [[nodiscard]] const T& expose() const& noexcept { return value_; }
  [[nodiscard]] T expose() && noexcept { return std::move(value_); }
  bool operator==(const Personal&) const = delete;

 private:
  T value_{};
};

}  // namespace siegel
