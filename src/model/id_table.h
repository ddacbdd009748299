// Numbers ids densely from 0, so that what belongs to an id can stand in plain arrays. Numbers of ids that are gone are
// given again.
// Cost:    16 bytes an id, and 5 to 10 of the table; looked up in about 50 ns. Open addressing with linear probing
//          (Knuth, TAOCP 3, 6.4, algorithms L and R).
// Threads: none of its own; whoever owns it locks.
#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "model/ids.h"

namespace siegel {

template <class Id>
class IdTable {
 public:
  [[nodiscard]] std::optional<std::uint32_t> find(const Id& id) const {
    if (places_.empty()) return std::nullopt;
    const auto found = places_[place_of(id)];
    return found == 0 ? std::nullopt : std::optional(found - 1);
  }

  // Its number, a new one if it had none.
  std::uint32_t add(const Id& id) {
    if (places_.empty() || size_ * 5 >= places_.size() * 4) grow();
    auto& place = places_[place_of(id)];
    if (place != 0) return place - 1;
    std::uint32_t number = 0;
    if (free_.empty()) {
      number = static_cast<std::uint32_t>(ids_.size());
      ids_.push_back(id);
    } else {
      number = free_.back();
      free_.pop_back();
      ids_[number] = id;
    }
    place = number + 1;
    ++size_;
    return number;
  }

  void remove(std::uint32_t number) {
    const auto mask = places_.size() - 1;
    auto hole = place_of(ids_[number]);
    // Those behind it in its run move up.
    for (auto at = (hole + 1) & mask; places_[at] != 0; at = (at + 1) & mask) {
      const auto home = IdHash()(ids_[places_[at] - 1]) & mask;
      if (((at - home) & mask) < ((at - hole) & mask)) continue;
      places_[hole] = places_[at];
      hole = at;
    }
    places_[hole] = 0;
    --size_;
    ids_[number] = Id();
    free_.push_back(number);
  }

  [[nodiscard]] const Id& operator[](std::uint32_t number) const { return ids_[number]; }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] std::size_t numbers() const noexcept { return ids_.size(); }  // given so far: all are below
  [[nodiscard]] std::size_t bytes() const noexcept {
    return ids_.size() * sizeof(Id) + (places_.capacity() + free_.capacity()) * sizeof(std::uint32_t);
  }

 private:
  static constexpr std::size_t kPlacesMin = 1024;

  [[nodiscard]] std::size_t place_of(const Id& id) const {  // its place or a free one
    const auto mask = places_.size() - 1;
    for (auto at = IdHash()(id) & mask;; at = (at + 1) & mask)
      if (places_[at] == 0 || ids_[places_[at] - 1] == id) return at;
  }

  void grow() {
    auto numbers = std::move(places_);
    places_.assign(std::max(kPlacesMin, numbers.size() * 2), 0);
    for (const auto number : numbers)
      if (number != 0) places_[place_of(ids_[number - 1])] = number;
  }

  std::deque<Id> ids_;
  std::vector<std::uint32_t> free_;
  std::vector<std::uint32_t> places_;  // number + 1: a power of two of them; 0 is nothing
  std::size_t size_ = 0;
};

}  // namespace siegel
