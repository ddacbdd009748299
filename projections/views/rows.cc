#include "views/rows.h"

#include <algorithm>
#include <limits>

namespace siegel::views {

namespace {

constexpr std::uint8_t kVersion = 1;
constexpr std::uint8_t kErasureVersion = 2;  // of erasures and their requests; 1 knew one erasure.effective of each
constexpr std::size_t kLeafBytes = 4 + 8 + 8 + 8 + 8;

Error damaged() { return Error(Errc::corrupt, "views_damaged", "A row of the read models is damaged; rebuild them."); }

class Writer {
 public:
  explicit Writer(std::size_t reserve, std::uint8_t version = kVersion) {
    out_.reserve(reserve);
    out_.push_back(version);
  }
  Writer& number(std::uint64_t n) {
    while (n >= 0x80) {
      out_.push_back(static_cast<std::uint8_t>(n | 0x80));
      n >>= 7;
    }
    out_.push_back(static_cast<std::uint8_t>(n));
    return *this;
  }
  Writer& raw(ByteView bytes) {
    append(out_, bytes);
    return *this;
  }
  Writer& bytes(ByteView bytes) { return number(bytes.size()).raw(bytes); }
  Writer& parts(std::span<const PartRef> parts) {
    number(parts.size());
    for (const auto& p : parts) number(p.part).number(p.slot.get());
    return *this;
  }
  template <class List>
  Writer& numbers(const List& list) {
    number(list.size());
    for (const auto n : list) number(n);
    return *this;
  }
  Writer& sections(const std::vector<Section>& sections) {
    number(sections.size());
    for (const auto& s : sections) number(s.cls.get()).number(s.slot.get()).bytes(s.sealed);
    return *this;
  }
  Writer& facts(const ImportFacts& facts) {
    return number(facts.rows).number(facts.added).number(facts.changed).number(facts.unchanged).number(facts.failed);
  }
  Bytes done() { return std::move(out_); }

 private:
  Bytes out_;
};

// Reads on after damage with zeros and empty views; done() says whether all was well and nothing is left.
class Reader {
 public:
  explicit Reader(ByteView value, std::uint8_t wanted = kVersion) : in_(value) {
    std::uint8_t version = 0;
    ok_ = in_.take_be(version) && version == wanted;
  }
  std::uint64_t number() {
    std::uint64_t n = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      std::uint8_t byte = 0;
      if (!in_.take_be(byte)) break;
      n |= std::uint64_t{byte & 0x7Fu} << shift;
      if (byte < 0x80) return n;
    }
    ok_ = false;
    return 0;
  }
  template <class T>
  T narrow() {
    const auto n = number();
    if (n > std::numeric_limits<T>::max()) ok_ = false;
    return static_cast<T>(n);
  }
  // A count of things of at least one byte each: never more than what is left.
  std::size_t count() {
    const auto n = number();
    if (n > in_.rest().size()) ok_ = false;
    return ok_ ? static_cast<std::size_t>(n) : 0;
  }
  ByteView raw(std::size_t size) {
    ByteView out;
    if (!in_.take(size, out)) ok_ = false;
    return out;
  }
  ByteView bytes() { return raw(count()); }
  ByteView rest() { return raw(in_.rest().size()); }
  Id16 id() { return to_array<16>(raw(16)); }
  Hash hash() { return to_array<32>(raw(32)); }
  std::vector<PartRef> parts() {
    std::vector<PartRef> out(count());
    for (auto& p : out) {
      p.part = narrow<std::uint16_t>();
      p.slot = Slot(number());
    }
    return out;
  }
  std::vector<Section> sections() {
    std::vector<Section> out(count());
    for (auto& s : out) {
      s.cls = ClassNo(narrow<std::uint32_t>());
      s.slot = Slot(number());
      s.sealed = to_bytes(bytes());
    }
    return out;
  }
  ImportFacts facts() {
    ImportFacts out;
    for (auto* field : {&out.rows, &out.added, &out.changed, &out.unchanged, &out.failed})
      *field = narrow<std::uint32_t>();
    return out;
  }
  template <class T>
  std::vector<T> numbers() {
    std::vector<T> out(count());
    for (auto& n : out) n = narrow<T>();
    return out;
  }
  [[nodiscard]] bool done() const { return ok_ && in_.empty(); }

