// Searches by values, in one type or for the people of all types. A search is a read: who is found stands in its access
// event before anything is opened.
#include <algorithm>
#include <set>

#include "search/order.h"
#include "service/read_task.h"

namespace siegel::service {
namespace {

using Query = Service::SearchQuery;

constexpr std::size_t kLimit = 50;  // where none is given

Error bad_condition(std::size_t number, const char* member, const char* reason,
                    std::source_location at = std::source_location::current()) {
  return Error(Errc::invalid, "bad_value", "A condition of the search is not acceptable.", at)
      .with("pointer", "/where/" + std::to_string(number) + member)
      .with("reason", reason);
}

Status check_sizes(Query& query, const Options& options) {
  if (query.where.empty() || query.where.size() > Service::kConditionsMax)
    return Error(Errc::invalid, "bad_value", "A search has 1 to 16 conditions.").with("pointer", "/where");
  const auto most = options.search_results_max;
  if (!query.limit) query.limit = query.sort ? most : std::min(kLimit, most);
  if (*query.limit < 1 || *query.limit > most)
    return Error(Errc::invalid, "bad_value", "limit is out of range.")
        .with("pointer", "/limit")
        .with("limit_name", "search_results_max")
        .with("limit_value", most);
  return Done{};
}

// What is searched for in one type. Its fields exist.
class Conditions {
 public:
  static Result<Conditions> read(const TypeDefinition& type, const Query& query) {
    Conditions out(type);
    for (std::size_t i = 0; i < query.where.size(); ++i) {
      const auto& where = query.where[i];
      const auto* field = type.field(where.field);
      if (!field->searchable) return bad_condition(i, "/field", "not_searchable");
      const auto& raw = where.value.expose();
      const auto* text = std::get_if<std::string>(&raw);
      const auto* flag = std::get_if<bool>(&raw);
      if ((field->type == FieldType::boolean) != (flag != nullptr) || (text == nullptr && flag == nullptr))
        return bad_condition(i, "/value", "wrong_kind");
      if (text != nullptr && text->size() > kTextBytesMax) return bad_condition(i, "/value", "too_long");
      auto wanted = search::fold(field->type, flag == nullptr ? *text : std::string_view(*flag ? "true" : "false"));
      if (wanted.empty()) return bad_condition(i, "/value", "nothing_to_search_by");
      out.all_.push_back({field->number, where.op, std::move(wanted)});
    }
    if (query.sort) out.sorted_ = type.field(query.sort->field)->number;
    for (const auto& name : query.fields)
      if (const auto* field = type.field(name)) out.asked_.push_back(field->number);
    out.asks_for_all_ = query.fields.empty();
    return out;
  }

  [[nodiscard]] const std::vector<search::Condition>& all() const { return all_; }
  // What is searched and sorted by is looked at too; without named fields all are: empty.
  [[nodiscard]] std::vector<std::uint16_t> looked_at() const {
    std::vector<std::uint16_t> out;
    if (asks_for_all_) return out;
    for (const auto field : asked_) out.push_back(field.get());
    for (const auto& condition : all_) out.push_back(condition.field.get());
    if (sorted_) out.push_back(sorted_->get());
    std::sort(out.begin(), out.end());
    out.erase(std::unique(out.begin(), out.end()), out.end());
    return out;
  }
  // The row may be newer than what the index found, and the index knows the beginning of a long text only.
  [[nodiscard]] bool fit(const ShownRecord& record) const {
    return std::ranges::all_of(all_, [&](const auto& condition) { return fits(condition, record); });
  }
  // Leaves of it what was asked for.
  void cut(ShownRecord& record) const {
    if (asks_for_all_) return;
    auto values = std::move(record.values).expose();
    std::erase_if(values, [&](const FieldValue& value) { return std::ranges::count(asked_, value.field) == 0; });
    record.values = Personal<Values>(std::move(values));
  }

