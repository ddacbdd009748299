// Registries: purposes, deletion classes, record types, tokens. Numbers and versions are given on the writer; the
// bodies are sealed under the ledger's own leaf of class registry, because names and titles are written by people.
#include <algorithm>

#include "base/text.h"
#include "codec/bodies_codec.h"
#include "crypto/sha256.h"
#include "service/impl.h"

namespace siegel::service {
namespace {

decide::Action action_for(const Write& command) {
  if (std::holds_alternative<SetPurpose>(command)) return decide::Action::write_purposes;
  if (std::holds_alternative<SetClass>(command)) return decide::Action::write_classes;
  if (std::holds_alternative<SetType>(command)) return decide::Action::write_types;
  return decide::Action::manage_tokens;
}

EventType event_for(const Write& command) {
  if (std::holds_alternative<SetPurpose>(command)) return EventType::registry_purpose_set;
  if (std::holds_alternative<SetClass>(command)) return EventType::registry_class_set;
  if (std::holds_alternative<SetType>(command)) return EventType::registry_type_set;
  if (std::holds_alternative<CreateToken>(command)) return EventType::registry_token_created;
  return EventType::registry_token_revoked;
}

template <class D>
std::uint32_t next_number(const std::map<std::string, Registered<D>, std::less<>>& map, std::uint32_t first) {
  std::uint32_t next = first;
  for (const auto& [name, entry] : map) next = std::max(next, entry.number + 1);
  return next;
}

Error wrong(const char* what, const std::string& pointer, std::source_location at = std::source_location::current()) {
  return Error(Errc::invalid, "schema_invalid", what, at).with("pointer", pointer);
}

// The first of the names that no registration has, as the pointer's index.
template <class D>
std::optional<std::size_t> unregistered(const std::vector<std::string>& names,
                                        const std::map<std::string, Registered<D>, std::less<>>& map) {
  const auto at = std::find_if(names.begin(), names.end(), [&](const auto& name) { return !map.contains(name); });
  if (at == names.end()) return std::nullopt;
  return static_cast<std::size_t>(at - names.begin());
}

}  // namespace

Status check_grant(const TokenGrant& grant, const Registries& registries, TimeMs now) {
  if (grant.label.size() > 200 || !is_utf8(grant.label)) return wrong("The label is too long or not UTF-8.", "/label");
  if (grant.purposes.size() > 100 || !std::all_of(grant.purposes.begin(), grant.purposes.end(), is_name))
    return wrong("Purposes are names.", "/purposes");
  if (grant.types.size() > 1000 || !std::all_of(grant.types.begin(), grant.types.end(), is_name))
    return wrong("Types are names.", "/types");
  if (const auto at = unregistered(grant.purposes, registries.purposes))
    return wrong("There is no such purpose; GET /v1/purposes lists them.", "/purposes/" + std::to_string(*at));
  if (const auto at = unregistered(grant.types, registries.types))
    return wrong("There is no such record type; GET /v1/record-types lists them.", "/types/" + std::to_string(*at));
  if (grant.expires_at && *grant.expires_at <= now)
    return wrong("The token would have expired already.", "/expires_at");
  return Done{};
}

namespace {

class SetTask final : public WriteTask {
 public:
  SetTask(Impl& service, Caller who, Write command, WriteOptions write_options, Callback<Written> then)
      : WriteTask(service, std::move(who), std::move(write_options), std::move(then)), command_(std::move(command)) {
    if (const auto* type = std::get_if<SetType>(&command_)) type_name = type->definition.name;
    type_may_be_new = true;
  }

 protected:
  EventType wanted() const override { return event_for(command_); }

  Status prepare_write() override {
    SIEGEL_CHECK(permit_now(action_for(command_)));
    SIEGEL_CHECK(make_body());
    if (nothing_to_do_) return Done{};
    SIEGEL_TRY(draft, s.draft(wanted(), caller, permit));
    SIEGEL_TRY(slot, s.ledger_leaf(built_in::registry));
    SIEGEL_CHECK(s.add_part(draft, slot, built_in::registry, owner_of_ledger(), codec::encode(body_)));
    draft.header.facts = facts_;
    SIEGEL_CHECK(s.encode_ahead(draft));
    SIEGEL_CHECK(know(owner_of(caller.token)));
    SIEGEL_CHECK(know(owner_of_ledger()));
    drafts.push_back(std::move(draft));
    return Done{};
  }

  Decision decide_write(const ledger::Moment& at) override {
    // Numbers, versions and references were chosen for one state of the registries.
    if (s.state.registries() != registries) return Again{};
    if (auto stop = still_permitted(at)) return std::move(*stop);
    if (auto conflict = check_version()) return std::move(*conflict);
    written.version = facts_.version;
    if (nothing_to_do_) {
      written.kind = Written::Kind::unchanged;
      written.seq = Seq(at.next.get() == 0 ? 0 : at.next.get() - 1);
      written.size = TreeSize(at.next.get());
      return std::vector<ledger::Draft>{};
    }
    if (s.place(drafts, at, owners, std::nullopt) != Impl::Placed::yes) return Again{};
    auto next = std::make_shared<Registries>(*registries);
    apply(*next, at.time);
    s.state.set_registries(std::move(next));
    written.kind = facts_.version == 1 ? Written::Kind::created : Written::Kind::changed;
    written.seq = at.next;
    written.size = TreeSize(at.next.get() + 1);
    return std::move(drafts);
  }

