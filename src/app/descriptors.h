// File descriptors: shared by the stores, which must always get one, and the clients, which would take all.
#pragma once

#include <cstddef>

namespace siegel::app {

// Raises the soft limit to the hard one; how many there are now.
std::size_t raise_descriptors();

// How many clients may be connected at once so that the stores keep what they need: connections_max of the server.
inline constexpr std::size_t kConnectionsMax = 1024;
std::size_t connections_for(std::size_t descriptors);

}  // namespace siegel::app
