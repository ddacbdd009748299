#include "model/event_type.h"

#include <array>

namespace siegel {

std::string_view name_of(EventType type) noexcept {
  switch (type) {
    case EventType::registry_purpose_set:
      return "registry.purpose-set";
    case EventType::registry_class_set:
      return "registry.class-set";
    case EventType::registry_type_set:
      return "registry.type-set";
    case EventType::registry_token_created:
      return "registry.token-created";
    case EventType::registry_token_revoked:
      return "registry.token-revoked";
    case EventType::record_added:
      return "record.added";
    case EventType::record_changed:
      return "record.changed";
    case EventType::record_removed:
      return "record.removed";
    case EventType::subject_registered:
      return "subject.registered";
    case EventType::subject_linked:
      return "subject.linked";
    case EventType::subject_merged:
      return "subject.merged";
    case EventType::access_read:
      return "access.read";
    case EventType::refusal_recorded:
      return "refusal.recorded";
    case EventType::erasure_requested:
      return "erasure.requested";
    case EventType::erasure_effective:
      return "erasure.effective";
    case EventType::erasure_completed:
      return "erasure.completed";
    case EventType::job_started:
      return "job.started";
    case EventType::job_finished:
      return "job.finished";
    case EventType::ledger_created:
      return "ledger.created";
    case EventType::ledger_configured:
      return "ledger.configured";
    case EventType::ledger_clock_skewed:
      return "ledger.clock-skewed";
    case EventType::import_begun:
      return "import.begun";
    case EventType::import_finished:
      return "import.finished";
    case EventType::import_cancelled:
      return "import.cancelled";
    case EventType::import_undone:
      return "import.undone";
  }
  return {};
}

bool is_known(EventType type) noexcept { return !name_of(type).empty(); }

namespace {
constexpr std::array<std::string_view, 7> kGrounds = {
    "none", "consent", "contract", "legal-obligation", "vital-interests", "public-task", "legitimate-interests"};
}

std::string_view name_of(LegalGround ground) noexcept { return kGrounds[static_cast<std::size_t>(ground) % 7]; }

std::optional<LegalGround> parse_legal_ground(std::string_view text) noexcept {
  for (std::size_t i = 1; i < kGrounds.size(); ++i)
    if (kGrounds[i] == text) return static_cast<LegalGround>(i);
  return std::nullopt;
}

std::string_view name_of(Source source) noexcept {
  switch (source) {
    case Source::system:
      return "system";
    case Source::api:
      return "api";
    case Source::cli:
      return "cli";
    case Source::page:
      return "page";
    case Source::bus:
      return "bus";
  }
  return "system";
}

}  // namespace siegel
