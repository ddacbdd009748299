// The parts of the server's life that no request shows: what is opened again, what is waited for, who gets descriptors.
#include <sys/resource.h>

#include "app/descriptors.h"
#include "support/catch.h"

using namespace siegel;
using namespace siegel::app;

TEST_CASE("clients leave the stores their descriptors", "[unit][app]") {
  CHECK(connections_for(1'048'576) == kConnectionsMax);
  CHECK(connections_for(4096) == kConnectionsMax);
  CHECK(connections_for(1024) == 128);
  CHECK(connections_for(256) == 32);
  CHECK(connections_for(0) == 1);
  rlimit limit{};
  const auto now = raise_descriptors();
  REQUIRE(getrlimit(RLIMIT_NOFILE, &limit) == 0);
  CHECK(limit.rlim_cur == limit.rlim_max);
  CHECK((limit.rlim_max == RLIM_INFINITY || now == limit.rlim_max));
}
