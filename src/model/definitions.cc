#include "model/definitions.h"

#include <algorithm>
#include <array>
#include <set>

#include "base/assert.h"
#include "base/text.h"

namespace siegel {
namespace {

constexpr std::array<std::string_view, 7> kRoles = {"",       "admin",   "privacy_officer", "editor",
                                                    "sender", "auditor", "consumer"};
constexpr std::array<std::string_view, 12> kBuiltIn = {
    "",         "registry",     "staff-log",   "access-log",    "erasure-notice", "job",
    "day-keys", "request-file", "suppression", "consent-proof", "message-log",    "merge"};

constexpr std::size_t kTitleBytesMax = 500, kNoteBytesMax = 4000, kFieldsMax = 1000, kChoicesMax = 1000;

Error schema(const char* what, const std::string& pointer, std::source_location at = std::source_location::current()) {
  return Error(Errc::invalid, "schema_invalid", what, at).with("pointer", pointer);
}

bool is_text(const std::string& text, std::size_t max) {
  return text.size() <= max && is_utf8(text) && text.find('\0') == std::string::npos;
}

bool titles_ok(const Titles& titles) {
  return titles.size() <= 20 && std::all_of(titles.begin(), titles.end(), [](const auto& entry) {
           return entry.first.size() >= 2 && entry.first.size() <= 8 && is_name(entry.first) &&
                  is_text(entry.second, kTitleBytesMax);
         });
}

template <class D>
const Registered<D>* by_name(const std::map<std::string, Registered<D>, std::less<>>& map, std::string_view name) {
  const auto it = map.find(name);
  return it == map.end() ? nullptr : &it->second;
}
template <class D>
const Registered<D>* by_number(const std::map<std::string, Registered<D>, std::less<>>& map, std::uint32_t number) {
  for (const auto& [name, entry] : map)
    if (entry.number == number) return &entry;
  return nullptr;
}

// P[nY][nM][nD], at least one part, numbers without sign.
bool is_period(std::string_view text) {
  if (text.size() < 3 || text.front() != 'P') return false;
  text.remove_prefix(1);
  std::string_view order = "YMD";
  while (!text.empty()) {
    const auto digits = text.find_first_not_of("0123456789");
    if (digits == 0 || digits == std::string_view::npos || digits > 4) return false;
    const auto unit = order.find(text[digits]);
    if (unit == std::string_view::npos) return false;
    order.remove_prefix(unit + 1);
    text.remove_prefix(digits + 1);
  }
  return true;
}

Status check_field(const FieldDefinition& field, const TypeDefinition& type, const Registries& registries,
                   const std::string& at) {
  if (!is_name(field.name)) return schema("A field's name must match ^[a-z][a-z0-9-]{0,62}$.", at + "/name");
  if (!is_text(field.title, kTitleBytesMax)) return schema("A field's title is too long or not UTF-8.", at + "/title");
  if (!is_text(field.section, kTitleBytesMax))
    return schema("A field's section is too long or not UTF-8.", at + "/section");
  if (!is_text(field.help, kNoteBytesMax)) return schema("A field's help is too long or not UTF-8.", at + "/help");
  const bool chooses = field.type == FieldType::choice || field.type == FieldType::multichoice;
  if (chooses == field.choices.empty() || field.choices.size() > kChoicesMax)
    return schema("Choices belong to choice and multichoice fields, which need 1 to 1000.", at + "/choices");
  const std::set<std::string> unique(field.choices.begin(), field.choices.end());
  if (unique.size() != field.choices.size() || unique.contains(""))
    return schema("Choices must differ.", at + "/choices");
  for (const auto& choice : field.choices)
    if (!is_text(choice, kTitleBytesMax)) return schema("A choice is too long or not UTF-8.", at + "/choices");
  if (field.personal && type.subject_mode == SubjectMode::none)
    return schema("A personal field needs a subject: set subject.mode to row or match.", at + "/personal");
  if (field.cls.empty())
    return Error(Errc::invalid, "class_missing", "A field needs a deletion class.").with("pointer", at + "/class");
  const auto* cls = registries.cls(field.cls);
  if (cls == nullptr || cls->number < built_in::first_free_class)
    return Error(Errc::invalid, "class_missing", "The deletion class of a field is not registered.")
        .with("pointer", at + "/class");
  return Done{};
}

}  // namespace

std::string_view name_of(Role role) noexcept { return kRoles[static_cast<std::size_t>(role) % kRoles.size()]; }
std::optional<Role> parse_role(std::string_view text) noexcept {
  for (std::size_t i = 1; i < kRoles.size(); ++i)
    if (kRoles[i] == text) return static_cast<Role>(i);
  return std::nullopt;
}

namespace built_in {
std::string_view name_of(ClassNo cls) noexcept {
  return cls.get() < kBuiltIn.size() ? kBuiltIn[cls.get()] : std::string_view{};
}
}  // namespace built_in

const FieldDefinition* TypeDefinition::field(std::string_view field_name) const {
  for (const auto& f : fields)
    if (f.name == field_name) return &f;
  return nullptr;
}

const FieldDefinition* TypeDefinition::field(FieldNo number) const {
  for (const auto& f : fields)
    if (f.number == number) return &f;
  for (const auto& f : retired)
    if (f.number == number) return &f;
  return nullptr;
}

Registries::Registries() {
  struct Default {
    const char* period;
    ClassNo cls;
    LegalGround ground;
  };
  using enum LegalGround;
  const Default defaults[] = {
      {"P100Y", built_in::registry, legal_obligation},    {"P3Y", built_in::staff_log, legal_obligation},
      {"P1Y", built_in::access_log, legal_obligation},    {"P60D", built_in::erasure_notice, legal_obligation},
      {"P30D", built_in::job, legitimate_interests},      {"P7D", built_in::day_keys, legitimate_interests},
      {"P3Y", built_in::request_file, legal_obligation},  {"P3Y", built_in::suppression, legal_obligation},
      {"P3Y", built_in::consent_proof, legal_obligation}, {"P3Y", built_in::message_log, legal_obligation},
      {"P100Y", built_in::merge, legitimate_interests}};
  for (const auto& d : defaults) {
    Registered<ClassDefinition> cls;
    cls.number = d.cls.get();
    cls.definition.name = built_in::name_of(d.cls);
    cls.definition.period = d.period;
    cls.definition.legal_ground = d.ground;
    classes.emplace(cls.definition.name, std::move(cls));
  }
}

const Registered<PurposeDefinition>* Registries::purpose(std::string_view name) const {
  return by_name(purposes, name);
}
const Registered<PurposeDefinition>* Registries::purpose(PurposeNo number) const {
  return by_number(purposes, number.get());
}
const Registered<ClassDefinition>* Registries::cls(std::string_view name) const { return by_name(classes, name); }
const Registered<ClassDefinition>* Registries::cls(ClassNo number) const { return by_number(classes, number.get()); }
const Registered<TypeDefinition>* Registries::type(std::string_view name) const { return by_name(types, name); }
const Registered<TypeDefinition>* Registries::type(TypeNo number) const { return by_number(types, number.get()); }
const RegisteredToken* Registries::token(const TokenId& id) const {
  const auto it = tokens.find(id.get());
  return it == tokens.end() ? nullptr : &it->second;
}
const RegisteredToken* Registries::token(const Hash& hash) const {
  const auto it = token_by_hash.find(hash);
  return it == token_by_hash.end() ? nullptr : token(TokenId(it->second));
}

void Registries::set(Registered<PurposeDefinition> purpose) {
  auto name = purpose.definition.name;
  purposes.insert_or_assign(std::move(name), std::move(purpose));
}
void Registries::set(Registered<ClassDefinition> cls) {
  auto name = cls.definition.name;
  classes.insert_or_assign(std::move(name), std::move(cls));
}
void Registries::set(Registered<TypeDefinition> type) {
  auto name = type.definition.name;
  types.insert_or_assign(std::move(name), std::move(type));
}
void Registries::add(RegisteredToken token) {
  token_by_hash.insert_or_assign(token.hash, token.id.get());
  const auto id = token.id.get();
  tokens.insert_or_assign(id, std::move(token));
}
void Registries::revoke(const TokenId& id) {
  const auto it = tokens.find(id.get());
  SIEGEL_ASSERT(it != tokens.end());
  it->second.revoked = true;
}

void number_fields(TypeDefinition& next, const TypeDefinition* before) {
  std::uint16_t newest = 0;
  next.retired.clear();
  if (before != nullptr) {
    for (const auto* list : {&before->fields, &before->retired})
      for (const auto& field : *list) newest = std::max(newest, field.number.get());
  }
  for (auto& field : next.fields) {
    field.number = FieldNo(0);
    if (before == nullptr) continue;
    for (const auto* list : {&before->fields, &before->retired})
      for (const auto& old : *list)
        if (old.name == field.name) field.number = old.number;
  }
  for (auto& field : next.fields)
    if (field.number.get() == 0) field.number = FieldNo(++newest);
  if (before == nullptr) return;
  for (const auto* list : {&before->fields, &before->retired})
    for (const auto& old : *list)
      if (next.field(old.name) == nullptr) next.retired.push_back(old);
}

Result<TypeDefinition> check(TypeDefinition type, const Registries& registries) {
  if (!is_name(type.name)) return schema("A type's name must match ^[a-z][a-z0-9-]{0,62}$.", "");
  if (!titles_ok(type.title)) return schema("A title is a text per language.", "/title");
  if (type.fields.empty() || type.fields.size() > kFieldsMax) return schema("A type has 1 to 1000 fields.", "/fields");
  std::set<std::string> names;
  for (std::size_t i = 0; i < type.fields.size(); ++i) {
    const auto at = "/fields/" + std::to_string(i);
    SIEGEL_CHECK(check_field(type.fields[i], type, registries, at));
    if (!names.insert(type.fields[i].name).second) return schema("Two fields have one name.", at + "/name");
  }
  if ((type.subject_mode == SubjectMode::match) == type.match_fields.empty())
    return schema("subject.fields belongs to subject.mode match, which needs it.", "/subject/fields");
  for (const auto& name : type.match_fields) {
    const auto* field = type.field(name);
    if (field == nullptr) return schema("An identity field does not exist.", "/subject/fields");
    if (!field->personal) return schema("An identity field must be personal.", "/subject/fields");
    if (field->type == FieldType::multichoice) return schema("A multichoice field cannot identify.", "/subject/fields");
  }
  std::set<std::string> placed;
  for (const auto& row : type.form)
    for (const auto& name : row)
      if (!names.contains(name) || !placed.insert(name).second)
        return schema("The form names a field that does not exist, or one twice.", "/form");
  if (!type.default_purpose.empty() && registries.purpose(type.default_purpose) == nullptr)
    return schema("The default purpose is not registered.", "/default_purpose");
  return type;
}

Result<PurposeDefinition> check(PurposeDefinition purpose, const Registries& registries) {
  if (!is_name(purpose.name)) return schema("A purpose's name must match ^[a-z][a-z0-9-]{0,62}$.", "");
  if (purpose.legal_ground == LegalGround::none) return schema("A purpose needs a legal ground.", "/legal_ground");
  if (!titles_ok(purpose.title)) return schema("A title is a text per language.", "/title");
  for (const auto& [type_name, fields] : purpose.fields) {
    // A type may be registered after the purpose that will cover it; a field of a known type must exist.
    if (!is_name(type_name)) return schema("A type's name is wrong.", "/fields");
    const auto* type = registries.type(type_name);
    for (const auto& field : fields)
      if (!is_name(field) || (type != nullptr && type->definition.field(field) == nullptr))
        return schema("The purpose names a field that the type does not have.", "/fields/" + type_name);
  }
  return purpose;
}

Result<ClassDefinition> check(ClassDefinition cls) {
  if (!is_name(cls.name)) return schema("A class's name must match ^[a-z][a-z0-9-]{0,62}$.", "");
  if (!is_period(cls.period)) return schema("A period is an ISO 8601 duration of years, months, days: P3Y.", "/period");
  if (cls.legal_ground == LegalGround::none) return schema("A class needs a legal ground.", "/legal_ground");
  if (!is_text(cls.note, kNoteBytesMax)) return schema("The note is too long or not UTF-8.", "/note");
  return cls;
}

}  // namespace siegel
