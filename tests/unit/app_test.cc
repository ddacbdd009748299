// The parts of the server's life that no request shows: what is opened again, what is waited for, who gets descriptors.
#include <sys/resource.h>

#include "app/descriptors.h"
#include "app/reopen.h"
#include "support/catch.h"

using namespace siegel;
using namespace siegel::app;

namespace {

std::vector<ledger::Reason> reasons(const char* code) { return {{code, ""}}; }

}  // namespace

TEST_CASE("a ledger is opened again once the cause may have passed", "[unit][app]") {
  const TimeMs newest(1'000'000), before(999'999), after(1'000'000);
  CHECK_FALSE(may_write_again({}, Opened::writable, newest, after));
  CHECK(may_write_again(reasons("write_failed"), Opened::writable, newest, before));
  CHECK(may_write_again(reasons("disk_full"), Opened::read_only, newest, before));
  CHECK_FALSE(may_write_again(reasons("behind_lock_record"), Opened::read_only, newest, after));
  // Until the clock has come back there is nothing to gain, and reads would be interrupted; then there is.
  for (const auto opened : {Opened::writable, Opened::read_only}) {
    CHECK_FALSE(may_write_again(reasons("clock_stepped_back"), opened, newest, before));
    CHECK(may_write_again(reasons("clock_stepped_back"), opened, newest, after));
  }
}

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