 private:
  ByteReader in_;
  bool ok_ = false;
};

template <class T>
Result<T> checked(const Reader& in, T row) {
  if (!in.done()) return damaged();
  return row;
}

Bytes joined(std::initializer_list<ByteView> pieces) {
  Bytes out;
  for (const auto p : pieces) append(out, p);
  return out;
}

constexpr std::uint64_t kRemoved = 1;
constexpr std::uint64_t kHasSubject = 2;
constexpr std::uint64_t kPending = 4;
constexpr std::uint64_t kAddedBy = 8;

}  // namespace

std::vector<FamilyOptions> families() {
  static constexpr const char* kNames[] = {"position", "registries",      "record_types",    "record_heads",
                                           "records",  "owners",          "subject_records", "subject_links",
                                           "history",  "subject_history", "erasures",        "erasure_requests",
                                           "erased",   "idempotency",     "imports",         "subject_merges"};
  static_assert(std::size(kNames) == static_cast<std::size_t>(Rows::count_));
  std::vector<FamilyOptions> out;
  for (const auto* name : kNames) out.push_back({.name = name});
  // Asked for what is often not there.
  for (const auto rows : {Rows::owners, Rows::record_heads, Rows::idempotency})
    out[static_cast<std::size_t>(rows)].bloom = true;
  return out;
}

Bytes key_of(const Id16& id) { return to_bytes(id); }
Bytes key_of(const Id16& first, const Id16& second) { return joined({first, second}); }
Bytes key_of(const Id16& id, Seq seq) { return joined({id, be(seq.get())}); }
Bytes key_of(Seq seq) { return to_bytes(be(seq.get())); }
Bytes key_of(TypeNo type) { return to_bytes(be(type.get())); }
Bytes key_of(RegistryKind kind, std::uint32_t number) {
  return joined({be(static_cast<std::uint8_t>(kind)), be(number)});
}
Bytes record_row_key(TypeNo type, const RecordId& record) { return joined({be(type.get()), record.get()}); }
Bytes after_prefix(ByteView prefix) {
  Bytes out = to_bytes(prefix);
  while (!out.empty() && out.back() == 0xFF) out.pop_back();
  if (!out.empty()) ++out.back();
  return out;
}
ByteView position_key() { return as_bytes("position"); }
Id16 id_at_end(ByteView key) { return key.size() < 16 ? Id16{} : to_array<16>(key.last(16)); }
Id16 id_at_start(ByteView key) { return key.size() < 16 ? Id16{} : to_array<16>(key.first(16)); }
Seq seq_at_end(ByteView key) { return Seq(key.size() < 8 ? 0 : get_be<std::uint64_t>(key.last(8).data())); }

Bytes encode(const RecordHead& row) {
  Writer out(96);
  out.number((row.removed ? kRemoved : 0) | (row.subject ? kHasSubject : 0) | (row.pending ? kPending : 0) |
             (row.added_by ? kAddedBy : 0));
  out.number(row.type.get()).number(row.version.get()).number(row.created.get()).number(row.modified.get());
  out.number(row.added_at.get());
  if (row.subject) out.raw(row.subject->get());
  out.parts(row.added);
  if (row.added_by) out.raw(row.added_by->get());
  if (const auto& p = row.pending) out.raw(p->import.get()).number(p->version.get()).number(p->modified.get());
  return out.done();
}

Result<RecordHead> decode_head(ByteView value) {
  Reader in(value);
  RecordHead row;
  const auto flags = in.number();
  row.removed = (flags & kRemoved) != 0;
  row.type = TypeNo(in.narrow<std::uint32_t>());
  row.version = RecordVersion(in.number());
  row.created = Seq(in.number());
  row.modified = Seq(in.number());
  row.added_at = TimeMs(in.number());
  if ((flags & kHasSubject) != 0) row.subject = SubjectId(in.id());
  row.added = in.parts();
  if ((flags & kAddedBy) != 0) row.added_by = JobId(in.id());
  if ((flags & kPending) != 0) {
    auto& pending = row.pending.emplace();
    pending.import = JobId(in.id());
    pending.version = RecordVersion(in.number());
    pending.modified = Seq(in.number());
  }
  return checked(in, std::move(row));
}

Bytes encode(const RecordRow& row) {
  std::size_t size = 48;
  for (const auto& s : row.sections) size += 24 + s.sealed.size();
  if (row.pending)
    for (const auto& s : row.pending->sections) size += 24 + s.sealed.size();
  Writer out(size);
  out.number((row.subject ? kHasSubject : 0) | (row.pending ? kPending : 0));
  out.number(row.version.get()).number(row.updated_at.get());
  if (row.subject) out.raw(row.subject->get());
  out.sections(row.sections);
  if (const auto& p = row.pending)
    out.raw(p->import.get()).number(p->version.get()).number(p->updated_at.get()).sections(p->sections);
  return out.done();
}

