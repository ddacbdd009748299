// The events that an import of new people makes, as the service makes them: per row subject.registered and
// record.added, each with the actor's part and one under the person's own fresh leaf. What they are sealed with is
// given: the vault, or the same derivations without one.
#pragma once

#include <cstdint>
#include <vector>

#include "base/clock.h"
#include "ledger/ledger.h"
#include "model/bodies.h"
#include "vault/vault.h"

namespace siegel::bench {

inline constexpr std::size_t kEventsPerRow = 2;
// In the order of registration (bench/site.cc).
inline constexpr PurposeNo kPurposeNo{1};
inline constexpr TypeNo kTypeNo{1};
inline constexpr ClassNo kClassNo{64};

class Sealer {
 public:
  virtual ~Sealer() = default;
  virtual Result<Slot> new_leaf() = 0;
  virtual Result<ledger::SealedPart> seal(Slot slot, const EventId& event, std::uint16_t part, ClassNo cls,
                                          const OwnerId& owner, std::uint16_t schema, ByteView body) = 0;
};

class VaultSealer final : public Sealer {
 public:
  explicit VaultSealer(vault::Vault& vault) : vault_(vault) {}
  Result<Slot> new_leaf() override { return vault_.new_leaf(); }
  Result<ledger::SealedPart> seal(Slot slot, const EventId& event, std::uint16_t part, ClassNo cls,
                                  const OwnerId& owner, std::uint16_t schema, ByteView body) override {
    return vault_.seal(slot, event, part, cls, owner, schema, body);
  }

 private:
  vault::Vault& vault_;
};

// Leaf keys that lie at hand; derivation, padding, sealing and hashing as in the vault.
class BareSealer final : public Sealer {
 public:
  explicit BareSealer(Random& random);
  Result<Slot> new_leaf() override;
  Result<ledger::SealedPart> seal(Slot slot, const EventId& event, std::uint16_t part, ClassNo cls,
                                  const OwnerId& owner, std::uint16_t schema, ByteView body) override;

 private:
  Random& random_;
  KeyTreeId tree_;
  std::vector<SecretKey> leaves_;
  std::uint64_t next_ = 0;
};

struct Actor {
  TokenId token;
  Slot leaf;  // class staff-log
};

// Belongs to one thread.
class Rows {
 public:
  Rows(Sealer& sealer, const Actor& actor, Clock& clock, Random& random);
  // kEventsPerRow drafts for each row, ready but for what the writer knows.
  Result<std::vector<ledger::Draft>> make(std::size_t rows);
  [[nodiscard]] const RecordId& last_record() const noexcept { return last_record_; }

 private:
  Status add(std::vector<ledger::Draft>& to, EventType type, Slot slot, const OwnerId& owner, ByteView body);

  Sealer& sealer_;
  Actor actor_;
  Clock& clock_;
  Random& random_;
  std::vector<RecordBody> people_;  // used again and again, but for ids and e-mail
  std::size_t next_ = 0;
  RecordId last_record_;
};

}  // namespace siegel::bench
