// No reading without a trace, as types (DESIGN I5): the vault opens personal data only against a receipt, and only the
// ledger makes receipts, after the event that says who looks at what is durable.
#pragma once

#include <algorithm>
#include <vector>

#include "model/event.h"

namespace siegel::ledger {

class Ledger;

// Proof that an access event naming these owners is synced. Movable, not constructible elsewhere. Lives as long as one
// answer.
class AccessReceipt {
 public:
  AccessReceipt(AccessReceipt&&) noexcept = default;
  AccessReceipt& operator=(AccessReceipt&&) noexcept = default;
  [[nodiscard]] Seq seq() const noexcept { return seq_; }
  [[nodiscard]] PurposeNo purpose() const noexcept { return purpose_; }
  // Owners that have a part in the event: the people looked at, or the record type of records that concern nobody.
  [[nodiscard]] bool covers(const OwnerId& owner) const noexcept {
    return std::binary_search(owners_.begin(), owners_.end(), owner);
  }

 private:
  friend class Ledger;
  AccessReceipt(Seq seq, PurposeNo purpose, std::vector<OwnerId> owners)
      : seq_(seq), purpose_(purpose), owners_(std::move(owners)) {
    std::sort(owners_.begin(), owners_.end());
  }
  Seq seq_;
  PurposeNo purpose_;
  std::vector<OwnerId> owners_;
};

// For reading the ledger's own registries (what they hold is about no person) while nothing can be written, so that no
// event can stand behind a receipt: made by a ledger that is read-only, and good for that class alone
// (docs/adr/0005-registries-while-read-only.md).
class RegistryReceipt {
 public:
  RegistryReceipt(RegistryReceipt&&) noexcept = default;
  RegistryReceipt& operator=(RegistryReceipt&&) noexcept = default;

 private:
  friend class Ledger;
  RegistryReceipt() = default;
};

// For jobs of the system (projector, identity index, rebuild): made when job.started is durable; its end is an event
// too.
class SystemReceipt {
 public:
  SystemReceipt(SystemReceipt&&) noexcept = default;
  SystemReceipt& operator=(SystemReceipt&&) noexcept = default;
  [[nodiscard]] Seq seq() const noexcept { return seq_; }
  [[nodiscard]] JobFacts::Kind kind() const noexcept { return kind_; }

 private:
  friend class Ledger;
  SystemReceipt(Seq seq, JobFacts::Kind kind) : seq_(seq), kind_(kind) {}
  Seq seq_;
  JobFacts::Kind kind_;
};

}  // namespace siegel::ledger
