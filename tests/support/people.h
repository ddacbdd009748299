// A small organisation over the real ledger and the real vault, on disks in memory: it registers people, keeps, changes
// and removes their records, looks at them, and erases them. One seed is one history.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "codec/bodies_codec.h"
#include "model/bodies.h"
#include "model/definitions.h"
#include "support/ledger_world.h"
#include "vault/vault.h"

namespace siegel::test {

class People {
 public:
  explicit People(std::uint64_t seed);
  ~People();

  void start(const std::vector<ledger::Tail*>& tails = {});  // opens the ledger and lets it write
  ledger::SystemReceipt receipt(JobFacts::Kind kind = JobFacts::Kind::projector);

  void step();  // one of the things below, by the seed
  std::size_t register_person(bool linked);
  std::size_t add_record(std::optional<std::size_t> person, std::size_t classes);
  void change_record(std::size_t record);
  void remove_record(std::size_t record);
  void begin_import();
  void import_row();  // of any import under way: a new record, or a change of one that no other import holds
  void end_import(EventType type);  // import_finished or import_cancelled, of any
  void look_at(const std::vector<std::size_t>& persons);
  void merge(std::size_t into, std::size_t other);
  void set_registries();
  void bulk(std::size_t records);  // one command of many events
  // Up to which step of keys.md 5 an erasure goes.
  enum class Until : std::uint8_t { fenced, requested, effective, completed, notice_gone };
  void erase(const std::vector<std::size_t>& persons, const std::vector<std::uint32_t>& classes, Until until);
  void finish_open();  // open requests become effective

  struct Person {
    SubjectId id;
    std::map<ClassNo, Slot> leaves;
    bool open = false;  // a request is open: nothing is written about him
    bool gone = false;
  };
  struct Record {
    RecordId id;
    TypeNo type;
    std::optional<std::size_t> person;
    std::set<ClassNo> classes;
    bool removed = false;
    // Of the import that holds it, while that is under way: nobody else changes it.
    std::optional<JobId> import{};
    std::set<ClassNo> classes_before{};  // empty: the import made it
  };
  std::vector<Person> persons;
  std::vector<Record> records;
  std::vector<std::string> canaries;  // every personal text that was ever written
  std::vector<Hash> idempotency;      // keyed hashes of the clients' keys

  LedgerWorld world;
  std::unique_ptr<vault::RootStore> root;
  std::unique_ptr<vault::Vault> vault;
  std::unique_ptr<ledger::Ledger> ledger;

 private:
  struct Open {
    std::vector<vault::Fence> fences;
    std::vector<std::size_t> persons;
    std::vector<std::uint32_t> classes;
  };
  ledger::Draft draft(EventType type, Facts facts = NoFacts{});
  void add_part(ledger::Draft& draft, Slot slot, ClassNo cls, const OwnerId& owner, ByteView body);
  void add_trace(ledger::Draft& draft, Slot slot, const OwnerId& owner);
  ledger::Committed commit(std::vector<ledger::Draft> drafts);
  ledger::Committed commit(ledger::Draft draft);
  Slot leaf(std::map<ClassNo, Slot>& leaves, ClassNo cls);
  ledger::Draft draft_record(EventType type, const Record& record, const std::set<ClassNo>& classes);
  std::size_t add_record(Record record, std::size_t classes);
  Values some_values(ClassNo cls);
  std::string canary();
  void carry_out(Open open, Until until);
  void one_epoch(std::span<const vault::Fence> fences);
  void system_event(EventType type, Facts facts);
  std::optional<std::size_t> any_person();
  std::optional<std::size_t> any_record();

  std::map<Slot, std::uint64_t> numbers_;
  std::map<ClassNo, Slot> own_leaves_;  // of the ledger itself
  std::map<ClassNo, Slot> token_leaves_;
  std::map<TypeNo, std::map<ClassNo, Slot>> type_leaves_;
  TokenId token_;
  std::uint32_t registered_ = 0;
  std::vector<Open> open_;
  std::vector<JobId> imports_;  // under way
};

inline constexpr TypeNo kPeopleType{1};
inline constexpr TypeNo kThingsType{2};  // concerns nobody

}  // namespace siegel::test
