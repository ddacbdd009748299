// Damage to bytes, from a seed. For inputs that are text as well as for binary ones.
#pragma once

#include "support/seeded_random.h"

namespace siegel::test {

// Flips, overwrites, inserts, deletes, repeats and cuts; often only once. Leans to whole words of 8 bytes.
Bytes mutated(Bytes bytes, SeededRandom& random);

}  // namespace siegel::test
