// Private to projector: the rows of the batch in hand. Folds read and write here; the store sees each row once per
// batch.
#pragma once

#include <array>
#include <set>
#include <vector>

#include "projector/keys.h"
#include "store/store.h"
#include "views/projection.h"

namespace siegel::projector {

class RowCache final : public views::RowAccess {
 public:
  RowCache(Store& store, Keys& keys);
  RowCache(const RowCache&) = delete;
  RowCache& operator=(const RowCache&) = delete;
  ~RowCache() override = default;

  Result<std::optional<ByteView>> get(views::Rows rows, ByteView key) override;
  Result<Bytes*> edit(views::Rows rows, ByteView key) override;
  void put(views::Rows rows, ByteView key, Bytes value) override;
  void erase(views::Rows rows, ByteView key) override;
  Result<std::vector<Bytes>> keys_with_prefix(views::Rows rows, ByteView prefix) override;
  Result<Bytes> seal(Slot slot, std::string_view projection, ByteView row, ByteView body) override {
    return keys_.seal(slot, projection, row, body);
  }
  Result<views::OpenedPart> unseal(Slot slot, ClassNo cls, std::string_view projection, ByteView row,
                                   ByteView sealed) override {
    return keys_.unseal(slot, cls, projection, row, sealed);
  }

  // All changes and the position in one batch; the cache is empty afterwards, whatever the outcome.
  Status write(TreeSize position);
  void clear();
  [[nodiscard]] std::size_t rows() const { return entries_.size(); }
  [[nodiscard]] std::size_t bytes() const { return bytes_; }  // of values put

 private:
  static constexpr std::size_t kKeyBytesMax = 40;
  struct Entry {
    std::uint64_t hash;
    views::Rows rows;
    std::uint8_t key_bytes;
    bool changed = false;  // else only read
    bool there = false;    // else absent or erased
    std::array<std::uint8_t, kKeyBytesMax> key;
    Bytes value;
    [[nodiscard]] ByteView key_view() const { return {key.data(), key_bytes}; }
  };
  using Entries = std::vector<Entry>;
  // Of entries of one family, by their number in `entries`, which outlives it.
  struct ByKey {
    using is_transparent = void;
    const Entries* entries;
    [[nodiscard]] ByteView key(std::uint32_t entry) const { return (*entries)[entry].key_view(); }
    bool operator()(std::uint32_t a, std::uint32_t b) const { return as_chars(key(a)) < as_chars(key(b)); }
    bool operator()(std::uint32_t a, ByteView b) const { return as_chars(key(a)) < as_chars(b); }
  };
  // The entries of one family in the order of their keys: an erasure asks for a prefix once for each record of a
  // person. Those that are new are taken in when a prefix is asked for; who asks for none pays nothing.
  struct Index {
    std::set<std::uint32_t, ByKey> order;
    std::size_t seen = 0;  // entries, of all families
  };
  [[nodiscard]] std::size_t seek(std::uint64_t hash, views::Rows rows, ByteView key) const;  // its place or a free one
  [[nodiscard]] const Entry* find(views::Rows rows, ByteView key) const;
  // Index of the entry; made empty and unchanged if there is none yet (`fresh`).
  std::size_t place(views::Rows rows, ByteView key, bool& fresh);
  Result<Entry*> load(views::Rows rows, ByteView key);
  const Index& index(views::Rows rows);
  void grow();
  void order_changed();

  Store& store_;
  Keys& keys_;
  Entries entries_;                    // in order of first use
  std::vector<Index> indexes_;         // one a family
  std::vector<std::uint32_t> places_;  // open addressing, index + 1; a power of two
  std::vector<const Entry*> order_;    // of write()
  std::size_t bytes_ = 0;
  Batch batch_;
};

}  // namespace siegel::projector
