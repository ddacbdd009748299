#include "app/local_copy.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <thread>

#include "ledger/ledger.h"
#include "ledger/signer.h"
#include "proof/checkpoint.h"
#include "proof/tiles.h"
#include "store/file.h"
#include "vault/vault.h"

namespace siegel::app {
namespace {

constexpr std::size_t kNoteFileBytes = std::size_t{1} << 20;
constexpr int kOpenTries = 5;
constexpr std::chrono::milliseconds kBetweenTries{50};
constexpr int kRecordTries = 30;  // times kBetweenTries: the lock record follows a group within a second

Result<std::filesystem::path> make_notes_dir() {
  std::error_code error;
  const auto base = std::filesystem::temp_directory_path(error);
  std::string name = ((error ? std::filesystem::path("/tmp") : base) / "siegel-read-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) {
    return Error(Errc::unavailable, "io_error", "No temporary directory can be made.");
  }
  return std::filesystem::path(name);
}

// Whether a server holds the data directory. Asks without leaving a trace there.
bool somebody_writes(const Places& places) {
  const int fd = ::open(places.lock().c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return false;
  const bool taken = ::flock(fd, LOCK_SH | LOCK_NB) != 0;
  ::close(fd);
  return taken;
}

// Which size a note says, whoever signed it. Nothing is believed here: the verifier looks at the signature.
std::optional<std::uint64_t> size_in(const std::string& note) {
  const auto parsed = parse_note(note);
  if (!parsed) return std::nullopt;
  const auto checkpoint = parse_checkpoint(parsed->text);
  return checkpoint ? std::optional(checkpoint->size) : std::nullopt;
}

}  // namespace

LedgerCopy::~LedgerCopy() {
  store.reset();
  std::error_code ignored;
  if (!notes_dir.empty()) std::filesystem::remove_all(notes_dir, ignored);
}

Status LedgerCopy::open(const std::filesystem::path& data) {
  SIEGEL_TRY(found, read_places(data));
  const auto known = vault::Vault::known_ledger(found.keys());
  if (known) known_to_keys = known->size;
  SIEGEL_CHECK(open(std::move(found)));
  if (known && known->id == head->id) return Done{};
  known_to_keys.reset();
  if (known) {
    keys_not_asked = Error(Errc::conflict, "other_ledger", "The keys store is that of another ledger.");
  } else if (std::error_code ignored;
             !known.error().is("store_missing") || !std::filesystem::exists(places.data / "BACKUP", ignored)) {
    keys_not_asked = known.error();
  }
  return Done{};
}

// Beside a writer RocksDB passes over a log that was taken away after it was named: what stood in it is in a table by
// now, which the next opening reads. Lock record and keys, read before, tell that something is missing.
Status LedgerCopy::open(Places found) {
  places = std::move(found);
  SIEGEL_TRY(id, read_format(places));
  lock_record = read_lock_record();
  SIEGEL_TRY(notes, make_notes_dir());
  notes_dir = std::move(notes);
  SIEGEL_CHECK(read_head(id));
  for (int tries = 1; is_behind_what_is_known() && tries < kOpenTries; ++tries) {
    std::this_thread::sleep_for(kBetweenTries);
    SIEGEL_CHECK(read_head(id));
  }
  if (rocks.mode == RocksOptions::Mode::secondary) await_lock_record();
  look_at_logs();
  std::error_code ignored;
  const bool is_backup = !std::filesystem::exists(places.keys(), ignored);  // copied back, it is none any more
  if (is_backup && std::filesystem::exists(places.data / "BACKUP", ignored)) {
    const auto note = SystemFiles().read_file(places.data / "checkpoint", kNoteFileBytes);
    backup_note = note ? std::string(as_chars(*note)) : std::string();
  }
  return Done{};
}

Status LedgerCopy::read_head(const LedgerId& id) {
  store.reset();
  SIEGEL_CHECK(open_store());
  SIEGEL_TRY(newest, store->get(ledger::kCheckpoints, as_bytes(ledger::kNewestKey)));
  newest_note.reset();
  if (newest) newest_note = std::string(as_chars(*newest));
  SIEGEL_TRY(row, store->get(ledger::kHead, as_bytes(ledger::kHeadKey)));
  if (!row) return ledger::damaged("The head row is missing.");
  SIEGEL_TRY(decoded, ledger::decode_head(*row));
  if (decoded.id != id) {
    return Error(Errc::corrupt, "other_ledger", "The store holds another ledger than the file FORMAT names.");
  }
  head = std::move(decoded);
  return Done{};
}

bool LedgerCopy::is_behind_what_is_known() const {
  if (rocks.mode != RocksOptions::Mode::secondary) return false;
  const auto recorded = lock_record ? size_in(*lock_record) : std::nullopt;
  return std::max(TreeSize(recorded.value_or(0)), known_to_keys.value_or(TreeSize(0))) > head->size;
}

// Logs that cannot be read at all are told of by whoever reads the whole store (check_files).
void LedgerCopy::look_at_logs() {
  auto options = rocks;
  options.mode = RocksOptions::Mode::read_only;
  auto found = check_logs(options);
  if (!found) return;
  broken_logs = std::move(*found);
  if (rocks.mode == RocksOptions::Mode::secondary)
    std::erase_if(broken_logs, [](const UncheckedBytes& range) { return !range.was_followed; });
}

const UncheckedBytes* LedgerCopy::damaged_log() const {
  const auto found = std::ranges::find_if(broken_logs, &UncheckedBytes::was_followed);
  return found == broken_logs.end() ? nullptr : &*found;
}

std::optional<std::string> LedgerCopy::read_lock_record() {
  using State = verify::Report::LockRecord;
  SystemFiles files;
  const auto record = files.read_file(places.head, kNoteFileBytes);
  lock_record_state = record ? State::held : record.error().is("file_missing") ? State::missing : State::unreadable;
  return record ? std::optional(std::string(as_chars(*record))) : std::nullopt;
}

// Takes a newer record only as far as the events that were read reach: one behind them would look like a roll-back.
void LedgerCopy::await_lock_record() {
  const auto size = head->size.get();
  auto known = lock_record ? size_in(*lock_record) : std::nullopt;
  for (int tries = 0; known && *known < size && tries < kRecordTries; ++tries) {
    std::this_thread::sleep_for(kBetweenTries);
    auto newer = read_lock_record();
    known = newer ? size_in(*newer) : std::nullopt;
    if (known && *known <= size) lock_record = std::move(newer);
  }
}

// Beside a writer as RocksDB's secondary, which overlooks a table that is not there (the writer may be taking it away;
// check_files does not), else strictly. A writer may take files away between their being named and their being opened:
// then they are named anew.
Status LedgerCopy::open_store() {
  rocks.dir = places.ledger();
  rocks.families = ledger::Ledger::families();
  rocks.mode = somebody_writes(places) ? RocksOptions::Mode::secondary : RocksOptions::Mode::read_only;
  rocks.secondary_dir = notes_dir;
  auto opened = open_rocksdb(rocks);
  for (int tries = 1; !opened && tries < kOpenTries; ++tries) {
    std::this_thread::sleep_for(kBetweenTries);
    opened = open_rocksdb(rocks);
  }
  if (!opened) return Error(opened.error());
  store = std::move(*opened);
  return Done{};
}

Result<std::string> LedgerCopy::own_key() const {
  SystemFiles files;
  auto signer = ledger::FileSigner::load(files, places.signer);
  if (!signer && signer.error().category() == Errc::not_found) {
    return Error(Errc::invalid, "key_missing", "The ledger's own key is not here: give its verifier key with --key.")
        .with("place", places.signer.string());
  }
  SIEGEL_TRY(loaded, std::move(signer));
  return loaded->verifier_key();
}

StoreSource::StoreSource(Store& store, std::uint64_t from, std::uint64_t size)
    : store_(store),
      headers_(store.cursor(ledger::kHeaders, {.snapshot = nullptr, .reading = CursorOptions::Reading::all})),
      payloads_(store.cursor(ledger::kPayloads, {.snapshot = nullptr, .reading = CursorOptions::Reading::all})),
      from_(from),
      size_(size) {}

Result<bool> StoreSource::next(verify::StoredEvent& event) {
  if (begun_ && ++at_ < header_row_.events()) {
    // within the row
  } else {
    SIEGEL_CHECK(step());
    if (!headers_->valid()) return false;
  }
  event.header = header_row_.event(at_);
  event.parts.reset();
  if (payload_row_ && at_ < payload_row_->events()) event.parts = payload_row_->event(at_);
  return true;
}

Status StoreSource::step() {
  if (begun_) {
    headers_->next();
    at_ = 0;
  } else {
    begun_ = true;
    headers_->seek_for_prev(ledger::row_key(Seq(from_)));
    if (!headers_->valid()) {
      SIEGEL_CHECK(headers_->status());
      headers_->seek_to_first();
    }
    payloads_->seek(headers_->valid() ? headers_->key() : ByteView());
  }
  SIEGEL_CHECK(headers_->status());
  if (!headers_->valid()) return Done{};
  if (headers_->key().size() != 8) return ledger::damaged("A row of events has a wrong key.");
  const auto first = get_be<std::uint64_t>(headers_->key().data());
  SIEGEL_TRY(headers, codec::RowView::parse(headers_->value()));
  header_row_ = headers;
  if (first < from_) at_ = static_cast<std::size_t>(std::min<std::uint64_t>(from_ - first, headers.events()));
  payload_row_.reset();
  while (payloads_->valid() && as_chars(payloads_->key()) < as_chars(headers_->key())) payloads_->next();
  SIEGEL_CHECK(payloads_->status());
  if (payloads_->valid() && equal(payloads_->key(), headers_->key())) {
    SIEGEL_TRY(payloads, codec::RowView::parse(payloads_->value()));
    payload_row_ = payloads;
  }
  // Only where the row of `from` itself is gone: go on with the next.
  return at_ < header_row_.events() ? Status(Done{}) : step();
}

const Hash* StoreSource::leaf(std::uint64_t index) {
  const auto tile = index / kTileWidth;
  if (tile >= full_tiles(0, size_)) return nullptr;  // the open tile stands in no row
  if (tile_index_ != tile) {
    tile_index_ = tile;
    tile_.clear();
    const auto row = store_.get_pinned(ledger::kTiles, ledger::tile_key(0, tile));
    if (row && *row) {
      if (auto hashes = decode_tile((*row)->value())) tile_ = std::move(*hashes);
    }
  }
  return index % kTileWidth < tile_.size() ? &tile_[index % kTileWidth] : nullptr;
}

}  // namespace siegel::app
