// Who is signed in on the pages. The browser holds a random cookie, this holds the token that it stands for: in memory
// only, so a restart signs everybody out. A session ends by itself after a while without a request, and after its
// lifetime in any case; that its token still counts is for the caller to ask with each request.
// Limits:  sessions_max in all, sessions_per_token_max of one token: the one that was used longest ago makes room.
// Threads: any. Times are steady: now never steps back.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/guarded.h"
#include "base/secret.h"

namespace siegel::http {

struct SessionOptions {
  std::chrono::seconds idle{30 * 60};
  std::chrono::seconds lifetime{12 * 60 * 60};
  std::size_t sessions_max = 1000;
  std::size_t sessions_per_token_max = 20;
};

class Sessions {
 public:
  using Instant = std::chrono::steady_clock::time_point;
  Sessions(SessionOptions options, Random& random) : options_(options), random_(random) {}

  // For a token that was found good: sgl_ and 43 characters. Returns the cookie's value, 43 characters of base64url.
  std::string begin(std::string_view token, Instant now);
  // The token of a living session, whose idle time starts anew.
  std::optional<std::string> token_of(std::string_view cookie, Instant now);
  void end(std::string_view cookie);
  [[nodiscard]] std::size_t size() const;
  [[nodiscard]] const SessionOptions& options() const noexcept { return options_; }

 private:
  static constexpr std::size_t kTokenChars = 47;
  struct Session {
    SecretArray<kTokenChars> token;
    Hash token_hash{};
    Instant begun, used;
  };
  using All = std::map<Hash, Session>;  // by the hash of the cookie: what is compared byte by byte tells nothing of it
  [[nodiscard]] bool is_over(const Session& session, Instant now) const;
  void make_room(All& all, const Hash& token, Instant now) const;

  const SessionOptions options_;
  Random& random_;
  Guarded<All> all_;
};

}  // namespace siegel::http
