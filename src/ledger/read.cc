// What readers ask: events, proofs, tiles, past checkpoints. From any thread, over what was last published.
#include <algorithm>

#include "base/assert.h"
#include "codec/rows.h"
#include "ledger/layout.h"
#include "ledger/ledger_impl.h"
#include "proof/note.h"

namespace siegel::ledger {

namespace {

// From here on a cursor reads ahead and leaves the block cache alone.
constexpr std::uint64_t kLongWalk = 4'096;

Error missing() { return Error(Errc::not_found, "event_missing", "The ledger has no event of this sequence."); }

Error out_of_range() {
  return Error(Errc::invalid, "proof_out_of_range", "The ledger has no tree of this size, or the tree no such event.");
}

// First sequence of the row under a key of eight bytes.
Result<std::uint64_t> first_of(const Cursor& rows) {
  if (rows.key().size() != 8) return damaged("A row of events has a wrong key.");
  return get_be<std::uint64_t>(rows.key().data());
}

class StoreEventCursor final : public EventCursor {
 public:
  StoreEventCursor(Store& store, std::uint64_t from, std::uint64_t end, std::uint64_t wanted)
      : snapshot_(store.snapshot()),
        headers_(store.cursor(kHeaders, options(std::min(wanted, end - std::min(from, end))))),
        payloads_(store.cursor(kPayloads, options(std::min(wanted, end - std::min(from, end))))),
        next_(from),
        end_(end) {}

  Result<bool> next(Seq& seq, ByteView& header, ByteView& parts) override {
    if (next_ >= end_) return false;
    if (!in_row_ || next_ - first_ >= header_row_.events()) SIEGEL_CHECK(step());
    seq = Seq(next_);
    header = header_row_.event(next_ - first_);
    parts = payload_row_.event(next_ - first_);
    ++next_;
    return true;
  }
  ByteView idempotency() const override { return in_row_ ? payload_row_.trailer() : ByteView(); }

 private:
  [[nodiscard]] CursorOptions options(std::uint64_t events) const {
    return {.snapshot = snapshot_.get(),
            .reading = events > kLongWalk ? CursorOptions::Reading::all : CursorOptions::Reading::some};
  }

  Status step() {
    if (in_row_) {
      headers_->next();
      payloads_->next();
    } else {
      headers_->seek_for_prev(row_key(Seq(next_)));
      if (headers_->valid()) payloads_->seek(headers_->key());
    }
    in_row_ = false;
    SIEGEL_CHECK(headers_->status());
    SIEGEL_CHECK(payloads_->status());
    if (!headers_->valid() || !payloads_->valid() || !equal(headers_->key(), payloads_->key())) {
      return damaged("A row of events is missing.");
    }
    SIEGEL_TRY(first, first_of(*headers_));
    SIEGEL_TRY(headers, codec::RowView::parse(headers_->value()));
    SIEGEL_TRY(payloads, codec::RowView::parse(payloads_->value()));
    if (next_ < first || next_ - first >= headers.events() || headers.events() != payloads.events()) {
      return damaged("The rows of events have a gap.");
    }
    first_ = first;
    header_row_ = headers;
    payload_row_ = payloads;
    in_row_ = true;
    return Done{};
  }

  std::unique_ptr<Snapshot> snapshot_;
  std::unique_ptr<Cursor> headers_;
  std::unique_ptr<Cursor> payloads_;
  std::uint64_t next_;
  std::uint64_t end_;
  std::uint64_t first_ = 0;
  bool in_row_ = false;
  codec::RowView header_row_;
  codec::RowView payload_row_;
};

}  // namespace

Result<StoredEvent> LedgerImpl::read(Seq seq) const {
  if (seq.get() >= now()->tree.size) return missing();
  const auto rows = store_->cursor(kHeaders);
  rows->seek_for_prev(row_key(seq));
  SIEGEL_CHECK(rows->status());
  if (!rows->valid()) return damaged("A row of events is missing.");
  SIEGEL_TRY(first, first_of(*rows));
  SIEGEL_TRY(headers, codec::RowView::parse(rows->value()));
  SIEGEL_TRY(row, store_->get_pinned(kPayloads, row_key(Seq(first))));
  if (!row) return damaged("A row of parts is missing.");
  SIEGEL_TRY(payloads, codec::RowView::parse(row->value()));
  const auto at = seq.get() - first;
  if (at >= headers.events() || headers.events() != payloads.events()) {
    return damaged("The rows of events have a gap.");
  }
  return StoredEvent{to_bytes(headers.event(at)), to_bytes(payloads.event(at))};
}

Result<std::unique_ptr<EventCursor>> LedgerImpl::cursor(Seq from, std::uint64_t events_wanted) const {
  return std::unique_ptr<EventCursor>(
      std::make_unique<StoreEventCursor>(*store_, from.get(), now()->tree.size, events_wanted));
}

Result<Hash> LedgerImpl::root(TreeSize size) const {
  const auto state = now();
  if (size.get() > state->tree.size) return out_of_range();
  TreeReader nodes(*store_, state->tree);
  return root_of(size.get(), nodes);
}

Result<Hash> LedgerImpl::leaf(Seq seq) const {
  const auto state = now();
  if (seq.get() >= state->tree.size) return missing();
  return TreeReader(*store_, state->tree).node({0, seq.get()});
}

Result<std::vector<Hash>> LedgerImpl::inclusion(Seq index, TreeSize size) const {
  const auto state = now();
  if (size.get() > state->tree.size) return out_of_range();
  TreeReader nodes(*store_, state->tree);
  SIEGEL_TRY(proof, make_inclusion_proof({index.get(), size.get()}, nodes));
  return std::move(proof.path);
}

Result<std::vector<Hash>> LedgerImpl::consistency(TreeSize from, TreeSize to) const {
  const auto state = now();
  if (to.get() > state->tree.size) return out_of_range();
  TreeReader nodes(*store_, state->tree);
  SIEGEL_TRY(proof, make_consistency_proof({from.get(), to.get()}, nodes));
  return std::move(proof.path);
}

Result<std::optional<Bytes>> LedgerImpl::tile(unsigned level, std::uint64_t index, unsigned width) const {
  const auto state = now();
  return TreeReader(*store_, state->tree).tile(level, index, width);
}

Result<std::string> LedgerImpl::checkpoint_at(TreeSize size) const {
  const auto state = now();
  if (size == state->noted.size && !state->noted.note.empty()) return state->noted.note;
  SIEGEL_TRY(root_there, root(size));
  // In doubt about the lock record: another root of this size may have been signed before.
  if (in_doubt()) return read_only_error();
  return sign(size, root_there);
}

Result<std::string> LedgerImpl::statement(std::string_view text) const {
  if (!is_note_text(text) || text.substr(0, text.find('\n')) == options_.origin) {
    return Error(Errc::invalid, "statement_malformed", "This text cannot be signed as a statement of the ledger.");
  }
  if (in_doubt()) return read_only_error();
  return signer_.sign_text(text);
}

bool LedgerImpl::in_doubt() const {
  return health_.with([](const Health& health) { return !health.of_lock.empty(); });
}

}  // namespace siegel::ledger
