#include "app/reopen.h"

#include <algorithm>

namespace siegel::app {

bool may_write_again(const std::vector<ledger::Reason>& reasons, Opened opened, TimeMs newest, TimeMs now) {
  const auto is_clock = [](const ledger::Reason& reason) { return reason.code == "clock_stepped_back"; };
  if (reasons.empty()) return false;
  if (std::any_of(reasons.begin(), reasons.end(), is_clock) && now < newest) return false;
  return opened == Opened::writable || std::all_of(reasons.begin(), reasons.end(), [&](const ledger::Reason& reason) {
           return reason.code == "disk_full" || reason.code == "write_failed" || is_clock(reason);
         });
}

}  // namespace siegel::app
