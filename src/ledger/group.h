// Private to ledger: one group of commands on its way into a batch. Completes headers, hashes, lays events into rows,
// and checks the rows in the batch against what was hashed (D3). Belongs to the writer thread; no I/O.
#pragma once

#include <optional>
#include <vector>

#include "ledger/ledger.h"
#include "ledger/seams.h"
#include "store/batch.h"

namespace siegel::ledger {

class GroupBuilder {
 public:
  explicit GroupBuilder(const Seams& seams) : seams_(seams) {}

  // What the newest events of the ledger leave behind, and the time of the group to come.
  struct Before {
    Seq next;
    TimeMs time;
    KeysMark keys_mark;
    Epoch epoch;
  };
  void begin(const Before& before);

  // What the receipts of a command will say.
  struct Access {
    Seq seq;
    PurposeNo purpose;
    std::vector<OwnerId> owners;
  };
  struct Job {
    Seq seq;
    JobFacts::Kind kind;
  };
  struct Added {
    Seq first;
    std::size_t events = 0;
    std::optional<Access> access;
    std::optional<Job> job;
  };
  // All events of the verdict or none. Errors: invalid "too_large", "header_invalid".
  Result<Added> add(Verdict&& verdict, KeysMark keys_mark);

  [[nodiscard]] std::size_t events() const noexcept { return events_.size(); }
  [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }
  [[nodiscard]] const Before& before() const noexcept { return before_; }
  [[nodiscard]] Seq next() const noexcept { return Seq(before_.next.get() + events_.size()); }
  [[nodiscard]] KeysMark keys_mark() const noexcept { return keys_mark_; }
  [[nodiscard]] Epoch epoch() const noexcept { return epoch_; }
  [[nodiscard]] const Hash& leaf(std::size_t event) const noexcept { return events_[event].leaf; }

  void put_rows(Batch& batch);
  // Hashes the headers again, from the rows in the batch, and compares the payload rows with the parts they came from.
  [[nodiscard]] bool rows_match(const Batch& batch) const;
  [[nodiscard]] std::vector<Group::Row> copy_rows(const Batch& batch) const;

 private:
  struct Event {
    Bytes header;
    std::vector<SealedPart> parts;
    Hash leaf{};
    std::size_t parts_bytes = 0;
  };
  struct Trailer {
    std::size_t event;  // stands in the row of this one
    codec::IdempotencyRow row;
  };
  struct Row {
    std::size_t first = 0;  // of events_
    std::size_t count = 0;
    std::size_t header_bytes = 0;
    std::size_t parts_bytes = 0;
    Bytes trailer;
    std::size_t headers_entry = 0;  // of the batch
    std::size_t payloads_entry = 0;
  };
  Result<Event> complete(Draft& draft, KeysMark keys_mark);
  void note_facts(const Draft& draft, const Event& event, Seq seq, Added& added);
  [[nodiscard]] std::vector<Row> plan_rows() const;
  void put_row(Batch& batch, Row& row);
  [[nodiscard]] bool headers_match(const Batch& batch, const Row& row) const;
  [[nodiscard]] bool payloads_match(const Batch& batch, const Row& row) const;
  [[nodiscard]] Seq seq_of(std::size_t event) const noexcept { return Seq(before_.next.get() + event); }

  const Seams& seams_;
  Before before_;
  KeysMark keys_mark_;
  Epoch epoch_;
  std::vector<Event> events_;
  std::vector<Trailer> trailers_;
  std::size_t bytes_ = 0;
  std::vector<Row> rows_;
  std::vector<Hash> part_hashes_;  // of the event at hand
};

}  // namespace siegel::ledger
