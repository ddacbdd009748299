// Batch: changes that reach a store together or not at all. It owns the bytes: what entry(i) shows is what will be
// written, so a caller can hash or check the value that goes to the store without a copy of its own. clear() keeps the
// memory; a writer thread uses one Batch again and again.
#pragma once

#include <cstdint>
#include <ostream>
#include <span>
#include <vector>

#include "base/bytes.h"
#include "base/strong.h"

namespace siegel {

// A family (a key space of its own) of one store: the index into the list of families it was opened with.
using Family = Strong<struct FamilyTag, std::uint8_t, Log::ok>;

class Batch {
 public:
  enum class Op : std::uint8_t { put, erase };
  // Views into the batch: valid until the next put, erase or clear, and across a move of the batch.
  struct Entry {
    Op op;
    Family family;
    ByteView key;
    ByteView value;  // empty for erase
  };

  Batch() = default;
  Batch(Batch&&) noexcept = default;
  Batch& operator=(Batch&&) noexcept = default;
  Batch(const Batch&) = delete;  // copy() says so aloud
  Batch& operator=(const Batch&) = delete;
  ~Batch() = default;
  [[nodiscard]] Batch copy() const;

  // Each adds one entry and returns its index for entry(). A later entry of the same key wins.
  std::size_t put(Family family, ByteView key, ByteView value);
  std::size_t put(Family family, ByteView key, std::span<const ByteView> value_parts);  // the parts one after another
  std::size_t erase(Family family, ByteView key);
  // Adds an entry of value_bytes zero bytes and returns the place to fill; valid as long as an Entry.
  MutableBytes put_space(Family family, ByteView key, std::size_t value_bytes);
  void append(const Batch& other);
  void reserve(std::size_t bytes) { bytes_.reserve(bytes); }
  void clear() noexcept;

  [[nodiscard]] std::size_t count() const noexcept { return places_.size(); }
  [[nodiscard]] bool empty() const noexcept { return places_.empty(); }
  [[nodiscard]] std::size_t bytes() const noexcept { return bytes_.size(); }  // of all keys and values
  [[nodiscard]] Entry entry(std::size_t index) const noexcept;

 private:
  struct Place {
    std::size_t at;  // of the key; the value follows it
    std::uint32_t key_bytes;
    std::uint32_t value_bytes;
    Family family;
    Op op;
  };
  void add(Op op, Family family, ByteView key, std::size_t value_bytes);

  Bytes bytes_;
  std::vector<Place> places_;
};

}  // namespace siegel
