// A vault on a disk that loses power, with people in it whose parts are kept, so that a test can ask who is readable.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "crypto/random.h"
#include "support/crash_disk.h"
#include "support/key_thief.h"
#include "support/ledger_kit.h"
#include "vault/vault.h"

namespace siegel::test {

// Receipts are made by the ledger only; a test is one.
struct Receipts : ledger::Ledger {
  static ledger::AccessReceipt access(std::vector<OwnerId> owners) {
    return access_receipt(Seq(1), PurposeNo(1), std::move(owners));
  }
  static ledger::SystemReceipt system() { return system_receipt(Seq(1), JobFacts::Kind::rebuild); }
};

// One sealed part, as the ledger would keep it.
struct Person {
  Slot slot;
  OwnerId owner;
  Header header;
  ledger::SealedPart part;
  std::string text;
  [[nodiscard]] StoredPart stored() const {
    return {.hash = {}, .removed = false, .envelope = part.envelope, .ciphertext = part.ciphertext};
  }
};

class VaultWorld {
 public:
  struct Setup {
    std::size_t replicas = 0;
    std::size_t root_members = 1;
    std::size_t spare_leaves = 64;
    std::size_t key_cache_bytes_max = std::size_t{1} << 20;
    bool keep_every_byte = false;
    std::chrono::milliseconds replica_wait = vault::Options().replica_wait;
  };
  explicit VaultWorld(std::uint64_t seed) : VaultWorld(seed, Setup()) {}
  VaultWorld(std::uint64_t seed, const Setup& setup);
  ~VaultWorld();

  Status create();
  Status open();  // with the marks of `ledger_mark` and `ledger_epoch`
  void close() { vault.reset(); }
  void crash(std::uint64_t seed);  // power loss (if it has not failed yet); opens nothing

  Person add();  // a new leaf with one part
  [[nodiscard]] Result<std::string> read(const Person& person);
  [[nodiscard]] bool readable(const Person& person);
  [[nodiscard]] bool erased(const Person& person);  // gone "erased", nothing else
  Result<vault::EpochChange> erase(std::uint64_t request, const std::vector<Person>& people);  // fence, erase; not told

  [[nodiscard]] std::vector<StolenRoot> present_roots() const;  // of the first member
  [[nodiscard]] KeyThief thief() const;
  [[nodiscard]] vault::Options options() const;
  [[nodiscard]] std::string root_path(std::size_t member) const;

  Setup setup;
  CrashDisk disk;
  std::vector<CrashDisk> replica_disks;
  SystemRandom random;
  HandClock clock;
  KeyTreeId tree;
  LedgerId ledger = test_ledger_id();
  std::function<TreeSize()> ledger_size;
  KeysMark ledger_mark;
  Epoch ledger_epoch;
  std::vector<std::unique_ptr<Files>> files;
  std::unique_ptr<vault::RootStore> root;
  std::unique_ptr<vault::Vault> vault;

 private:
  void make_root();
};

}  // namespace siegel::test
