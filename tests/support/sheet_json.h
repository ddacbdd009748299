// What a reader makes of a file, as JSON: for expectations that are kept in files, and for tests in other languages.
// {"format", "encoding", "delimiter", "sheets": [{"name", "hidden"}], "sheet", "merged",
//  "rows": [{"row", "hidden" (only if true), "cells": [null, "text", {"number": "1"}, …]}],
//  "error": {"code", "row", …}}: the error with all its context, rows before it included.
#pragma once

#include <nlohmann/json.hpp>

#include "sheet/table.h"

namespace siegel::test {

// From {"format", "sheet", "delimiter", "encoding", "limits": {"cell_bytes_max", …}}, all optional.
sheet::TableOptions table_options(const nlohmann::json& options);
nlohmann::json table_as_json(ByteView bytes, const sheet::TableOptions& options);

}  // namespace siegel::test
