#include "decide/permit.h"

#include <algorithm>

namespace siegel::decide {
namespace {

constexpr unsigned bit(Role role) { return 1u << static_cast<unsigned>(role); }
constexpr unsigned kAdmin = bit(Role::admin), kOfficer = bit(Role::privacy_officer), kEditor = bit(Role::editor),
                   kSender = bit(Role::sender), kAuditor = bit(Role::auditor), kConsumer = bit(Role::consumer);
constexpr unsigned kAny = kAdmin | kOfficer | kEditor | kSender | kAuditor | kConsumer;

unsigned roles_for(Action action) {
  switch (action) {
    case Action::read_status:
    case Action::read_metrics:
    case Action::read_registries:
      return kAny;
    case Action::manage_tokens:
      return kAdmin;
    case Action::write_purposes:
    case Action::write_classes:
      return kAdmin | kOfficer;
    case Action::write_types:
      return kAdmin | kEditor;
    case Action::add_record:
    case Action::change_record:
    case Action::remove_record:
    case Action::import_records:
      return kEditor;
    case Action::read_imports:
    case Action::cancel_import:
      return kEditor | kOfficer;
    case Action::read_record:
    case Action::list_records:
      return kEditor | kOfficer | kSender;
    case Action::read_history:
    case Action::read_subject:
    case Action::export_subject:
    case Action::export_records:
    case Action::merge_subjects:
      return kEditor | kOfficer;
    case Action::erase:
    case Action::read_erasures:
      return kOfficer | kAdmin;
    case Action::read_certificate:
      return kOfficer | kAdmin | kAuditor;
    case Action::read_events:
    case Action::read_proofs:
      return kAuditor | kOfficer;
    case Action::read_checkpoint:
      return kAuditor | kOfficer | kAdmin;
  }
  return 0;
}

Error denied(const char* code, const char* what, std::source_location at = std::source_location::current()) {
  return Error(Errc::denied, code, what, at);
}

bool holds(bool all, const std::vector<std::string>& list, std::string_view name) {
  return all || std::find(list.begin(), list.end(), name) != list.end();
}

Status check_purpose(const Registries& registries, const TokenGrant& grant, std::string_view name, Permit& permit) {
  if (name.empty() && !grant.all_purposes && grant.purposes.size() == 1) name = grant.purposes.front();
  if (name.empty()) return denied("purpose_missing", "This use needs a purpose: name it in Siegel-Purpose.");
  const auto* purpose = registries.purpose(name);
  if (purpose == nullptr) return denied("purpose_unknown", "The purpose named in Siegel-Purpose does not exist.");
  if (!holds(grant.all_purposes, grant.purposes, name))
    return denied("purpose_denied", "The token does not carry this purpose.");
  permit.purpose = PurposeNo(purpose->number);
  permit.ground = purpose->definition.legal_ground;
  if (!purpose->definition.fields_limited || permit.type == nullptr) return Done{};
  permit.all_fields = false;
  const auto it = purpose->definition.fields.find(permit.type->definition.name);
  if (it == purpose->definition.fields.end()) return Done{};
  for (const auto& field_name : it->second)
    if (const auto* field = permit.type->definition.field(field_name)) permit.fields.push_back(field->number);
  std::sort(permit.fields.begin(), permit.fields.end());
  return Done{};
}

}  // namespace

bool needs_purpose(Action action) noexcept {
  switch (action) {
    case Action::add_record:
    case Action::change_record:
    case Action::remove_record:
    case Action::read_record:
    case Action::list_records:
    case Action::read_history:
    case Action::read_subject:
    case Action::export_subject:
    case Action::export_records:
    case Action::merge_subjects:
    case Action::import_records:
      return true;
    case Action::read_status:
    case Action::read_metrics:
    case Action::manage_tokens:
    case Action::read_registries:
    case Action::write_purposes:
    case Action::write_classes:
    case Action::write_types:
    case Action::erase:
    case Action::read_erasures:
    case Action::read_certificate:
    case Action::read_events:
    case Action::read_checkpoint:
    case Action::read_proofs:
    case Action::read_imports:
    case Action::cancel_import:
      return false;
  }
  return true;
}

bool Permit::covers(FieldNo field) const {
  return all_fields || std::binary_search(fields.begin(), fields.end(), field);
}

bool is_in_time(const TokenGrant& grant, Action action, TimeMs now) noexcept {
  const bool has_expired = grant.expires_at && *grant.expires_at <= now;
  const bool in_bulk = action == Action::export_records;
  return !has_expired && (!in_bulk || (grant.bulk_until && *grant.bulk_until > now));
}

Result<Permit> authorise(const Registries& registries, const Use& use, TimeMs now) {
  const auto* token = registries.token(use.token);
  if (token == nullptr || token->revoked) return denied("token_wrong", "The token is not known or was revoked.");
  if (token->grant.expires_at && *token->grant.expires_at <= now)
    return denied("token_expired", "The token has expired.");
  Permit permit;
  permit.role = token->grant.role;
  if ((roles_for(use.action) & bit(permit.role)) == 0)
    return denied("role_denied", "The token's role does not allow this.").with("role", name_of(permit.role));
  if (!is_in_time(token->grant, use.action, now))
    return denied("bulk_denied", "The token may not export in bulk: its bulk_until is over, or it has none.");
  if (use.action == Action::merge_subjects && !token->grant.all_types)
    return denied("type_denied", "Merging concerns records of every type: it needs a token for all of them.");
  if (!use.type.empty()) {
    permit.type = registries.type(use.type);
    if (permit.type == nullptr && !use.type_may_be_new)
      return Error(Errc::not_found, "not_found", "There is no such record type.");
    const bool rules = use.type_may_be_new && permit.role == Role::admin;  // an admin defines types and reads none
    if (!rules && !holds(token->grant.all_types, token->grant.types, use.type))
      return denied("type_denied", "The token does not carry this record type.");
  }
  if (needs_purpose(use.action)) SIEGEL_CHECK(check_purpose(registries, token->grant, use.purpose, permit));
  for (const auto name : use.fields) {
    const auto* field = permit.type == nullptr ? nullptr : permit.type->definition.field(name);
    if (field == nullptr) return Error(Errc::invalid, "unknown_field", "The record type has no field of that name.");
    if (!permit.covers(field->number))
      return denied("field_denied", "The purpose does not cover a field that was named.");
  }
  return permit;
}

RefusalCode refusal_code(const Error& error) noexcept {
  struct Entry {
    const char* code;
    RefusalCode number;
  };
  using enum RefusalCode;
  static constexpr Entry kEntries[] = {{"token_expired", token_expired},
                                       {"role_denied", role_denied},
                                       {"purpose_missing", purpose_missing},
                                       {"purpose_unknown", purpose_unknown},
                                       {"purpose_denied", purpose_denied},
                                       {"type_denied", type_denied},
                                       {"field_denied", field_denied},
                                       {"bulk_denied", bulk_denied},
                                       {"consent_missing", consent_missing},
                                       {"restricted", restricted},
                                       {"erased", erased}};
  for (const auto& entry : kEntries)
    if (error.is(entry.code)) return entry.number;
  return other;
}

}  // namespace siegel::decide
