// The identity index: who has this e-mail address? In memory only, keyed by a random key of the process, so that a
// memory image of another run says nothing. Loaded at open from sealed rows under a SystemReceipt; until then lookups
// answer "starting". Counts how many records of a subject carry an identity, so that a change or a removal takes back
// only its own. People who were merged are found as one. What is taken back while the index loads may be of rows that
// the loader has opened and not yet added: that is remembered until all is loaded, so that nobody who was erased
// meanwhile stays known. Cost: about 45 bytes an identity. Threads: all from any thread.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "crypto/hmac.h"
#include "decide/merges.h"
#include "model/definitions.h"
#include "model/id_table.h"

namespace siegel::decide {

using IdentityKey = Strong<struct IdentityKeyTag, Id16>;  // keyed hash, meaningless outside this process

class IdentityIndex {
 public:
  IdentityIndex(Random& random, const Merges& merges);  // merges lives longer

  // Keyed hash over the kinds of the fields and their match forms; nothing if a value is missing (an incomplete
  // identity matches none).
  [[nodiscard]] std::optional<IdentityKey> key(const TypeDefinition& type, const Values& values) const;
  [[nodiscard]] IdentityKey key(std::string_view system, std::string_view external_id) const;

  struct Found {
    std::optional<SubjectId> subject;  // by the id that he goes by; none: nobody, or several
    bool ambiguous = false;            // several: choose none, flag the row
  };
  [[nodiscard]] Found find(const IdentityKey& key) const;
  // Everybody who has it: for who is told that there are several.
  [[nodiscard]] std::vector<SubjectId> all(const IdentityKey& key) const;
  void add(const IdentityKey& key, const SubjectId& subject);
  void take(const IdentityKey& key, const SubjectId& subject);               // one record less
  void forget(std::span<const IdentityKey> keys, const SubjectId& subject);  // all of them: the subject is erased
  // By the loader, of a row that it has opened. `lives` is asked after the adding: whether its keys still do.
  void load(const IdentityKey& key, const SubjectId& subject, const std::function<bool()>& lives);
  [[nodiscard]] bool loaded() const;
  void set_loaded();
  [[nodiscard]] std::size_t size() const;

 private:
  bool take_one(const IdentityKey& key, const SubjectId& subject);  // false: it was not there
  void drop(std::span<const IdentityKey> keys, const SubjectId& subject);
  struct Entry {
    SubjectId subject;
    std::uint32_t records = 0;
  };
  HmacKey hmac_;
  const Merges& merges_;

  mutable std::mutex mutex_;
  IdTable<IdentityKey> keys_;
  std::deque<Entry> one_;                                             // by the number of its key
  std::unordered_map<IdentityKey, std::vector<Entry>, IdHash> more_;  // further subjects of the same identity: rare
  std::unordered_set<SubjectId, IdHash> erased_;                      // while it loads
  std::vector<std::pair<IdentityKey, SubjectId>> taken_early_;        // while it loads: what was not there yet
  bool loaded_ = false;
};

}  // namespace siegel::decide
