// What the registries hold: purposes, deletion classes, record types, tokens. Names are chosen by people; the number of
// each is given on the writer. All of it is folded from registry.* events; Registries is that fold.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/time.h"
#include "model/event_type.h"
#include "model/field.h"
#include "model/ids.h"

namespace siegel {

using Titles = std::map<std::string, std::string>;  // language ("de", "en") -> text

struct PurposeDefinition {
  std::string name;
  LegalGround legal_ground = LegalGround::none;
  Titles title;
  bool fields_limited = false;                             // false: the purpose covers all fields
  std::map<std::string, std::vector<std::string>> fields;  // record type -> field names
  bool operator==(const PurposeDefinition&) const = default;
};

enum class PeriodStart : std::uint8_t { collection, last_change, end_of_case, end_of_relationship };
struct ClassDefinition {
  std::string name;
  std::string period;  // ISO 8601 duration of years, months, days: P3Y
  PeriodStart start = PeriodStart::collection;
  bool end_of_calendar_year = false;  // the period starts at the end of that year
  LegalGround legal_ground = LegalGround::none;
  std::string note;
  bool operator==(const ClassDefinition&) const = default;
};

struct FieldDefinition {
  FieldNo number;  // given when the name first appears, kept for ever
  std::string name;
  std::string title;
  FieldType type = FieldType::text;
  bool personal = false;
  bool required = false;
  bool searchable = false;
  std::string cls;  // name of the deletion class
  std::vector<std::string> choices;
  std::string help;
  std::string section;  // heading above the field's row of the form, where a section begins; empty: none does
  bool operator==(const FieldDefinition&) const = default;
};

enum class SubjectMode : std::uint8_t { none, row, match };
struct TypeDefinition {
  std::string name;
  Titles title;
  SubjectMode subject_mode = SubjectMode::none;
  std::vector<std::string> match_fields;
  std::string default_purpose;
  std::vector<FieldDefinition> fields;
  std::vector<std::vector<std::string>> form;  // rows of field names
  std::vector<FieldDefinition> retired;        // dropped by a later version; their values live on in history
  bool operator==(const TypeDefinition&) const = default;

  [[nodiscard]] const FieldDefinition* field(std::string_view field_name) const;
  [[nodiscard]] const FieldDefinition* field(FieldNo number) const;
};

enum class Role : std::uint8_t { admin = 1, privacy_officer, editor, sender, auditor, consumer };
std::string_view name_of(Role role) noexcept;  // "privacy_officer"
std::optional<Role> parse_role(std::string_view text) noexcept;

// What a token carries. The token itself is never kept: only the SHA-256 of its 256 random bits.
struct TokenGrant {
  Role role = Role::auditor;
  bool all_purposes = false;  // an admin made by the command line
  std::vector<std::string> purposes;
  bool all_types = false;
  std::vector<std::string> types;
  std::string label;
  std::optional<TimeMs> expires_at;
  std::optional<TimeMs> bulk_until;
  std::optional<SubjectId> subject;
  bool operator==(const TokenGrant&) const = default;
};

template <class D>
struct Registered {
  std::uint32_t number = 0;
  std::uint32_t version = 0;  // from 1; 0: built in and never changed
  D definition;
};

struct RegisteredToken {
  std::uint32_t number = 0;
  TokenId id;
  Hash hash{};  // SHA-256 of the token's text
  TokenGrant grant;
  TimeMs created_at;
  bool revoked = false;
};

// Built-in deletion classes, keys.md section 9. Their numbers are fixed; classes made by people start at 64.
namespace built_in {
inline constexpr ClassNo registry{1}, staff_log{2}, access_log{3}, erasure_notice{4}, job{5}, day_keys{6},
    request_file{7}, suppression{8}, consent_proof{9}, message_log{10}, merge{11};
inline constexpr std::uint32_t first_free_class = 64;
std::string_view name_of(ClassNo cls) noexcept;  // empty: not built in
}  // namespace built_in

// keys.md 9: what an erasure of "all" classes ends. The other built-in classes live on and are listed on the
// certificate.
constexpr bool dies_at_erasure(ClassNo cls) noexcept {
  return cls.get() >= built_in::first_free_class || cls == built_in::message_log || cls == built_in::merge;
}

// One immutable state of all registries; workers hold a snapshot, the writer makes the next one.
struct Registries {
  std::map<std::string, Registered<PurposeDefinition>, std::less<>> purposes;
  std::map<std::string, Registered<ClassDefinition>, std::less<>> classes;  // with the built-in ones
  std::map<std::string, Registered<TypeDefinition>, std::less<>> types;
  std::map<Id16, RegisteredToken> tokens;  // by token id
  std::map<Hash, Id16> token_by_hash;

  Registries();  // with the built-in classes

  [[nodiscard]] const Registered<PurposeDefinition>* purpose(std::string_view name) const;
  [[nodiscard]] const Registered<PurposeDefinition>* purpose(PurposeNo number) const;
  [[nodiscard]] const Registered<ClassDefinition>* cls(std::string_view name) const;
  [[nodiscard]] const Registered<ClassDefinition>* cls(ClassNo number) const;
  [[nodiscard]] const Registered<TypeDefinition>* type(std::string_view name) const;
  [[nodiscard]] const Registered<TypeDefinition>* type(TypeNo number) const;
  [[nodiscard]] const RegisteredToken* token(const TokenId& id) const;
  [[nodiscard]] const RegisteredToken* token(const Hash& hash) const;

  // The fold. Numbers and versions come from the header's RegistryFacts.
  void set(Registered<PurposeDefinition> purpose);
  void set(Registered<ClassDefinition> cls);
  void set(Registered<TypeDefinition> type);
  void add(RegisteredToken token);
  void revoke(const TokenId& id);
};

// Keeps the numbers of fields known before, moves dropped ones to `retired`, and numbers new ones on.
void number_fields(TypeDefinition& next, const TypeDefinition* before);

Result<TypeDefinition> check(TypeDefinition type, const Registries& registries);  // 422 schema_invalid, class_missing
Result<PurposeDefinition> check(PurposeDefinition purpose, const Registries& registries);
Result<ClassDefinition> check(ClassDefinition cls);

}  // namespace siegel
