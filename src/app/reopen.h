// Whether a ledger that does not write is worth opening again: at each opening all checks of a start are made.
#pragma once

#include <vector>

#include "base/time.h"
#include "ledger/ledger.h"

namespace siegel::app {

enum class Opened : bool { read_only, writable };  // what it was when it was opened

// It wrote until something went wrong, or could not begin for a cause that passes; a lock record in doubt does not. A
// clock that stepped back has passed once it shows the newest event's time again.
bool may_write_again(const std::vector<ledger::Reason>& reasons, Opened opened, TimeMs newest, TimeMs now);

}  // namespace siegel::app