 private:
  explicit Conditions(const TypeDefinition& type) : type_(&type) {}
  bool fits(const search::Condition& condition, const ShownRecord& record) const {
    const auto* field = type_->field(condition.field);
    std::vector<search::FieldKey> keys;
    for (const auto& value : record.values.expose())
      if (value.field == condition.field) add_keys(keys, value.field, field->type, value.value.expose());
    return std::ranges::any_of(keys, [&](const auto& key) {
      return search::meets(view(condition.wanted), condition.op, view(key.key), search::has_words(field->type));
    });
  }

  const TypeDefinition* type_;  // of the task's registries
  std::vector<search::Condition> all_;
  std::vector<FieldNo> asked_;
  std::optional<FieldNo> sorted_;
  bool asks_for_all_ = true;
};

// One page of rows that meet conditions. Whoever is gone or fenced, be it in one class only, counts nowhere: a page
// behind his would tell of his values. SearchFeed::find() sees to that for what is asked to be erased; who was fenced a
// moment ago, by an erasure that is not asked for yet, is told by the keys.
struct Page {
  std::vector<views::Views::Listed> rows;
  std::optional<RecordId> next;  // the last one, if there is more
  std::size_t bytes = 0;

  // One more than shown says whether there is a next page; it is not looked at.
  Status find(Impl& s, TypeNo type, const std::vector<search::Condition>& conditions, std::optional<RecordId> after,
              std::size_t limit) {
    next.reset();
    const auto begin = rows.size();
    while (!next) {
      const auto wanted = limit + 1;
      SIEGEL_TRY(ids, s.search_feed.find(type, conditions, after, wanted));
      for (const auto& id : ids) {
        SIEGEL_TRY(row, s.views.record(type, id));
        const auto dead =
            row ? std::ranges::count_if(row->sections, [&](const auto& one) { return is_dead(s.vault, one.slot); }) : 0;
        if (!row || dead == std::ssize(row->sections)) continue;
        if (dead > 0) {
          s.search_feed.look_again({&id, 1});
          if (!s.search_feed.index().record_meets(type, conditions, id)) continue;
        }
        bytes += bytes_of(*row);
        if (rows.size() - begin == limit || (bytes > kPageBytesMax && rows.size() > begin)) {
          next = rows.back().id;
          break;
        }
        rows.push_back({id, std::move(*row)});
      }
      if (ids.size() < wanted) break;
      after = ids.back();
    }
    return Done{};
  }
};

// Who leaves the field empty comes last, either way; equal ones stay in order of ids.
void sort_by(const FieldDefinition& field, bool descending, std::vector<ShownRecord>& records) {
  const search::Order order(field.type);
  std::vector<std::pair<search::Key, std::size_t>> keys;
  for (std::size_t i = 0; i < records.size(); ++i) {
    const auto& values = records[i].values.expose();
    const auto value = std::ranges::find(values, field.number, &FieldValue::field);
    keys.emplace_back(value == values.end() ? search::Key() : order.key(value->value.expose()), i);
  }
  std::ranges::stable_sort(keys, [&](const auto& one, const auto& other) {
    if (one.first.empty() || other.first.empty()) return !one.first.empty() && other.first.empty();
    return descending ? search::view(other.first) < search::view(one.first)
                      : search::view(one.first) < search::view(other.first);
  });
  std::vector<ShownRecord> sorted;
  sorted.reserve(records.size());
  for (const auto& [key, at] : keys) sorted.push_back(std::move(records[at]));
  records = std::move(sorted);
}

class SearchTask final : public ReadTask {
 public:
  SearchTask(Impl& service, Caller who, Query query, Callback<ListAnswer> then)
      : ReadTask(service, std::move(who), AccessFacts::Kind::search), query_(std::move(query)), done_(std::move(then)) {
    type_name = query_.type;
    named_fields = query_.fields;
    for (const auto& where : query_.where) named_fields.push_back(where.field);
    if (query_.sort) named_fields.push_back(query_.sort->field);
  }

