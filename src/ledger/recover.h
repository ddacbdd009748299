// Private to ledger: what open() finds in the store, checked. Reads the head row, the rows of the open tile and at most
// 255 full tiles a level: no full scan, whatever the size.
#pragma once

#include <optional>
#include <string>

#include "ledger/layout.h"
#include "ledger/ledger.h"
#include "ledger/tree.h"

namespace siegel::ledger {

struct Noted {
  TreeSize size;
  std::string note;
};

struct Recovered {
  Head head;
  TreeWriter tree;
  std::optional<Noted> newest;  // the newest note in the store, checked against the tree but for its signature
};
Result<Recovered> recover(Store& store, const Options& options);

// Compares with the lock record. Nothing: it is there, good, and the ledger reaches it.
std::optional<Reason> compare(const Result<std::optional<std::string>>& lock_record, Signer& signer, Store& store,
                              const TreeView& tree, TreeSize& locked);

}  // namespace siegel::ledger
