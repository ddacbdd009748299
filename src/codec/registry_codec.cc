// Bodies of registry.* events: what people define, and tokens.
#include "codec/body_parts.h"

namespace siegel::codec {
namespace {

using TitleList = capnp::List<schema::Title>;
using FieldList = capnp::List<schema::FieldDefinition>;

// Enumerations end with these; a number behind them is of a newer version and not guessed at.
constexpr auto kLastGround = LegalGround::legitimate_interests;
constexpr auto kLastStart = PeriodStart::end_of_relationship;
constexpr auto kLastMode = SubjectMode::match;
constexpr auto kLastRole = Role::consumer;
constexpr auto kLastFieldType = FieldType::geo;

template <class E>
bool take_enum(std::uint8_t number, E first, E last, E& to) {
  if (number < static_cast<std::uint8_t>(first) || number > static_cast<std::uint8_t>(last)) return false;
  to = static_cast<E>(number);
  return true;
}

void write(const Titles& titles, TitleList::Builder to) {
  unsigned i = 0;
  for (const auto& [language, text] : titles) {
    auto out = to[i++];
    if (!language.empty()) out.setLanguage(text_of(language));
    if (!text.empty()) out.setText(text_of(text));
  }
}

void read(TitleList::Reader from, Titles& to) {
  for (const auto in : from) to.emplace(string_of(in.getLanguage()), string_of(in.getText()));
}

void write(const std::vector<FieldDefinition>& fields, FieldList::Builder to) {
  for (unsigned i = 0; i < fields.size(); ++i) {
    const auto& field = fields[i];
    auto out = to[i];
    out.setNumber(field.number.get());
    out.setType(static_cast<std::uint8_t>(field.type));
    out.setPersonal(field.personal);
    out.setRequired(field.required);
    out.setSearchable(field.searchable);
    if (!field.name.empty()) out.setName(text_of(field.name));
    if (!field.title.empty()) out.setTitle(text_of(field.title));
    if (!field.cls.empty()) out.setClass(text_of(field.cls));
    if (!field.choices.empty()) codec::write(field.choices, out.initChoices(count_of(field.choices.size())));
    if (!field.help.empty()) out.setHelp(text_of(field.help));
    if (!field.section.empty()) out.setSection(text_of(field.section));
  }
}

bool read(FieldList::Reader from, std::vector<FieldDefinition>& to) {
  to.reserve(from.size());
  for (const auto in : from) {
    auto& field = to.emplace_back();
    field.number = FieldNo(in.getNumber());
    if (!take_enum(in.getType(), FieldType::text, kLastFieldType, field.type)) return false;
    field.personal = in.getPersonal();
    field.required = in.getRequired();
    field.searchable = in.getSearchable();
    field.name = string_of(in.getName());
    field.title = string_of(in.getTitle());
    field.cls = string_of(in.getClass());
    field.choices = texts_of(in.getChoices());
    field.help = string_of(in.getHelp());
    field.section = string_of(in.getSection());
  }
  return true;
}

// One overload per kind of definition.
struct RegistryWriter {
  schema::RegistryEvent::Builder to;

