#include "service/import_plan.h"

#include <algorithm>

#include "service/values.h"

namespace siegel::service {
namespace {

sheet::ColumnType column_type(FieldType type) {
  return sheet::parse_column_type(name_of(type)).value_or(sheet::ColumnType::text);
}

FieldType field_type(sheet::ColumnType type) {
  return parse_field_type(sheet::name_of(type)).value_or(FieldType::text);
}

RawValue raw_value(FieldType type, sheet::CellValue&& value) {
  if (auto* text = std::get_if<std::string>(&value)) {
    if (type == FieldType::boolean) return *text == "true";
    return std::move(*text);
  }
  if (auto* list = std::get_if<std::vector<std::string>>(&value)) return std::move(*list);
  return Null{};
}

std::string reason_of(const Error& error) {
  const auto* reason = error.find("reason");
  return reason != nullptr ? *reason : std::string(error.code());
}

}  // namespace

Result<ImportPlan> ImportPlan::make(const TypeDefinition& type, bool is_there, const sheet::TableGuess& guess,
                                    const std::map<std::string, FieldType>& chosen) {
  ImportPlan plan;
  plan.type_ = type;
  std::vector<std::string> taken;
  for (const auto& proposal : guess.proposal.columns) {
    Column column;
    column.style = proposal.style;
    const auto field = std::find_if(type.fields.begin(), type.fields.end(), [&](const FieldDefinition& f) {
      return f.name == proposal.title.field || f.title == proposal.title.title;
    });
    if (field != type.fields.end() && std::find(taken.begin(), taken.end(), field->name) == taken.end()) {
      taken.push_back(field->name);
      column.field = field->name;
      column.type = column_type(field->type);
      if (!field->choices.empty()) column.style.choices = field->choices;
      // A proposal is kept to the letter; what people chose is read as far as it has one meaning.
      const bool guessed = !is_there && !chosen.contains(field->name);
      column.fit = guessed ? sheet::Fit::exact : sheet::Fit::readable;
    }
    plan.columns_.push_back(std::move(column));
  }
  for (const auto& [name, wanted] : chosen) {
    const auto* field = type.field(name);
    const bool known = field != nullptr && std::find(taken.begin(), taken.end(), name) != taken.end();
    if (!known || (is_there && field->type != wanted))
      return Error(Errc::invalid, "schema_invalid",
                   is_there ? "The type's own field has another type; change the record type first."
                            : "The file has no column of that field.")
          .with("pointer", "/types");
  }
  return plan;
}

ImportPlan::Row ImportPlan::read(const sheet::Row& row) const {
  Row out;
  out.number = row.number;
  static const sheet::Cell kEmpty;
  for (std::size_t i = 0; i < columns_.size(); ++i) add_cell(i, i < row.cells.size() ? row.cells[i] : kEmpty, out);
  if (row.cells.size() > columns_.size()) out.failures.push_back({std::nullopt, "too_many_cells"});
  if (!out.failures.empty()) return out;
  std::sort(out.values.begin(), out.values.end(), [](const auto& a, const auto& b) { return a.field < b.field; });
  // As for a whole record, also where it changes one: what the file leaves empty is emptied.
  if (const auto missing = check_required(type_, out.values, false); !missing) {
    const auto* pointer = missing.error().find("pointer");
    const auto at = std::find_if(columns_.begin(), columns_.end(), [&](const Column& column) {
      return pointer != nullptr && *pointer == "/values/" + column.field;
    });
    out.failures.push_back(
        {at == columns_.end() ? std::nullopt : std::optional(static_cast<std::size_t>(at - columns_.begin())),
         reason_of(missing.error())});
  }
  return out;
}

void ImportPlan::add_cell(std::size_t at, const sheet::Cell& cell, Row& out) const {
  const auto& column = columns_[at];
  if (column.field.empty()) return;
  const auto* field = type_.field(column.field);
  auto value = sheet::convert(column.type, column.style, cell, column.fit);
  if (!value) return out.failures.push_back({at, std::string(value.error().code())});
  std::vector<NamedValue> named;
  named.push_back({column.field, Personal<RawValue>(raw_value(field->type, std::move(*value)))});
  auto checked = canonical(type_, named);
  if (!checked) return out.failures.push_back({at, reason_of(checked.error())});
  out.values.push_back(std::move(checked->front()));
  out.named.push_back(std::move(named.front()));
}

std::vector<std::string> ImportPlan::fields() const {
  std::vector<std::string> out;
  for (const auto& column : columns_)
    if (!column.field.empty()) out.push_back(column.field);
  return out;
}

TypeDefinition proposed_type(const sheet::TableGuess& guess, const ImportCommit* commit) {
  TypeDefinition out;
  const auto* wanted = commit != nullptr && commit->create_type ? &*commit->create_type : nullptr;
  bool about_persons = false;
  for (const auto& column : guess.proposal.columns) {
    FieldDefinition field;
    field.name = column.title.field;
    field.title = column.title.title;
    field.type = field_type(column.type);
    field.personal = column.personal;
    field.searchable = column.searchable;
    if (commit != nullptr)
      if (const auto chosen = commit->types.find(field.name); chosen != commit->types.end())
        field.type = chosen->second;
    if (field.type == FieldType::choice || field.type == FieldType::multichoice) field.choices = column.style.choices;
    if (wanted != nullptr) {
      const auto cls = wanted->classes.find(field.name);
      field.cls = cls != wanted->classes.end() ? cls->second : wanted->cls;
    }
    about_persons = about_persons || field.personal;
    out.fields.push_back(std::move(field));
  }
  const auto& identity = guess.proposal.identity;
  if (wanted != nullptr) {
    out.name = wanted->name;
    out.title = wanted->title;
    out.default_purpose = wanted->default_purpose;
  }
  if (wanted != nullptr && wanted->subject_mode) {
    out.subject_mode = *wanted->subject_mode;
    out.match_fields = wanted->match_fields;
  } else if (about_persons && !identity.empty() && out.fields[identity.front().column].type == FieldType::email) {
    out.subject_mode = SubjectMode::match;
    out.match_fields = {out.fields[identity.front().column].name};
  } else if (about_persons) {
    out.subject_mode = SubjectMode::row;
  }
  number_fields(out, nullptr);
  return out;
}

}  // namespace siegel::service
