// The report of `siegel verify` for people, in their language. With --json it is verify::to_json() for all of them.
#pragma once

#include <string>

#include "app/report.h"
#include "verify/verify.h"

namespace siegel::app {

std::string verify_text(const verify::Report& report, const Speech& speech);

}  // namespace siegel::app
