#include "views/projection.h"

#include <algorithm>

#include "model/definitions.h"

namespace siegel::views {

std::optional<SubjectId> person_of(const StoredPart& part) {
  if (part.removed) return std::nullopt;
  const auto cls = part.envelope.cls;
  if (cls == built_in::registry || cls == built_in::staff_log || cls == built_in::job || cls == built_in::day_keys)
    return std::nullopt;
  const auto& id = part.envelope.owner.get();
  if ((id[6] >> 4) != 7) return std::nullopt;  // not made by the server (UUIDv7): a record type or the ledger
  return SubjectId(id);
}

Result<std::vector<LivingPart>> living_parts(Recorded& event) {
  std::vector<LivingPart> out;
  const auto parts = event.parts();
  out.reserve(parts.size());
  const auto count = static_cast<std::uint16_t>(parts.size());  // at most kPartsMax
  for (std::uint16_t i = 1; i < count; ++i) {
    if (parts[i].removed || parts[i].ciphertext.empty()) continue;
    SIEGEL_TRY(body, event.record(i));
    if (body != nullptr) out.push_back({i, &parts[i].envelope, body});
  }
  return out;
}

Result<std::optional<ImportState>> state_of(const JobId& import, RowAccess& rows) {
  SIEGEL_TRY(value, rows.get(Rows::imports, import.get()));
  if (!value) return std::optional<ImportState>{};
  SIEGEL_TRY(row, decode_import(*value));
  return std::optional(row.state);
}

Result<std::optional<JobId>> unfinished_import(const Header& header, RowAccess& rows) {
  if (!header.job) return std::optional<JobId>{};
  SIEGEL_TRY(state, state_of(*header.job, rows));
  return state == ImportState::begun ? header.job : std::optional<JobId>{};
}

bool ends_with(std::span<const std::uint32_t> classes, ClassNo cls) {
  if (classes.empty()) return dies_at_erasure(cls);
  return std::find(classes.begin(), classes.end(), cls.get()) != classes.end();
}

bool contains(std::span<const Slot> slots, Slot slot) {
  return std::find(slots.begin(), slots.end(), slot) != slots.end();
}

Result<Erasing> leaves_of(const SubjectId& subject, std::span<const std::uint32_t> classes, RowAccess& rows) {
  Erasing out{subject, {}, {}};
  SIEGEL_TRY(value, rows.get(Rows::owners, subject.get()));
  if (!value) return out;
  SIEGEL_TRY(owner, decode_owner(*value));
  for (const auto& leaf : owner.leaves) (ends_with(classes, leaf.cls) ? out.dead : out.living).push_back(leaf.slot);
  return out;
}

Result<std::vector<Erasing>> erasing(const Recorded& event, RowAccess& rows) {
  std::vector<Erasing> out;
  const auto* facts = std::get_if<ErasureRequestedFacts>(&event.header().facts);
  if (facts == nullptr) return out;
  for (const auto& part : event.parts()) {
    if (part.removed || part.envelope.cls != built_in::erasure_notice) continue;
    SIEGEL_TRY(one, leaves_of(SubjectId(part.envelope.owner.get()), facts->classes, rows));
    out.push_back(std::move(one));
  }
  return out;
}

Result<std::vector<Carried>> carried(const ErasureEffectiveFacts& facts, RowAccess& rows) {
  std::vector<Carried> out;
  for (const auto request : facts.requests) {
    SIEGEL_TRY(value, rows.get(Rows::erasure_requests, key_of(Seq(request))));
    if (!value) continue;  // swept with its notice
    SIEGEL_TRY(row, decode_request(*value));
    out.push_back({Seq(request), std::move(row)});
  }
  return out;
}

Result<std::optional<Bytes>> seal_living(RowAccess& rows, Slot slot, std::string_view projection, ByteView row,
                                         ByteView body) {
  auto sealed = rows.seal(slot, projection, row, body);
  if (!sealed && sealed.error().category() == Errc::gone) return std::optional<Bytes>{};
  SIEGEL_TRY(bytes, std::move(sealed));
  return std::optional(std::move(bytes));
}

void append_column(Bytes& to, const OpenedPart& column) {
  const auto* clear = std::get_if<SecretBytes>(&column);
  append_be(to, clear != nullptr ? static_cast<std::uint64_t>(clear->size()) : ~std::uint64_t{0});
  append(to, clear != nullptr ? clear->view() : as_bytes("erased"));
}

}  // namespace siegel::views