 protected:
  Status prepare() override {
    SIEGEL_CHECK(permit_now(decide::Action::list_records));  // looks that the fields exist, too
    SIEGEL_CHECK(check_sizes(query_, s.options));
    if (query_.sort && query_.after)
      return Error(Errc::invalid, "bad_value", "What is sorted comes in one answer.").with("pointer", "/cursor");
    SIEGEL_TRY(read, Conditions::read(permit.type->definition, query_));
    conditions_ = std::make_unique<const Conditions>(std::move(read));
    shown_ = conditions_->looked_at();
    position_ = s.views.position();
    page_ = {};
    SIEGEL_CHECK(page_.find(s, TypeNo(permit.type->number), conditions_->all(), query_.after, *query_.limit));
    return make_drafts(owners_of(page_.rows), shown_.empty() ? all_fields(permit) : shown_);
  }

  Status answer() override {
    if (query_.sort && page_.next) {  // told here only: that there are so many is an answer, and leaves its trace
      done_(Error(Errc::invalid, "bad_value", "More is found than can be sorted in one answer.")
                .with("pointer", "/sort")
                .with("reason", "too_many_to_sort"));
      return Done{};
    }
    ListAnswer out{registries, TypeNo(permit.type->number), {}, page_.next, position_};
    for (const auto& listed : page_.rows) {
      SIEGEL_TRY(shown, show(listed.id, out.type, listed.row, owner_of_row(listed.row)));
      if (conditions_->fit(shown)) out.items.push_back(std::move(shown));
    }
    if (query_.sort) sort_by(*permit.type->definition.field(query_.sort->field), query_.sort->descending, out.items);
    for (auto& shown : out.items) conditions_->cut(shown);
    done_(std::move(out));
    return Done{};
  }
  void failed(const Error& error) override { done_(Error(error)); }

 private:
  Query query_;
  Callback<ListAnswer> done_;
  std::unique_ptr<const Conditions> conditions_;
  Page page_;
  TreeSize position_;
};

// Fields named to be shown, of several types: each is there and covered in one of them at least.
class Named {
 public:
  explicit Named(const std::vector<std::string>& names) : unknown_(names.begin(), names.end()), denied_(unknown_) {}
  void look_in(const TypeDefinition& type, const decide::Permit& permit) {
    for (const auto& field : type.fields) {
      unknown_.erase(field.name);
      if (permit.covers(field.number)) denied_.erase(field.name);
    }
  }
  [[nodiscard]] Status check() const {
    if (!unknown_.empty())
      return Error(Errc::invalid, "unknown_field", "None of the record types has a field of that name.")
          .with("pointer", "/fields");
    if (!denied_.empty())
      return Error(Errc::denied, "field_denied", "The purpose does not cover a field that was named.");
    return Done{};
  }

 private:
  std::set<std::string> unknown_, denied_;
};

// In each type that concerns people, that the caller may read, and that has all the fields searched by. One access
// event names everybody who is found, in whatever type.
class SubjectSearchTask final : public ReadTask {
 public:
  SubjectSearchTask(Impl& service, Caller who, Query query, Callback<SubjectsAnswer> then)
      : ReadTask(service, std::move(who), AccessFacts::Kind::search),
        query_(std::move(query)),
        done_(std::move(then)) {}

 protected:
  Status prepare() override {
    SIEGEL_CHECK(permit_now(decide::Action::read_subject));
    SIEGEL_CHECK(check_sizes(query_, s.options));
    SIEGEL_CHECK(choose_types());
    position_ = s.views.position();
    next_.reset();
    std::vector<OwnerId> seen;
    std::size_t left = *query_.limit, bytes = 0;
    for (auto& [type, conditions, page] : types_) {
      if (query_.after_type && type < *query_.after_type) continue;
      const bool resumed = query_.after_type == type;
      if (left == 0 || bytes > kPageBytesMax) {  // whether the others have more is not looked at
        next_ = last_;
        break;
      }
      page.bytes = bytes;
      SIEGEL_CHECK(page.find(s, type, conditions.all(), resumed ? query_.after : std::nullopt, left));
      for (const auto& listed : page.rows)
        if (listed.row.subject) seen.push_back(owner_of(*listed.row.subject));
      left -= page.rows.size();
      bytes = page.bytes;
      if (!page.rows.empty()) last_ = {type, page.rows.back().id};
      if (page.next) {
        next_ = last_;
        break;
      }
    }
    std::sort(seen.begin(), seen.end());
    seen.erase(std::unique(seen.begin(), seen.end()), seen.end());
    return make_drafts(seen, {});
  }

