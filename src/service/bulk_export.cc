// Bulk exports: many records of one type, chunk by chunk. Each chunk is a read of its own, with its own permit and its
// own access events, which name everybody in it and say that it was one of an export.
#include <algorithm>
#include <map>

#include "service/read_task.h"

namespace siegel::service {
namespace {

// Rows are fetched so many at a time: very large ones must not stand in memory by the thousand.
constexpr std::size_t kRowsAtOnce = 100;

class ExportTask final : public ReadTask {
 public:
  ExportTask(Impl& service, Caller who, ExportQuery query, Callback<ExportAnswer> then)
      : ReadTask(service, std::move(who), AccessFacts::Kind::bulk_export),
        query_(std::move(query)),
        done_(std::move(then)) {
    type_name = query_.type;
    named_fields = query_.fields;
  }

 protected:
  Status prepare() override {
    SIEGEL_CHECK(permit_now(decide::Action::export_records));
    if (!query_.room) {
      SIEGEL_TRY(room, s.room_for_export(caller.token));
      query_.room = std::move(room);
    }
    SIEGEL_CHECK(choose_fields());
    position_ = s.views.position();
    SIEGEL_CHECK(find_rows());
    return make_drafts(owners_of(rows_), shown_);
  }

  Status answer() override {
    ExportAnswer out;
    out.records = {registries, TypeNo(permit.type->number), {}, std::nullopt, position_};
    for (const auto& listed : rows_) {
      SIEGEL_TRY(shown, show(listed.id, out.records.type, listed.row, owner_of_row(listed.row)));
      if (!is_gone(listed.row, shown)) out.records.items.push_back(std::move(shown));
    }
    out.fields = fields_;
    out.room = query_.room;
    // The rest shows the same columns, or it is refused: what a purpose covers may change meanwhile.
    if (last_) out.next = ExportQuery{query_.type, fields_, last_, query_.room};
    done_(std::move(out));
    return Done{};
  }
  void failed(const Error& error) override { done_(Error(error)); }

 private:
  Status choose_fields() {
    const auto& type = permit.type->definition;
    fields_ = query_.fields;
    if (fields_.empty())
      for (const auto& field : type.fields)
        if (permit.covers(field.number)) fields_.push_back(field.name);
    if (fields_.empty()) return Error(Errc::denied, "field_denied", "The purpose covers no field of this record type.");
    shown_.clear();
    for (const auto& name : fields_) shown_.push_back(type.field(name)->number.get());
    std::sort(shown_.begin(), shown_.end());
    return Done{};
  }

  // Up to a chunk's limit in records and in bytes. Who is fenced or gone is not looked at any more.
  Status find_rows() {
    const TypeNo type(permit.type->number);
    rows_.clear();
    last_.reset();
    std::size_t seen = 0, bytes = 0;
    for (auto after = query_.after;;) {
      SIEGEL_TRY(listed, s.views.list(type, after, kRowsAtOnce));
      for (auto& one : listed.rows) {
        bytes += bytes_of(one.row);
        if (seen == s.options.export_chunk_records_max || (bytes > kPageBytesMax && seen > 0)) {
          last_ = after;
          return Done{};
        }
        ++seen;
        after = one.id;
        if (!is_dying(one.row)) rows_.push_back(std::move(one));
      }
      // What nobody sees costs time as well: the rest is for the next chunk, and this one may be empty.
      last_ = listed.rest;
      if (last_ || listed.rows.size() < kRowsAtOnce) return Done{};
    }
  }
  bool is_dying(const views::RecordRow& row) const {
    return !row.sections.empty() &&
           std::ranges::all_of(row.sections, [&](const auto& section) { return is_dead(s.vault, section.slot); });
  }
  // Erased between the look at the row and its opening.
  static bool is_gone(const views::RecordRow& row, const ShownRecord& shown) {
    return !row.sections.empty() && std::ranges::all_of(row.sections, [&](const auto& section) {
      return std::ranges::count(shown.erased, section.cls) > 0;
    });
  }

  ExportQuery query_;
  Callback<ExportAnswer> done_;
  std::vector<std::string> fields_;  // in the order of the export
  std::vector<views::Views::Listed> rows_;
  std::optional<RecordId> last_;  // of this chunk, if there are more
  TreeSize position_;
};

}  // namespace

// One token gets half of the places at most: a reader who takes a bit now and then keeps his for long.
Result<std::shared_ptr<const void>> Impl::room_for_export(const TokenId& token) {
  const auto full = [](const char* name, std::size_t value) {
    return Error(Errc::overloaded, "overloaded", "As many exports run as may at one time.")
        .with("limit_name", name)
        .with("limit_value", value);
  };
  const auto per_token_max = std::max<std::size_t>(1, options.exports_max / 2);
  const auto running = exports_running;  // outlives the service, as an answer may
  const auto refused = running->with([&](std::map<TokenId, std::size_t>& of) -> std::optional<Error> {
    std::size_t all = 0;
    for (const auto& [one, count] : of) all += count;
    if (all >= options.exports_max) return full("exports_max", options.exports_max);
    if (of[token] >= per_token_max) return full("exports_per_token_max", per_token_max);
    ++of[token];
    return std::nullopt;
  });
  if (refused) return Error(*refused);
  return std::shared_ptr<const void>(running.get(), [running, token](const void*) {
    running->with([&](auto& of) {
      if (--of[token] == 0) of.erase(token);
    });
  });
}

// A thousand rows take milliseconds: not on the thread that serves all connections.
void Impl::export_records(Caller caller, ExportQuery query, Callback<ExportAnswer> done) {
  auto task = std::make_shared<ExportTask>(*this, std::move(caller), std::move(query), std::move(done));
  executor.post([this, task] { submit(task); });
}

}  // namespace siegel::service
