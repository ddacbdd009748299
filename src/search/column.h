// Private to search: the folds of one field in order, each with the ordinal of its record. Blocks of some hundred
// entries, an entry told by what it does not share with the one before:
//   255, distance             the same key; varint distance to the ordinal before (which is lower)
//   shared, size, bytes, ordinal   bytes shared with the key before, bytes that follow, and the ordinal as a varint
// A block begins with the number of its used bytes (two) and a whole key. Some 3 bytes for a value that many have, and
// 20 for an e-mail address. Which block an ordinal stands in is kept beside, if asked for, so that its entries can be
// taken out when nobody knows the value any more.
// Threads: as Index says. What an entry that goes has left in its block is overwritten.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <limits>
#include <span>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "search/blocks.h"
#include "search/fold.h"
#include "search/wiping.h"

namespace siegel::search {

// A set of ordinals.
class Ordinals {
 public:
  explicit Ordinals(std::size_t ordinals) : words_((ordinals + 63) / 64) {}
  void add(std::uint32_t ordinal) { words_[ordinal / 64] |= std::uint64_t{1} << (ordinal % 64); }
  void keep_only(const Ordinals& others) {
    for (std::size_t i = 0; i < words_.size(); ++i) words_[i] &= others.words_[i];
  }
  // Ascending.
  template <class F>
  void each(F&& f) const {
    for (std::size_t i = 0; i < words_.size(); ++i)
      for (auto word = words_[i]; word != 0; word &= word - 1)
        f(static_cast<std::uint32_t>(i * 64 + static_cast<unsigned>(__builtin_ctzll(word))));
  }

 private:
  std::vector<std::uint64_t> words_;
};

class Column {
 public:
  static constexpr std::size_t kKeyBytesMax = 200;  // longer keys are cut by whoever brings them

  struct Item {
    std::string_view key;
    std::uint32_t ordinal = 0;
    friend auto operator<=>(const Item&, const Item&) = default;
  };

  // Some 100 bytes for an ordinal with several keys; without places none, and entries go by their keys only.
  enum class Places : bool { none, kept };
  Column(Blocks& blocks, Places places) : blocks_(blocks), keeps_places_(places == Places::kept) {}

  void add(std::span<const Item> ascending);  // no item that is there already
  void remove(const Item& item);              // if it is there
  void pack();                                // as few blocks as can be: after a load

  // Adds all ordinals with a key that `wanted` meets. False: there are more than so many, or it would take long to say;
  // some are missing.
  bool find(std::string_view wanted, Op op, Ordinals& found, std::size_t entries_max) const;
  [[nodiscard]] std::size_t bytes() const noexcept;  // beside the blocks

  // With places only.
  [[nodiscard]] bool holds(std::uint32_t ordinal) const {
    return ordinal < places_.size() && places_[ordinal] != kNowhere;
  }
  void remove(std::uint32_t ordinal);  // all its keys
  // Whether f(key) is true of one of its keys; the others behind that one are not looked at.
  [[nodiscard]] bool any_key(std::uint32_t ordinal, const std::function<bool(std::string_view)>& f) const;

 private:
  static constexpr std::uint32_t kNowhere = 0xFFFFFFFF;
  static constexpr std::uint32_t kSeveral = 0xFFFFFFFE;  // in several_

  struct Entry {
    std::uint32_t at = 0;  // of its key in Opened::keys
    std::uint8_t size = 0;
    std::uint8_t shared = 0;  // with the one before
    std::uint32_t ordinal = 0;
    std::uint32_t block = kNowhere;  // where it stands so far
  };
  struct Opened {  // entries taken out of their blocks
    Key keys;
    std::vector<Entry> entries;
    [[nodiscard]] std::string_view key(const Entry& e) const { return {keys.data() + e.at, e.size}; }
  };
  [[nodiscard]] Item first_of(std::uint32_t block) const;
  [[nodiscard]] std::size_t block_before(const Item& item) const;  // index of the last block that may hold it or more
  void open(std::uint32_t block, Opened& to) const;
  // Puts the entries into the blocks order_[from, to), which are theirs, and as many more as it takes.
  enum class Fill : bool { evenly, full };
  void write(Opened& opened, std::size_t from, std::size_t to, Fill fill);
  static std::size_t size_of(const std::vector<Entry>& entries, std::size_t i, bool first);
  static std::uint8_t* put(std::uint8_t* at, const Opened& opened, std::size_t i, bool first);
  void move(std::uint32_t ordinal, std::uint32_t from, std::uint32_t to);  // kNowhere: new, or gone
  void merge(Opened& opened, std::span<const Item> items) const;
  // f(size of the key, ordinal) for each entry whose key begins with the prefix, in order, until it answers false.
  template <class F>
  void each_with(std::string_view prefix, F&& f) const;
  static constexpr std::size_t kWaysMax = 1024;
  struct Looking {
    std::string_view wanted;
    Op op;
    Key key;  // the way so far
    Ordinals& found;
    std::size_t entries_left;
    std::size_t ways_left = kWaysMax;
    std::size_t keys_left = std::numeric_limits<std::size_t>::max();
    bool take(std::uint32_t ordinal) {  // false: no room for it
      if (entries_left == 0) return false;
      --entries_left;
      found.add(ordinal);
      return true;
    }
  };
  template <class F>
  void each_key(std::uint32_t block, F&& f) const;
  void descend(Looking& looking, std::size_t at) const;
  void look_through(Looking& looking) const;

  template <class F>
  void take_out(std::size_t index, F&& goes);  // of the block order_[index] the entries that it is true of

  Blocks& blocks_;
  const bool keeps_places_;
  std::vector<std::uint32_t> order_;                                       // blocks, ascending by their keys
  std::deque<std::uint32_t> places_;                                       // block of each ordinal
  std::unordered_map<std::uint32_t, std::vector<std::uint32_t>> several_;  // one block for each of its keys
};

}  // namespace siegel::search
