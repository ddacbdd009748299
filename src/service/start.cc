// Start and stop: registries and open erasures are loaded, the identity index follows in the background, the clock is
// watched, and previews end with their time.
#include <algorithm>
#include <future>
#include <limits>
#include <map>
#include <set>

#include "codec/bodies_codec.h"
#include "codec/header_codec.h"
#include "codec/parts.h"
#include "service/impl.h"
#include "service/imports.h"
#include "service/values.h"
#include "views/wait.h"

namespace siegel::service {
namespace {

constexpr std::chrono::minutes kCatchUpMax{60};
constexpr std::chrono::milliseconds kGlance{100};
constexpr std::int64_t kSkewMsMax = 1000;  // EV-07

}  // namespace

Result<ledger::SystemReceipt> Impl::begin_job(JobFacts::Kind kind) {
  auto promise = std::make_shared<std::promise<Result<ledger::Committed>>>();
  auto future = promise->get_future();
  submit(make_system(*this, EventType::job_started, JobFacts{kind, 0}, {}, built_in::job,
                     [promise](Result<ledger::Committed> outcome) { promise->set_value(std::move(outcome)); }));
  auto outcome = future.get();
  if (!outcome) return Error(outcome.error());
  auto& receipt = outcome->system;
  if (!receipt) return Error(Errc::corrupt, "internal", "The ledger gave no receipt for a job.");
  return std::move(*receipt);
}

void Impl::end_job(JobFacts::Kind kind, std::uint64_t count) {
  auto promise = std::make_shared<std::promise<void>>();
  auto future = promise->get_future();
  submit(make_system(*this, EventType::job_finished, JobFacts{kind, count}, {}, built_in::job,
                     [promise](const Result<ledger::Committed>&) { promise->set_value(); }));
  future.wait();
}

Status Impl::configured(std::vector<std::pair<std::string, std::string>> settings) {
  LedgerBody body{options.origin, {}, std::move(settings)};
  auto promise = std::make_shared<std::promise<Status>>();
  auto future = promise->get_future();
  submit(make_system(*this, EventType::ledger_configured, NoFacts{}, codec::encode(body), built_in::registry,
                     [promise](const Result<ledger::Committed>& outcome) {
                       promise->set_value(outcome ? Status(Done{}) : Status(outcome.error()));
                     }));
  return future.get();
}

Status Impl::await_views(TreeSize size) {
  const auto until = std::chrono::steady_clock::now() + kCatchUpMax;
  while (views.position() < size) {
    SIEGEL_CHECK(options.views_status());
    if (std::chrono::steady_clock::now() > until)
      return Error(Errc::unavailable, "starting", "The read models do not catch up.");
    (void)views::wait_until_shown(views, size, kGlance);
  }
  return Done{};
}

Status Impl::start() {
  if (!ledger.read_only().empty()) return start_read_only();
  // What the decision state does not know must be in the views: they show everything that is durable before a command
  // comes.
  const auto size = ledger.size();
  SIEGEL_CHECK(await_views(size));
  state.start_at(size);

  SIEGEL_TRY(receipt, begin_job(JobFacts::Kind::identity_index));
  index_receipt_ = std::make_shared<ledger::SystemReceipt>(std::move(receipt));
  SIEGEL_CHECK(load_registries([this](const views::Views::RegistryRow& row) {
    return vault.open_row(*index_receipt_, row.slot, "registries", row.row, row.sealed);
  }));
  SIEGEL_CHECK(load_days());
  SIEGEL_CHECK(views.each_merge([this](const SubjectId& into, const SubjectId& one) { merges.merge(into, one); }));
  SIEGEL_CHECK(carry_on_erasures());
  imports_ = std::make_unique<Imports>(*this);
  SIEGEL_CHECK(imports_->start());
  eraser_thread_ = std::thread([this] { eraser_loop(); });
  loader_ = std::thread([this] { load_identities(); });
  clock_thread_ = std::thread([this] { watch_clock(); });
  search_feed.start(index_receipt_);
  started_ = true;
  return Done{};
}

void Impl::stop() {
  if (stopping_.exchange(true) || !started_) return;
  imports_->stop();
  eraser_.with([](EraserState& e) { e.stop = true; });
  eraser_.notify_all();
  clock_stop_.with([](bool& stop) { stop = true; });
  clock_stop_.notify_all();
  for (auto* thread : {&eraser_thread_, &loader_, &clock_thread_})
    if (thread->joinable()) thread->join();
  search_feed.stop();
  answer_waiting(nullptr);
  end_job(JobFacts::Kind::identity_index, identity.size());
}

Status Impl::load_registries(const OpenRow& open) {
  auto loaded = std::make_shared<Registries>();
  SIEGEL_TRY(rows, views.registries());
  for (const auto& row : rows) {
    SIEGEL_TRY(opened, open(row));
    SIEGEL_TRY(body, codec::decode_registry(opened.view(), codec::kSchemaVersion));
    if (auto* purpose = std::get_if<PurposeDefinition>(&body)) {
      loaded->set(Registered<PurposeDefinition>{row.number, row.version, std::move(*purpose)});
    } else if (auto* cls = std::get_if<ClassDefinition>(&body)) {
      loaded->set(Registered<ClassDefinition>{row.number, row.version, std::move(*cls)});
    } else if (auto* type = std::get_if<TypeDefinition>(&body)) {
      loaded->set(Registered<TypeDefinition>{row.number, row.version, std::move(*type)});
    } else if (auto* token = std::get_if<TokenCreated>(&body)) {
      loaded->add({row.number, token->id, token->hash, token->grant, row.at, row.revoked});
    }
  }
  state.set_registries(std::move(loaded));
  return Done{};
}

// The keys of the last days: they stand among the ledger's own leaves.
Status Impl::load_days() {
  SIEGEL_TRY(row, views.owner(owner_of_ledger()));
  if (!row) return Done{};
  std::vector<DayKey> days;
  for (const auto& leaf : row->leaves)
    if (leaf.cls == built_in::day_keys && vault.living(leaf.slot))
      days.push_back({static_cast<std::int64_t>(leaf.since.get() / 86'400'000), leaf.slot});
  std::sort(days.begin(), days.end(), [](const auto& a, const auto& b) { return a.day < b.day; });
  day_keys_.with([&](auto& keys) { keys = std::move(days); });
  return Done{};
}

Result<Values> Impl::open_sections(const RecordId& record, const TypeDefinition& type, TypeNo number,
                                   const std::vector<views::Section>& sections, const std::vector<Slot>& without) {
  Values values;
  const auto key = views::record_row_key(number, record);
  for (const auto& section : sections) {
    if (std::binary_search(without.begin(), without.end(), section.slot)) continue;
    auto opened = vault.open_row(*index_receipt_, section.slot, "records", key, section.sealed);
    if (!opened) {
      if (opened.error().category() == Errc::gone) continue;
      return Error(opened.error());
    }
    SIEGEL_TRY(some, codec::decode_values(opened->view()));
    for (auto& value : some)
      if (type.field(value.field) != nullptr) values.push_back(std::move(value));
  }
  return values;
}

Result<Values> Impl::current_values(const RecordId& record, const TypeDefinition& type, TypeNo number) {
  SIEGEL_TRY(row, views.known_record(number, record));
  if (!row) return Values{};
  return open_sections(record, type, number, row->pending ? row->pending->sections : row->sections);
}

Result<Impl::LostIdentities> Impl::identities_of(const SubjectId& subject, const std::vector<Slot>& dying) {
  LostIdentities out;
  const auto known = registries();
  SIEGEL_TRY(records, views.records_of(subject));
  for (const auto& record : records) {
    SIEGEL_TRY(head, views.known_head(record));  // the index knows what an unfinished or cancelled import brought
    if (!head) continue;
    const auto* type = known->type(head->type);
    if (type == nullptr || type->definition.subject_mode != SubjectMode::match) continue;
    if (head->removed) continue;  // the index has forgotten it
    SIEGEL_TRY(row, views.known_record(head->type, record));
    if (!row) continue;
    using Lost = std::optional<decide::IdentityKey>;
    const auto lost = [&](const std::vector<views::Section>& sections) -> Result<Lost> {
      SIEGEL_TRY(values, open_sections(record, type->definition, head->type, sections));
      auto key = identity.key(type->definition, values);
      wipe_texts(values);
      if (!key) return Lost();
      SIEGEL_TRY(left, open_sections(record, type->definition, head->type, sections, dying));
      if (identity.key(type->definition, left) == key) key.reset();
      wipe_texts(left);
      return key;
    };
    SIEGEL_TRY(now, lost(row->pending ? row->pending->sections : row->sections));
    if (now) out.known.push_back(*now);
    if (!row->pending) continue;
    if (now) out.given.push_back(record);
    SIEGEL_TRY(before, lost(row->sections));
    if (before) out.replaced.push_back(record);
  }
  SIEGEL_TRY(links, views.links_of(subject));
  for (const auto& link : links) {
    if (!std::binary_search(dying.begin(), dying.end(), link.slot)) continue;
    auto opened = vault.open_row(*index_receipt_, link.slot, "subject_links", link.row, link.sealed);
    if (!opened) continue;
    const std::string_view text = as_chars(opened->view());
    const auto nul = text.find('\0');
    if (nul != std::string_view::npos) out.known.push_back(identity.key(text.substr(0, nul), text.substr(nul + 1)));
  }
  return out;
}

Result<std::vector<decide::IdentityKey>> Impl::identities_ever(const SubjectId& subject,
                                                               const std::vector<Slot>& dying) {
  constexpr auto kAll = std::numeric_limits<std::size_t>::max();
  std::set<decide::IdentityKey> keys;
  const auto known = registries();
  std::map<RecordId, Values> records;  // what she is matched by, and nothing else: all of her would be in clear at once
  const auto matches_by = [](const TypeDefinition& type, FieldNo number) {
    return std::ranges::any_of(type.match_fields, [&](const auto& name) {
      const auto* field = type.field(name);
      return field != nullptr && field->number == number;
    });
  };
  SIEGEL_TRY(refs, views.subject_history(subject, std::nullopt, kAll));
  for (const auto& ref : refs) {
    SIEGEL_TRY(stored, ledger.read(ref.seq));
    SIEGEL_TRY(header, codec::decode_header(stored.header));
    const auto* type = known->type(header.record_type);
    const bool is_record = header.type == EventType::record_added || header.type == EventType::record_changed;
    if (!is_record || type == nullptr || type->definition.subject_mode != SubjectMode::match) continue;
    const auto of_dying = [&](std::uint16_t part, const StoredPart& it) {
      return std::ranges::count(ref.parts, part) > 0 &&
             std::binary_search(dying.begin(), dying.end(), it.envelope.slot);
    };
    SIEGEL_TRY(bodies, open_event(*index_receipt_, header, stored.parts, of_dying));
    for (auto& body : bodies) {
      Values of_match;
      for (auto& value : body.values)
        if (matches_by(type->definition, value.field)) of_match.push_back(std::move(value));
      wipe_texts(body.values);
      auto& values = records[body.record];
      lay_over(values, std::move(of_match));
      if (const auto key = identity.key(type->definition, values)) keys.insert(*key);
    }
  }
  for (auto& [record, values] : records) wipe_texts(values);
  return std::vector<decide::IdentityKey>(keys.begin(), keys.end());
}

// Types that identify people by fields are read once, in the background; until the end commands that must match answer
// "starting".
void Impl::load_identities() {
  const auto known = registries();
  const auto cut = ledger.size();  // records added later enter the index with their command
  bool whole = true;
  for (const auto& [name, type] : known->types) {
    if (type.definition.subject_mode != SubjectMode::match) continue;
    const TypeNo number(type.number);
    const auto read = views.each_known(number, [&](const RecordId& id, const views::RecordRow& row) {
      if (stopping_) return false;
      if (!row.subject) return true;
      const auto head = views.known_head(id);
      if (!head || !*head || (*head)->removed || (*head)->created.get() >= cut.get()) return true;
      Values values;
      const auto key = views::record_row_key(number, id);
      for (const auto& section : row.sections) {
        auto opened = vault.open_row(*index_receipt_, section.slot, "records", key, section.sealed);
        if (!opened) continue;
        if (auto some = codec::decode_values(opened->view())) {
          for (auto& value : *some) values.push_back(std::move(value));
        }
      }
      const auto lives = [&] {
        return std::ranges::all_of(row.sections, [&](const auto& section) { return vault.living(section.slot); });
      };
      if (const auto key_of = identity.key(type.definition, values)) identity.load(*key_of, *row.subject, lives);
      wipe_texts(values);
      return true;
    });
    whole = whole && read;
  }
  const auto links = views.each_link([&](const SubjectId& subject, const views::Views::Link& link) {
    if (stopping_) return false;
    if (link.seq.get() >= cut.get()) return true;
    auto opened = vault.open_row(*index_receipt_, link.slot, "subject_links", link.row, link.sealed);
    if (!opened) return true;
    const std::string_view text = as_chars(opened->view());
    const auto nul = text.find('\0');
    if (nul != std::string_view::npos)
      identity.load(identity.key(text.substr(0, nul), text.substr(nul + 1)), subject,
                    [&] { return vault.living(link.slot); });
    return true;
  });
  if (whole && links && !stopping_) identity.set_loaded();
}

// The wall clock against the steady one: a skew of more than a second is an event (EV-07).
void Impl::watch_clock() {
  auto wall = static_cast<std::int64_t>(clock.now().get());
  auto steady = clock.steady();
  for (;;) {
    const bool stop = clock_stop_.when_for(
        std::chrono::seconds(1), [](const bool& s) { return s; }, [](const bool& s, bool) { return s; });
    if (stop) return;
    imports_->sweep();
    imports_->tell_ends();
    const auto wall_now = static_cast<std::int64_t>(clock.now().get());
    const auto steady_now = clock.steady();
    const auto passed = std::chrono::duration_cast<std::chrono::milliseconds>(steady_now - steady).count();
    const auto skew = wall_now - wall - passed;
    wall = wall_now;
    steady = steady_now;
    if (skew > kSkewMsMax || skew < -kSkewMsMax)
      submit(make_system(*this, EventType::ledger_clock_skewed, ClockFacts{skew}, {}, built_in::job,
                         [](const Result<ledger::Committed>&) {}));
  }
}

}  // namespace siegel::service
