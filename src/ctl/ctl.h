// The command line of contract section 3: parses the words, runs one command, gives its exit code.
// Results go to stdout, messages to stderr. R commands speak HTTP to a server; L commands are the hooks of ctl/local.h.
#pragma once

#include "ctl/local.h"

namespace siegel::ctl {

int run(int argc, char** argv, const LocalCommands& local);

}  // namespace siegel::ctl
