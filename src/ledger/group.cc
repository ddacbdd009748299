#include "ledger/group.h"

#include <algorithm>

#include "base/assert.h"
#include "codec/parts.h"
#include "ledger/layout.h"
#include "proof/merkle.h"

namespace siegel::ledger {

namespace {

// Rows and parts records (formats: codec/rows.h, codec/parts.h) written straight into the batch, where all sizes are
// known beforehand: codec's builders would copy each ciphertext three times more. RowView reads them back in every
// group, and a test compares them with the builders.
constexpr std::uint16_t kRowFormat = 1;
constexpr std::size_t kRowFixedBytes = 4;
constexpr std::size_t kRowEndBytes = 4;
constexpr std::size_t kPartCountBytes = 2;
constexpr std::size_t kPartLengthBytes = 4;

constexpr std::size_t row_bytes(std::size_t events, std::size_t event_bytes) {
  return kRowFixedBytes + kRowEndBytes * events + event_bytes;
}

// Fills a place of known size from front to back.
class Filler {
 public:
  explicit Filler(MutableBytes space) : rest_(space) {}
  void bytes(ByteView from) {
    if (!from.empty()) std::memcpy(rest_.data(), from.data(), from.size());
    rest_ = rest_.subspan(from.size());
  }
  template <class T>
  void number(T value) {
    put_be(rest_.data(), value);
    rest_ = rest_.subspan(sizeof(T));
  }
  [[nodiscard]] bool full() const { return rest_.empty(); }

