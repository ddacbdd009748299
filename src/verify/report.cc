// A report in words and as JSON.
#include <algorithm>

#include "verify/verify.h"

namespace siegel::verify {
namespace {

std::string text_of(std::uint64_t value) { return std::to_string(value); }

// Texts here are ours, names of files and origins: quotes, backslashes and control bytes are escaped, no more is
// needed.
std::string json_text(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (byte < 0x20) {
      out += "\\u00" + to_hex(ByteView(&byte, 1));
    } else {
      out += c;
    }
  }
  return out + '"';
}

std::string where(const Finding& finding) {
  if (finding.until <= finding.index) return "";
  if (finding.until == finding.index + 1) return " at event " + text_of(finding.index);
  return " in events " + text_of(finding.index) + " to " + text_of(finding.until - 1);
}

std::string_view name_of(Report::LockRecord record) {
  switch (record) {
    case Report::LockRecord::not_looked_for:
      return "";
    case Report::LockRecord::held:
      return "held";
    case Report::LockRecord::missing:
      return "missing";
    case Report::LockRecord::unreadable:
      return "unreadable";
  }
  return "";
}

// Behind the newest checkpoint that is here: what a reader must know is that nothing is lost, which is not known of a
// damaged copy, and that it is not proven.
std::string unsigned_text(const Report& report) {
  const auto last = report.size - 1;
  const auto events = report.signed_size == last ? "event " + text_of(last)
                                                 : "events " + text_of(report.signed_size) + " to " + text_of(last);
  if (!report.intact()) return "not signed here: " + events + "\n";
  return "not yet signed here: " + events +
         ". Nothing is lost: a running server signed them already, its newest checkpoint stands in the lock record "
         "within a second and in the store with the next events; else they are signed again at the next start\n";
}

std::string lock_record_text(Report::LockRecord record) {
  if (record != Report::LockRecord::missing && record != Report::LockRecord::unreadable) return "";
  return "note: the lock record (DIR.outside/head) is " + std::string(name_of(record)) +
         ": without it an older copy of this ledger cannot be told from the newest; `siegel lock show` and "
         "docs/operations.md tell more\n";
}

}  // namespace

std::string_view name_of(Cause cause) noexcept {
  switch (cause) {
    case Cause::unreadable:
      return "unreadable";
    case Cause::signature:
      return "signature";
    case Cause::entry_changed:
      return "entry_changed";
    case Cause::missing:
      return "missing";
    case Cause::order:
      return "order";
    case Cause::fork:
      return "fork";
    case Cause::roll_back:
      return "roll_back";
    case Cause::payload:
      return "payload";
  }
  return "";
}

int Report::exit() const noexcept {
  if (findings.empty()) return 0;
  return static_cast<int>(std::ranges::min_element(findings, {}, &Finding::cause)->cause);
}

double Report::events_per_second() const noexcept {
  return took.count() > 0 ? static_cast<double>(checked) * 1e9 / static_cast<double>(took.count()) : 0;
}

std::string to_json(const Report& report) {
  std::string out = std::string("{\"result\":\"") + (report.intact() ? "intact" : "damaged") + "\",\"findings\":[";
  for (const auto& finding : report.findings) {
    if (out.back() != '[') out += ',';
    out += "{\"cause\":" + json_text(name_of(finding.cause)) +
           ",\"exit\":" + std::to_string(static_cast<int>(finding.cause)) + ",\"index\":" + text_of(finding.index) +
           ",\"until\":" + text_of(finding.until) + ",\"detail\":" + json_text(finding.detail) + "}";
  }
  out += "],\"findings_more\":" + text_of(report.findings_more) + ",\"origin\":" + json_text(report.origin) +
         ",\"size\":" + text_of(report.size) + ",\"from\":" + text_of(report.from) +
         ",\"checked\":" + text_of(report.checked) + ",\"signed_size\":" + text_of(report.signed_size) +
         ",\"checkpoints\":" + text_of(report.checkpoints) + ",\"parts\":" + text_of(report.parts) +
         ",\"unreadable_by_design\":" + text_of(report.unreadable_by_design) +
         ",\"keys_destroyed\":" + text_of(report.keys_destroyed) +
         ",\"unknown_types\":" + text_of(report.unknown_types) + ",\"not_committed\":[";
  if (report.not_committed() > 0) {
    out += "{\"index\":" + text_of(report.signed_size) + ",\"until\":" + text_of(report.size) + "}";
  }
  for (const auto& range : report.unchecked) {
    if (out.back() != '[') out += ',';
    out += "{\"file\":" + json_text(range.file) + ",\"from\":" + text_of(range.from) +
           ",\"until\":" + text_of(range.until) + "}";
  }
  out += "]";
  if (const auto record = name_of(report.lock_record); !record.empty()) {
    out += ",\"lock_record\":" + json_text(record);
  }
  out += ",\"events_per_second\":" + text_of(static_cast<std::uint64_t>(report.events_per_second())) + "}";
  return out;
}

std::string to_text(const Report& report) {
  std::string out = report.intact() ? "intact" : "DAMAGED";
  out += ": " + report.origin + ", " + text_of(report.size) + " events, " + text_of(report.checked) +
         " of them read, " + text_of(report.parts) + " parts\n";
  if (report.from > 0) {
    out += "read from event " + text_of(report.from) +
           ", where a whole tile of stored hashes begins; those before count by their stored hashes\n";
  }
  out += "signed: " + text_of(report.checkpoints) + " checkpoints hold, the largest of size " +
         text_of(report.signed_size) + "\n";
  if (report.not_committed() > 0) {
    out += unsigned_text(report);
  }
  out += lock_record_text(report.lock_record);
  for (const auto& range : report.unchecked) {
    out += "not committed to: " + range.file + ", bytes " + text_of(range.from) + " to " + text_of(range.until - 1) +
           ": no event was read from them\n";
  }
  if (report.keys_destroyed > 0)
    out += "erased: " + text_of(report.keys_destroyed) + " keys, their parts open no more\n";
  if (report.unreadable_by_design > 0)
    out += "unreadable by design: " + text_of(report.unreadable_by_design) + " parts\n";
  if (report.unknown_types > 0) {
    out += "of a newer version: " + text_of(report.unknown_types) + " events, hashed but not understood\n";
  }
  for (const auto& finding : report.findings) {
    out += std::string(name_of(finding.cause)) + " (" + std::to_string(static_cast<int>(finding.cause)) + ")" +
           where(finding) + ": " + finding.detail + "\n";
  }
  if (report.findings_more > 0) out += "and " + text_of(report.findings_more) + " more\n";
  out += "speed: " + text_of(static_cast<std::uint64_t>(report.events_per_second())) + " events/s\n";
  return out;
}

}  // namespace siegel::verify
