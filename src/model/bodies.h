// What is inside the parts, in clear: the model side of schemas/body.capnp. All of it may be personal.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "model/definitions.h"
#include "model/field.h"
#include "model/ids.h"

namespace siegel {

struct ActorBody {
  std::uint64_t time_micros = 0;
  std::optional<Id16> session;
  std::string request_id;
};

struct RecordBody {
  enum class Fact : std::uint8_t { added, changed, removed };
  Fact fact = Fact::added;
  RecordId record;
  Values values;
  Personal<std::string> reason;
  Personal<Bytes> reason_share{};  // in place of it, where the event has several parts: codec/reason_shares.h
  std::uint32_t row = 0;           // of the file that an import brought; 0: none
};

struct ExternalReference {
  std::string system;
  std::string id;
  auto operator<=>(const ExternalReference&) const = default;
};

struct SubjectRegistered {};
struct SubjectLinked {
  Personal<ExternalReference> reference;
};
// In a part of each who is merged: who all of them go by from then on. In the part of that one it names himself.
struct SubjectMerged {
  SubjectId into;
};
using SubjectBody = std::variant<SubjectRegistered, SubjectLinked, SubjectMerged>;

struct TokenCreated {
  TokenId id;
  Hash hash{};
  TokenGrant grant;
};
struct TokenRevoked {
  TokenId id;
};
using RegistryBody = std::variant<PurposeDefinition, ClassDefinition, TypeDefinition, TokenCreated, TokenRevoked>;

struct ErasureNotice {
  ErasureId erasure;
  std::vector<RecordId> records;
  std::vector<Personal<ExternalReference>> external;
  std::vector<ClassNo> classes;
  std::vector<Slot> slots;
};

// What an export was made of: who holds the export and the ledger can tell that nothing was left out.
struct ExportBody {
  struct Leaf {
    ClassNo cls;
    Slot slot;
    std::uint64_t count = 0;
    bool operator==(const Leaf&) const = default;
  };
  std::vector<Leaf> leaves;  // ascending by slot
};

struct LedgerBody {
  std::string origin;
  std::string version;
  std::vector<std::pair<std::string, std::string>> settings;
};

struct IdempotencyBody {
  Hash request{};
  Bytes outcome;
};

}  // namespace siegel
