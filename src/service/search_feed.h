// Feeds the search index: loads it from sealed rows when the service starts, follows the projector from then on, and
// takes out what an erasure ends.
//
// Order:   a value is opened, or its key is asked whether it lives, and the index takes it over, under one lock; an
//          erasure sets its fences first and comes for the lock then. So nothing of the dying gets in after it has been
//          taken out.
// Loading: one type after the other, also anew where the fields of a type change. A record that changes meanwhile is
//          read at once, from its newest row, and passed over by the loader.
// Imports: what an unfinished one adds is known and hidden, so that finishing it is one step; what it changes stays as
//          it was, and is read from its row when it is finished.
// Threads: start() and stop() by the service; folded() and missed() by the projector; the others by anybody. One thread
//          of its own loads.
#pragma once

#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <thread>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "base/error.h"
#include "base/guarded.h"
#include "ledger/ledger.h"
#include "model/definitions.h"
#include "search/index.h"
#include "vault/vault.h"
#include "views/projection.h"

namespace siegel::service {

class SearchFeed final : public views::Follower {
 public:
  using RegistriesNow = std::function<std::shared_ptr<const Registries>()>;
  SearchFeed(views::Views& views, vault::Vault& vault, RegistriesNow registries, std::size_t bytes_max);
  ~SearchFeed() override { stop(); }

  void start(std::shared_ptr<ledger::SystemReceipt> receipt);  // begins to follow; loads in the background
  void stop();
  [[nodiscard]] bool ready() const;  // nothing is loading

  void folded(views::Recorded& event) override;
  void missed() override;

  // These records are being erased, in part or whole, and their fences stand: until look_again() has come to them,
  // find() looks at those anew that it finds. From any thread, and short: the writer calls it.
  void expect(std::span<const RecordId> dying);
  // When it returns, the index knows of these records what can still be opened.
  void look_again(std::span<const RecordId> records);

  // unavailable "starting" while the type loads, overloaded "overloaded" if it has no room. Conditions are of
  // searchable fields.
  Result<std::vector<RecordId>> find(TypeNo type, std::span<const search::Condition> conditions,
                                     const std::optional<RecordId>& after, std::size_t limit);
  // The errors of find() without looking; else which load the type is known from.
  Result<std::uint64_t> loads_of(TypeNo type, std::span<const search::Condition> conditions) const;
  [[nodiscard]] const search::Index& index() const { return index_; }

 private:
  struct Field {
    FieldNo number;
    FieldType type = FieldType::text;
    bool operator==(const Field&) const = default;
  };
  struct Type {
    enum class State : std::uint8_t { loading, ready, too_large } state = State::loading;
    std::vector<Field> fields;
    std::unordered_set<RecordId, IdHash> newer;  // while it loads: read since it began
    std::uint64_t loads = 0;                     // times it began to load
  };
  enum class Dying : std::uint8_t { not_looked_at, looked_at, gone };  // since it was named; gone: nothing of it lives
  // All with mutex_ locked but run() and load().
  void begin_load(TypeNo number, Type& type);
  void define(TypeNo number);
  void follow_record(views::Recorded& event);
  void follow_imported(views::Recorded& event);
  void finish_import(const Header& header);  // this and the next lock by themselves, again and again
  void cancel_import(const Header& header);
  static void pause(std::unique_lock<std::mutex>& lock, std::size_t done);  // lets others in from time to time
  [[nodiscard]] std::size_t hidden(TypeNo type) const;
  [[nodiscard]] bool hides(TypeNo type, const RecordId& record) const;
  void refresh(TypeNo number, Type& type, const RecordId& record);
  Status take_over(TypeNo number, Type& type, const RecordId& record, const views::RecordRow& row);
  void change(TypeNo number, Type& type, search::Change change);
  // What is left of a dying record meets them; it is looked at anew for that. Takes from the patience what that costs.
  Result<bool> meets_anew(TypeNo type, std::span<const search::Condition> conditions, const RecordId& record,
                          std::size_t& patience);
  [[nodiscard]] Dying dying(const RecordId& record) const;
  void lives_again(const RecordId& record);  // somebody has filled a field of another class: it is gone no longer
  void run();
  void load(TypeNo number);  // the loader's thread

  views::Views& views_;
  vault::Vault& vault_;
  const RegistriesNow registries_;
  const std::size_t bytes_max_;

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::shared_ptr<ledger::SystemReceipt> receipt_;  // none: does not follow
  std::map<TypeNo, Type> types_;                    // those with searchable fields
  // Imports seen to begin. One that is not in here when it is finished is loaded with its type.
  struct Unfinished {
    TypeNo type;
    std::unordered_set<RecordId, IdHash> hidden;  // added by it, and in the index
    std::vector<RecordId> later;                  // to be read when it is finished
  };
  std::map<JobId, Unfinished> unfinished_;
  bool stop_ = false;
  std::uint64_t looked_again_ = 0;  // records: what a search found before may be of yesterday
  search::Index index_;
  // Those of erasures that look_again() has not come to. Its lock is taken last.
  Guarded<std::unordered_map<RecordId, Dying, IdHash>> dying_{};
  std::thread loader_;
};

// What a value is searched by; one for each item of a list.
void add_keys(std::vector<search::FieldKey>& to, FieldNo field, FieldType type, const Value& value);

}  // namespace siegel::service
