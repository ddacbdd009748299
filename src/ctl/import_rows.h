// A row of a file made into the body of a request. The file's header says which field each column is for.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "ctl/fields.h"
#include "sheet/csv.h"

namespace siegel::ctl {

// What is wrong with one cell, or with the whole row.
struct Fault {
  std::string code;
  std::string column;        // the field's name; empty: the whole row
  std::string reason;        // one sentence
  std::string why = {};      // the reason that texts::value_reason() knows; empty: the sentence says all
  std::string choices = {};  // that there are, where it is none of them
};

struct RowFailure {
  std::vector<Fault> faults;
  sheet::CsvRow cells;  // as they stood in the file
};

// A file of rejects has these behind its own, one that the server made has `reason` as its last; it is taken in again
// as it is.
inline constexpr const char* kRejectColumns[] = {"siegel-row", "siegel-column", "siegel-reason"};
bool is_of_rejects(std::string_view title, bool is_last);
// An export as CSV begins with these ids; it is read again without them. 0: the titles are of another file.
inline constexpr const char* kExportColumns[] = {"record", "subject"};
std::size_t ids_of_export(const std::vector<std::string>& titles);

struct Column {
  enum class Use {
    field,
    passed_over,  // no field, and --ignore-unknown
    untitled,     // its cells must be empty, without --ignore-unknown
    of_rejects    // of an earlier run
  };
  Use use = Use::passed_over;
  const Field* field = nullptr;
};
using Columns = std::vector<Column>;

// Errors: unknown_column (with the titles, unless the first row looks like no header: then it may be about a person),
// no_header, double_column, missing_column. The columns point into the type.
Result<Columns> match(const RecordType& type, const sheet::CsvRow& header, bool ignore_unknown);

struct EmptyRow {};
// The record's body; all that is wrong with the row; or that nothing stands in it.
std::variant<std::string, RowFailure, EmptyRow> read_row(const Columns& columns, const sheet::CsvRow& cells,
                                                         sheet::DecimalSign sign);

Error unknown_column(const std::vector<std::string>& titles);

// Without the cells of kRejectColumns.
sheet::CsvRow own_cells(const Columns& columns, const sheet::CsvRow& row);

}  // namespace siegel::ctl
