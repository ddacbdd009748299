// `siegel export-log` over a ledger on disk, checked by ledgercheck, and `siegel verify` over the same ledger; both
// beside the process that writes.
#include <sys/wait.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "app/local_export.h"
#include "app/local_verify.h"
#include "app/places.h"
#include "ledger/signer.h"
#include "store/file.h"
#include "support/catch.h"
#include "support/ledger_kit.h"
#include "support/temp_dir.h"

using namespace siegel;
using namespace siegel::test;
namespace fs = std::filesystem;

namespace {

// A ledger in a data directory, open for writing.
struct OnDisk {
  OnDisk() : places(app::default_places(temp.path() / "data")) {
    for (const auto& dir : {places.data, places.ledger(), places.signer.parent_path()}) fs::create_directories(dir);
    REQUIRE(ledger::make_signer_key(files, places.signer, kOrigin, random));
    signer = ledger::FileSigner::load(files, places.signer).value();
    RocksOptions rocks;
    rocks.dir = places.ledger();
    rocks.families = ledger::Ledger::families();
    rocks.create = RocksOptions::Create::if_missing;
    auto store = open_rocksdb(rocks).value();
    const auto options = test_options(files, places.head.string());
    REQUIRE(ledger::Ledger::create(*store, options));
    ledger = ledger::Ledger::open(std::move(store), options, *signer, clock).value();
    REQUIRE(ledger->adopt_lock_record());
    REQUIRE(ledger->start());
    REQUIRE(app::write_places(places));
    REQUIRE(app::write_format(places, test_ledger_id()));
  }
  [[nodiscard]] app::ExportRun to(const char* name) const {
    return {.data = places.data, .dir = temp.path() / name, .json = false, .quiet = true};
  }
  [[nodiscard]] app::VerifyRun check() const {
    return {
        .data = places.data, .key = signer->verifier_key(), .checkpoint = {}, .from = {}, .json = true, .quiet = true};
  }

  TempDir temp;
  SystemFiles files;
  app::Places places;
  SeededRandom random{11};
  HandClock clock;
  std::unique_ptr<ledger::FileSigner> signer;
  std::unique_ptr<ledger::Ledger> ledger;
};

int ledgercheck(const fs::path& dir) {
  const int status = std::system((std::string(SIEGEL_LEDGERCHECK) + " '" + dir.string() + "' >/dev/null").c_str());
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

std::uint64_t exported_size(const fs::path& dir) {
  std::ifstream file(dir / "checkpoint");
  std::string origin, size;
  std::getline(file, origin);
  std::getline(file, size);
  return std::stoull(size);
}

}  // namespace

TEST_CASE("P1 an export made beside the writer holds for the Go verifiers", "[interop][app][P1]") {
  OnDisk disk;
  REQUIRE(append_bulk(*disk.ledger, disk.random, 700));
  REQUIRE(append_each(*disk.ledger, disk.random, 5));
  CHECK(app::run_verify(disk.check()) == 0);
  const auto run = disk.to("export");
  REQUIRE(app::run_export_log(run) == 0);
  CHECK(exported_size(run.dir) >= 700);
  CHECK(ledgercheck(run.dir) == 0);
  CHECK(app::run_export_log(run) == 4);  // never over something

  disk.ledger->close();
  const auto whole = disk.to("whole");
  REQUIRE(app::run_export_log(whole) == 0);
  CHECK(exported_size(whole.dir) == 705);
  CHECK(fs::exists(whole.dir / "payloads" / "002.p" / "193"));
  CHECK(ledgercheck(whole.dir) == 0);

  std::fstream bundle(whole.dir / "tile" / "entries" / "001", std::ios::in | std::ios::out | std::ios::binary);
  bundle.seekp(40);
  bundle.put('!');
  bundle.close();
  CHECK(ledgercheck(whole.dir) == 1);
}

TEST_CASE("V1 siegel verify answers 0 beside the writer, and 3 under another key", "[interop][app][V1]") {
  OnDisk disk;
  REQUIRE(append_bulk(*disk.ledger, disk.random, 600));
  auto run = disk.check();
  CHECK(app::run_verify(run) == 0);
  run.from = 300;
  CHECK(app::run_verify(run) == 0);
  CHECK(app::run_verify(
            {.data = disk.places.data, .key = {}, .checkpoint = {}, .from = {}, .json = false, .quiet = true}) == 0);
  run.key = CountingSigner(kOrigin).verifier_key();
  CHECK(app::run_verify(run) == 3);
}
