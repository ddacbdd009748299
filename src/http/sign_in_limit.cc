#include "http/sign_in_limit.h"

#include <arpa/inet.h>

#include <string_view>

namespace siegel::http {
namespace {

std::string line_of(const std::string& address) {
  constexpr std::string_view kMapped = "::ffff:";  // an IPv4 address, on a socket that takes both
  if (address.starts_with(kMapped) && address.find('.') != address.npos) return address.substr(kMapped.size());
  const auto bare = address.substr(0, address.find('%'));  // without the interface
  in6_addr bytes{};
  if (inet_pton(AF_INET6, bare.c_str(), &bytes) != 1) return address;
  return {bytes.s6_addr, bytes.s6_addr + 8};
}

}  // namespace

bool SignInLimit::count_wrong(const std::string& address, Instant now) {
  return minute_.with([&](Minute& minute) {
    if (now - minute.began >= std::chrono::minutes(1)) minute = {now, {}};
    const auto line = line_of(address);
    if (minute.wrong.size() >= kLinesMax && !minute.wrong.contains(line)) return false;
    return ++minute.wrong[line] <= kWrongMax;
  });
}

}  // namespace siegel::http
