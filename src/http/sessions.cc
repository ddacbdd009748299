#include "http/sessions.h"

#include <algorithm>

#include "base/assert.h"
#include "base/text.h"
#include "crypto/sha256.h"

namespace siegel::http {

std::string Sessions::begin(std::string_view token, Instant now) {
  SIEGEL_ASSERT(token.size() == kTokenChars);
  ByteArray<32> secret;
  random_.fill(secret);
  auto cookie = to_base64url(secret);
  wipe(secret.data(), secret.size());
  all_.with([&](All& all) {
    const auto hash = sha256(as_bytes(token));
    make_room(all, hash, now);
    all.emplace(sha256(as_bytes(cookie)), Session{SecretArray<kTokenChars>(as_bytes(token)), hash, now, now});
  });
  return cookie;
}

std::optional<std::string> Sessions::token_of(std::string_view cookie, Instant now) {
  return all_.with([&](All& all) -> std::optional<std::string> {
    const auto at = all.find(sha256(as_bytes(cookie)));
    if (at == all.end()) return std::nullopt;
    if (is_over(at->second, now)) {
      all.erase(at);
      return std::nullopt;
    }
    at->second.used = now;
    return std::string(as_chars(at->second.token.view()));
  });
}

void Sessions::end(std::string_view cookie) {
  all_.with([&](All& all) { all.erase(sha256(as_bytes(cookie))); });
}

std::size_t Sessions::size() const {
  return all_.with([](const All& all) { return all.size(); });
}

bool Sessions::is_over(const Session& session, Instant now) const {
  return now - session.used >= options_.idle || now - session.begun >= options_.lifetime;
}

void Sessions::make_room(All& all, const Hash& token, Instant now) const {
  std::erase_if(all, [&](const auto& entry) { return is_over(entry.second, now); });
  const auto drop_oldest = [&](auto&& of_these) {
    auto oldest = all.end();
    for (auto at = all.begin(); at != all.end(); ++at)
      if (of_these(at->second) && (oldest == all.end() || at->second.used < oldest->second.used)) oldest = at;
    if (oldest != all.end()) all.erase(oldest);
  };
  const auto same_token = [&](const Session& session) { return session.token_hash == token; };
  const auto of_token = std::count_if(all.begin(), all.end(), [&](const auto& e) { return same_token(e.second); });
  if (static_cast<std::size_t>(of_token) >= options_.sessions_per_token_max) drop_oldest(same_token);
  if (all.size() >= options_.sessions_max) drop_oldest([](const Session&) { return true; });
}

}  // namespace siegel::http
