// The projections there are, in the order in which each event reaches them. The order matters to erasures alone:
// history goes before records, which count what is left of it, and erasures come last (see their headers).
#pragma once

#include <memory>
#include <vector>

#include "views/projection.h"

namespace siegel::projector {

std::vector<std::unique_ptr<views::Projection>> all_projections();

}  // namespace siegel::projector
