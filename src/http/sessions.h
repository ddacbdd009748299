// Who is signed in on the pages. The browser holds a random cookie, this holds the token that it stands for: in memory
// only, so a restart signs everybody out. A session ends by itself after a while without a request, and after its
// lifetime in any case; that its token still counts is for the caller to ask with each request. A token that was made
// for one session only is of no use after it: those are told to the caller, who takes them back.
// Limits:  sessions_max in all, sessions_per_token_max of one token: the one that was used longest ago makes room.
// Threads: any. Times are steady: now never steps back.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/guarded.h"
#include "base/secret.h"
#include "model/ids.h"

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

  // A token made for one session, and who made it.
  struct Made {
    TokenId token, by;
    friend bool operator==(const Made&, const Made&) = default;
  };
  // For a token that was found good: sgl_ and 43 characters. Returns the cookie's value, 43 characters of base64url.
  std::string begin(std::string_view token, Instant now, std::optional<Made> made = std::nullopt);
  // The token of a living session, whose idle time starts anew.
  std::optional<std::string> token_of(std::string_view cookie, Instant now);
  void end(std::string_view cookie);
  std::vector<Made> take_over(Instant now);  // made for sessions that are over; each is told once
  void put_back(const Made& made);           // that one could not be taken back: it is told again
  [[nodiscard]] std::size_t size() const;
  [[nodiscard]] const SessionOptions& options() const noexcept { return options_; }

 private:
  static constexpr std::size_t kTokenChars = 47;
  struct Session {
    SecretArray<kTokenChars> token;
    Hash token_hash{};
    Instant begun, used;
    std::optional<Made> made;
  };
  using BySecret =
      std::map<Hash, Session>;  // the hash of the cookie: what is compared byte by byte tells nothing of it
  struct All {
    BySecret living;
    std::vector<Made> over;
  };
  [[nodiscard]] bool is_over(const Session& session, Instant now) const;
  static BySecret::iterator drop(All& all, BySecret::iterator at);
  void drop_over(All& all, Instant now) const;
  void make_room(All& all, const Hash& token) const;

  const SessionOptions options_;
  Random& random_;
  Guarded<All> all_;
};

}  // namespace siegel::http