  void operator()(const PurposeDefinition& purpose) {
    auto out = to.initPurpose();
    out.setLegalGround(static_cast<std::uint8_t>(purpose.legal_ground));
    out.setFieldsLimited(purpose.fields_limited);
    if (!purpose.name.empty()) out.setName(text_of(purpose.name));
    if (!purpose.title.empty()) write(purpose.title, out.initTitle(count_of(purpose.title.size())));
    if (purpose.fields.empty()) return;
    auto types = out.initFields(count_of(purpose.fields.size()));
    unsigned i = 0;
    for (const auto& [type, fields] : purpose.fields) {
      auto entry = types[i++];
      if (!type.empty()) entry.setType(text_of(type));
      if (!fields.empty()) codec::write(fields, entry.initFields(count_of(fields.size())));
    }
  }
  void operator()(const ClassDefinition& cls) {
    auto out = to.initClass();
    out.setStart(static_cast<std::uint8_t>(cls.start));
    out.setEndOfCalendarYear(cls.end_of_calendar_year);
    out.setLegalGround(static_cast<std::uint8_t>(cls.legal_ground));
    if (!cls.name.empty()) out.setName(text_of(cls.name));
    if (!cls.period.empty()) out.setPeriod(text_of(cls.period));
    if (!cls.note.empty()) out.setNote(text_of(cls.note));
  }
  void operator()(const TypeDefinition& type) {
    auto out = to.initType();
    out.setSubjectMode(static_cast<std::uint8_t>(type.subject_mode));
    if (!type.name.empty()) out.setName(text_of(type.name));
    if (!type.title.empty()) write(type.title, out.initTitle(count_of(type.title.size())));
    if (!type.match_fields.empty()) {
      codec::write(type.match_fields, out.initMatchFields(count_of(type.match_fields.size())));
    }
    if (!type.default_purpose.empty()) out.setDefaultPurpose(text_of(type.default_purpose));
    if (!type.fields.empty()) write(type.fields, out.initFields(count_of(type.fields.size())));
    if (!type.form.empty()) {
      auto rows = out.initForm(count_of(type.form.size()));
      for (unsigned i = 0; i < rows.size(); ++i) {
        if (!type.form[i].empty()) codec::write(type.form[i], rows.init(i, count_of(type.form[i].size())));
      }
    }
    if (!type.retired.empty()) write(type.retired, out.initRetired(count_of(type.retired.size())));
  }
  void operator()(const TokenCreated& token) {
    const TokenGrant& grant = token.grant;
    auto out = to.initTokenCreated();
    out.setRole(static_cast<std::uint8_t>(grant.role));
    out.setAllPurposes(grant.all_purposes);
    out.setAllTypes(grant.all_types);
    if (grant.expires_at) out.getExpiry().setAt(grant.expires_at->get());
    if (grant.bulk_until) out.getBulk().setUntil(grant.bulk_until->get());
    out.setId(data_of(token.id.get()));
    out.setHash(data_of(token.hash));
    if (!grant.purposes.empty()) codec::write(grant.purposes, out.initPurposes(count_of(grant.purposes.size())));
    if (!grant.types.empty()) codec::write(grant.types, out.initTypes(count_of(grant.types.size())));
    if (!grant.label.empty()) out.setLabel(text_of(grant.label));
    if (grant.subject) out.setSubject(data_of(grant.subject->get()));
  }
  void operator()(const TokenRevoked& token) { to.initTokenRevoked().setId(data_of(token.id.get())); }
};

bool read(schema::RegistryEvent::Purpose::Reader from, PurposeDefinition& to) {
  to.name = string_of(from.getName());
  to.fields_limited = from.getFieldsLimited();
  read(from.getTitle(), to.title);
  for (const auto entry : from.getFields()) to.fields.emplace(string_of(entry.getType()), texts_of(entry.getFields()));
  return take_enum(from.getLegalGround(), LegalGround::none, kLastGround, to.legal_ground);
}

bool read(schema::RegistryEvent::Class::Reader from, ClassDefinition& to) {
  to.name = string_of(from.getName());
  to.period = string_of(from.getPeriod());
  to.end_of_calendar_year = from.getEndOfCalendarYear();
  to.note = string_of(from.getNote());
  return take_enum(from.getStart(), PeriodStart::collection, kLastStart, to.start) &&
         take_enum(from.getLegalGround(), LegalGround::none, kLastGround, to.legal_ground);
}

bool read(schema::RegistryEvent::Type::Reader from, TypeDefinition& to) {
  to.name = string_of(from.getName());
  read(from.getTitle(), to.title);
  to.match_fields = texts_of(from.getMatchFields());
  to.default_purpose = string_of(from.getDefaultPurpose());
  for (const auto row : from.getForm()) to.form.push_back(texts_of(row));
  return take_enum(from.getSubjectMode(), SubjectMode::none, kLastMode, to.subject_mode) &&
         read(from.getFields(), to.fields) && read(from.getRetired(), to.retired);
}

bool read(schema::RegistryEvent::TokenCreated::Reader from, TokenCreated& to) {
  Id16 id;
  if (!take(from.getId(), id) || !take(from.getHash(), to.hash)) return false;
  to.id = TokenId(id);
  TokenGrant& grant = to.grant;
  grant.all_purposes = from.getAllPurposes();
  grant.purposes = texts_of(from.getPurposes());
  grant.all_types = from.getAllTypes();
  grant.types = texts_of(from.getTypes());
  grant.label = string_of(from.getLabel());
  if (from.getExpiry().isAt()) grant.expires_at = TimeMs(from.getExpiry().getAt());
  if (from.getBulk().isUntil()) grant.bulk_until = TimeMs(from.getBulk().getUntil());
  if (from.hasSubject()) {
    if (!take(from.getSubject(), id)) return false;
    grant.subject = SubjectId(id);
  }
  return take_enum(from.getRole(), Role::admin, kLastRole, grant.role);
}

bool read(schema::RegistryEvent::TokenRevoked::Reader from, TokenRevoked& to) {
  Id16 id;
  if (!take(from.getId(), id)) return false;
  to.id = TokenId(id);
  return true;
}

}  // namespace

void write(const RegistryBody& body, schema::RegistryEvent::Builder to) { std::visit(RegistryWriter{to}, body); }

bool read(schema::RegistryEvent::Reader from, RegistryBody& to) {
  switch (from.which()) {
    case schema::RegistryEvent::PURPOSE:
      return read(from.getPurpose(), to.emplace<PurposeDefinition>());
    case schema::RegistryEvent::CLASS:
      return read(from.getClass(), to.emplace<ClassDefinition>());
    case schema::RegistryEvent::TYPE:
      return read(from.getType(), to.emplace<TypeDefinition>());
    case schema::RegistryEvent::TOKEN_CREATED:
      return read(from.getTokenCreated(), to.emplace<TokenCreated>());
    case schema::RegistryEvent::TOKEN_REVOKED:
      return read(from.getTokenRevoked(), to.emplace<TokenRevoked>());
  }
  return false;
}

}  // namespace siegel::codec
