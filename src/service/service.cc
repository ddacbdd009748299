#include "service/service.h"

#include <future>

#include "codec/bodies_codec.h"
#include "crypto/sha256.h"
#include "service/impl.h"
#include "service/imports.h"

namespace siegel::service {
namespace {

constexpr std::chrono::minutes kExpiryToldEvery{1};

Hash random_key(Random& random) {
  Hash key;
  random.fill(key);
  return key;
}

}  // namespace

std::unique_ptr<Service> Service::make(ledger::Ledger& ledger, vault::Vault& vault, views::Views& views,
                                       Executor& executor, Clock& clock, Random& random, const Options& options) {
  return std::make_unique<Impl>(ledger, vault, views, executor, clock, random, options);
}

Impl::Impl(ledger::Ledger& the_ledger, vault::Vault& the_vault, views::Views& the_views, Executor& the_executor,
           Clock& the_clock, Random& the_random, const Options& the_options)
    : ledger(the_ledger),
      vault(the_vault),
      views(the_views),
      executor(the_executor),
      clock(the_clock),
      random(the_random),
      options(the_options),
      state(the_options.decision_entries_max),
      identity(the_random, merges),
      search_feed(
          the_views, the_vault, [this] { return registries(); }, the_options.search_bytes_max),
      pins_(random_key(the_random)) {}

Impl::~Impl() { stop(); }

Result<Caller> Impl::authenticate(std::string_view token) {
  if (token.empty())
    return Error(Errc::denied, "token_missing", "This route needs a token: Authorization: Bearer sgl_…");
  if (token.size() != 47 || !token.starts_with("sgl_"))
    return Error(Errc::denied, "token_wrong", "The token is not known or was revoked.");
  const auto known = registries();
  const auto* found = known->token(sha256(as_bytes(token)));
  if (found == nullptr || found->revoked)
    return Error(Errc::denied, "token_wrong", "The token is not known or was revoked.");
  Caller caller;
  caller.token = found->id;
  if (found->grant.expires_at && *found->grant.expires_at <= clock.now()) {
    const auto expired =
        Error(Errc::denied, "token_expired", "The token has expired.").with("token", to_text(caller.token));
    if (tells_expiry(caller.token)) refuse(caller, expired, EventType::access_read, [](const Error&) {});
    return expired;
  }
  return caller;
}

// Whoever holds an expired token could fill the ledger with refusals otherwise.
bool Impl::tells_expiry(const TokenId& token) {
  const auto now = clock.steady();
  return expiry_told_.with([&](auto& told) {
    const auto [it, first] = told.emplace(token.get(), now);
    if (!first && now - it->second < kExpiryToldEvery) return false;
    it->second = now;
    return true;
  });
}

void Impl::write(Caller caller, Write command, WriteOptions write_options, Callback<Written> done) {
  if (auto room = room_for_more(); !room) return done(Error(room.error()));
  if (auto* add = std::get_if<AddRecord>(&command)) {
    submit(make_add_record(*this, std::move(caller), std::move(*add), std::move(write_options), std::move(done)));
  } else if (auto* change = std::get_if<ChangeRecord>(&command)) {
    submit(make_change_record(*this, std::move(caller), std::move(*change), std::move(write_options), std::move(done)));
  } else if (auto* remove = std::get_if<RemoveRecord>(&command)) {
    submit(make_remove_record(*this, std::move(caller), std::move(*remove), std::move(write_options), std::move(done)));
  } else if (auto* merge = std::get_if<MergeSubjects>(&command)) {
    submit(make_merge(*this, std::move(caller), std::move(*merge), std::move(write_options), std::move(done)));
  } else if (auto* erase = std::get_if<RequestErasure>(&command)) {
    // Of people with very many records, or of very many people, that takes seconds: not on the thread of all
    // connections.
    executor.post([this, task = make_erasure(*this, std::move(caller), std::move(*erase), std::move(write_options),
                                             std::move(done))] { submit(task); });
  } else {
    submit(make_set(*this, std::move(caller), std::move(command), std::move(write_options), std::move(done)));
  }
}

// ── imports ──

Result<std::shared_ptr<const void>> Impl::admit_upload(const Caller& caller, std::size_t bytes) {
  if (!imports_) return read_only_error();
  return imports_->admit(caller, bytes);
}
void Impl::preview_import(Caller caller, ImportUpload upload, Callback<ImportAnswer> done) {
  if (!imports_) return done(read_only_error());
  imports_->preview(caller, std::move(upload), done);
}
void Impl::commit_import(Caller caller, JobId id, ImportCommit commit, bool wait, Callback<ImportAnswer> done) {
  if (!imports_) return done(read_only_error());
  if (auto room = room_for_more(); !room) return done(Error(room.error()));
  imports_->commit(caller, id, std::move(commit), wait, done);
}
void Impl::cancel_import(const Caller& caller, JobId id, ClientKey client, Callback<ImportAnswer> done) {
  if (!imports_) return done(read_only_error());
  imports_->cancel(caller, id, client, done);
}
void Impl::undo_import(Caller caller, JobId id, ClientKey client, bool wait, Callback<ImportAnswer> done) {
  if (!imports_) return done(read_only_error());
  if (auto room = room_for_more(); !room) return done(Error(room.error()));
  imports_->undo(caller, id, client, wait, done);
}
void Impl::import_rejects(Caller caller, JobId id, Callback<std::string> done) {
  if (!imports_) return done(read_only_error());
  imports_->rejects(caller, id, done);
}
Result<ImportAnswer> Impl::import(const Caller& caller, JobId id) {
  if (!imports_) return read_only_error();
  return imports_->get(caller, id);
}
Result<std::vector<ImportAnswer>> Impl::imports(const Caller& caller, std::optional<JobId> before, std::size_t limit) {
  if (!imports_) return read_only_error();
  return imports_->list(caller, before, limit);
}

void Impl::evict() {
  if (commands_.fetch_add(1, std::memory_order_relaxed) % 256 == 0) state.evict(views.position());
}

namespace {

// `siegel token create --local`: nobody has a token yet, so the ledger itself is the actor.
class LocalTokenTask final : public Task {
 public:
  LocalTokenTask(Impl& service, TokenGrant grant, Callback<Written> then)
      : Task(service, Caller{}), grant_(std::move(grant)), done_(std::move(then)) {}

