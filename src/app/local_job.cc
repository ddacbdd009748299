#include "app/local_job.h"

#include "app/workers.h"
#include "store/memory_store.h"
#include "views/views.h"

namespace siegel::app {
namespace {

constexpr std::uint64_t kSpareLeaves = 64;  // a job seals its own few events only

}  // namespace

Error read_only_error(const ledger::Ledger& ledger) {
  Error error(Errc::unavailable, "read_only", "The ledger is read-only, and this job would write into it.");
  for (const auto& reason : ledger.read_only()) {
    error = std::move(error).with("reason", reason.code).with("values", reason.detail);
  }
  return error;
}

// Events of jobs need nothing that read models know: their keys are fresh. So the service gets empty ones, and works
// whatever became of those on the disk.
struct StoppedJob::Writing {
  MemoryStore store{static_cast<std::size_t>(views::Rows::count_)};
  views::Views views{store};
  Workers workers{1};
  std::unique_ptr<service::Service> service;
};

StoppedJob::StoppedJob(std::filesystem::path data, const Config& config) : data_(std::move(data)), config_(config) {
  config_.spare_leaves = kSpareLeaves;
}

StoppedJob::~StoppedJob() { close(); }

Status StoppedJob::open() {
  SIEGEL_CHECK(core_.open(data_, config_, clock, random));
  if (!core_.ledger->read_only().empty()) return read_only_error(*core_.ledger);
  SIEGEL_CHECK(core_.ledger->start());
  writing_ = std::make_unique<Writing>();
  service::Options options;
  options.origin = core_.signer->origin();
  options.id = core_.id;
  options.timezone = config_.timezone;
  options.verifier_key = core_.signer->verifier_key();
  writing_->service =
      service::Service::make(*core_.ledger, *core_.vault, writing_->views, writing_->workers, clock, random, options);
  return Done{};
}

Result<ledger::SystemReceipt> StoppedJob::begin(JobFacts::Kind kind) { return writing_->service->begin_job(kind); }

void StoppedJob::end(JobFacts::Kind kind, std::uint64_t count) { writing_->service->end_job(kind, count); }

Status StoppedJob::configured(std::vector<std::pair<std::string, std::string>> settings) {
  return writing_->service->configured(std::move(settings));
}

void StoppedJob::close() {
  if (core_.ledger) core_.ledger->close();
  writing_.reset();
  core_.close_stores();
}

}  // namespace siegel::app
