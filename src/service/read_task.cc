// How a read goes: its access events are durable first, then what it shows is opened against their receipt (I5).
#include "service/read_task.h"

#include <algorithm>

#include "codec/bodies_codec.h"

namespace siegel::service {

std::size_t bytes_of(const views::RecordRow& row) {
  std::size_t out = 0;
  for (const auto& section : row.sections) out += section.sealed.size();
  return out;
}

std::vector<std::uint16_t> all_fields(const decide::Permit& permit) {
  std::vector<std::uint16_t> out;
  if (permit.type == nullptr) return out;
  for (const auto& field : permit.type->definition.fields)
    if (permit.covers(field.number)) out.push_back(field.number.get());
  std::sort(out.begin(), out.end());
  return out;
}

namespace {

void take_back(ledger::Draft& draft) {  // its last part
  draft.parts.pop_back();
  draft.header.part_count = static_cast<std::uint16_t>(draft.parts.size());
}

}  // namespace

Status ReadTask::make_drafts(const std::vector<OwnerId>& seen, const std::vector<std::uint16_t>& fields) {
  SIEGEL_CHECK(know(owner_of(caller.token)));
  SIEGEL_CHECK(begin_draft(fields));
  for (const auto& owner : seen) {
    SIEGEL_CHECK(know(owner));
    SIEGEL_TRY(entry, s.look(owner, owners[owner]));
    SIEGEL_TRY(slot, s.leaf_for(entry, built_in::access_log));
    if (traces_left_ == 0) SIEGEL_CHECK(begin_draft(fields));
    SIEGEL_CHECK(add_seen(drafts.back(), slot, owner, entry));
    if (!s.fits(drafts.back()) && drafts.back().parts.size() > 2) {  // more than the actor and this one: elsewhere
      take_back(drafts.back());
      SIEGEL_CHECK(begin_draft(fields));
      SIEGEL_CHECK(add_seen(drafts.back(), slot, owner, entry));
    }
    --traces_left_;
  }
  for (auto& draft : drafts) SIEGEL_CHECK(s.encode_ahead(draft));
  events_ = drafts.size();
  return Done{};
}

Status ReadTask::add_seen(ledger::Draft& draft, Slot slot, const OwnerId& owner, const decide::OwnerEntry&) {
  s.add_trace(draft, slot, owner);
  return Done{};
}

Status ReadTask::begin_draft(const std::vector<std::uint16_t>& fields) {
  SIEGEL_TRY(draft, s.draft(EventType::access_read, caller, permit));
  draft.header.facts = AccessFacts{kind_, fields};
  // One at least: where not even that fits, encode_ahead() says so.
  traces_left_ = std::max<std::size_t>(s.traces_left(draft), 1);
  drafts.push_back(std::move(draft));
  return Done{};
}

Task::Decision ReadTask::decide(const ledger::Moment& at) {
  if (auto stop = still_permitted(at)) return std::move(*stop);
  if (auto stop = decide_read(at)) return std::move(*stop);
  if (auto stop = place(at)) return std::move(*stop);
  return std::move(drafts);
}

void ReadTask::committed(ledger::Committed&& committed) {
  if (!committed.access) {
    failed(Error(Errc::corrupt, "internal", "The ledger gave no receipt for an access event."));
    return;
  }
  receipt = std::make_shared<ledger::AccessReceipt>(std::move(*committed.access));
  auto self = shared_from_this();
  const auto go_on = [this, self](bool reached) {
    s.executor.post([this, self, reached] {
      if (!reached) return failed(s.not_reached());
      if (auto answered = answer(); !answered) failed(answered.error());
    });
  };
  if (s.views.position() >= needed_) {
    go_on(true);
  } else {
    s.views.when(needed_, s.options.catch_up_wait, go_on);
  }
}

OwnerId ReadTask::owner_of_row(const views::RecordRow& row) const {
  return row.subject ? owner_of(*row.subject) : owner_of(TypeNo(permit.type->number));
}

std::vector<OwnerId> ReadTask::owners_of(const std::vector<views::Views::Listed>& rows) const {
  std::vector<OwnerId> out;
  out.reserve(rows.size());
  for (const auto& listed : rows) out.push_back(owner_of_row(listed.row));
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

Result<ShownRecord> ReadTask::show(const RecordId& id, TypeNo type, const views::RecordRow& row, const OwnerId& owner) {
  ShownRecord out{id, type, {}, row.version, row.updated_at, {}, {}};
  if (row.subject) out.subject = s.merges.name_of(*row.subject);
  Values values;
  const auto key = views::record_row_key(type, id);
  for (const auto& section : row.sections) {
    auto opened = s.vault.open_row(*receipt, owner, section.slot, "records", key, section.sealed);
    if (!opened) {
      if (opened.error().category() != Errc::gone) return Error(opened.error());
      out.erased.push_back(section.cls);
      continue;
    }
    SIEGEL_TRY(some, codec::decode_values(opened->view()));
    for (auto& value : some)
      if (permit.covers(value.field) && shows(value.field) && !std::holds_alternative<Null>(value.value.expose()))
        values.push_back(std::move(value));
  }
  std::sort(values.begin(), values.end(), [](const auto& a, const auto& b) { return a.field < b.field; });
  out.values = Personal<Values>(std::move(values));
  SIEGEL_CHECK(add_erased(id, row, out));
  return out;
}

Status ReadTask::add_erased(const RecordId& id, const views::RecordRow& row, ShownRecord& out) const {
  const auto* type = registries->type(out.type);
  const auto there = [&](ClassNo cls) {
    return std::any_of(row.sections.begin(), row.sections.end(),
                       [&](const auto& section) { return section.cls == cls; });
  };
  if (type == nullptr) return Done{};
  std::vector<ClassNo> missing;
  for (const auto& field : type->definition.fields)
    if (const auto* cls = registries->cls(field.cls); cls != nullptr && !there(ClassNo(cls->number)))
      missing.emplace_back(cls->number);
  if (missing.empty()) return Done{};
  SIEGEL_TRY(named, s.views.erased_classes(id));
  for (const auto cls : named)
    if (std::find(missing.begin(), missing.end(), cls) != missing.end()) out.erased.push_back(cls);
  return Done{};
}

bool ReadTask::shows(FieldNo field) const {
  return shown_.empty() || std::binary_search(shown_.begin(), shown_.end(), field.get());
}

}  // namespace siegel::service