Result<RecordRow> decode_record(ByteView value) {
  Reader in(value);
  RecordRow row;
  const auto flags = in.number();
  row.version = RecordVersion(in.number());
  row.updated_at = TimeMs(in.number());
  if ((flags & kHasSubject) != 0) row.subject = SubjectId(in.id());
  row.sections = in.sections();
  if ((flags & kPending) != 0) {
    auto& pending = row.pending.emplace();
    pending.import = JobId(in.id());
    pending.version = RecordVersion(in.number());
    pending.updated_at = TimeMs(in.number());
    pending.sections = in.sections();
  }
  return checked(in, std::move(row));
}

void settle(RecordHead& row, std::optional<ImportState> state) {
  if (!row.pending || state == ImportState::begun) return;
  if (state && counts(*state)) {
    row.version = row.pending->version;
    row.modified = row.pending->modified;
  }
  row.pending.reset();
}

void settle(RecordRow& row, std::optional<ImportState> state) {
  if (!row.pending || state == ImportState::begun) return;
  if (state && counts(*state)) {
    row.version = row.pending->version;
    row.updated_at = row.pending->updated_at;
    row.sections = std::move(row.pending->sections);
  }
  row.pending.reset();
}

void settle_known(RecordHead& row, std::optional<ImportState> state) {
  const bool left = state == ImportState::cancelled && row.pending && row.added_by == row.pending->import;
  settle(row, left ? ImportState::finished : state);
}
void settle_known(RecordRow& row, std::optional<ImportState> state) {
  const bool left = state == ImportState::cancelled && row.version.get() == 0;
  settle(row, left ? ImportState::finished : state);
}

Bytes encode(const HistoryRow& row) {
  Writer out(24);
  out.number(row.time.get()).parts(row.parts);
  if (row.import) out.raw(row.import->get());
  return out.done();
}
Bytes encode_parts(std::span<const PartRef> parts) { return Writer(16).parts(parts).done(); }
Result<HistoryRow> decode_history(ByteView value) {
  Reader in(value);
  HistoryRow row;
  row.time = TimeMs(in.number());
  row.parts = in.parts();
  if (!in.done()) row.import = JobId(in.id());
  return checked(in, std::move(row));
}
Result<std::vector<PartRef>> decode_parts(ByteView value) {
  Reader in(value);
  auto parts = in.parts();
  return checked(in, std::move(parts));
}

Bytes encode(const LinkRow& row) {
  return Writer(16 + row.sealed.size()).number(row.slot.get()).raw(row.sealed).done();
}
Result<LinkRow> decode_link(ByteView value) {
  Reader in(value);
  LinkRow row;
  row.slot = Slot(in.number());
  row.sealed = to_bytes(in.rest());
  return checked(in, std::move(row));
}

Bytes encode(const MergeRow& row) { return Writer(32).number(row.slot.get()).raw(row.into.get()).done(); }
Result<MergeRow> decode_merge(ByteView value) {
  Reader in(value);
  MergeRow row;
  row.slot = Slot(in.number());
  row.into = SubjectId(in.id());
  return checked(in, row);
}

Bytes encode(const Views::RegistryRow& row) {
  Writer out(32 + row.sealed.size());
  out.number(static_cast<std::uint16_t>(row.type)).number(row.version).number(row.at.get()).number(row.revoked ? 1 : 0);
  return out.number(row.slot.get()).raw(row.sealed).done();
}
Result<Views::RegistryRow> decode_registry(ByteView value) {
  Reader in(value);
  Views::RegistryRow row;
  row.type = static_cast<EventType>(in.narrow<std::uint16_t>());
  row.version = in.narrow<std::uint32_t>();
  row.at = TimeMs(in.number());
  row.revoked = in.number() != 0;
  row.slot = Slot(in.number());
  row.sealed = to_bytes(in.rest());
  return checked(in, std::move(row));
}