 private:
  Status make_body() {
    nothing_to_do_ = false;
    before_ = 0;
    return std::visit([&](const auto& c) { return body_for(c); }, command_);
  }

  template <class D>
  void number(const Registered<D>* before, std::uint32_t next) {
    before_ = before == nullptr ? 0 : before->version;
    facts_ = before == nullptr ? RegistryFacts{next, 1} : RegistryFacts{before->number, before->version + 1};
  }
  void same() {
    nothing_to_do_ = true;
    facts_.version = before_;
  }

  Status body_for(const SetPurpose& c) {
    SIEGEL_TRY(checked, siegel::check(c.definition, *registries));
    const auto* before = registries->purpose(checked.name);
    number(before, next_number(registries->purposes, 1));
    if (before != nullptr && before->definition == checked) same();
    body_ = std::move(checked);
    return Done{};
  }
  Status body_for(const SetClass& c) {
    SIEGEL_TRY(checked, siegel::check(c.definition));
    const auto* before = registries->cls(checked.name);
    if (before != nullptr && before->number < built_in::first_free_class)
      return Error(Errc::invalid, "schema_invalid", "A built-in class cannot be changed.").with("pointer", "");
    number(before, next_number(registries->classes, built_in::first_free_class));
    if (before != nullptr && before->definition == checked) same();
    body_ = std::move(checked);
    return Done{};
  }
  Status body_for(const SetType& c) {
    SIEGEL_TRY(checked, siegel::check(c.definition, *registries));
    const auto* before = registries->type(checked.name);
    number_fields(checked, before == nullptr ? nullptr : &before->definition);
    number(before, next_number(registries->types, 1));
    if (before != nullptr && before->definition == checked) same();
    body_ = std::move(checked);
    return Done{};
  }
  Status body_for(const CreateToken& c) {
    SIEGEL_CHECK(check_grant(c.grant, *registries, s.clock.now()));
    ByteArray<32> secret;
    s.random.fill(secret);
    written.token = "sgl_" + to_base64url(secret);
    token_ = TokenId(new_id(s.clock, s.random));
    written.token_id = token_;
    body_ = TokenCreated{token_, sha256(as_bytes(written.token)), c.grant};
    facts_ = {static_cast<std::uint32_t>(registries->tokens.size() + 1), 1};
    return Done{};
  }
  Status body_for(const RevokeToken& c) {
    const auto* token = registries->token(c.id);
    if (token == nullptr) return Error(Errc::not_found, "not_found", "There is no such token.");
    token_ = c.id;
    written.token_id = c.id;
    facts_ = {token->number, 2};
    body_ = TokenRevoked{c.id};
    if (token->revoked) {
      before_ = 2;
      same();
    }
    return Done{};
  }
  template <class Other>
  Status body_for(const Other&) {
    return Error(Errc::invalid, "bad_value", "This is no registry command.");
  }

  std::optional<Decision> check_version() const {
    const bool exists = before_ > 0;
    const bool wrong =
        (options.create_only && exists) || (options.expected_version && *options.expected_version != before_);
    if (!wrong) return std::nullopt;
    return Decision(Error(Errc::conflict, "version_conflict", "The definition has another version by now.")
                        .with("current_version", before_));
  }

  void apply(Registries& next, TimeMs now) {
    if (auto* purpose = std::get_if<PurposeDefinition>(&body_)) {
      next.set(Registered<PurposeDefinition>{facts_.number, facts_.version, *purpose});
    } else if (auto* cls = std::get_if<ClassDefinition>(&body_)) {
      next.set(Registered<ClassDefinition>{facts_.number, facts_.version, *cls});
    } else if (auto* type = std::get_if<TypeDefinition>(&body_)) {
      next.set(Registered<TypeDefinition>{facts_.number, facts_.version, *type});
    } else if (auto* token = std::get_if<TokenCreated>(&body_)) {
      next.add({facts_.number, token->id, token->hash, token->grant, now, false});
    } else {
      next.revoke(token_);
    }
  }

  Write command_;
  RegistryBody body_;
  RegistryFacts facts_;
  TokenId token_;
  std::uint32_t before_ = 0;    // version that is there now; 0: none
  bool nothing_to_do_ = false;  // the same definition again
};

}  // namespace

std::shared_ptr<Task> make_set(Impl& s, Caller caller, Write command, WriteOptions options, Callback<Written> done) {
  return std::make_shared<SetTask>(s, std::move(caller), std::move(command), std::move(options), std::move(done));
}

}  // namespace siegel::service
