#include "ledger/recover.h"

#include "codec/rows.h"
#include "proof/checkpoint.h"

namespace siegel::ledger {

namespace {

Result<Head> read_head(Store& store, const Options& options) {
  SIEGEL_TRY(row, store.get_pinned(kHead, as_bytes(kHeadKey)));
  if (!row) {
    const auto headers = store.cursor(kHeaders);
    headers->seek_to_first();
    if (headers->valid()) return damaged("The head row is missing.");
    SIEGEL_CHECK(headers->status());
    return Error(Errc::not_found, "ledger_missing", "There is no ledger in the store.");
  }
  SIEGEL_TRY(head, decode_head(row->value()));
  if (head.id != options.id || head.origin != options.origin) {
    return Error(Errc::corrupt, "other_ledger", "The store holds another ledger than the configuration names.")
        .with("found", to_text(head.id))
        .with("expected", to_text(options.id));
  }
  return head;
}

// Walks the rows from the one that holds `from` to the end: contiguous, both families alike, headers whole.
class Edge {
 public:
  Edge(Store& store, const Head& head) : store_(store), head_(head), size_(head.size.get()) {}

  Result<std::vector<Hash>> open_leaves() {
    const auto base = size_ - size_ % kTileWidth;
    const auto from = size_ == 0 ? 0 : std::min(base, size_ - 1);  // at least the newest event
    const auto rows = store_.cursor(kHeaders);
    if (size_ == 0) {
      rows->seek_to_first();
    } else {
      rows->seek_for_prev(row_key(Seq(from)));
      if (!rows->valid() || rows->key().size() != 8) return damaged("Events before the edge are missing.");
      next_ = get_be<std::uint64_t>(rows->key().data());
    }
    for (; rows->valid(); rows->next()) {
      if (!equal(rows->key(), row_key(Seq(next_)))) return damaged("The rows of events have a gap.");
      SIEGEL_CHECK(take_row(rows->value(), from, base));
    }
    SIEGEL_CHECK(rows->status());
    if (next_ != size_) return damaged("The events and the size of the ledger differ.");
    if (size_ != 0 && (time_ != head_.time || mark_ != head_.keys_mark)) {
      return damaged("The newest event is not the one that the head row tells of.");
    }
    SIEGEL_CHECK(check_last_payload());
    return std::move(leaves_);
  }

 private:
  Status take_row(ByteView row, std::uint64_t from, std::uint64_t base) {
    const auto view = codec::RowView::parse(row);
    if (!view) return damaged("A row of headers is damaged.");
    SIEGEL_TRY(payloads, store_.get_pinned(kPayloads, row_key(Seq(next_))));
    if (!payloads) return damaged("A row of parts is missing.");
    const auto parts = codec::RowView::parse(payloads->value());
    if (!parts || parts->events() != view->events()) return damaged("A row of parts is damaged.");
    last_row_ = next_;
    for (std::size_t i = 0; i < view->events(); ++i, ++next_) {
      if (next_ < from) continue;
      const auto header = codec::decode_header(view->event(i));
      if (!header || header->seq.get() != next_ || header->time < time_ || header->keys_mark < mark_) {
        return damaged("An event at the edge is not what was written.");
      }
      time_ = header->time;
      mark_ = header->keys_mark;
      if (next_ >= base) leaves_.push_back(leaf_hash(view->event(i)));
    }
    return Done{};
  }

  Status check_last_payload() {
    const auto rows = store_.cursor(kPayloads);
    rows->seek_to_last();
    SIEGEL_CHECK(rows->status());
    const bool good = size_ == 0 ? !rows->valid() : rows->valid() && equal(rows->key(), row_key(Seq(last_row_)));
    if (!good) return damaged("There are parts without events.");
    return Done{};
  }

  Store& store_;
  const Head& head_;
  std::uint64_t size_;
  std::uint64_t next_ = 0;
  std::uint64_t last_row_ = 0;
  TimeMs time_;
  KeysMark mark_;
  std::vector<Hash> leaves_;
};

Result<Hash> root_at(Store& store, const TreeView& tree, std::uint64_t size) {
  TreeReader nodes(store, tree);
  return root_of(size, nodes);
}

Result<std::optional<Noted>> read_newest(Store& store, const TreeView& tree, const Options& options) {
  SIEGEL_TRY(row, store.get(kCheckpoints, as_bytes(kNewestKey)));
  if (!row) return std::optional<Noted>();
  const auto note = parse_note(as_chars(*row));
  if (!note) return damaged("The newest checkpoint in the store is malformed.");
  const auto checkpoint = parse_checkpoint(note->text);
  if (!checkpoint || checkpoint->origin != options.origin || checkpoint->size > tree.size) {
    return damaged("The newest checkpoint in the store is of another ledger or size.");
  }
  SIEGEL_TRY(root, root_at(store, tree, checkpoint->size));
  if (root != checkpoint->root) return damaged("The newest checkpoint in the store is of another tree.");
  return std::optional(Noted{TreeSize(checkpoint->size), std::string(as_chars(*row))});
}

}  // namespace

Result<Recovered> recover(Store& store, const Options& options) {
  SIEGEL_TRY(head, read_head(store, options));
  if (head.size.get() > kTreeSizeMax) return damaged("The head row names an impossible size.");
  SIEGEL_TRY(leaves, Edge(store, head).open_leaves());
  SIEGEL_TRY(tree, TreeWriter::resume(store, head.size.get(), std::move(leaves)));
  if (!std::ranges::equal(tree.range().frontier(), head.frontier)) {
    return damaged("The events at the edge are not those that the head row commits to.");
  }
  SIEGEL_TRY(newest, read_newest(store, tree.view(nullptr), options));
  return Recovered{std::move(head), std::move(tree), std::move(newest)};
}

std::optional<Reason> compare(const Result<std::optional<std::string>>& lock_record, Signer& signer, Store& store,
                              const TreeView& tree, TreeSize& locked) {
  if (!lock_record)
    return Reason{"lock_record_damaged", std::string("it cannot be read: ") + lock_record.error().code()};
  const auto& locked_note = *lock_record;
  if (!locked_note) return Reason{"lock_record_missing", "ledger size " + std::to_string(tree.size)};
  const auto key = parse_verifier_key(signer.verifier_key());
  if (!key) return Reason{"lock_record_damaged", "the signer has no good verifier key"};
  const auto opened = open_checkpoint(*locked_note, *key);
  if (!opened) return Reason{"lock_record_damaged", std::string("its note does not hold: ") + opened.error().code()};

  const auto& checkpoint = opened->checkpoint;
  const std::string sizes =
      "lock record size " + std::to_string(checkpoint.size) + ", ledger size " + std::to_string(tree.size);
  if (checkpoint.size > tree.size) return Reason{"behind_lock_record", sizes};
  const auto root = root_at(store, tree, checkpoint.size);
  if (!root || *root != checkpoint.root) {
    return Reason{"fork", sizes + ", lock record root " + to_base64(checkpoint.root) + ", ledger root there " +
                              (root ? to_base64(*root) : std::string("unreadable"))};
  }
  locked = TreeSize(checkpoint.size);
  return std::nullopt;
}

}  // namespace siegel::ledger
