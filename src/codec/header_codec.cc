#include "codec/header_codec.h"

#include <schemas/header.capnp.h>

#include "base/assert.h"
#include "codec/canonical.h"

namespace siegel::codec {
namespace {

constexpr std::uint16_t kHeaderFormat = 1;

// Places that the writer fills in (docs/formats/header.md). They hold in every header: `schema` behind them is never
// zero, so the canonical form never cuts the data section before them.
constexpr std::size_t kSeqAt = 16;
constexpr std::size_t kTimeAt = 24;
constexpr std::size_t kKeysMarkAt = 32;
constexpr std::size_t kDataAt = 8;

void put_le(std::uint8_t* at, std::uint64_t value) noexcept {
  for (int i = 0; i < 8; ++i) at[i] = static_cast<std::uint8_t>(value >> (8 * i));
}

template <class List, class T>
void fill(List list, const std::vector<T>& values) {
  for (unsigned i = 0; i < values.size(); ++i) list.set(i, values[i]);
}

// One overload per kind of facts: a new kind does not compile until it is written and read here.
struct FactsWriter {
  schema::Header::Facts::Builder to;

  void operator()(const NoFacts&) { to.setNone(); }
  void operator()(const RegistryFacts& facts) {
    auto out = to.initRegistry();
    out.setNumber(facts.number);
    out.setVersion(facts.version);
  }
  void operator()(const AccessFacts& facts) {
    auto out = to.initAccess();
    out.setKind(static_cast<std::uint8_t>(facts.kind));
    if (!facts.fields.empty()) fill(out.initFields(static_cast<unsigned>(facts.fields.size())), facts.fields);
  }
  void operator()(const RefusalFacts& facts) {
    auto out = to.initRefusal();
    out.setCode(facts.code);
    out.setRequested(facts.requested);
  }
  void operator()(const ErasureRequestedFacts& facts) {
    auto out = to.initErasureRequested();
    out.setGround(facts.ground);
    out.setDeadline(facts.deadline_ms);
    out.setLeaves(facts.leaves);
    if (!facts.classes.empty()) fill(out.initClasses(static_cast<unsigned>(facts.classes.size())), facts.classes);
  }
  void operator()(const ErasureEffectiveFacts& facts) {
    auto out = to.initErasureEffective();
    out.setOldEpoch(facts.old_epoch);
    out.setNewEpoch(facts.new_epoch);
    out.setOldRoot(data_of(facts.old_root));
    out.setNewRoot(data_of(facts.new_root));
    out.setLeaves(facts.leaves);
    out.setGrade(facts.grade);
    out.setMembers(facts.members);
    out.setReplicas(facts.replicas);
    if (!facts.requests.empty()) fill(out.initRequests(static_cast<unsigned>(facts.requests.size())), facts.requests);
  }
  void operator()(const ErasureCompletedFacts& facts) { to.initErasureCompleted().setRequest(facts.request); }
  void operator()(const JobFacts& facts) {
    auto out = to.initJob();
    out.setKind(static_cast<std::uint16_t>(facts.kind));
    out.setCount(facts.count);
  }
  void operator()(const ClockFacts& facts) { to.initClock().setSkew(facts.skew_ms); }
  void operator()(const ImportFacts& facts) {
    auto out = to.initImport();
    out.setRows(facts.rows);
    out.setAdded(facts.added);
    out.setChanged(facts.changed);
    out.setUnchanged(facts.unchanged);
    out.setFailed(facts.failed);
  }
};

// Pointers are set in the order of their places: that order is the canonical one.
void write(const Header& header, schema::Header::Builder to) {
  to.setFormat(kHeaderFormat);
  to.setLegalGround(static_cast<std::uint8_t>(header.ground));
  to.setSource(static_cast<std::uint8_t>(header.source));
  to.setPurpose(header.purpose.get());
  to.setSeq(header.seq.get());
  to.setTime(header.time.get());
  to.setKeysMark(header.keys_mark.get());
  to.setType(static_cast<std::uint16_t>(header.type));
  to.setSchema(header.schema);
  to.setPartCount(header.part_count);
  to.setRecordType(header.record_type.get());
  to.setId(data_of(header.id.get()));
  to.setPartsDigest(data_of(header.parts_digest));
  if (header.job) to.setJob(data_of(header.job->get()));
  std::visit(FactsWriter{to.getFacts()}, header.facts);
}

template <std::size_t N>
bool read(kj::ArrayPtr<const kj::byte> data, ByteArray<N>& to) {
  if (data.size() != N) return false;
  std::memcpy(to.data(), data.begin(), N);
  return true;
}

template <class List, class T>
void read(List list, std::vector<T>& to) {
  to.reserve(list.size());
  for (const auto value : list) to.push_back(value);
}

bool read(schema::Header::Facts::Reader from, Facts& to) {
  using Which = schema::Header::Facts::Which;
  switch (from.which()) {
    case Which::NONE:
      to = NoFacts{};
      return true;
    case Which::REGISTRY: {
      const auto in = from.getRegistry();
      to = RegistryFacts{in.getNumber(), in.getVersion()};
      return true;
    }
    case Which::ACCESS: {
      const auto in = from.getAccess();
      auto& out = to.emplace<AccessFacts>();
      out.kind = static_cast<AccessFacts::Kind>(in.getKind());
      read(in.getFields(), out.fields);
      return true;
    }
    case Which::REFUSAL: {
      const auto in = from.getRefusal();
      to = RefusalFacts{in.getCode(), in.getRequested()};
      return true;
    }
    case Which::JOB: {
      const auto in = from.getJob();
      to = JobFacts{static_cast<JobFacts::Kind>(in.getKind()), in.getCount()};
      return true;
    }
    case Which::CLOCK:
      to = ClockFacts{from.getClock().getSkew()};
      return true;
    case Which::ERASURE_REQUESTED: {
      const auto in = from.getErasureRequested();
      auto& out = to.emplace<ErasureRequestedFacts>();
      out.ground = in.getGround();
      out.deadline_ms = in.getDeadline();
      out.leaves = in.getLeaves();
      read(in.getClasses(), out.classes);
      return true;
    }
    case Which::ERASURE_EFFECTIVE: {
      const auto in = from.getErasureEffective();
      auto& out = to.emplace<ErasureEffectiveFacts>();
      out.old_epoch = in.getOldEpoch();
      out.new_epoch = in.getNewEpoch();
      out.leaves = in.getLeaves();
      out.grade = in.getGrade();
      out.members = in.getMembers();
      out.replicas = in.getReplicas();
      read(in.getRequests(), out.requests);
      return read(in.getOldRoot(), out.old_root) && read(in.getNewRoot(), out.new_root);
    }
    case Which::ERASURE_COMPLETED:
      to = ErasureCompletedFacts{from.getErasureCompleted().getRequest()};
      return true;
    case Which::IMPORT: {
      const auto in = from.getImport();
      to = ImportFacts{in.getRows(), in.getAdded(), in.getChanged(), in.getUnchanged(), in.getFailed()};
      return true;
    }
  }
  return false;  // a kind of facts of a newer version
}

bool read(schema::Header::Reader from, Header& to) {
  if (from.getFormat() != kHeaderFormat || from.getSchema() == 0 || from.getPartCount() > kPartsMax) return false;
  to.type = static_cast<EventType>(from.getType());
  to.schema = from.getSchema();
  to.ground = static_cast<LegalGround>(from.getLegalGround());
  to.source = static_cast<Source>(from.getSource());
  to.seq = Seq(from.getSeq());
  to.time = TimeMs(from.getTime());
  to.purpose = PurposeNo(from.getPurpose());
  to.record_type = TypeNo(from.getRecordType());
  to.keys_mark = KeysMark(from.getKeysMark());
  to.part_count = from.getPartCount();
  Id16 id;
  if (!read(from.getId(), id) || !read(from.getPartsDigest(), to.parts_digest)) return false;
  to.id = EventId(id);
  if (from.hasJob()) {
    if (!read(from.getJob(), id)) return false;
    to.job = JobId(id);
  }
  return read(from.getFacts(), to.facts);
}

struct ListSize {
  std::size_t operator()(const AccessFacts& facts) const { return 2 * facts.fields.size(); }
  std::size_t operator()(const ErasureRequestedFacts& facts) const { return 4 * facts.classes.size(); }
  std::size_t operator()(const ErasureEffectiveFacts& facts) const { return 8 * facts.requests.size(); }
  template <class Other>
  std::size_t operator()(const Other&) const {
    return 0;
  }
};

Error too_large(std::size_t size) {
  return Error(Errc::invalid, "too_large", "The event's header is larger than the format allows.")
      .with("limit", kHeaderBytesMax)
      .with("size", size);
}

}  // namespace

Result<Bytes> encode(const Header& header) {
  if (header.schema == 0 || header.part_count > kPartsMax) {
    return Error(Errc::invalid, "header_invalid", "A header needs a schema version and at most 1,001 parts.")
        .with("schema", header.schema)
        .with("parts", header.part_count);
  }
  if (const auto size = std::visit(ListSize{}, header.facts); size > kHeaderBytesMax) return too_large(size);
  Draft draft;
  write(header, draft.root<schema::Header>());
  const ByteView bytes = draft.finish_flat();
  if (bytes.size() > kHeaderBytesMax) return too_large(bytes.size());
  return to_bytes(bytes);
}

Result<HeaderTemplate> encode_template(const Header& header) {
  SIEGEL_TRY(bytes, encode(header));
  // The root pointer counts the words of both sections; behind them the 16 bytes of the id, then the digest.
  const std::size_t data_words = bytes[4] | bytes[5] << 8;
  const std::size_t pointers = bytes[6] | bytes[7] << 8;
  const std::size_t digest_at = kDataAt + 8 * (data_words + pointers) + sizeof(Id16);
  return HeaderTemplate{std::move(bytes), static_cast<std::uint16_t>(digest_at)};
}

void complete(HeaderTemplate& header, Seq seq, TimeMs time, KeysMark keys_mark, const Hash& parts_digest) {
  SIEGEL_ASSERT(header.digest_at > kKeysMarkAt + 8 && header.digest_at + parts_digest.size() <= header.bytes.size());
  std::uint8_t* const at = header.bytes.data();
  put_le(at + kSeqAt, seq.get());
  put_le(at + kTimeAt, time.get());
  put_le(at + kKeysMarkAt, keys_mark.get());
  std::memcpy(at + header.digest_at, parts_digest.data(), parts_digest.size());
}

// What decodes is written again and compared: nothing that encode would not write gets through, whatever the damage.
Result<Header> decode_header(ByteView bytes) {
  const auto damaged = [] { return Error(Errc::corrupt, "header_damaged", "The header is not what an event writes."); };
  if (bytes.size() < 8 || bytes.size() % 8 != 0 || bytes.size() > kHeaderBytesMax) return damaged();
  return guarded(
      [&]() -> Result<Header> {
        Result<Header> header{Header{}};
        Opened opened(bytes);
        if (!read(opened.root<schema::Header>(), *header)) return damaged();
        Draft draft;
        write(*header, draft.root<schema::Header>());
        if (!equal(draft.finish_flat(), bytes)) return damaged();
        return header;
      },
      damaged);
}

}  // namespace siegel::codec
