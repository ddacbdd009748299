// How the cells of a file become values of a record type: which column goes to which field, and in which type and
// style it is read. Pure; says of each cell that does not fit why, and never makes another value of it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "service/import_api.h"
#include "service/service.h"
#include "sheet/cells.h"
#include "sheet/guess.h"

namespace siegel::service {

// For each column the field that the caller wants it to go to: empty for none, nullopt by its title. No entries: all by
// their titles.
using ColumnWishes = std::vector<std::optional<std::string>>;
// invalid "bad_value" (pointer): a title that the file does not have, or a field twice.
Result<ColumnWishes> column_wishes(const std::map<std::string, std::string>& by_title, const sheet::TableGuess& guess);

// Adds one to each column that holds something in the row; columns beyond those counted are passed over.
void count_cells(const sheet::Row& row, std::vector<std::uint64_t>& columns);

class ImportPlan {
 public:
  // Columns go as wished, else to the field that has their title or name; others are left out. Of one without a title
  // that the sample met no cell in, nobody saw what is left out: a row with a cell there fails (extra_cells), unless
  // the column is wished away. The types chosen count before those guessed; for a type that is there its fields count
  // before both. invalid "schema_invalid" (pointer).
  static Result<ImportPlan> make(const TypeDefinition& type, bool is_there, const sheet::TableGuess& guess,
                                 const ColumnWishes& wishes, const std::map<std::string, FieldType>& chosen);

  struct Failure {
    std::optional<std::size_t> column;
    std::string code;
  };
  struct Row {
    std::uint64_t number = 0;
    Values values;                  // of all columns that have a field, canonical, ascending; empty cells are Null
    std::vector<NamedValue> named;  // the same, as commands take them
    std::vector<Failure> failures;
  };
  [[nodiscard]] Row read(const sheet::Row& row) const;
  // Whether a stored value is the one read, written in another way: a telephone number as it was typed, a decimal with
  // other zeros at its end.
  [[nodiscard]] bool is_same(FieldNo field, const Value& stored, const Value& now) const;
  [[nodiscard]] std::vector<std::string> fields() const;  // those that a column goes to
  [[nodiscard]] const std::string& field_of(std::size_t column) const { return columns_[column].field; }  // or empty
  [[nodiscard]] const TypeDefinition& type() const { return type_; }

 private:
  struct Column {
    std::string field;
    sheet::ColumnType type = sheet::ColumnType::text;
    sheet::ColumnStyle style;
    sheet::Fit fit = sheet::Fit::readable;
    bool must_be_empty = false;  // neither a title nor somebody says where it goes, and nobody saw a cell of it
  };
  void add_cell(std::size_t at, const sheet::Cell& cell, Row& out) const;

  TypeDefinition type_;
  std::vector<Column> columns_;
};

// The type that the guess proposes, with what the caller wants otherwise; not checked yet. wanted null: for a preview,
// without name and classes.
TypeDefinition proposed_type(const sheet::TableGuess& guess, const ColumnWishes& wishes, const ImportCommit* commit);
// The field of a new type that takes a column; empty: none.
const std::string& proposed_field(const sheet::TableGuess& guess, const ColumnWishes& wishes, std::size_t column);

// Examples of a column, out of the file.
struct ColumnSamples {
  std::vector<std::string> examples;
  std::vector<std::string> exceptions;
};
// Moves them out of the guess; what stays there holds no cell.
std::vector<ColumnSamples> take_samples(sheet::TableGuess& guess);
void wipe_samples(std::vector<ColumnSamples>& samples);

}  // namespace siegel::service
