#include "projector/keys.h"

#include <algorithm>

#include "codec/header_codec.h"
#include "codec/parts.h"
#include "codec/rows.h"
#include "projector/projector.h"

namespace siegel::projector {

namespace {

constexpr std::size_t kTrailerBeginning = 54;  // count, slot, HMAC and nonce of its first entry

// Erasures, and what ends without anybody asking (service/terms.cc).
Result<bool> is_requested(const ledger::Ledger& ledger, const vault::Fence& fence) {
  if (fence.request >= ledger.size().get()) return false;
  SIEGEL_TRY(event, ledger.read(Seq(fence.request)));
  SIEGEL_TRY(header, codec::decode_header(event.header));
  const auto* job = std::get_if<JobFacts>(&header.facts);
  return header.type == EventType::erasure_requested ||
         (header.type == EventType::job_started && job != nullptr && job->kind == JobFacts::Kind::terms);
}

}  // namespace

Status forget_dead_fences(ledger::Ledger& ledger, vault::Vault& vault) {
  for (const auto& fence : vault.fences()) {
    if (vault::is_lost(fence)) continue;
    SIEGEL_TRY(requested, is_requested(ledger, fence));
    if (requested) continue;
    // Leaves that are destroyed already: their epoch is told by the service, after this, and another event will have
    // the number of the request.
    SIEGEL_CHECK(fence.destroyed ? vault.lose(fence.request) : vault.forget_fence(fence.request));
  }
  return Done{};
}

Status keep_lost_fences(const ledger::Ledger& ledger, vault::Vault& vault) {
  for (const auto& fence : vault.fences()) {
    if (vault::is_lost(fence)) continue;
    SIEGEL_TRY(requested, is_requested(ledger, fence));
    if (requested) continue;
    SIEGEL_CHECK(vault.lose(fence.request));
  }
  return Done{};
}

Result<vault::SlotSet> lost_leaves(const ledger::Ledger& ledger, vault::Vault& vault,
                                   const std::function<void(std::uint64_t)>& progress) {
  constexpr std::uint64_t kProgressEvery = 1024;
  vault::SlotSet named;
  Bytes trailer;  // how the one that was looked at last begins: each is shown with all events of its row
  SIEGEL_TRY(cursor, ledger.cursor(Seq(0)));
  Seq seq;
  ByteView header, parts;
  for (;;) {
    SIEGEL_TRY(more, cursor->next(seq, header, parts));
    if (!more) break;
    SIEGEL_TRY(decoded, codec::decode_header(header));
    SIEGEL_TRY(stored, codec::decode_parts(parts));
    SIEGEL_CHECK(codec::check_parts(decoded, stored));  // what is not read right would be destroyed
    for (const auto& part : stored)
      if (!part.removed) named.add(part.envelope.slot);
    const auto entries = cursor->idempotency();
    const auto beginning = entries.first(std::min(entries.size(), kTrailerBeginning));
    if (!equal(beginning, trailer)) {  // keys of days are named nowhere else
      trailer = to_bytes(beginning);
      SIEGEL_TRY(days, codec::decode_idempotency(entries));
      for (const auto& entry : days) named.add(entry.day_slot);
    }
    if (progress && seq.get() % kProgressEvery == 0) progress(seq.get());
  }
  return vault.living_but(named);
}

Status Keys::decided(Slot slot) {
  if (!vault_.fenced_ahead(slot, ledger_.size())) return Done{};
  return Error(Errc::unavailable, "fence_undecided", "An erasure is on its way into the ledger.");
}

Result<views::OpenedPart> Keys::open(const Header& header, std::uint16_t number, const StoredPart& part) {
  if (part.removed) return views::OpenedPart(views::Erased{});
  auto clear = vault_.open(receipt_, header, number, part);
  if (clear) return views::OpenedPart(std::move(*clear));
  if (clear.error().category() != Errc::gone) return Error(std::move(clear).error());
  SIEGEL_CHECK(decided(part.envelope.slot));
  return views::OpenedPart(views::Erased{part.envelope.cls});
}

Result<Bytes> Keys::seal(Slot slot, std::string_view projection, ByteView row, ByteView body) {
  auto sealed = vault_.seal_row(slot, projection, row, body);
  if (!sealed && sealed.error().category() == Errc::gone) SIEGEL_CHECK(decided(slot));
  return sealed;
}

Result<views::OpenedPart> Keys::unseal(Slot slot, ClassNo cls, std::string_view projection, ByteView row,
                                       ByteView sealed) {
  auto clear = vault_.open_row(receipt_, slot, projection, row, sealed);
  if (clear) return views::OpenedPart(std::move(*clear));
  if (clear.error().category() != Errc::gone) return Error(std::move(clear).error());
  SIEGEL_CHECK(decided(slot));
  return views::OpenedPart(views::Erased{cls});
}

}  // namespace siegel::projector
