// Inside the service: what all reads share. Not for doors.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <vector>

#include "service/impl.h"

namespace siegel::service {

// Of sealed values: a page of very large records ends before its limit, so that many slow readers fill no memory.
constexpr std::size_t kPageBytesMax = std::size_t{2} << 20;
std::size_t bytes_of(const views::RecordRow& row);
std::vector<std::uint16_t> all_fields(const decide::Permit& permit);  // that it covers, ascending

// Access events that name everybody looked at. One, unless there are too many people for it; then all are in the ledger
// with one group, and one receipt speaks for them.
class ReadTask : public Task {
 public:
  ReadTask(Impl& service, Caller who, AccessFacts::Kind kind) : Task(service, std::move(who)), kind_(kind) {}

 protected:
  EventType wanted() const override { return EventType::access_read; }
  std::size_t events() const override { return events_; }

  // Everybody who is looked at, each once.
  Status make_drafts(const std::vector<OwnerId>& seen, const std::vector<std::uint16_t>& fields);
  virtual Status add_seen(ledger::Draft& draft, Slot slot, const OwnerId& owner, const decide::OwnerEntry&);

  Decision decide(const ledger::Moment& at) override;
  virtual std::optional<Decision> decide_read(const ledger::Moment&) { return std::nullopt; }

  void committed(ledger::Committed&& committed) override;
  virtual Status answer() = 0;  // executor: opens against the receipt and calls back

  // Rows of the permit's type.
  OwnerId owner_of_row(const views::RecordRow& row) const;
  std::vector<OwnerId> owners_of(const std::vector<views::Views::Listed>& rows) const;

  Result<ShownRecord> show(const RecordId& id, TypeNo type, const views::RecordRow& row, const OwnerId& owner);
  bool shows(FieldNo field) const;

  AccessFacts::Kind kind_;
  std::shared_ptr<ledger::AccessReceipt> receipt;
  TreeSize needed_;                   // what the views must show: the newest change of what is read
  std::vector<std::uint16_t> shown_;  // empty: every field that the purpose covers

 private:
  Status begin_draft(const std::vector<std::uint16_t>& fields);
  // The rows forget an erased class with its request; the notice tells for as long as it lives.
  Status add_erased(const RecordId& id, const views::RecordRow& row, ShownRecord& out) const;

  std::size_t traces_left_ = 0;  // in the newest draft
  std::size_t events_ = 1;
};

}  // namespace siegel::service