Bytes encode(const OwnerRow& row) {
  Bytes out(1 + kLeafBytes * row.leaves.size(), kVersion);
  auto* at = out.data() + 1;
  for (const auto& leaf : row.leaves) {
    put_be(at, leaf.cls.get());
    put_be(at + 4, leaf.slot.get());
    put_be(at + 12, leaf.next);
    put_be(at + 20, leaf.since.get());
    put_be(at + 28, leaf.last.get());
    at += kLeafBytes;
  }
  return out;
}
Result<OwnerRow> decode_owner(ByteView value) {
  if (value.empty() || value[0] != kVersion || (value.size() - 1) % kLeafBytes != 0) return damaged();
  OwnerRow row;
  row.leaves.reserve(value.size() / kLeafBytes);
  for (const auto* at = value.data() + 1; at != value.data() + value.size(); at += kLeafBytes) {
    row.leaves.push_back({ClassNo(get_be<std::uint32_t>(at)), Slot(get_be<std::uint64_t>(at + 4)),
                          get_be<std::uint64_t>(at + 12), TimeMs(get_be<std::uint64_t>(at + 20)),
                          Seq(get_be<std::uint64_t>(at + 28))});
    row.modified = std::max(row.modified, row.leaves.back().last);
  }
  return row;
}

Status count_part(Bytes& owner_row, const Envelope& envelope, Seq seq, TimeMs time) {
  if (owner_row.empty()) owner_row.push_back(kVersion);
  if (owner_row[0] != kVersion || (owner_row.size() - 1) % kLeafBytes != 0) return damaged();
  // The newest leaf is the likeliest: a token gets one a month.
  for (auto end = owner_row.size(); end > 1; end -= kLeafBytes) {
    auto* at = owner_row.data() + (end - kLeafBytes);
    if (get_be<std::uint64_t>(at + 4) != envelope.slot.get()) continue;
    put_be(at + 12, envelope.number + 1);
    put_be(at + 28, seq.get());
    return Done{};
  }
  const auto old = owner_row.size();
  owner_row.resize(old + kLeafBytes);
  auto* at = owner_row.data() + old;
  put_be(at, envelope.cls.get());
  put_be(at + 4, envelope.slot.get());
  put_be(at + 12, envelope.number + 1);
  put_be(at + 20, time.get());
  put_be(at + 28, seq.get());
  return Done{};
}

bool drop_leaves(OwnerRow& row, std::span<const Slot> slots) {
  std::erase_if(row.leaves,
                [&](const Leaf& leaf) { return std::find(slots.begin(), slots.end(), leaf.slot) != slots.end(); });
  return !row.leaves.empty();
}

namespace {

void write(Writer& out, const ErasureEffect& effect) {
  out.number(effect.seq.get()).number(effect.at.get()).number(effect.old_epoch).number(effect.new_epoch);
  out.raw(effect.old_root).raw(effect.new_root);
  out.number(effect.grade).number(effect.members).number(effect.replicas).number(effect.requests);
  out.number(effect.kept.size());
  for (const auto& kept : effect.kept)
    out.number(kept.cls.get()).number(static_cast<std::uint8_t>(kept.ground)).bytes(as_bytes(kept.period));
}
ErasureEffect read_effect(Reader& in) {
  ErasureEffect effect;
  effect.seq = Seq(in.number());
  effect.at = TimeMs(in.number());
  effect.old_epoch = in.number();
  effect.new_epoch = in.number();
  effect.old_root = in.hash();
  effect.new_root = in.hash();
  effect.grade = in.narrow<std::uint16_t>();
  effect.members = in.narrow<std::uint16_t>();
  effect.replicas = in.narrow<std::uint16_t>();
  effect.requests = in.narrow<std::uint32_t>();
  effect.kept.resize(in.count());
  for (auto& kept : effect.kept) {
    kept.cls = ClassNo(in.narrow<std::uint32_t>());
    kept.ground = static_cast<LegalGround>(in.narrow<std::uint8_t>());
    kept.period = as_chars(in.bytes());
  }
  return effect;
}

}  // namespace

Bytes encode(const ErasureRow& row) {
  Writer out(128 + 128 * row.effects.size(), kErasureVersion);
  out.number(static_cast<std::uint8_t>(row.state)).number(row.ground).numbers(row.classes).number(row.requests.size());
  std::uint64_t before = 0;
  for (const auto& seq : row.requests) {
    out.number(seq.get() - before);
    before = seq.get();
  }
  out.number(row.requests_effective).number(row.requests_completed).number(row.subjects).number(row.leaves);
  out.number(row.requested_at.get()).number(row.deadline.get()).number(row.effects.size());
  for (const auto& effect : row.effects) write(out, effect);
  return out.done();
}
Result<ErasureRow> decode_erasure(ByteView value) {
  Reader in(value, kErasureVersion);
  ErasureRow row;
  row.state = static_cast<ErasureState>(in.narrow<std::uint8_t>());
  row.ground = in.narrow<std::uint16_t>();
  row.classes = in.numbers<std::uint32_t>();
  row.requests.resize(in.count());
  std::uint64_t before = 0;
  for (auto& seq : row.requests) seq = Seq(before += in.number());
  row.requests_effective = in.narrow<std::uint32_t>();
  row.requests_completed = in.narrow<std::uint32_t>();
  row.subjects = in.narrow<std::uint32_t>();
  row.leaves = in.number();
  row.requested_at = TimeMs(in.number());
  row.deadline = TimeMs(in.number());
  for (auto left = in.count(); left > 0; --left) row.effects.push_back(read_effect(in));
  return checked(in, std::move(row));
}

