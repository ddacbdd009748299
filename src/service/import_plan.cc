#include "service/import_plan.h"

#include <algorithm>
#include <set>

#include "base/secret.h"
#include "service/values.h"
#include "sheet/words.h"

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

bool is_blank(const sheet::Cell& cell) { return cell.text.find_first_not_of(" \t\r\n") == std::string::npos; }

std::string reason_of(const Error& error) {
  const auto* reason = error.find("reason");
  return reason != nullptr ? *reason : std::string(error.code());
}

// A workbook keeps numbers, so it gives 3733.20 back as 3733.2.
std::string_view without_last_zeros(std::string_view decimal) {
  if (decimal.find('.') == std::string_view::npos) return decimal;
  decimal = decimal.substr(0, decimal.find_last_not_of('0') + 1);
  if (decimal.ends_with('.')) decimal.remove_suffix(1);
  return decimal;
}

}  // namespace

Result<ColumnWishes> column_wishes(const std::map<std::string, std::string>& by_title, const sheet::TableGuess& guess) {
  ColumnWishes out;
  if (by_title.empty()) return out;
  const auto wrong = [](const char* what) {
    return Error(Errc::invalid, "bad_value", what).with("pointer", "/columns");
  };
  std::set<std::string> fields;
  std::size_t found = 0;
  for (const auto& column : guess.proposal.columns) {
    const auto wish = by_title.find(column.title.title);
    if (wish == by_title.end()) {
      out.push_back(std::nullopt);
      continue;
    }
    ++found;
    const auto& field = wish->second;
    if (!field.empty() && !fields.insert(field).second) return wrong("Two columns go to one field.");
    out.emplace_back(field);
  }
  if (found != by_title.size()) return wrong("The file has no column of that title.");
  return out;
}

namespace {

// Null: the column goes by its title.
const std::string* wish_for(const ColumnWishes& wishes, std::size_t column) {
  if (column >= wishes.size()) return nullptr;
  const auto& wish = wishes[column];
  return wish ? &*wish : nullptr;
}

// The fields that columns go to; null: none.
std::vector<const FieldDefinition*> fields_of(const TypeDefinition& type, const sheet::TableGuess& guess,
                                              const ColumnWishes& wishes) {
  const auto& columns = guess.proposal.columns;
  std::vector<const FieldDefinition*> out(columns.size(), nullptr);
  std::set<std::string> taken;
  for (std::size_t i = 0; i < wishes.size(); ++i) {
    const auto* wish = wish_for(wishes, i);
    if (wish == nullptr || wish->empty()) continue;
    out[i] = type.field(*wish);
    taken.insert(*wish);
  }
  for (std::size_t i = 0; i < columns.size(); ++i) {
    if (wish_for(wishes, i) != nullptr) continue;
    const auto& title = columns[i].title;
    const auto field = std::find_if(type.fields.begin(), type.fields.end(), [&](const FieldDefinition& f) {
      return f.name == title.field || f.title == title.title;
    });
    if (field != type.fields.end() && taken.insert(field->name).second) out[i] = &*field;
  }
  return out;
}

}  // namespace