  std::optional<Decision> decide_read(const ledger::Moment&) override {
    // The permit is of each type that there was.
    return s.state.registries() == registries ? std::nullopt : std::optional<Decision>(Again{});
  }

  Status answer() override {
    SubjectsAnswer out{registries, {}, {}, next_, position_};
    for (const auto& [type, conditions, page] : types_) {
      out.types.push_back(type);
      if (page.rows.empty()) continue;
      SIEGEL_TRY(covered, permit_for(registries->type(type)->definition));
      permit = covered;
      shown_ = conditions.looked_at();
      for (const auto& listed : page.rows) {
        if (!listed.row.subject) continue;
        SIEGEL_TRY(shown, show(listed.id, type, listed.row, owner_of(*listed.row.subject)));
        if (!conditions.fit(shown)) continue;
        conditions.cut(shown);
        const auto who = std::ranges::find(out.items, *shown.subject, &SubjectsAnswer::Item::subject);
        auto& item = who != out.items.end() ? *who : out.items.emplace_back();
        item.subject = *shown.subject;
        item.records.push_back(std::move(shown));
      }
    }
    done_(std::move(out));
    return Done{};
  }
  void failed(const Error& error) override { done_(Error(error)); }

 private:
  struct OfType {
    TypeNo type;
    Conditions conditions;
    Page page;
  };

  Result<decide::Permit> permit_for(const TypeDefinition& type) const {
    decide::Use use{action, caller.token, caller.purpose, type.name, {}};
    for (const auto& where : query_.where) use.fields.push_back(where.field);
    return decide::authorise(*registries, use, s.clock.now());
  }

  Status choose_types() {
    types_.clear();
    std::optional<Error> why_not;
    Named named(query_.fields);
    for (const auto& [name, registered] : registries->types) {
      const auto& type = registered.definition;
      const bool has_all =
          std::ranges::all_of(query_.where, [&](const auto& where) { return type.field(where.field) != nullptr; });
      if (type.subject_mode == SubjectMode::none || !has_all) continue;
      auto covered = permit_for(type);
      auto conditions = covered ? Conditions::read(type, query_) : Result<Conditions>(Error(covered.error()));
      if (conditions) {
        named.look_in(type, *covered);
        types_.push_back({TypeNo(registered.number), *std::move(conditions), {}});
      } else if (!why_not) {
        why_not = std::move(conditions).error();
      }
    }
    std::ranges::sort(types_, {}, &OfType::type);  // the cursor's order
    if (!types_.empty()) return named.check();
    if (why_not) return Error(*std::move(why_not));
    return bad_condition(0, "/field", "not_searchable");
  }

  Query query_;
  Callback<SubjectsAnswer> done_;
  std::vector<OfType> types_;
  std::pair<TypeNo, RecordId> last_{};
  std::optional<std::pair<TypeNo, RecordId>> next_;
  TreeSize position_;
};

}  // namespace

// A search that many meet takes milliseconds: not on the thread that serves all connections.
void Impl::search(Caller caller, SearchQuery query, Callback<ListAnswer> done) {
  auto task = std::make_shared<SearchTask>(*this, std::move(caller), std::move(query), std::move(done));
  executor.post([this, task] { submit(task); });
}
void Impl::search_subjects(Caller caller, SearchQuery query, Callback<SubjectsAnswer> done) {
  auto task = std::make_shared<SubjectSearchTask>(*this, std::move(caller), std::move(query), std::move(done));
  executor.post([this, task] { submit(task); });
}

}  // namespace siegel::service
