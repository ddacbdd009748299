// How many different texts there are, in bounded memory: the few by name and count, the many by hash only, and beyond a
// cap just "at least". Counting by hash can take two texts for one (2^-64 for each pair): good enough for a proposal.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace siegel::sheet {

// The few: every text with its count, in the order of appearance, until there are more than a limit.
class FewTexts {
 public:
  struct Entry {
    std::uint64_t hash = 0;
    std::uint64_t count = 0;
    std::string text;
  };

  explicit FewTexts(std::size_t max) : max_(max) {}
  void add(std::string_view text, std::uint64_t hash);
  void give_up() noexcept;
  [[nodiscard]] bool overflowed() const noexcept { return overflowed_; }
  [[nodiscard]] const std::vector<Entry>& entries() const noexcept { return entries_; }

 private:
  std::size_t max_;
  bool overflowed_ = false;
  std::vector<Entry> entries_;
};

// The many: a flat table of hashes. It stops to count when it is full, or when it knows that texts repeat and that they
// are many: then only "more than kMany, not all different" is of interest.
class DistinctCount {
 public:
  static constexpr std::size_t kMany = 1'000;

  explicit DistinctCount(std::size_t max) : max_(max) {}
  void add(std::uint64_t hash);
  [[nodiscard]] std::uint64_t count() const noexcept { return count_; }
  [[nodiscard]] bool is_at_least() const noexcept { return stopped_; }
  [[nodiscard]] bool repeats() const noexcept { return repeats_; }

 private:
  void grow();
  void stop();
  bool insert(std::uint64_t hash);  // false: it was there

  std::size_t max_;
  std::uint64_t count_ = 0;
  bool repeats_ = false;
  bool stopped_ = false;
  std::vector<std::uint64_t> slots_;  // 0 is free; size a power of two, at most half of it used
};

inline std::uint64_t hash_of(std::string_view text) noexcept {
  const auto hash = std::uint64_t{std::hash<std::string_view>{}(text)};
  return hash == 0 ? 1 : hash;
}

}  // namespace siegel::sheet
