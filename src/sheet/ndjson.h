// JSON objects, one a line, as a table: the header are the names of all members in the order of their first appearance,
// as a row with the number 0, which no line has. Numbers keep all their digits; arrays and objects within are cells of
// JSON text. The text is read twice, so that no more than the names is held.
// RapidJSON stays in ndjson.cc: it checks the whole text and hands out a number as it is written, however long it is;
// simdjson does one or the other.
#pragma once

#include "sheet/table.h"

namespace siegel::sheet {

bool looks_like_ndjson(std::string_view text);  // its first line is a JSON object
Result<std::unique_ptr<TableReader>> open_ndjson(ByteView bytes, const TableOptions& options);

}  // namespace siegel::sheet
