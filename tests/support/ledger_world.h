// A ledger's surroundings in memory: store, outside files, clock, signer. Open, close and open again.
#pragma once

#include "ledger/seams.h"
#include "store/memory_store.h"
#include "support/catch.h"
#include "support/crash_disk.h"
#include "support/ledger_kit.h"

namespace siegel::test {

struct LedgerWorld {
  explicit LedgerWorld(std::uint64_t seed = 1) : random(seed), disk(seed), files(disk.files()) {
    REQUIRE(files->make_dir("/outside", 0700));
    options = test_options(*files);
    REQUIRE(ledger::Ledger::create(store, options));
    REQUIRE(open(Start::no)->adopt_lock_record());
  }
  enum class Start : bool { no, yes };
  using Opened = Result<std::unique_ptr<ledger::Ledger>>;

  Opened try_open(Start start = Start::yes) {
    auto lent = std::make_unique<LentStore>(store);
    lent->before_write = before_write;
    auto ledger = ledger::open_ledger(std::move(lent), options, signer, clock, seams);
    if (ledger && start == Start::yes) REQUIRE((*ledger)->start());
    return ledger;
  }
  std::unique_ptr<ledger::Ledger> open(Start start = Start::yes) {
    auto opened = try_open(start);
    INFO((opened ? std::string() : opened.error().text()));
    REQUIRE(opened);
    return std::move(*opened);
  }

  std::string lock_record() { return std::string(as_chars(files->read_file("/outside/head", 1 << 16).value())); }
  void put_lock_record(std::string_view text) {
    REQUIRE(files->write_file_durably("/outside/head", as_bytes(text), 0600));
  }
  std::vector<std::string> reasons(const ledger::Ledger& ledger) {
    std::vector<std::string> codes;
    for (const auto& reason : ledger.read_only()) codes.push_back(reason.code);
    return codes;
  }

  SeededRandom random;
  CrashDisk disk;
  std::unique_ptr<Files> files;
  MemoryStore store{ledger::Ledger::families().size()};
  HandClock clock;
  SignedHeads heads;
  CountingSigner signer{kOrigin, &heads};
  ledger::Options options;
  ledger::Seams seams;
  std::function<Status(const Batch&, Sync)> before_write;
};

}  // namespace siegel::test