 protected:
  EventType wanted() const override { return EventType::registry_token_created; }
  Status prepare() override {
    registries = s.state.registries();
    SIEGEL_CHECK(check_grant(grant_, *registries, s.clock.now()));
    ByteArray<32> secret;
    s.random.fill(secret);
    written_.token = "sgl_" + to_base64url(secret);
    token_ = {TokenId(new_id(s.clock, s.random)), sha256(as_bytes(written_.token)), grant_};
    written_.token_id = token_.id;
    facts_ = {static_cast<std::uint32_t>(registries->tokens.size() + 1), 1};
    SIEGEL_TRY(draft, s.system_draft(EventType::registry_token_created));
    draft.header.source = Source::cli;
    draft.header.facts = facts_;
    SIEGEL_TRY(slot, s.ledger_leaf(built_in::registry));
    SIEGEL_CHECK(s.add_part(draft, slot, built_in::registry, owner_of_ledger(), codec::encode(RegistryBody(token_))));
    SIEGEL_CHECK(know(owner_of_ledger()));
    SIEGEL_CHECK(s.encode_ahead(draft));
    drafts.push_back(std::move(draft));
    return Done{};
  }
  Decision decide(const ledger::Moment& at) override {
    if (s.state.registries() != registries) return Again{};
    if (s.place(drafts, at, owners, std::nullopt) != Impl::Placed::yes) return Again{};
    auto next = std::make_shared<Registries>(*registries);
    next->add({facts_.number, token_.id, token_.hash, grant_, at.time, false});
    s.state.set_registries(std::move(next));
    written_.version = 1;
    written_.seq = at.next;
    written_.size = TreeSize(at.next.get() + 1);
    return std::move(drafts);
  }
  void committed(ledger::Committed&&) override { done_(std::move(written_)); }
  void failed(const Error& error) override { done_(Error(error)); }

 private:
  TokenGrant grant_;
  Callback<Written> done_;
  TokenCreated token_;
  RegistryFacts facts_;
  Written written_;
};

}  // namespace

Result<Written> Impl::create_local_token(TokenGrant grant) {
  auto promise = std::make_shared<std::promise<Result<Written>>>();
  auto future = promise->get_future();
  submit(std::make_shared<LocalTokenTask>(
      *this, std::move(grant), [promise](Result<Written> outcome) { promise->set_value(std::move(outcome)); }));
  return future.get();
}

}  // namespace siegel::service
