// The stores of a data directory, opened in this process: ledger and vault, on demand read models and their projector.
// For what is measured below the server.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "base/clock.h"
#include "crypto/random.h"
#include "ledger/ledger.h"
#include "ledger/signer.h"
#include "projector/projector.h"
#include "service/service.h"
#include "store/file.h"
#include "vault/root_store.h"
#include "vault/vault.h"
#include "views/views.h"

namespace siegel::bench {

class Stores {
 public:
  enum class With : bool { ledger_and_vault, projections };
  static Result<std::unique_ptr<Stores>> open(const std::filesystem::path& data, With with);
  ~Stores() { close(); }
  void close();

  [[nodiscard]] ledger::Ledger& ledger() { return *ledger_; }
  [[nodiscard]] vault::Vault& vault() { return *vault_; }
  [[nodiscard]] TreeSize projected() const { return views_->position(); }
  [[nodiscard]] Status projector_status() const { return projector_->status(); }
  [[nodiscard]] std::string verifier_key() const { return signer_->verifier_key(); }

  // All projections anew into an empty store in dir; seconds.
  Result<double> rebuild(const std::filesystem::path& dir);

 private:
  class SameThread final : public service::Executor {
    void post(std::function<void()> work) override { work(); }
  };
  Status open_all(const std::filesystem::path& data, With with);
  Status start_projections(const std::filesystem::path& dir, const LedgerId& id);

  SystemClock clock_;
  SystemRandom random_;
  SystemFiles files_;
  SameThread executor_;
  std::unique_ptr<DirectoryLock> lock_;
  std::unique_ptr<ledger::FileSigner> signer_;
  std::unique_ptr<ledger::Ledger> ledger_;
  std::unique_ptr<vault::RootStore> root_;
  std::unique_ptr<vault::Vault> vault_;
  std::unique_ptr<Store> views_store_;
  std::unique_ptr<views::Views> views_;
  std::unique_ptr<projector::Projector> projector_;
  std::unique_ptr<service::Service> service_;  // only makes receipts of jobs; never started
};

// What the ledger takes on the disk, in bytes: tables after a flush, without the log that they replace. Closed ledgers.
Result<std::uint64_t> ledger_bytes(const std::filesystem::path& data);

}  // namespace siegel::bench
