// Every kind of event. The number stands in the header for ever; the name is what people and CloudEvents see.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace siegel {

enum class EventType : std::uint16_t {  // family in the high byte
  registry_purpose_set = 0x0101,
  registry_class_set = 0x0102,
  registry_type_set = 0x0103,
  registry_token_created = 0x0104,
  registry_token_revoked = 0x0105,
  record_added = 0x0201,
  record_changed = 0x0202,
  record_removed = 0x0203,
  subject_registered = 0x0301,
  subject_linked = 0x0302,  // an external reference was added
  subject_merged = 0x0303,  // one person with others: part 1 is of the one whose id stays
  access_read = 0x0401,
  refusal_recorded = 0x0501,
  erasure_requested = 0x0601,
  erasure_effective = 0x0602,
  erasure_completed = 0x0603,
  job_started = 0x0701,
  job_finished = 0x0702,
  ledger_created = 0x0801,
  ledger_configured = 0x0802,
  ledger_clock_skewed = 0x0803,
  import_begun = 0x0901,  // record events whose header names the import count from import_finished on
  import_finished = 0x0902,
  import_cancelled = 0x0903,  // takes back all that the import wrote: none of it ever counts
  import_undone = 0x0904,     // after the record events that took back what nobody had edited since
};

// "record.changed"; empty for a number that this version does not know.
std::string_view name_of(EventType type) noexcept;
bool is_known(EventType type) noexcept;

enum class LegalGround : std::uint8_t {
  none = 0,
  consent = 1,
  contract = 2,
  legal_obligation = 3,
  vital_interests = 4,
  public_task = 5,
  legitimate_interests = 6,
};
std::string_view name_of(LegalGround ground) noexcept;  // "legal-obligation"
std::optional<LegalGround> parse_legal_ground(std::string_view text) noexcept;

// Through which door a command came (EV-07: recorded by whom).
enum class Source : std::uint8_t { system = 0, api = 1, cli = 2, page = 3, bus = 4 };
std::string_view name_of(Source source) noexcept;

}  // namespace siegel
