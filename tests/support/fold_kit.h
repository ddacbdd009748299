// For tests of folds: rows in a map, sealing that can be looked through, and events made by hand.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "codec/bodies_codec.h"
#include "model/definitions.h"
#include "store/memory_store.h"
#include "views/projection.h"

namespace siegel::test {

// "Seals" by writing slot, projection and row in front: opening under anything else fails, as does a dead slot.
class MapRows final : public views::RowAccess {
 public:
  using Key = std::pair<views::Rows, Bytes>;

  Result<std::optional<ByteView>> get(views::Rows rows, ByteView key) override {
    const auto at = map.find({rows, to_bytes(key)});
    return at == map.end() ? std::nullopt : std::optional<ByteView>(at->second);
  }
  Result<Bytes*> edit(views::Rows rows, ByteView key) override {
    const auto at = map.find({rows, to_bytes(key)});
    return at == map.end() ? nullptr : &at->second;
  }
  void put(views::Rows rows, ByteView key, Bytes value) override { map[{rows, to_bytes(key)}] = std::move(value); }
  void erase(views::Rows rows, ByteView key) override { map.erase({rows, to_bytes(key)}); }
  Result<std::vector<Bytes>> keys_with_prefix(views::Rows rows, ByteView prefix) override {
    std::vector<Bytes> keys;
    for (const auto& [key, value] : map)
      if (key.first == rows && key.second.size() >= prefix.size() &&
          equal(ByteView(key.second).first(prefix.size()), prefix))
        keys.push_back(key.second);
    return keys;
  }
  Result<Bytes> seal(Slot slot, std::string_view projection, ByteView row, ByteView body) override {
    if (dead.contains(slot)) return Error(Errc::gone, "erased", "dead");
    auto out = front(slot, projection, row);
    append(out, body);
    return out;
  }
  Result<views::OpenedPart> unseal(Slot slot, ClassNo cls, std::string_view projection, ByteView row,
                                   ByteView sealed) override {
    if (dead.contains(slot)) return views::OpenedPart(views::Erased{cls});
    const auto start = front(slot, projection, row);
    if (sealed.size() < start.size() || !equal(sealed.first(start.size()), start))
      return Error(Errc::corrupt, "box_damaged", "another row");
    return views::OpenedPart(SecretBytes(to_bytes(sealed.subspan(start.size()))));
  }
  // The same rows in a store, for queries.
  void copy_to(Store& store) const {
    Batch batch;
    for (const auto& [key, value] : map) batch.put(views::family(key.first), key.second, value);
    (void)store.write(batch, Sync::no);
  }
  [[nodiscard]] std::size_t count(views::Rows rows) const {
    std::size_t n = 0;
    for (const auto& [key, value] : map) n += key.first == rows ? 1 : 0;
    return n;
  }

  std::map<Key, Bytes> map;
  std::set<Slot> dead;

 private:
  static Bytes front(Slot slot, std::string_view projection, ByteView row) {
    auto out = to_bytes(be(slot.get()));
    append(out, as_bytes(projection));
    append(out, row);
    return out;
  }
};

// An event made by hand. Parts are added with their body in clear; a part under a dead slot opens as erased.
class HandEvent final : public views::Recorded {
 public:
  HandEvent(EventType type, std::uint64_t seq, const MapRows& rows) : rows_(rows) {
    header_.type = type;
    header_.seq = Seq(seq);
    header_.time = TimeMs(1'000'000 + seq);
    part(OwnerId(Id16{9, 9, 9, 9, 9, 9, 0x70}), built_in::staff_log, Slot(1), seq, {});  // part 0: a token's
  }
  HandEvent& part(const OwnerId& owner, ClassNo cls, Slot slot, std::uint64_t number, Bytes body) {
    bodies_.push_back(std::move(body));
    StoredPart stored;
    stored.envelope.cls = cls;
    stored.envelope.owner = owner;
    stored.envelope.slot = slot;
    stored.envelope.number = number;
    parts_.push_back(stored);
    for (std::size_t i = 0; i < parts_.size(); ++i) parts_[i].ciphertext = bodies_[i];
    opened_.clear();
    records_.clear();
    opened_.resize(parts_.size());
    records_.resize(parts_.size());
    header_.part_count = static_cast<std::uint16_t>(parts_.size());
    return *this;
  }
  HandEvent& by(const OwnerId& owner, ClassNo cls) {  // whose part 0 is
    parts_[0].envelope.owner = owner;
    parts_[0].envelope.cls = cls;
    return *this;
  }
  HandEvent& facts(Facts facts) {
    header_.facts = std::move(facts);
    return *this;
  }
  HandEvent& at(TimeMs time) {
    header_.time = time;
    return *this;
  }
  HandEvent& type(TypeNo type) {
    header_.record_type = type;
    return *this;
  }
  HandEvent& job(const JobId& job) {
    header_.job = job;
    return *this;
  }
  void remove(std::uint16_t number) {  // as a sweep does
    parts_[number].removed = true;
    parts_[number].envelope = {};
    parts_[number].ciphertext = {};
  }

  [[nodiscard]] const Header& header() const override { return header_; }
  [[nodiscard]] std::span<const StoredPart> parts() const override { return parts_; }
  Result<const views::OpenedPart*> open(std::uint16_t number) override {
    const auto& part = parts_[number];
    if (part.removed || rows_.dead.contains(part.envelope.slot))
      opened_[number] = views::Erased{part.envelope.cls};
    else
      opened_[number] = SecretBytes(to_bytes(bodies_[number]));
    return &*opened_[number];
  }
  Result<const RecordBody*> record(std::uint16_t number) override {
    SIEGEL_TRY(opened, open(number));
    const auto* clear = std::get_if<SecretBytes>(opened);
    if (clear == nullptr) return static_cast<const RecordBody*>(nullptr);
    SIEGEL_TRY(body, codec::decode_record(clear->view(), header_.schema));
    records_[number] = std::move(body);
    return &*records_[number];
  }

 private:
  const MapRows& rows_;
  Header header_;
  std::vector<Bytes> bodies_;
  std::vector<StoredPart> parts_;
  std::vector<std::optional<views::OpenedPart>> opened_;
  std::vector<std::optional<RecordBody>> records_;
};

inline Id16 made_id(std::uint8_t kind, std::uint8_t n) {  // as the server makes them: version 7
  Id16 id{};
  id[0] = kind;
  id[6] = 0x70;
  id[15] = n;
  return id;
}
inline SubjectId subject(std::uint8_t n) { return SubjectId(made_id(1, n)); }
inline RecordId record(std::uint8_t n) { return RecordId(made_id(2, n)); }
inline ErasureId erasure(std::uint8_t n) { return ErasureId(made_id(3, n)); }

inline Values values(std::vector<std::pair<std::uint16_t, std::string>> list) {
  Values out;
  for (auto& [field, text] : list) out.push_back({FieldNo(field), Personal<Value>(Value(std::move(text)))});
  return out;
}
inline Bytes record_body(RecordBody::Fact fact, const RecordId& id, Values some) {
  RecordBody body;
  body.fact = fact;
  body.record = id;
  body.values = std::move(some);
  return codec::encode(body);
}
// "1=Anna 3=Berlin"
inline std::string text_of(const Values& some) {
  std::string out;
  for (const auto& value : some) {
    const auto* text = std::get_if<std::string>(&value.value.expose());
    out += (out.empty() ? "" : " ") + std::to_string(value.field.get()) + "=" + (text == nullptr ? "-" : *text);
  }
  return out;
}

}  // namespace siegel::test
