#include "support/key_thief.h"

#include <array>
#include <optional>

#include "crypto/aead.h"
#include "crypto/sha256.h"

namespace siegel::test {
namespace {

// ── RocksDB's log: blocks of 32 KiB; record = u32 masked CRC-32C | u16 length | u8 type | bytes, all little-endian
// ───────

constexpr std::size_t kBlock = 32768;
constexpr std::size_t kRecordHead = 7;

std::uint32_t crc32c(std::string_view bytes) {
  std::uint32_t crc = 0xffff'ffff;
  for (const char c : bytes) {
    crc ^= static_cast<std::uint8_t>(c);
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0x82f6'3b78u : 0u);
  }
  return ~crc;
}

std::uint32_t little(std::string_view bytes) {
  std::uint32_t out = 0;
  for (std::size_t i = bytes.size(); i-- > 0;) out = (out << 8) | static_cast<std::uint8_t>(bytes[i]);
  return out;
}

std::uint32_t masked(std::uint32_t crc) { return ((crc >> 15) | (crc << 17)) + 0xa282'ead8u; }

std::vector<std::string> records_of(std::string_view file) {
  std::vector<std::string> out;
  std::string open;
  for (std::size_t start = 0; start < file.size(); start += kBlock) {
    auto block = file.substr(start, kBlock);
    while (block.size() >= kRecordHead) {
      const std::size_t length = little(block.substr(4, 2));
      const auto type = static_cast<std::uint8_t>(block[6]);
      if (type < 1 || type > 4 || length > block.size() - kRecordHead) break;
      if (little(block.substr(0, 4)) != masked(crc32c(block.substr(6, 1 + length)))) break;
      if (type == 1 || type == 2) open.clear();
      open += block.substr(kRecordHead, length);
      if (type == 1 || type == 4) out.push_back(open);
      block.remove_prefix(kRecordHead + length);
    }
  }
  return out;
}

class BatchReader {
 public:
  explicit BatchReader(std::string_view bytes) : rest_(bytes) {}
  bool done() const { return rest_.empty(); }
  std::optional<std::uint8_t> tag() {
    if (rest_.empty()) return std::nullopt;
    const auto out = static_cast<std::uint8_t>(rest_.front());
    rest_.remove_prefix(1);
    return out;
  }
  std::optional<std::uint32_t> number() {
    std::uint32_t out = 0;
    for (unsigned shift = 0; shift < 35; shift += 7) {
      const auto byte = tag();
      if (!byte) return std::nullopt;
      out |= static_cast<std::uint32_t>(*byte & 0x7f) << shift;
      if ((*byte & 0x80) == 0) return out;
    }
    return std::nullopt;
  }
  std::optional<std::string> text() {
    const auto length = number();
    if (!length || *length > rest_.size()) return std::nullopt;
    std::string out(rest_.substr(0, *length));
    rest_.remove_prefix(*length);
    return out;
  }

 private:
  std::string_view rest_;
};

constexpr std::uint8_t kPutInFamily = 0x05;
constexpr std::uint8_t kDeleteInFamily = 0x04;

void add_rows(std::string_view batch, std::vector<LoggedRow>& out) {
  if (batch.size() < 12) return;
  BatchReader reader(batch.substr(12));
  while (const auto tag = reader.tag()) {
    if (*tag != kPutInFamily && *tag != kDeleteInFamily) return;
    const auto family = reader.number();
    auto key = reader.text();
    auto value = *tag == kPutInFamily ? reader.text() : std::optional(std::string());
    if (!family || !key || !value) return;
    out.push_back({*family, std::move(*key), std::move(*value), *tag == kDeleteInFamily});
  }
}

// ── our nodes ────────────────────────────────────────────────────────────────────────────────────────────────────────

constexpr std::size_t kNodeContent = 64 * 44;
constexpr std::size_t kCommitment = 32;

ByteView view(std::string_view text) { return as_bytes(text); }

std::optional<Bytes> open_row(const Id16& tree, const Hash& key, std::string_view name, std::string_view row) {
  if (row.size() < 12 + 16 + kCommitment + 4 + kNodeContent) return std::nullopt;
  Bytes aad = to_bytes(tree);
  append(aad, view(name));
  Bytes plain(row.size() - 12 - 16);
  if (!aes_gcm_open(SecretKey(key), to_array<12>(view(row).first(12)), aad, view(row).subspan(12), plain))
    return std::nullopt;
  if (plain[32] != 0 || get_be<std::uint32_t>(plain.data() + kCommitment) != kNodeContent) return std::nullopt;
  return Bytes(plain.begin() + kCommitment + 4, plain.begin() + kCommitment + 4 + kNodeContent);
}

}  // namespace

std::vector<LoggedRow> rows_of_log(std::string_view file) {
  std::vector<LoggedRow> out;
  for (const auto& record : records_of(file)) add_rows(record, out);
  return out;
}

std::vector<StolenRoot> roots_of(std::string_view file) {
  std::vector<StolenRoot> out;
  for (const std::size_t at : {std::size_t{0}, std::size_t{4096}}) {
    if (file.size() < at + 512) continue;
    const auto slot = view(file.substr(at, 512));
    if (as_chars(slot.first(8)) != "SIEGELR1" || !equal(sha256(slot.first(480)), slot.last(32))) continue;
    out.push_back({get_be<std::uint64_t>(slot.data() + 16), to_array<32>(slot.subspan(24, 32))});
  }
  return out;
}

void KeyThief::take(const std::vector<std::string>& files) {
  for (const auto& file : files) {
    for (auto& row : rows_of_log(file)) {
      if (!row.removed && row.key.size() == 17) nodes_.emplace(std::move(row.key), std::move(row.value));
    }
  }
}

template <class Node, class Leaf>
void KeyThief::walk(const Hash& root, Node&& on_node, Leaf&& on_leaf) const {
  struct Known {
    unsigned level;
    std::uint32_t index;
    Hash key;
  };
  std::vector<Known> todo{{0, 0, root}};
  std::set<Hash> seen;
  while (!todo.empty()) {
    const auto known = todo.back();
    todo.pop_back();
    if (!seen.insert(known.key).second) continue;
    std::string prefix(1, static_cast<char>(known.level));
    prefix += as_chars(be(known.index));
    for (auto at = nodes_.lower_bound({prefix, {}}); at != nodes_.end() && at->first.starts_with(prefix); ++at) {
      const auto content = open_row(tree_, known.key, at->first, at->second);
      if (!content) continue;
      on_node(known.key, at->second);
      for (std::uint32_t child = 0; child < 64; ++child) {
        const auto key = to_array<32>(ByteView(*content).subspan(child * 44, 32));
        const auto attempt = get_be<std::uint32_t>(content->data() + child * 44 + 40);
        const std::uint64_t below = std::uint64_t{known.index} * 64 + child;
        if (known.level == 4) {
          if (attempt != 0xffff'ffff || key != Hash{}) on_leaf(below, key);
        } else {
          todo.push_back({known.level + 1, static_cast<std::uint32_t>(below), key});
        }
      }
    }
  }
}

std::map<std::uint64_t, std::set<Hash>> KeyThief::reach(const Hash& root) const {
  std::map<std::uint64_t, std::set<Hash>> out;
  walk(
      root, [](const Hash&, const std::string&) {},
      [&](std::uint64_t slot, const Hash& key) { out[slot].insert(key); });
  return out;
}

std::map<std::pair<Hash, Nonce12>, std::set<std::string>> KeyThief::seals(const Hash& root) const {
  std::map<std::pair<Hash, Nonce12>, std::set<std::string>> out;
  walk(
      root,
      [&](const Hash& key, const std::string& row) {
        out[{key, to_array<12>(view(row).first(12))}].insert(row);
      },
      [](std::uint64_t, const Hash&) {});
  return out;
}

}  // namespace siegel::test
