// What does not stop a server and still weakens its promises: said at start-up and in /v1/status (formats of keys, 4
// and 7).
#pragma once

#include <vector>

#include "app/places.h"
#include "crypto/memory.h"

namespace siegel::app {

struct Warning {
  const char* code;
  const char* german;
  const char* english;
};

// single_disk, unencrypted_swap (also where it cannot be known), dumps_possible.
std::vector<Warning> warnings(const Places& places, bool dumps_are_forbidden, const KernelTables& tables = {});

}  // namespace siegel::app
