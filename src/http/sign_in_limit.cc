#include "http/sign_in_limit.h"

namespace siegel::http {

void SignInLimit::turn(Minute& minute, Instant now) {
  if (now - minute.began >= std::chrono::minutes(1)) minute = {now, {}};
}

bool SignInLimit::may_try(const std::string& address, Instant now) {
  return minute_.with([&](Minute& minute) {
    turn(minute, now);
    const auto at = minute.wrong.find(address);
    return at == minute.wrong.end() ? minute.wrong.size() < kAddressesMax : at->second < kWrongMax;
  });
}

void SignInLimit::was_wrong(const std::string& address, Instant now) {
  minute_.with([&](Minute& minute) {
    turn(minute, now);
    ++minute.wrong[address];
  });
}

}  // namespace siegel::http
