// Which roles may send a request, for the message to whom the server refused it. The server decides; its answer does
// not say who may (docs/operations.md has the table for people, tests/e2e/cli_test.py compares this one with the
// server).
#pragma once

#include <string>

#include "ctl/client.h"

namespace siegel::ctl {

std::string roles_for(const Request& request);  // "editor, privacy_officer"; empty: all, or not known

}  // namespace siegel::ctl
