#include "codec/bodies_codec.h"

#include "base/assert.h"
#include "codec/body_parts.h"

namespace siegel::codec {

void write(const std::vector<std::string>& texts, TextList::Builder to) {
  for (unsigned i = 0; i < texts.size(); ++i) {
    if (!texts[i].empty()) to.set(i, text_of(texts[i]));
  }
}

std::vector<std::string> texts_of(TextList::Reader from) {
  std::vector<std::string> out;
  out.reserve(from.size());
  for (const auto text : from) out.push_back(string_of(text));
  return out;
}

namespace {

using FieldValues = capnp::List<schema::FieldValue>;

// ── Values ──────────────────────────────────────────────────────────────────────────────────────────────────────────

struct ValueWriter {
  schema::FieldValue::Builder to;

  void operator()(const Null&) { to.setNull(); }
  void operator()(const std::string& text) {
    if (text.empty()) {
      to.adoptText({});  // the kind, and a null pointer
    } else {
      to.setText(text_of(text));
    }
  }
  void operator()(const std::vector<std::string>& list) {
    if (list.empty()) {
      to.adoptList({});
    } else {
      write(list, to.initList(count_of(list.size())));
    }
  }
};

void write(const Values& values, FieldValues::Builder to) {
  FieldNo before;
  for (unsigned i = 0; i < values.size(); ++i) {
    SIEGEL_ASSERT(i == 0 || before < values[i].field);  // what is written otherwise could not be read again
    before = values[i].field;
    to[i].setField(before.get());
    std::visit(ValueWriter{to[i]}, values[i].value.expose());
  }
}

bool read(schema::FieldValue::Reader from, Value& to) {
  switch (from.which()) {
    case schema::FieldValue::NULL_:
      return true;
    case schema::FieldValue::TEXT:
      to = string_of(from.getText());
      return true;
    case schema::FieldValue::LIST:
      to = texts_of(from.getList());
      return true;
  }
  return false;
}

bool read(FieldValues::Reader from, Values& to) {
  to.reserve(from.size());
  for (const auto in : from) {
    const FieldNo field(in.getField());
    if (!to.empty() && !(to.back().field < field)) return false;
    Value value;
    if (!read(in, value)) return false;
    to.push_back(FieldValue{field, Personal<Value>(std::move(value))});
  }
  return true;
}

}  // namespace

void write(const Values& values, schema::RecordValues::Builder to) {
  if (!values.empty()) write(values, to.initValues(count_of(values.size())));
}
bool read(schema::RecordValues::Reader from, Values& to) { return read(from.getValues(), to); }

// ── Actor, record, subject ──────────────────────────────────────────────────────────────────────────────────────────

void write(const ActorBody& body, schema::Actor::Builder to) {
  to.setTimeMicros(body.time_micros);
  if (body.session) to.setSession(data_of(*body.session));
  if (!body.request_id.empty()) to.setRequestId(text_of(body.request_id));
}

bool read(schema::Actor::Reader from, ActorBody& to) {
  to.time_micros = from.getTimeMicros();
  if (from.hasSession() && !take(from.getSession(), to.session.emplace())) return false;
  to.request_id = string_of(from.getRequestId());
  return true;
}

void write(const RecordBody& body, schema::RecordEvent::Builder to) {
  to.setRecord(data_of(body.record.get()));
  if (!body.values.empty()) write(body.values, to.initValues(count_of(body.values.size())));
  if (const auto& reason = body.reason.expose(); !reason.empty()) to.setReason(text_of(reason));
  to.setRow(body.row);
  switch (body.fact) {
    case RecordBody::Fact::added:
      to.setAdded();
      break;
    case RecordBody::Fact::changed:
      to.setChanged();
      break;
    case RecordBody::Fact::removed:
      to.setRemoved();
      break;
  }
  if (const auto& share = body.reason_share.expose(); !share.empty()) to.setReasonShare(data_of(share));
}

bool read(schema::RecordEvent::Reader from, RecordBody& to) {
  Id16 record;
  if (!take(from.getRecord(), record) || !read(from.getValues(), to.values)) return false;
  to.record = RecordId(record);
  to.reason = Personal<std::string>(string_of(from.getReason()));
  const auto share = from.getReasonShare();
  to.reason_share = Personal<Bytes>(Bytes(share.begin(), share.end()));
  to.row = from.getRow();
  switch (from.which()) {
    case schema::RecordEvent::ADDED:
      to.fact = RecordBody::Fact::added;
      return true;
    case schema::RecordEvent::CHANGED:
      to.fact = RecordBody::Fact::changed;
      return true;
    case schema::RecordEvent::REMOVED:
      to.fact = RecordBody::Fact::removed;
      return true;
  }
  return false;
}

void write(const SubjectBody& body, schema::SubjectEvent::Builder to) {
  if (const auto* linked = std::get_if<SubjectLinked>(&body)) {
    const auto& reference = linked->reference.expose();
    auto out = to.initLinked();
    if (!reference.system.empty()) out.setSystem(text_of(reference.system));
    if (!reference.id.empty()) out.setExternalId(text_of(reference.id));
  } else if (const auto* merged = std::get_if<SubjectMerged>(&body)) {
    to.initMerged().setInto(data_of(merged->into.get()));
  } else {
    to.setRegistered();
  }
}

bool read(schema::SubjectEvent::Reader from, SubjectBody& to) {
  switch (from.which()) {
    case schema::SubjectEvent::REGISTERED:
      to = SubjectRegistered{};
      return true;
    case schema::SubjectEvent::LINKED: {
      const auto in = from.getLinked();
      to = SubjectLinked{
          Personal<ExternalReference>(ExternalReference{string_of(in.getSystem()), string_of(in.getExternalId())})};
      return true;
    }
    case schema::SubjectEvent::MERGED: {
      Id16 into;
      if (!take(from.getMerged().getInto(), into)) return false;
      to = SubjectMerged{SubjectId(into)};
      return true;
    }
  }
  return false;
}

// ── Erasure notice, export, ledger, idempotency
// ─────────────────────────────────────────────────────────────────────────────

void write(const ErasureNotice& body, schema::ErasureNotice::Builder to) {
  to.setErasure(data_of(body.erasure.get()));
  if (!body.records.empty()) {
    auto out = to.initRecords(count_of(body.records.size()));
    for (unsigned i = 0; i < out.size(); ++i) out.set(i, data_of(body.records[i].get()));
  }
  if (!body.external.empty()) {
    auto out = to.initExternal(count_of(body.external.size()));
    for (unsigned i = 0; i < out.size(); ++i) {
      const auto& reference = body.external[i].expose();
      if (!reference.system.empty()) out[i].setSystem(text_of(reference.system));
      if (!reference.id.empty()) out[i].setExternalId(text_of(reference.id));
    }
  }
  if (!body.classes.empty()) {
    auto out = to.initClasses(count_of(body.classes.size()));
    for (unsigned i = 0; i < out.size(); ++i) out.set(i, body.classes[i].get());
  }
  if (!body.slots.empty()) {
    auto out = to.initSlots(count_of(body.slots.size()));
    for (unsigned i = 0; i < out.size(); ++i) out.set(i, body.slots[i].get());
  }
}

bool read(schema::ErasureNotice::Reader from, ErasureNotice& to) {
  Id16 id;
  if (!take(from.getErasure(), id)) return false;
  to.erasure = ErasureId(id);
  for (const auto record : from.getRecords()) {
    if (!take(record, id)) return false;
    to.records.emplace_back(id);
  }
  for (const auto in : from.getExternal()) {
    to.external.emplace_back(ExternalReference{string_of(in.getSystem()), string_of(in.getExternalId())});
  }
  for (const auto cls : from.getClasses()) to.classes.emplace_back(cls);
  for (const auto slot : from.getSlots()) to.slots.emplace_back(slot);
  return true;
}

void write(const ExportBody& body, schema::ExportEvent::Builder to) {
  if (body.leaves.empty()) return;
  auto leaves = to.initLeaves(count_of(body.leaves.size()));
  for (unsigned i = 0; i < leaves.size(); ++i) {
    leaves[i].setSlot(body.leaves[i].slot.get());
    leaves[i].setCount(body.leaves[i].count);
    leaves[i].setClass(body.leaves[i].cls.get());
  }
}

bool read(schema::ExportEvent::Reader from, ExportBody& to) {
  for (const auto& leaf : from.getLeaves()) {
    if (!to.leaves.empty() && leaf.getSlot() <= to.leaves.back().slot.get()) return false;
    to.leaves.push_back({ClassNo(leaf.getClass()), Slot(leaf.getSlot()), leaf.getCount()});
  }
  return true;
}

void write(const LedgerBody& body, schema::LedgerEvent::Builder to) {
  if (!body.origin.empty()) to.setOrigin(text_of(body.origin));
  if (!body.version.empty()) to.setVersion(text_of(body.version));
  if (body.settings.empty()) return;
  auto out = to.initSettings(count_of(body.settings.size()));
  for (unsigned i = 0; i < out.size(); ++i) {
    const auto& [name, value] = body.settings[i];
    if (!name.empty()) out[i].setName(text_of(name));
    if (!value.empty()) out[i].setValue(text_of(value));
  }
}

bool read(schema::LedgerEvent::Reader from, LedgerBody& to) {
  to.origin = string_of(from.getOrigin());
  to.version = string_of(from.getVersion());
  for (const auto in : from.getSettings()) {
    to.settings.emplace_back(string_of(in.getName()), string_of(in.getValue()));
  }
  return true;
}

void write(const IdempotencyBody& body, schema::IdempotencyEntry::Builder to) {
  to.setRequest(data_of(body.request));
  if (!body.outcome.empty()) to.setOutcome(data_of(body.outcome));
}

bool read(schema::IdempotencyEntry::Reader from, IdempotencyBody& to) {
  if (!take(from.getRequest(), to.request)) return false;
  const auto outcome = from.getOutcome();
  to.outcome.assign(outcome.begin(), outcome.end());
  return true;
}

Bytes encode(const ActorBody& body) { return encode_body<schema::Actor>(body); }
Bytes encode(const RecordBody& body) { return encode_body<schema::RecordEvent>(body); }
Bytes encode(const SubjectBody& body) { return encode_body<schema::SubjectEvent>(body); }
Bytes encode(const RegistryBody& body) { return encode_body<schema::RegistryEvent>(body); }
Bytes encode(const ErasureNotice& body) { return encode_body<schema::ErasureNotice>(body); }
Bytes encode(const ExportBody& body) { return encode_body<schema::ExportEvent>(body); }
Bytes encode(const LedgerBody& body) { return encode_body<schema::LedgerEvent>(body); }
Bytes encode(const IdempotencyBody& body) { return encode_body<schema::IdempotencyEntry>(body); }
Bytes encode_values(const Values& values) { return encode_body<schema::RecordValues>(values); }

Result<ActorBody> decode_actor(ByteView bytes, std::uint16_t version) {
  return decode_body<schema::Actor, ActorBody>(bytes, version);
}
Result<RecordBody> decode_record(ByteView bytes, std::uint16_t version) {
  return decode_body<schema::RecordEvent, RecordBody>(bytes, version);
}
Result<SubjectBody> decode_subject(ByteView bytes, std::uint16_t version) {
  return decode_body<schema::SubjectEvent, SubjectBody>(bytes, version);
}
Result<RegistryBody> decode_registry(ByteView bytes, std::uint16_t version) {
  return decode_body<schema::RegistryEvent, RegistryBody>(bytes, version);
}
Result<ErasureNotice> decode_notice(ByteView bytes, std::uint16_t version) {
  return decode_body<schema::ErasureNotice, ErasureNotice>(bytes, version);
}
Result<ExportBody> decode_export(ByteView bytes, std::uint16_t version) {
  return decode_body<schema::ExportEvent, ExportBody>(bytes, version);
}
Result<LedgerBody> decode_ledger(ByteView bytes, std::uint16_t version) {
  return decode_body<schema::LedgerEvent, LedgerBody>(bytes, version);
}
Result<IdempotencyBody> decode_idempotency_body(ByteView bytes) {
  return decode_body<schema::IdempotencyEntry, IdempotencyBody>(bytes);
}
Result<Values> decode_values(ByteView bytes) { return decode_body<schema::RecordValues, Values>(bytes); }

}  // namespace siegel::codec
