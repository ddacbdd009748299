// The search index: which records have a value that somebody looks for? In memory only, over the fields of record types
// that are marked searchable; it knows folds (fold.h) and record ids, nothing else, and whoever searches is shown only
// what is opened against his receipt. Who feeds it: service/search_feed.h.
//
// Cost:    per record 16 bytes and 5 to 10 of a hash table, per value 4 bytes and what stands in its block (column.h):
//          about 25 for an e-mail address, 4 for a name that many have. An entry is found in some 5 us, a value that
//          all of a million records have in some 10 ms; docs/performance.md has what was measured.
// Bounds:  bytes() says what it holds, and whoever feeds it stops at a limit. Keys are cut at 200 bytes, so a match on
//          longer texts is a guess: the caller looks at the value itself before he shows it.
// Memory:  what an entry has left is overwritten when it goes, before the call returns.
// Threads: all from any thread; a change keeps readers out for as long as it takes, which is milliseconds at most when
// it
//          brings some thousand records.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <span>
#include <unordered_map>
#include <vector>

#include "model/id_table.h"
#include "search/column.h"
#include "search/fold.h"

namespace siegel::search {

struct FieldKey {
  FieldNo field;
  Key key;  // a fold; empty: the field has no value any more
};
// What is new of one record. A field that is named has these values and no others; several of one field are several
// values.
struct Change {
  RecordId record;
  bool whole = false;  // what is not named is not there: also how a record goes
  std::vector<FieldKey> values;
};

struct Condition {
  FieldNo field;
  Op op = Op::exact;
  Key wanted;  // a fold, not empty
};

class Index {
 public:
  Index() = default;
  Index(const Index&) = delete;
  Index& operator=(const Index&) = delete;

  struct Field {
    FieldNo number;
    bool words = false;  // Op::word meets any word of a value, else its beginning only
  };
  // Begins anew with a type: nothing of it is known from here on. No fields: nothing will be.
  void define(TypeNo type, std::span<const Field> fields);
  // Of types and fields that are not defined nothing is kept.
  void change(TypeNo type, std::vector<Change> changes);
  void pack(TypeNo type);  // ends a load: until then changes are cheap and searches are not

  // Records that meet all conditions (one at least; nothing has a field that is not defined), ascending by id, from
  // behind `after` on.
  [[nodiscard]] std::vector<RecordId> find(TypeNo type, std::span<const Condition> conditions,
                                           const std::optional<RecordId>& after, std::size_t limit) const;
  [[nodiscard]] bool record_meets(TypeNo type, std::span<const Condition> conditions, const RecordId& record) const;
  [[nodiscard]] std::size_t records(TypeNo type) const;
  [[nodiscard]] std::size_t bytes() const;

 private:
  // Values that came since the last merge into the columns; without a key it is gone again.
  struct Fresh {
    FieldNo field;
    std::uint32_t ordinal = 0;
    Key key;
  };
  struct Columns {
    Columns(Blocks& blocks, bool by_words)
        : values(blocks, Column::Places::kept), later(blocks, Column::Places::none), words(by_words) {}
    Column values;
    Column later;  // what the values are from their later words on; without places, since the values tell them
    bool words;
  };
  struct Table {
    Blocks blocks;
    std::map<FieldNo, Columns> columns;
    IdTable<RecordId> ids;  // gives the ordinals
    std::vector<Fresh> fresh;
    std::unordered_multimap<std::uint32_t, std::uint32_t> fresh_by_ordinal;  // their places in `fresh`
    std::size_t fresh_bytes = 0;
    bool loading = true;  // until it is packed

    void change(Change& change);
    void drop(FieldNo field, std::uint32_t ordinal);
    [[nodiscard]] bool add_found(const Condition& condition, std::size_t entries_max,
                                 std::optional<Ordinals>& all) const;  // false: more than so many, nothing is done
    [[nodiscard]] bool meets_value(const Condition& condition, std::string_view key) const;
    [[nodiscard]] bool meets_one(const Condition& condition, std::uint32_t ordinal) const;
    [[nodiscard]] std::size_t fresh_max() const;
    void merge();
    [[nodiscard]] std::size_t bytes() const;
  };

  static std::vector<Condition> short_enough(std::span<const Condition> conditions);

  std::map<TypeNo, std::unique_ptr<Table>> tables_;
  [[nodiscard]] std::unique_lock<std::shared_mutex> alone() const;
  [[nodiscard]] std::shared_lock<std::shared_mutex> among_others() const;

  mutable std::mutex line_;
  mutable std::shared_mutex mutex_;
};

}  // namespace siegel::search
