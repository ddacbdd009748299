// The ledger's store, read beside a running server: events for the verifier and for an export.
// Threads: one. Errors: those of places.h and of opening a store; corrupt "ledger_damaged".
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "app/places.h"
#include "app/report.h"
#include "base/error.h"
#include "codec/rows.h"
#include "ledger/layout.h"
#include "store/store.h"
#include "verify/verify.h"

namespace siegel::app {

// What the ledger holds at one moment. The lock record is read first: it is never ahead of a store that is read later.
// Where it is behind that store and a server runs, it is waited for a moment, so that a server without work shows a
// ledger that is signed to its end.
struct LedgerCopy {
  Places places;
  std::optional<std::string> lock_record;
  verify::Report::LockRecord lock_record_state = verify::Report::LockRecord::not_looked_for;
  std::optional<std::string> newest_note;  // of the store: of the group before the last
  std::optional<std::string> backup_note;  // of a backup, its own checkpoint; empty text: it is gone
  // The ledger's size as its keys store has seen it, asked before the ledger; or why it could not be asked. Of a
  // backup, which has no keys, neither.
  std::optional<TreeSize> known_to_keys;
  std::optional<Error> keys_not_asked;
  std::optional<ledger::Head> head;
  RocksOptions rocks;  // how the store is open
  std::unique_ptr<Store> store;
  // Of the logs, what no reader takes. Beside a writer only what was followed: the end may be half written.
  std::vector<UncheckedBytes> broken_logs;
  std::filesystem::path notes_dir;  // RocksDB's own; removed at the end

  LedgerCopy() = default;
  LedgerCopy(const LedgerCopy&) = delete;
  LedgerCopy& operator=(const LedgerCopy&) = delete;
  ~LedgerCopy();

  Status open(const std::filesystem::path& data);
  Status open(Places found);  // where `found.data` is only a copy of the data directory: the keys are not asked
  // Of the ledger's own signing key. invalid "key_missing" where that is not at its place.
  [[nodiscard]] Result<std::string> own_key() const;
  // A place in a log that no crash left so: what stood behind is not read. The rule of evidence.h.
  [[nodiscard]] const UncheckedBytes* damaged_log() const;

 private:
  std::optional<std::string> read_lock_record();
  Status open_store();
  Status read_head(const LedgerId& id);
  [[nodiscard]] bool is_behind_what_is_known() const;
  void look_at_logs();
  void await_lock_record();
};

// Events from a sequence on; a row of parts that is not there leaves its events without parts.
class StoreSource final : public verify::Source {
 public:
  StoreSource(Store& store, std::uint64_t from, std::uint64_t size);
  Result<bool> next(verify::StoredEvent& event) override;
  const Hash* leaf(std::uint64_t index) override;

 private:
  Status step();

  Store& store_;
  std::unique_ptr<Cursor> headers_;
  std::unique_ptr<Cursor> payloads_;
  std::uint64_t from_;
  std::uint64_t size_;
  bool begun_ = false;
  std::size_t at_ = 0;  // in the row
  codec::RowView header_row_;
  std::optional<codec::RowView> payload_row_;
  std::vector<Hash> tile_;
  std::optional<std::uint64_t> tile_index_;
};

// What `siegel verify` does with an open copy (local_verify.cc): with the checkpoints that lie in it and beside it.
// key: a verifier key; empty: the ledger's own.
Result<verify::Options> verify_options(const LedgerCopy& copy, const std::string& key);
Result<verify::Report> verify_copy(LedgerCopy& copy, const verify::Options& options);
// On stderr; nothing where they were asked.
void tell_keys_not_asked(const LedgerCopy& copy, const Speech& speech);

}  // namespace siegel::app
