#include "codec/reason_shares.h"

#include <algorithm>
#include <utility>

#include "base/assert.h"
#include "base/secret.h"

namespace siegel::codec {
namespace {

void add(Bytes& to, const Bytes& share) {
  for (std::size_t i = 0; i < to.size(); ++i) to[i] ^= share[i];
}

}  // namespace

std::vector<Personal<Bytes>> share_reason(const Personal<std::string>& reason, std::size_t parts, Random& random) {
  SIEGEL_ASSERT(parts > 0);
  std::vector<Personal<Bytes>> out;
  out.reserve(parts);
  auto last = to_bytes(as_bytes(reason.expose()));
  while (out.size() + 1 < parts) {
    Bytes share(last.size());
    random.fill(share);
    add(last, share);
    out.emplace_back(std::move(share));
  }
  out.emplace_back(std::move(last));
  return out;
}

Result<Personal<std::string>> join_reason(std::vector<Personal<Bytes>> shares) {
  if (shares.empty()) return Personal<std::string>();
  auto all = std::move(shares.back()).expose();
  shares.pop_back();
  const bool fit = std::ranges::all_of(shares, [&](const auto& share) { return share.expose().size() == all.size(); });
  for (auto& one : shares) {
    auto share = std::move(one).expose();
    if (fit) add(all, share);
    wipe(share.data(), share.size());
  }
  std::string reason(as_chars(all));
  wipe(all.data(), all.size());
  if (!fit) return Error(Errc::corrupt, "body_damaged", "The content of a part is damaged.");
  return Personal<std::string>(std::move(reason));
}

}  // namespace siegel::codec