Result<ImportPlan> ImportPlan::make(const TypeDefinition& type, bool is_there, const sheet::TableGuess& guess,
                                    const ColumnWishes& wishes, const std::map<std::string, FieldType>& chosen) {
  ImportPlan plan;
  plan.type_ = type;
  const auto fields = fields_of(type, guess, wishes);
  std::set<std::string> taken;
  for (std::size_t i = 0; i < guess.proposal.columns.size(); ++i) {
    const auto* wish = wish_for(wishes, i);
    if (wish != nullptr && !wish->empty() && fields[i] == nullptr)
      return Error(Errc::invalid, "schema_invalid", "The record type has no such field.").with("pointer", "/columns");
    Column column;
    column.style = guess.proposal.columns[i].style;
    const auto& shown = guess.proposal.columns[i];
    column.must_be_empty =
        guess.header_row > 0 && shown.title.untitled && shown.cells == 0 && wish == nullptr && fields[i] == nullptr;
    if (const auto* field = fields[i]; field != nullptr) {
      taken.insert(field->name);
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
    const bool known = field != nullptr && taken.contains(name);
    if (!known || (is_there && field->type != wanted))
      return Error(Errc::invalid, "schema_invalid",
                   is_there ? "The type's own field has another type; change the record type first."
                            : "The file has no column of that field.")
          .with("pointer", "/types");
  }
  return plan;
}

void count_cells(const sheet::Row& row, std::vector<std::uint64_t>& columns) {
  for (std::size_t i = 0; i < std::min(row.cells.size(), columns.size()); ++i)
    if (!is_blank(row.cells[i])) ++columns[i];
}

ImportPlan::Row ImportPlan::read(const sheet::Row& row) const {
  Row out;
  out.number = row.number;
  static const sheet::Cell kEmpty;
  for (std::size_t i = 0; i < columns_.size(); ++i) add_cell(i, i < row.cells.size() ? row.cells[i] : kEmpty, out);
  if (std::any_of(row.cells.begin() + static_cast<std::ptrdiff_t>(std::min(columns_.size(), row.cells.size())),
                  row.cells.end(), [](const auto& cell) { return !is_blank(cell); }))
    out.failures.push_back({std::nullopt, "too_many_cells"});
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

bool ImportPlan::is_same(FieldNo field, const Value& stored, const Value& now) const {
  const auto* definition = type_.field(field);
  const auto* before = std::get_if<std::string>(&stored);
  const auto* after = std::get_if<std::string>(&now);
  if (definition == nullptr || before == nullptr || after == nullptr) return false;
  if (definition->type == FieldType::decimal) return without_last_zeros(*before) == without_last_zeros(*after);
  if (definition->type != FieldType::phone) return false;
  const auto column = std::ranges::find(columns_, definition->name, &Column::field);
  if (column == columns_.end()) return false;
  const auto one = sheet::read_phone(*before, column->style.country);
  const auto other = sheet::read_phone(*after, column->style.country);
  return one && other && one->e164 == other->e164;
}

void ImportPlan::add_cell(std::size_t at, const sheet::Cell& cell, Row& out) const {
  const auto& column = columns_[at];
  if (column.must_be_empty && !is_blank(cell)) return out.failures.push_back({at, "extra_cells"});
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

const std::string& proposed_field(const sheet::TableGuess& guess, const ColumnWishes& wishes, std::size_t column) {
  const auto* wish = wish_for(wishes, column);
  return wish != nullptr ? *wish : guess.proposal.columns[column].title.field;
}

namespace {

// A mail address tells persons apart; the first field that the guess proposes and that is one.
std::optional<std::string> identity_of(const TypeDefinition& type, const sheet::TableGuess& guess,
                                       const ColumnWishes& wishes) {
  if (guess.proposal.identity.empty()) return std::nullopt;
  const auto& name = proposed_field(guess, wishes, guess.proposal.identity.front().column);
  const auto* field = name.empty() ? nullptr : type.field(name);
  if (field == nullptr || field->type != FieldType::email) return std::nullopt;
  return name;
}

}  // namespace

TypeDefinition proposed_type(const sheet::TableGuess& guess, const ColumnWishes& wishes, const ImportCommit* commit) {
  TypeDefinition out;
  const auto* wanted = commit != nullptr && commit->create_type ? &*commit->create_type : nullptr;
  bool about_persons = false;
  for (std::size_t i = 0; i < guess.proposal.columns.size(); ++i) {
    const auto& column = guess.proposal.columns[i];
    FieldDefinition field;
    field.name = proposed_field(guess, wishes, i);
    if (field.name.empty()) continue;
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
  if (wanted != nullptr) {
    out.name = wanted->name;
    out.title = wanted->title;
    out.default_purpose = wanted->default_purpose;
  }
  if (wanted != nullptr && wanted->subject_mode) {
    out.subject_mode = *wanted->subject_mode;
    out.match_fields = wanted->match_fields;
  } else if (about_persons) {
    const auto identity = identity_of(out, guess, wishes);
    out.subject_mode = identity ? SubjectMode::match : SubjectMode::row;
    if (identity) out.match_fields = {*identity};
  }
  number_fields(out, nullptr);
  return out;
}

// ── samples ──

namespace {

void wipe_text(std::string& text) { wipe(text.data(), text.size()); }

std::vector<std::string> take_texts(sheet::Samples& samples) {
  std::vector<std::string> out;
  out.reserve(samples.size());
  for (auto& sample : samples) {
    out.push_back(sample.text);  // a short text stands in the object itself: moved, it would stay there
    wipe_text(sample.text);
  }
  samples.clear();
  return out;
}

}  // namespace

std::vector<ColumnSamples> take_samples(sheet::TableGuess& guess) {
  std::vector<ColumnSamples> out;
  out.reserve(guess.proposal.columns.size());
  for (auto& column : guess.proposal.columns) {
    out.push_back({take_texts(column.samples), take_texts(column.exception_samples)});
    if (column.nearest)
      for (auto& sample : column.nearest->samples) wipe_text(sample.text);
    column.nearest.reset();
  }
  return out;
}

void wipe_samples(std::vector<ColumnSamples>& samples) {
  for (auto& column : samples)
    for (auto* texts : {&column.examples, &column.exceptions})
      for (auto& text : *texts) wipe_text(text);
  samples.clear();
}

}  // namespace siegel::service
