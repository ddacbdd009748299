// The reason of a change whose event has a part for each of several deletion classes. It may speak of any of them, so
// it must be gone with the first: each part holds a share, as long as the reason. All but the last are random, and all
// of them together, XORed, are the reason; fewer tell nothing but its length. Pure but for the random bytes; any
// thread.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "model/bodies.h"

namespace siegel::codec {

// One share for each part, of which there is at least one.
std::vector<Personal<Bytes>> share_reason(const Personal<std::string>& reason, std::size_t parts, Random& random);
// From those of all parts; wipes them. Errc::corrupt "body_damaged": they are not of one reason.
Result<Personal<std::string>> join_reason(std::vector<Personal<Bytes>> shares);

}  // namespace siegel::codec
