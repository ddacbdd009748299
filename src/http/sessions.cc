#include "http/sessions.h"

#include <algorithm>
#include <utility>

#include "base/assert.h"
#include "base/text.h"
#include "crypto/sha256.h"

namespace siegel::http {

std::string Sessions::begin(std::string_view token, Instant now, std::optional<Made> made) {
  SIEGEL_ASSERT(token.size() == kTokenChars);
  ByteArray<32> secret;
  random_.fill(secret);
  auto cookie = to_base64url(secret);
  wipe(secret.data(), secret.size());
  all_.with([&](All& all) {
    const auto hash = sha256(as_bytes(token));
    drop_over(all, now);
    make_room(all, hash);
    all.living.emplace(sha256(as_bytes(cookie)),
                       Session{SecretArray<kTokenChars>(as_bytes(token)), hash, now, now, std::move(made)});
  });
  return cookie;
}

std::optional<std::string> Sessions::token_of(std::string_view cookie, Instant now) {
  return all_.with([&](All& all) -> std::optional<std::string> {
    const auto at = all.living.find(sha256(as_bytes(cookie)));
    if (at == all.living.end()) return std::nullopt;
    if (is_over(at->second, now)) {
      drop(all, at);
      return std::nullopt;
    }
    at->second.used = now;
    return std::string(as_chars(at->second.token.view()));
  });
}

void Sessions::end(std::string_view cookie) {
  all_.with([&](All& all) {
    if (const auto at = all.living.find(sha256(as_bytes(cookie))); at != all.living.end()) drop(all, at);
  });
}

std::vector<Sessions::Made> Sessions::take_over(Instant now) {
  return all_.with([&](All& all) {
    drop_over(all, now);
    return std::exchange(all.over, {});
  });
}

void Sessions::put_back(const Made& made) {
  all_.with([&](All& all) { all.over.push_back(made); });
}

std::size_t Sessions::size() const {
  return all_.with([](const All& all) { return all.living.size(); });
}

bool Sessions::is_over(const Session& session, Instant now) const {
  return now - session.used >= options_.idle || now - session.begun >= options_.lifetime;
}

Sessions::BySecret::iterator Sessions::drop(All& all, BySecret::iterator at) {
  if (at->second.made) all.over.push_back(*at->second.made);
  return all.living.erase(at);
}

void Sessions::drop_over(All& all, Instant now) const {
  for (auto at = all.living.begin(); at != all.living.end();) at = is_over(at->second, now) ? drop(all, at) : ++at;
}

void Sessions::make_room(All& all, const Hash& token) const {
  const auto drop_oldest = [&](auto&& of_these) {
    auto oldest = all.living.end();
    for (auto at = all.living.begin(); at != all.living.end(); ++at)
      if (of_these(at->second) && (oldest == all.living.end() || at->second.used < oldest->second.used)) oldest = at;
    if (oldest != all.living.end()) drop(all, oldest);
  };
  const auto same_token = [&](const Session& session) { return session.token_hash == token; };
  const auto of_token =
      std::count_if(all.living.begin(), all.living.end(), [&](const auto& e) { return same_token(e.second); });
  if (static_cast<std::size_t>(of_token) >= options_.sessions_per_token_max) drop_oldest(same_token);
  if (all.living.size() >= options_.sessions_max) drop_oldest([](const Session&) { return true; });
}

}  // namespace siegel::http
