// What every reader of tables owes for any bytes: rows within the limits in ascending order, texts in UTF-8 without
// NUL, forms that hold what they promise, the same rows when it is read again; or an error of the kinds it names.
#pragma once

#include "sheet/table.h"

namespace siegel::test {

std::vector<sheet::Row> check_table(ByteView bytes, const sheet::TableOptions& options);
sheet::TableOptions small_limits();

}  // namespace siegel::test