Bytes encode(const RequestRow& row) {
  Writer out(64 + 24 * row.people.size() + 16 * row.marked.size(), kErasureVersion);
  out.number((row.erasure ? 1u : 0u) | (row.id_in_header ? 2u : 0u) | (row.effective ? 4u : 0u) |
             (row.completed ? 8u : 0u));
  if (row.erasure) out.raw(row.erasure->get());
  if (row.effective) out.number(row.effective->get());
  out.number(row.leaves).number(row.notices).numbers(row.classes).number(row.people.size());
  for (const auto& person : row.people) out.raw(person.subject.get()).number(person.notice.get());
  out.number(row.marked.size());
  for (const auto& id : row.marked) out.raw(id);
  return out.done();
}
Result<RequestRow> decode_request(ByteView value) {
  Reader in(value, kErasureVersion);
  RequestRow row;
  const auto flags = in.number();
  if ((flags & 1) != 0) row.erasure = ErasureId(in.id());
  row.id_in_header = (flags & 2) != 0;
  row.completed = (flags & 8) != 0;
  if ((flags & 4) != 0) row.effective = Seq(in.number());
  row.leaves = in.narrow<std::uint32_t>();
  row.notices = in.narrow<std::uint16_t>();
  row.classes = in.numbers<std::uint32_t>();
  row.people.resize(in.count());
  for (auto& person : row.people) {
    person.subject = SubjectId(in.id());
    person.notice = Slot(in.number());
  }
  row.marked.resize(in.count());
  for (auto& id : row.marked) id = in.id();
  return checked(in, std::move(row));
}

Bytes encode(const ImportRow& row) {
  Writer out(64);
  out.number(static_cast<std::uint8_t>(row.state)).number(row.type.get()).number(row.purpose.get());
  out.number(row.begun_seq.get()).number(row.begun_at.get()).facts(row.counts);
  out.number(row.ended_seq ? row.ended_seq->get() + 1 : 0).number(row.ended_at.get());
  out.number(row.undone_seq ? row.undone_seq->get() + 1 : 0).number(row.undone_at.get()).facts(row.undone);
  return out.done();
}
Result<ImportRow> decode_import(ByteView value) {
  Reader in(value);
  ImportRow row;
  const auto seq = [](std::uint64_t n) { return n == 0 ? std::nullopt : std::optional(Seq(n - 1)); };
  row.state = static_cast<ImportState>(in.narrow<std::uint8_t>());
  row.type = TypeNo(in.narrow<std::uint32_t>());
  row.purpose = PurposeNo(in.narrow<std::uint32_t>());
  row.begun_seq = Seq(in.number());
  row.begun_at = TimeMs(in.number());
  row.counts = in.facts();
  row.ended_seq = seq(in.number());
  row.ended_at = TimeMs(in.number());
  row.undone_seq = seq(in.number());
  row.undone_at = TimeMs(in.number());
  row.undone = in.facts();
  return checked(in, row);
}

Bytes encode(const ErasureId& erasure) { return Writer(20).raw(erasure.get()).done(); }
Result<ErasureId> decode_erased(ByteView value) {
  Reader in(value);
  const ErasureId id(in.id());
  return checked(in, id);
}

Bytes encode(const IdempotencyPlace& place) {
  return Writer(16).number(place.row.get()).number(place.day.get()).done();
}
Result<IdempotencyPlace> decode_idempotency(ByteView value) {
  Reader in(value);
  IdempotencyPlace place;
  place.row = Seq(in.number());
  place.day = Slot(in.number());
  return checked(in, place);
}

Bytes encode_position(TreeSize position) { return to_bytes(be(position.get())); }
Result<TreeSize> decode_position(ByteView value) {
  if (value.size() != 8) return damaged();
  return TreeSize(get_be<std::uint64_t>(value.data()));
}

}  // namespace siegel::views
