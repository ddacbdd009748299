// Private to projector: what folds may ask of the vault, with a dead key as a value (Erased) instead of an error.
//
// A fence is set on the vault a moment before its erasure.requested is in the ledger. In that moment a slot looks
// erased although it may stay alive (the group may fail to be written), so opening it answers unavailable
// "fence_undecided", and the projector folds the batch again a little later.
#pragma once

#include "ledger/ledger.h"
#include "vault/vault.h"
#include "views/projection.h"

namespace siegel::projector {

class Keys {
 public:
  Keys(ledger::Ledger& ledger, vault::Vault& vault, const ledger::SystemReceipt& receipt)
      : ledger_(ledger), vault_(vault), receipt_(receipt) {}

  Result<views::OpenedPart> open(const Header& header, std::uint16_t number, const StoredPart& part);
  // gone "erased" if the key is dead.
  Result<Bytes> seal(Slot slot, std::string_view projection, ByteView row, ByteView body);
  Result<views::OpenedPart> unseal(Slot slot, ClassNo cls, std::string_view projection, ByteView row, ByteView sealed);

 private:
  Status decided(Slot slot);

  ledger::Ledger& ledger_;
  vault::Vault& vault_;
  const ledger::SystemReceipt& receipt_;
};

// Fences whose request never became durable (a crash between the two) go, before anything is folded: until then slots
// of living people look erased. Where the leaves are dead the request was durable and is lost. Nobody may be erasing
// yet.
Status forget_dead_fences(ledger::Ledger& ledger, vault::Vault& vault);

}  // namespace siegel::projector
