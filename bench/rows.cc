#include "bench/rows.h"

#include <cstdio>

#include "codec/bodies_codec.h"
#include "codec/header_codec.h"
#include "codec/parts.h"
#include "crypto/box.h"
#include "crypto/hmac.h"

namespace siegel::bench {
namespace {

constexpr std::size_t kPeople = 1024;
constexpr std::size_t kBareLeaves = 4096;

// As person_values() gives them over HTTP.
Values values_of(std::size_t number) {
  const auto text = [&](const char* format) {
    char out[64];
    std::snprintf(out, sizeof out, format, number);
    return Personal<Value>(Value(std::string(out)));
  };
  Values out;
  out.push_back({FieldNo(1), text("Adelheid Musterfrau %08zx")});
  out.push_back({FieldNo(2), text("adelheid.%08zx@example.org")});
  out.push_back({FieldNo(3), text("Lange Gasse %zu")});
  out.push_back({FieldNo(4), text("Neustadt am Rain")});
  out.push_back({FieldNo(5), text("K-%010zu")});
  return out;
}

// Everybody is somebody else: by the e-mail.
Personal<Value> email_of(const RecordId& record) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out = "adelheid.............@example.org";
  std::size_t at = out.find("..") + 1;
  for (std::size_t i = 10; i < 16; ++i) {
    out[at++] = kDigits[record.get()[i] >> 4];
    out[at++] = kDigits[record.get()[i] & 15];
  }
  return Personal<Value>(Value(std::move(out)));
}

}  // namespace

BareSealer::BareSealer(Random& random) : random_(random), leaves_(kBareLeaves) {
  for (auto& leaf : leaves_) random_.fill(leaf.mutable_view());
}

Result<Slot> BareSealer::new_leaf() { return Slot(next_++); }

Result<ledger::SealedPart> BareSealer::seal(Slot slot, const EventId& event, std::uint16_t part, ClassNo cls,
                                            const OwnerId& owner, std::uint16_t schema, ByteView body) {
  ledger::SealedPart out;
  out.envelope.cls = cls;
  out.envelope.owner = owner;
  out.envelope.slot = slot;
  random_.fill(out.envelope.salt);
  const auto key = hmac_derive(leaves_[slot.get() % leaves_.size()].view(), {as_bytes("part"), event.get(), be(part)});
  seal_box(key, Nonce{},
           codec::associated_data({.tree = tree_, .event = event, .part = part, .cls = cls, .schema = schema}), body,
           out.ciphertext);
  out.inner = codec::inner_hash(out.ciphertext);
  return out;
}

Rows::Rows(Sealer& sealer, const Actor& actor, Clock& clock, Random& random)
    : sealer_(sealer), actor_(actor), clock_(clock), random_(random) {
  for (std::size_t i = 0; i < kPeople; ++i) people_.push_back({RecordBody::Fact::added, {}, values_of(i), {}});
}

Result<std::vector<ledger::Draft>> Rows::make(std::size_t rows) {
  std::vector<ledger::Draft> out;
  out.reserve(rows * kEventsPerRow);
  for (std::size_t i = 0; i < rows; ++i) {
    SIEGEL_TRY(slot, sealer_.new_leaf());
    const auto owner = owner_of(SubjectId(new_id(clock_, random_)));
    SIEGEL_CHECK(add(out, EventType::subject_registered, slot, owner, codec::encode(SubjectBody(SubjectRegistered{}))));
    auto& person = people_[next_++ % people_.size()];
    person.record = last_record_ = RecordId(new_id(clock_, random_));
    person.values[1].value = email_of(last_record_);
    SIEGEL_CHECK(add(out, EventType::record_added, slot, owner, codec::encode(person)));
  }
  return out;
}

Status Rows::add(std::vector<ledger::Draft>& to, EventType type, Slot slot, const OwnerId& owner, ByteView body) {
  ledger::Draft draft;
  auto& header = draft.header;
  header.type = type;
  header.schema = codec::kSchemaVersion;
  header.ground = LegalGround::contract;
  header.source = Source::api;
  header.id = new_event_id(random_);
  header.purpose = kPurposeNo;
  header.record_type = kTypeNo;
  header.part_count = 2;
  ActorBody actor;
  actor.time_micros = clock_.now().get() * 1000;
  draft.parts.reserve(2);
  SIEGEL_TRY(staff, sealer_.seal(actor_.leaf, header.id, 0, built_in::staff_log, owner_of(actor_.token), header.schema,
                                 codec::encode(actor)));
  draft.parts.push_back(std::move(staff));
  SIEGEL_TRY(part, sealer_.seal(slot, header.id, 1, kClassNo, owner, header.schema, body));
  draft.parts.push_back(std::move(part));
  SIEGEL_TRY(prepared, codec::encode_template(header));
  draft.prepared = std::move(prepared);
  to.push_back(std::move(draft));
  return Done{};
}

}  // namespace siegel::bench