 private:
  MutableBytes rest_;
};

std::size_t record_bytes(const std::vector<SealedPart>& parts) {
  std::size_t bytes = kPartCountBytes;
  for (const auto& part : parts) bytes += kPartLengthBytes + kEnvelopeBytes + part.ciphertext.size();
  return bytes;
}

void fill_record(Filler& to, const std::vector<SealedPart>& parts) {
  to.number(static_cast<std::uint16_t>(parts.size()));
  for (const auto& part : parts) {
    to.number(static_cast<std::uint32_t>(kEnvelopeBytes + part.ciphertext.size()));
    to.bytes(codec::encode(part.envelope));
    to.bytes(part.ciphertext);
  }
}

bool record_matches(ByteView record, const std::vector<SealedPart>& parts) {
  ByteReader reader(record);
  std::uint16_t count = 0;
  if (!reader.take_be(count) || count != parts.size()) return false;
  for (const auto& part : parts) {
    std::uint32_t length = 0;
    ByteView envelope, ciphertext;
    if (!reader.take_be(length) || length != kEnvelopeBytes + part.ciphertext.size() ||
        !reader.take(kEnvelopeBytes, envelope) || !reader.take(part.ciphertext.size(), ciphertext) ||
        !equal(envelope, codec::encode(part.envelope)) || !equal(ciphertext, part.ciphertext)) {
      return false;
    }
  }
  return reader.empty();
}

Error too_large(std::size_t bytes) {
  return Error(Errc::invalid, "too_large", "The parts of the event are larger than one event may be.")
      .with("limit", kEventPartsBytesMax)
      .with("size", bytes);
}

}  // namespace

void GroupBuilder::begin(const Before& before) {
  before_ = before;
  keys_mark_ = before.keys_mark;
  epoch_ = before.epoch;
  events_.clear();
  trailers_.clear();
  rows_.clear();
  bytes_ = 0;
}

Result<GroupBuilder::Added> GroupBuilder::add(Verdict&& verdict, KeysMark keys_mark) {
  Added added{.first = next(), .events = verdict.events.size(), .access = {}, .job = {}};
  const auto events_before = events_.size();
  const auto bytes_before = bytes_;
  const auto epoch_before = epoch_;
  const auto mark = verdict.events.empty() ? keys_mark_ : std::max(keys_mark_, keys_mark);
  for (auto& draft : verdict.events) {
    const auto seq = next();
    auto event = complete(draft, mark);
    if (!event) {
      events_.resize(events_before);
      bytes_ = bytes_before;
      epoch_ = epoch_before;
      return Error(std::move(event).error());
    }
    note_facts(draft, *event, seq, added);
    bytes_ += event->header.size() + event->parts_bytes;
    events_.push_back(std::move(*event));
  }
  keys_mark_ = mark;
  if (verdict.idempotency && !verdict.events.empty()) {
    bytes_ += verdict.idempotency->sealed.size();
    trailers_.push_back({events_.size() - 1, std::move(*verdict.idempotency)});
  }
  return added;
}

// Takes header and parts out of the draft; the rest of it stays readable.
Result<GroupBuilder::Event> GroupBuilder::complete(Draft& draft, KeysMark keys_mark) {
  Event event;
  auto& header = draft.header;
  if (header.part_count != draft.parts.size() || draft.parts.empty() || draft.parts.size() > kPartsMax) {
    return Error(Errc::invalid, "header_invalid", "An event needs an actor's part, and its header their number.")
        .with("parts", draft.parts.size());
  }
  event.parts = std::move(draft.parts);
  event.parts_bytes = record_bytes(event.parts);
  if (event.parts_bytes > kEventPartsBytesMax) return too_large(event.parts_bytes);

  part_hashes_.clear();
  for (const auto& part : event.parts)
    part_hashes_.push_back(codec::part_hash(codec::encode(part.envelope), part.inner));
  header.parts_digest = codec::parts_digest(part_hashes_);
  header.seq = next();
  header.time = before_.time;
  header.keys_mark = keys_mark;
  if (draft.prepared) {
    codec::complete(*draft.prepared, header.seq, header.time, header.keys_mark, header.parts_digest);
    event.header = std::move(draft.prepared->bytes);
  } else {
    SIEGEL_TRY(bytes, codec::encode(header));
    event.header = std::move(bytes);
  }
  event.leaf = leaf_hash(event.header);
  return event;
}

// Receipts and the epoch follow the bytes that are written, not what a draft says beside them.
void GroupBuilder::note_facts(const Draft& draft, const Event& event, Seq seq, Added& added) {
  const auto type = draft.header.type;
  if (type != EventType::access_read && type != EventType::job_started && type != EventType::erasure_effective) return;
  if (draft.prepared) {
    const auto written = codec::decode_header(event.header);
    SIEGEL_ASSERT(written && *written == draft.header);
  }
  if (type == EventType::access_read) {
    if (!added.access) added.access = Access{seq, draft.header.purpose, {}};
    SIEGEL_ASSERT(added.access->purpose == draft.header.purpose);
    for (std::size_t i = 1; i < event.parts.size(); ++i) added.access->owners.push_back(event.parts[i].envelope.owner);
  } else if (const auto* job = std::get_if<JobFacts>(&draft.header.facts); job && type == EventType::job_started) {
    added.job = Job{seq, job->kind};
  } else if (const auto* erased = std::get_if<ErasureEffectiveFacts>(&draft.header.facts); erased) {
    epoch_ = Epoch(erased->new_epoch);
  }
}

std::vector<GroupBuilder::Row> GroupBuilder::plan_rows() const {
  std::vector<Row> rows;
  for (std::size_t i = 0; i < events_.size(); ++i) {
    const auto& event = events_[i];
    if (!rows.empty()) {
      auto& last = rows.back();
      if (last.count < codec::kRowEventsMax &&
          row_bytes(last.count + 1, last.header_bytes + event.header.size()) <= codec::kRowBytesMax &&
          row_bytes(last.count + 1, last.parts_bytes + event.parts_bytes) <= codec::kRowBytesMax) {
        ++last.count;
        last.header_bytes += event.header.size();
        last.parts_bytes += event.parts_bytes;
        continue;
      }
    }
    rows.push_back({.first = i,
                    .count = 1,
                    .header_bytes = event.header.size(),
                    .parts_bytes = event.parts_bytes,
                    .trailer = {},
                    .headers_entry = 0,
                    .payloads_entry = 0});
  }
  return rows;
}

void GroupBuilder::put_rows(Batch& batch) {
  rows_ = plan_rows();
  auto trailer = trailers_.begin();
  std::vector<codec::IdempotencyRow> entries;
  for (auto& row : rows_) {
    entries.clear();
    for (; trailer != trailers_.end() && trailer->event < row.first + row.count; ++trailer) {
      entries.push_back(std::move(trailer->row));
    }
    row.trailer = codec::encode(entries);
    put_row(batch, row);
  }
}

void GroupBuilder::put_row(Batch& batch, Row& row) {
  const auto key = row_key(seq_of(row.first));
  const std::span events(events_.data() + row.first, row.count);
  const auto start = [&](MutableBytes space, auto&& size_of) {
    Filler to(space);
    to.number(kRowFormat);
    to.number(static_cast<std::uint16_t>(row.count));
    std::uint32_t end = 0;
    for (const auto& event : events) to.number(end += static_cast<std::uint32_t>(size_of(event)));
    return to;
  };

  row.headers_entry = batch.count();
  auto headers = start(batch.put_space(kHeaders, key, row_bytes(row.count, row.header_bytes)),
                       [](const Event& event) { return event.header.size(); });
  for (const auto& event : events) headers.bytes(event.header);

  row.payloads_entry = batch.count();
  const auto space = batch.put_space(kPayloads, key, row_bytes(row.count, row.parts_bytes) + row.trailer.size());
  auto payloads = start(space, [](const Event& event) { return event.parts_bytes; });
  for (const auto& event : events) fill_record(payloads, event.parts);
  payloads.bytes(row.trailer);
  SIEGEL_ASSERT(headers.full() && payloads.full());

  if (seams_.row_encoded) {
    const auto written = batch.entry(row.headers_entry).value;  // its place may have moved: reckon from the end
    const auto distance = static_cast<std::size_t>(space.data() - written.data());
    seams_.row_encoded({space.data() - distance, written.size()}, space);
  }
}

bool GroupBuilder::rows_match(const Batch& batch) const {
  return std::ranges::all_of(rows_,
                             [&](const Row& row) { return headers_match(batch, row) && payloads_match(batch, row); });
}

bool GroupBuilder::headers_match(const Batch& batch, const Row& row) const {
  const auto entry = batch.entry(row.headers_entry);
  const auto view = codec::RowView::parse(entry.value);
  if (!view || view->events() != row.count || !view->trailer().empty()) return false;
  if (!equal(entry.key, row_key(seq_of(row.first)))) return false;
  for (std::size_t i = 0; i < row.count; ++i) {
    if (leaf_hash(view->event(i)) != events_[row.first + i].leaf) return false;
  }
  return true;
}

bool GroupBuilder::payloads_match(const Batch& batch, const Row& row) const {
  const auto entry = batch.entry(row.payloads_entry);
  const auto view = codec::RowView::parse(entry.value);
  if (!view || view->events() != row.count || !equal(view->trailer(), row.trailer)) return false;
  if (!equal(entry.key, row_key(seq_of(row.first)))) return false;
  for (std::size_t i = 0; i < row.count; ++i) {
    if (!record_matches(view->event(i), events_[row.first + i].parts)) return false;
  }
  return true;
}

std::vector<Group::Row> GroupBuilder::copy_rows(const Batch& batch) const {
  std::vector<Group::Row> out;
  out.reserve(rows_.size());
  for (const auto& row : rows_) {
    out.push_back({seq_of(row.first), to_bytes(batch.entry(row.headers_entry).value),
                   to_bytes(batch.entry(row.payloads_entry).value)});
  }
  return out;
}

}  // namespace siegel::ledger
