#include "projector/digests.h"

#include <map>

#include "crypto/hmac.h"
#include "projector/all_projections.h"
#include "projector/row_cache.h"
#include "views/rows.h"

namespace siegel::projector {

using views::Rows;

namespace {

constexpr std::string_view kIdempotency = "idempotency";

// Sum of the rows' keyed hashes modulo 2^256: no order, and a row twice does not cancel itself out.
class Sum {
 public:
  void add(const Hash& hash) {
    unsigned carry = 0;
    for (std::size_t i = sum_.size(); i-- > 0;) {
      carry += static_cast<unsigned>(sum_[i]) + hash[i];
      sum_[i] = static_cast<std::uint8_t>(carry);
      carry >>= 8;
    }
    ++rows_;
  }
  [[nodiscard]] Projector::Digest named(std::string_view name) const { return {std::string(name), rows_, sum_}; }

 private:
  Hash sum_{};
  std::uint64_t rows_ = 0;
};

void add_row(Sum& sum, const HmacKey& key, Rows rows, ByteView row_key, ByteView logical) {
  const std::uint8_t head[] = {static_cast<std::uint8_t>(rows), static_cast<std::uint8_t>(row_key.size())};
  sum.add(key({head, row_key, logical}));
}

}  // namespace

std::vector<std::string> projection_names() {
  std::vector<std::string> out;
  for (const auto& projection : all_projections()) out.emplace_back(projection->name());
  out.emplace_back(kIdempotency);
  return out;
}

Result<std::vector<Projector::Digest>> make_digests(views::Views& views, vault::Vault& vault, Keys& keys,
                                                    const SecretKey& key) {
  std::vector<Projector::Digest> out;
  const HmacKey hmac(key.view());
  auto& store = views.store();
  const auto snapshot = store.snapshot();
  const CursorOptions all{.snapshot = snapshot.get(), .reading = CursorOptions::Reading::all};
  RowCache access(store, keys);  // for unsealing alone: rows come from the snapshot
  for (const auto& projection : all_projections()) {
    Sum sum;
    for (const auto rows : projection->rows()) {
      const auto cursor = store.cursor(views::family(rows), all);
      for (cursor->seek_to_first(); cursor->valid(); cursor->next()) {
        SIEGEL_TRY(logical, projection->logical(rows, cursor->key(), cursor->value(), access));
        add_row(sum, hmac, rows, cursor->key(), logical);
        wipe(logical.data(), logical.size());
      }
      SIEGEL_CHECK(cursor->status());
    }
    out.push_back(sum.named(projection->name()));
  }
  // Entries of dead days go at leisure (idempotency_sweep.h), so only the living ones can be compared.
  Sum sum;
  std::map<Slot, bool> living;
  const auto cursor = store.cursor(views::family(Rows::idempotency), all);
  for (cursor->seek_to_first(); cursor->valid(); cursor->next()) {
    SIEGEL_TRY(place, views::decode_idempotency(cursor->value()));
    const auto [at, fresh] = living.try_emplace(place.day, true);
    if (fresh) at->second = vault.living(place.day);
    if (at->second) add_row(sum, hmac, Rows::idempotency, cursor->key(), cursor->value());
  }
  SIEGEL_CHECK(cursor->status());
  out.push_back(sum.named(kIdempotency));
  return out;
}

}  // namespace siegel::projector
