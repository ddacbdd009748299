// Errors as application/problem+json (RFC 9457): contract section 1. The table below is that section's table of codes.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "base/error.h"
#include "http/message.h"

namespace siegel::http {

struct Problem {
  std::string_view code;
  std::uint16_t status;
  std::string_view title;
  std::string_view hint;            // default; the error's context "hint" comes first
  std::uint16_t retry_after_s = 0;  // 0: no Retry-After
};

inline constexpr std::array kProblems = std::to_array<Problem>({
    {"bad_json", 400, "Body is not valid JSON",
     "Send one UTF-8 JSON object without duplicate members, at most 32 levels deep."},
    {"unknown_field", 400, "Member is not known", "Remove the member that pointer names, or check its spelling."},
    {"bad_value", 400, "Value is not acceptable", "Correct the value that pointer or detail names."},
    {"bad_cursor", 400, "Cursor is not valid", "Start again without cursor."},
    {"bad_header", 400, "Header is not acceptable", "Correct the header that detail names."},
    {"unknown_format", 400, "File is not a known spreadsheet", "Send CSV, TSV, XLSX or ODS."},
    {"bad_encoding", 400, "Text encoding is not valid", "Save the file as UTF-8 and send it again."},
    {"bad_csv", 400, "Text is not a table", "Correct the line that detail speaks of, or name the delimiter."},
    {"damaged_file", 400, "File is damaged", "Save the file again and send it."},
    {"encrypted_file", 400, "File is protected by a password", "Save it without a password."},
    {"sheet_unknown", 400, "Workbook has no such sheet", "Name one of its sheets, or none for the first."},
    {"token_missing", 401, "Token is missing",
     "Send Authorization: Bearer with a token; siegel token create --local makes one."},
    {"token_wrong", 401, "Token is not valid", "Check the token; it may have been revoked."},
    {"token_expired", 401, "Token has expired", "Ask an administrator for a new token."},
    {"role_denied", 403, "Role does not permit this", "Use a token with a role that may do this."},
    {"purpose_missing", 403, "Purpose is missing", "Name one of the token's purposes in Siegel-Purpose."},
    {"purpose_unknown", 403, "Purpose is not registered", "GET /v1/purposes lists them."},
    {"purpose_denied", 403, "Purpose is not permitted", "Use a token that carries this purpose."},
    {"type_denied", 403, "Record type is not permitted", "Use a token that carries this record type."},
    {"field_denied", 403, "Field is not covered by the purpose",
     "Leave the field out, or use a purpose that covers it."},
    {"bulk_denied", 403, "Bulk export is not permitted",
     "An admin issues a token for it, whose bulk_until lies in the future: POST /v1/tokens."},
    {"consent_missing", 403, "Consent is missing", "Ask the person for consent to this purpose first."},
    {"restricted", 403, "Processing is restricted", "Wait until the restriction is lifted."},
    {"cross_site", 403, "Request comes from another site", "Use the pages of this server, or send a token."},
    {"not_found", 404, "Not found", "Check the path and the id."},
    {"method_not_allowed", 405, "Method is not allowed here", "The Allow header lists the methods of this path."},
    {"request_timeout", 408, "Request took too long to arrive", "Send the request again without pauses."},
    {"idempotency_conflict", 409, "Idempotency key was used for another request", "Use a new Idempotency-Key."},
    {"exists", 409, "Exists already", "Read what is there, or choose another name."},
    {"state_conflict", 409, "State does not permit this", "Read the current state first."},
    {"other_ledger", 409, "Position belongs to another ledger", "Drop positions kept from an earlier ledger."},
    {"legal_hold", 409, "A legal hold stands against this", "Lift the hold that the answer names first."},
    {"suppressed", 409, "Address is on the suppression list", "Ask the person for a new consent."},
    {"erased", 410, "Erased", "The erasure that the answer names removed this; nothing can be read any more."},
    {"expired", 410, "Preview has expired", "Send the file again."},
    {"version_conflict", 412, "Version is not the current one", "Read again, and repeat with current_version."},
    {"too_large", 413, "Too large", "Send less than the limit that the answer names."},
    {"unsupported_media", 415, "Media type is not supported", "Set Content-Type to one that this path takes."},
    {"rows_invalid", 422, "Rows are not valid", "Correct the rows, or commit with bad_rows skip."},
    {"schema_invalid", 422, "Definition is not valid", "Correct what pointer names."},
    {"class_missing", 422, "Deletion class is missing", "Give each field a class, or the type one for all."},
    {"placeholder_missing", 422, "Placeholder has no value", "Give the field a value, or take the placeholder out."},
    {"rate_limited", 429, "Too many requests", "Wait as Retry-After says.", 1},
    {"header_too_large", 431, "Header is too large", "Send fewer or shorter header fields."},
    {"internal", 500, "Internal error", "Look for the request_id in the server's log."},
    {"overloaded", 503, "Overloaded", "Wait as Retry-After says, then repeat with the same Idempotency-Key.", 1},
    {"read_only", 503, "Server is read-only", "GET /v1/status names the reasons; reads go on.", 30},
    {"starting", 503, "Server is starting",
     "GET /v1/status shows \"search\":\"ready\" when it is ready; then try again.", 2},
    {"position_not_reached", 503, "Position is not reached yet", "Repeat, or raise Siegel-Wait-Ms.", 1},
    {"root_store_unavailable", 503, "Root store is not available", "Bring the root store back, then repeat.", 10},
    {"keys_replica_unavailable", 503, "Key replica is not available", "Bring the replica back, then repeat.", 10},
});

// What stands behind an answer's code when a store, a key, the disk or the clock is the cause. The answer's member
// `reason` names the cause itself; status, title and Retry-After are those of the code on the right.
struct Cause {
  std::string_view code;
  std::string_view shown_as;
};
inline constexpr std::array kCauses = std::to_array<Cause>({
    // Nothing can be written.
    {"write_failed", "read_only"},
    {"sign_failed", "read_only"},
    {"clock_stepped_back", "read_only"},
    {"disk_full", "read_only"},
    {"io_error", "read_only"},
    {"key_tree_full", "read_only"},
    {"keys_read_only", "read_only"},
    {"keys_behind", "read_only"},
    {"store_missing", "read_only"},
    {"format_newer", "read_only"},
    // What was found is not what was written; nothing of it is served until somebody looked.
    {"ledger_damaged", "read_only"},
    {"header_damaged", "read_only"},
    {"row_damaged", "read_only"},
    {"row_mismatch", "read_only"},
    {"payload_damaged", "read_only"},
    {"payload_mismatch", "read_only"},
    {"envelope_damaged", "read_only"},
    {"body_damaged", "read_only"},
    {"body_schema_unknown", "read_only"},
    {"keys_damaged", "read_only"},
    {"box_damaged", "read_only"},
    {"store_damaged", "read_only"},
    {"store_layout", "read_only"},
    {"answer_damaged", "read_only"},
    {"header_invalid", "too_large"},  // more than a header of the format holds
    // The read models come back by a rebuild.
    {"views_damaged", "starting"},
    {"views_ahead", "starting"},
    {"fence_undecided", "starting"},
    {"closing", "starting"},
    {"memory_exhausted", "overloaded"},
    {"root_behind", "root_store_unavailable"},
    {"root_order", "root_store_unavailable"},
    {"root_store_damaged", "root_store_unavailable"},
    {"root_store_missing", "root_store_unavailable"},

});

constexpr const Problem* find_problem(std::string_view code) noexcept {
  for (const auto& problem : kProblems)
    if (problem.code == code) return &problem;
  return nullptr;
}

constexpr const Cause* find_cause(std::string_view code) noexcept {
  for (const auto& cause : kCauses)
    if (cause.code == code) return &cause;
  return nullptr;
}

// The answer to an error. detail is what() (a literal), or its German sentence where language is "de"; members pointer,
// hint, reason, current_version, hold, erasure come from the context of the same name, limit from limit_name and
// limit_value, epochs from epoch_ledger and epoch_root_store. No other context is shown. A code in neither table is a
// fault of ours: 500 internal, without its detail.
Response problem_response(const Error& error, std::string_view request_id, std::string_view language = "en");

}  // namespace siegel::http
