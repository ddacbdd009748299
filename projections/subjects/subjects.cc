#include "subjects/subjects.h"

#include "codec/bodies_codec.h"
#include "model/definitions.h"

namespace siegel::views {

namespace {

Status count_parts(const Recorded& event, RowAccess& rows) {
  const auto& header = event.header();
  const auto parts = event.parts();
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (parts[i].removed) continue;
    const auto& envelope = parts[i].envelope;
    // Whoever is registered has no row yet: nothing to read.
    const bool fresh = header.type == EventType::subject_registered && i == 1 && envelope.number == 0;
    Bytes* row = nullptr;
    if (!fresh) {
      SIEGEL_TRY(found, rows.edit(Rows::owners, envelope.owner.get()));
      row = found;
    }
    if (row != nullptr) {
      SIEGEL_CHECK(count_part(*row, envelope, header.seq, header.time));
    } else {
      Bytes made;
      SIEGEL_CHECK(count_part(made, envelope, header.seq, header.time));
      rows.put(Rows::owners, envelope.owner.get(), std::move(made));
    }
  }
  return Done{};
}

// Calls f(person, slot, body) for each living part of subject.* that says what Body holds.
template <class Body, class F>
Status each_said(Recorded& event, F&& f) {
  const auto parts = event.parts();
  const auto count = static_cast<std::uint16_t>(parts.size());  // at most kPartsMax
  for (std::uint16_t i = 1; i < count; ++i) {
    const auto person = person_of(parts[i]);
    if (!person || parts[i].ciphertext.empty()) continue;
    SIEGEL_TRY(opened, event.open(i));
    const auto* clear = std::get_if<SecretBytes>(opened);
    if (clear == nullptr) continue;
    SIEGEL_TRY(body, codec::decode_subject(clear->view(), event.header().schema));
    if (const auto* said = std::get_if<Body>(&body)) SIEGEL_CHECK(f(*person, parts[i].envelope.slot, *said));
  }
  return Done{};
}

Status link(Recorded& event, RowAccess& rows) {
  return each_said<SubjectLinked>(event, [&](const SubjectId& person, Slot slot, const SubjectLinked& said) -> Status {
    const auto& reference = said.reference.expose();
    auto text = to_bytes(as_bytes(reference.system));
    text.push_back(0);
    append(text, as_bytes(reference.id));
    const auto key = key_of(person.get(), event.header().seq);
    auto sealed = seal_living(rows, slot, Subjects::kLinks, key, text);
    wipe(text.data(), text.size());
    SIEGEL_TRY(bytes, std::move(sealed));
    if (bytes) rows.put(Rows::subject_links, key, encode(LinkRow{slot, std::move(*bytes)}));
    return Done{};
  });
}

Status merge(Recorded& event, RowAccess& rows) {
  return each_said<SubjectMerged>(event, [&](const SubjectId& person, Slot slot, const SubjectMerged& said) -> Status {
    if (said.into != person) rows.put(Rows::subject_merges, person.get(), encode(MergeRow{slot, said.into}));
    return Done{};
  });
}

Status unmerge(const Erasing& person, RowAccess& rows) {
  SIEGEL_TRY(value, rows.get(Rows::subject_merges, person.subject.get()));
  if (!value) return Done{};
  SIEGEL_TRY(row, decode_merge(*value));
  if (contains(person.dead, row.slot)) rows.erase(Rows::subject_merges, person.subject.get());
  return Done{};
}

Status unlink(const Recorded& event, RowAccess& rows) {
  SIEGEL_TRY(people, erasing(event, rows));
  for (const auto& person : people) {
    SIEGEL_CHECK(unmerge(person, rows));
    SIEGEL_TRY(keys, rows.keys_with_prefix(Rows::subject_links, person.subject.get()));
    for (const auto& key : keys) {
      SIEGEL_TRY(value, rows.get(Rows::subject_links, key));
      if (!value) continue;
      SIEGEL_TRY(row, decode_link(*value));
      if (contains(person.dead, row.slot)) rows.erase(Rows::subject_links, key);
    }
  }
  return Done{};
}

Status drop(const SubjectId& subject, std::span<const Slot> slots, RowAccess& rows) {
  SIEGEL_TRY(value, rows.get(Rows::owners, subject.get()));
  if (!value) return Done{};
  SIEGEL_TRY(owner, decode_owner(*value));
  if (drop_leaves(owner, slots))
    rows.put(Rows::owners, subject.get(), encode(owner));
  else
    rows.erase(Rows::owners, subject.get());
  return Done{};
}

Status drop_dead(const ErasureEffectiveFacts& facts, RowAccess& rows) {
  SIEGEL_TRY(requests, carried(facts, rows));
  for (const auto& request : requests) {
    for (const auto& person : request.row.people) {
      if (request.end_of_notice()) {
        SIEGEL_CHECK(drop(person.subject, std::span(&person.notice, 1), rows));
        continue;
      }
      SIEGEL_TRY(leaves, leaves_of(person.subject, request.row.classes, rows));
      SIEGEL_CHECK(drop(person.subject, leaves.dead, rows));
    }
  }
  return Done{};
}

}  // namespace

std::span<const Rows> Subjects::rows() const {
  static constexpr Rows kRows[] = {Rows::owners, Rows::subject_links, Rows::subject_merges};
  return kRows;
}

Status Subjects::fold(Recorded& event, RowAccess& rows) {
  const auto& header = event.header();
  switch (header.type) {
    case EventType::subject_linked:
      SIEGEL_CHECK(link(event, rows));
      break;
    case EventType::subject_merged:
      SIEGEL_CHECK(merge(event, rows));
      break;
    case EventType::erasure_requested:
      SIEGEL_CHECK(unlink(event, rows));
      break;
    case EventType::erasure_effective:
      if (const auto* facts = std::get_if<ErasureEffectiveFacts>(&header.facts)) SIEGEL_CHECK(drop_dead(*facts, rows));
      break;
    case EventType::subject_registered:
    case EventType::record_added:
    case EventType::record_changed:
    case EventType::record_removed:
    case EventType::registry_purpose_set:
    case EventType::registry_class_set:
    case EventType::registry_type_set:
    case EventType::registry_token_created:
    case EventType::registry_token_revoked:
    case EventType::access_read:
    case EventType::refusal_recorded:
    case EventType::erasure_completed:
    case EventType::job_started:
    case EventType::job_finished:
    case EventType::ledger_created:
    case EventType::ledger_configured:
    case EventType::ledger_clock_skewed:
    case EventType::import_begun:
    case EventType::import_finished:
    case EventType::import_cancelled:
    case EventType::import_undone:
      break;
  }
  return count_parts(event, rows);
}

Result<Bytes> Subjects::logical(Rows rows, ByteView key, ByteView value, RowAccess& access) {
  if (rows == Rows::owners) {
    // Days stand among the ledger's leaves, but no event tells of them: they come from the index of idempotency
    // entries.
    SIEGEL_TRY(owner, decode_owner(value));
    std::erase_if(owner.leaves, [](const Leaf& leaf) { return leaf.cls == built_in::day_keys; });
    return encode(owner);
  }
  if (rows == Rows::subject_merges) return to_bytes(value);
  SIEGEL_TRY(row, decode_link(value));
  SIEGEL_TRY(opened, access.unseal(row.slot, {}, kLinks, key, row.sealed));
  auto out = encode(LinkRow{row.slot, {}});
  append_column(out, opened);
  return out;
}

}  // namespace siegel::views
