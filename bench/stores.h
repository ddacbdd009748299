// The stores of a data directory, opened in this process: ledger and vault, on demand read models and their projector.
// For what is measured below the server.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "app/stores.h"
#include "base/clock.h"
#include "crypto/random.h"
#include "projector/projector.h"
#include "service/service.h"
#include "views/views.h"

namespace siegel::bench {

class Stores {
 public:
  enum class With : bool { ledger_and_vault, projections };
  static Result<std::unique_ptr<Stores>> open(const std::filesystem::path& data, With with);
  ~Stores() { close(); }
  void close();

  [[nodiscard]] ledger::Ledger& ledger() { return *core_.ledger; }
  [[nodiscard]] vault::Vault& vault() { return *core_.vault; }
  [[nodiscard]] TreeSize projected() const { return views_->position(); }
  [[nodiscard]] Status projector_status() const { return projector_->status(); }
  [[nodiscard]] std::string verifier_key() const { return core_.signer->verifier_key(); }

  // All projections anew into a generation of their own; seconds.
  Result<double> rebuild();

 private:
  class SameThread final : public service::Executor {
    void post(std::function<void()> work) override { work(); }
  };
  Status open_all(const std::filesystem::path& data, With with);
  Status start_projections();

  SystemClock clock_;
  SystemRandom random_;
  SameThread executor_;
  app::Core core_;
  std::unique_ptr<Store> views_store_;
  std::unique_ptr<views::Views> views_;
  std::unique_ptr<projector::Projector> projector_;
  std::unique_ptr<service::Service> service_;  // only makes receipts of jobs; never started
};

// What the ledger takes on the disk, in bytes: tables after a flush, without the log that they replace. Closed ledgers.
Result<std::uint64_t> ledger_bytes(const std::filesystem::path& data);

}  // namespace siegel::bench
