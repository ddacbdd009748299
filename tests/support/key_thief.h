// The attacker of docs/deletion.md: has every byte that the keys store ever wrote, and a root key. Shares no code with
// the vault: reads RocksDB's log format and our node format by itself, from docs/formats/keys.md (AES-GCM and SHA-256
// are OpenSSL's).
#pragma once

#include <map>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "model/ids.h"

namespace siegel::test {

using Nonce12 = ByteArray<12>;

// One put or delete that a write-ahead log holds.
struct LoggedRow {
  std::uint32_t family = 0;  // RocksDB's number: 1 nodes, 2 fences, 3 meta, 4 pending
  std::string key;
  std::string value;
  bool removed = false;
};
// Rows of all whole records; what is no write-ahead log gives none.
std::vector<LoggedRow> rows_of_log(std::string_view file);

struct StolenRoot {
  std::uint64_t epoch = 0;
  Hash key{};
};
// Valid slots of a root file.
std::vector<StolenRoot> roots_of(std::string_view file);

class KeyThief {
 public:
  explicit KeyThief(const Id16& tree) : tree_(tree) {}

  void take(const std::vector<std::string>& files);
  // Leaf keys by slot that some chain of ciphertexts leads to from this key, whatever the versions say. One slot may
  // have several.
  [[nodiscard]] std::map<std::uint64_t, std::set<Hash>> reach(const Hash& root) const;
  [[nodiscard]] std::size_t nodes() const { return nodes_.size(); }
  // Every (key, nonce) pair under which a reachable node is sealed, with how many different ciphertexts it has.
  [[nodiscard]] std::map<std::pair<Hash, Nonce12>, std::set<std::string>> seals(const Hash& root) const;

 private:
  template <class Node, class Leaf>
  void walk(const Hash& root, Node&& on_node, Leaf&& on_leaf) const;

  Id16 tree_;
  std::set<std::pair<std::string, std::string>> nodes_;  // key, value
};

}  // namespace siegel::test
