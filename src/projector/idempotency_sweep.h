// Private to projector: drops index rows of idempotency entries whose day's key is dead. No event tells of that, and
// the entries themselves can be read by nobody any more. A little at a time, between batches.
#pragma once

#include <map>

#include "vault/vault.h"
#include "views/rows.h"

namespace siegel::projector {

class IdempotencySweep {
 public:
  IdempotencySweep(Store& store, vault::Vault& vault) : store_(store), vault_(vault) {}
  void begin();  // from the first row on
  [[nodiscard]] bool running() const { return running_; }
  Status step(std::size_t rows_max);

 private:
  Store& store_;
  vault::Vault& vault_;
  bool running_ = false;
  Bytes from_;
  std::map<Slot, bool> living_;
};

}  // namespace siegel::projector
