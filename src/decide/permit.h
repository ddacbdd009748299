// No use without a permit (DESIGN I6): role, purpose, legal ground, types and fields are checked here and nowhere else.
// Pure. The worker asks early to spare work; what the writer decides, at the sequence number of the use, counts.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/time.h"
#include "model/definitions.h"

namespace siegel::decide {

// What somebody wants to do; the roles that may are those of contract section 2.
enum class Action : std::uint8_t {
  read_status,
  read_metrics,
  manage_tokens,
  read_registries,
  write_purposes,
  write_classes,
  write_types,
  add_record,
  change_record,
  remove_record,
  read_record,
  list_records,
  read_history,
  read_subject,
  export_subject,
  merge_subjects,
  export_records,
  erase,
  read_erasures,
  read_certificate,
  read_events,
  read_checkpoint,
  read_proofs,
  import_records,
  read_imports,
  cancel_import,
};
bool needs_purpose(Action action) noexcept;  // routes marked P

struct Use {
  Action action = Action::read_status;
  TokenId token;
  std::string_view purpose;              // as given; empty: not given
  std::string_view type;                 // record type, where the use concerns one
  std::vector<std::string_view> fields;  // named explicitly by the caller: each must be covered
  bool type_may_be_new = false;          // the use may be what makes it
};

struct Permit {
  Role role{};
  PurposeNo purpose;  // 0 where none is needed
  LegalGround ground = LegalGround::none;
  const Registered<TypeDefinition>* type = nullptr;  // of the registries given
  bool all_fields = true;
  std::vector<FieldNo> fields;  // covered by the purpose, ascending; only if not all_fields
  [[nodiscard]] bool covers(FieldNo field) const;
};

// denied: token_wrong (unknown, revoked: 401) token_expired, role_denied, bulk_denied, purpose_missing,
// purpose_unknown, purpose_denied, type_denied, field_denied; not_found: a type that does not exist; invalid bad_value:
// a field that the type does not have.
Result<Permit> authorise(const Registries& registries, const Use& use, TimeMs now);
// Whether the times that stand in a token allow the action; authorise() asks it too.
bool is_in_time(const TokenGrant& grant, Action action, TimeMs now) noexcept;

// How a refusal stands in the header of refusal.recorded.
enum class RefusalCode : std::uint16_t {
  other = 0,
  token_expired,
  role_denied,
  purpose_missing,
  purpose_unknown,
  purpose_denied,
  type_denied,
  field_denied,
  bulk_denied,
  consent_missing,
  restricted,
  erased
};
RefusalCode refusal_code(const Error& error) noexcept;

}  // namespace siegel::decide
