// Exactly one effect per key (EV-03, keys.md 10). The client's key and the answer are personal by nature, so an entry
// is HMAC(K_day, token | key) and a value sealed under K_day; K_day is a leaf of the ledger that dies after the window.
// What the read models do not show yet is known by a pin: the same hash under a key of the process.
#include <algorithm>

#include "codec/bodies_codec.h"
#include "codec/rows.h"
#include "service/impl.h"

namespace siegel::service {
namespace {

std::int64_t day_of(TimeMs time) { return static_cast<std::int64_t>(time.get() / 86'400'000); }

Error conflict() {
  return Error(Errc::conflict, "idempotency_conflict", "The idempotency key was used for another request.");
}

Bytes client_key(const Caller& caller, const std::string& key) {
  Bytes out = to_bytes(as_bytes("key"));
  append(out, caller.token.get());
  append(out, as_bytes(key));
  return out;
}

}  // namespace

Result<std::vector<Impl::DayKey>> Impl::living_days() {
  const auto today = day_of(clock.now());
  const auto oldest = today - static_cast<std::int64_t>(options.idempotency_days);
  auto days = day_keys_.with([&](auto& keys) {
    std::erase_if(keys, [&](const DayKey& key) { return key.day < oldest; });
    return keys;
  });
  if (days.empty() || days.back().day != today) {
    const auto drawn = vault.new_leaf();
    // While no leaf is to be had, entries go under the newest day there is, and die with it.
    if (!drawn && !days.empty()) return days;
    if (!drawn) return Error(drawn.error());
    const auto slot = *drawn;
    days = day_keys_.with([&](auto& keys) {
      if (keys.empty() || keys.back().day != today) keys.push_back({today, slot});
      return keys;
    });
  }
  return days;
}

Result<std::variant<Written, Impl::IdempotencyClaim>> Impl::claim(const Caller& caller,
                                                                  const WriteOptions& write_options) {
  SIEGEL_TRY(days, living_days());
  const auto key = client_key(caller, write_options.idempotency_key);
  const auto looked_at = views.position();
  Bytes labelled = to_bytes(as_bytes("request"));
  append(labelled, as_bytes(write_options.request));
  IdempotencyClaim fresh;
  fresh.pin = pins_({key});
  fresh.pinned_request = pins_({labelled});
  fresh.looked_at = looked_at;
  fresh.today = days.back().day;
  fresh.oldest = fresh.today - static_cast<std::int64_t>(options.idempotency_days);
  if (const auto known = state.answered(fresh.pin); known && known->day >= fresh.oldest) {
    if (!equal(known->request, fresh.pinned_request)) return conflict();
    SIEGEL_TRY(before, decode_written(known->outcome));
    return std::variant<Written, IdempotencyClaim>(std::move(before));
  }
  for (auto it = days.rbegin(); it != days.rend(); ++it) {
    SIEGEL_TRY(mac, vault.day_mac(it->slot, key));
    SIEGEL_TRY(request, vault.day_mac(it->slot, labelled));
    if (it == days.rbegin()) {
      fresh.day = it->slot;
      fresh.mac = mac;
      fresh.request = request;
    }
    SIEGEL_TRY(row, views.idempotency(mac));
    if (!row) continue;
    SIEGEL_TRY(cursor, ledger.cursor(*row, 1));
    Seq seq;
    ByteView header, parts;
    SIEGEL_TRY(any, cursor->next(seq, header, parts));
    if (!any) continue;
    SIEGEL_TRY(entries, codec::decode_idempotency(cursor->idempotency()));
    for (const auto& entry : entries) {
      if (!equal(entry.mac, mac)) continue;
      SIEGEL_TRY(opened, vault.day_open(entry.day_slot, entry.nonce, entry.sealed));
      SIEGEL_TRY(body, codec::decode_idempotency_body(opened.view()));
      if (!equal(body.request, request)) return conflict();
      SIEGEL_TRY(before, decode_written(body.outcome));
      return std::variant<Written, IdempotencyClaim>(std::move(before));
    }
  }
  return std::variant<Written, IdempotencyClaim>(fresh);
}

Result<codec::IdempotencyRow> Impl::row_for(const IdempotencyClaim& claim, const Written& written) {
  codec::IdempotencyRow row;
  row.day_slot = claim.day;
  row.mac = claim.mac;
  random.fill(row.nonce);
  SIEGEL_TRY(sealed,
             vault.day_seal(claim.day, row.nonce, codec::encode(IdempotencyBody{claim.request, encode(written)})));
  row.sealed = std::move(sealed);
  return row;
}

Status Impl::show_effect(Written& written) {
  if (!written.erasure) return Done{};
  SIEGEL_TRY(row, views.erasure(*written.erasure));
  const auto* effective = row ? row->effective() : nullptr;
  if (effective == nullptr) return Done{};
  written.kind = Written::Kind::erasure_effective;
  written.old_epoch = Epoch(effective->old_epoch);
  written.new_epoch = Epoch(effective->new_epoch);
  written.grade = effective->grade;
  written.seq = effective->seq;
  written.size = TreeSize(effective->seq.get() + 1);
  return Done{};
}

}  // namespace siegel::service
