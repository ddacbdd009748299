// Imports as doors see them: a file becomes a preview in memory, a preview becomes records in one visible step, and a
// finished import can be undone (imports.h). All but ids, counts and codes in here may be personal.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/personal.h"
#include "decide/permit.h"
#include "model/definitions.h"
#include "model/event.h"

namespace siegel::service {

// A client's Idempotency-Key, empty for none, and what "the same request" means.
struct ClientKey {
  std::string key;
  std::string request;
};

struct ImportUpload {
  std::string type;                // empty: a type is made of the file by the commit
  std::vector<std::string> match;  // fields by which a row is the same as a stored record; empty: each row is new
  std::string format;              // "csv", "tsv", "xlsx", "ods", "ndjson", or empty: by its content
  std::string sheet;
  std::string encoding;
  std::string delimiter;
  // By title: the field that takes the column, empty for none. Other columns go by their titles.
  std::map<std::string, std::string> columns;
  Personal<std::string> bytes;
  ClientKey client;                  // request: all but the bytes
  std::shared_ptr<const void> room;  // in memory, given by admit_upload(); none: it is looked for with the preview
};

struct ImportCommit {
  enum class BadRows : std::uint8_t { none, skip } bad_rows = BadRows::none;  // none: all rows or no row
  std::map<std::string, FieldType> types;                                     // by field: instead of what was guessed
  struct NewType {
    std::string name;
    Titles title;
    std::string cls;                             // of fields that are not in `classes`
    std::map<std::string, std::string> classes;  // by field
    std::optional<SubjectMode> subject_mode;     // else as the guess says
    std::vector<std::string> match_fields;
    std::string default_purpose;
  };
  std::optional<NewType> create_type;
  ClientKey client;
};

struct ImportColumn {
  Personal<std::string> title;
  std::string field;  // empty: no field of the type takes it
  std::string type;
  std::string reason;
  bool personal = false;
  bool searchable = false;
  std::uint64_t cells = 0;       // that hold something, in all rows
  std::uint64_t exceptions = 0;  // that the type refuses, of those the guess has looked at
  Personal<std::vector<std::string>> examples;
  Personal<std::vector<std::string>> exception_examples;
};
struct ImportFailure {
  std::uint64_t row = 0;
  Personal<std::string> column;  // title; empty: the row as a whole
  std::string code;
};
struct ImportChange {
  std::uint64_t row = 0;
  RecordId record;
  std::string field;
  Personal<Value> before;
  Personal<Value> after;
};
struct ImportKept {  // by an undo
  std::uint64_t row = 0;
  std::optional<RecordId> record;  // none: erased
  std::string reason;              // edited, removed, erased, no_longer_fits
};
struct ImportCounts {
  std::uint64_t added = 0, changed = 0, unchanged = 0, failed = 0;
  [[nodiscard]] std::uint64_t rows() const { return added + changed + unchanged + failed; }
};

// What was read of the file: for the one who sent it.
struct ImportPreview {
  TimeMs expires_at;
  std::string sheet;
  std::vector<std::string> sheets;
  std::string encoding;
  std::string delimiter;
  std::uint64_t header_row = 0;
  std::vector<ImportColumn> columns;
  std::vector<std::string> identity;    // fields that tell persons apart, the best first
  std::vector<ImportChange> changes;    // the first ones
  std::vector<ImportFailure> failures;  // the first ones
};

struct ImportAnswer {
  JobId id;
  std::string_view state;  // previewed, committing, finished, undoing, undone, cancelled, expired, failed
  std::string type;
  TimeMs at;  // when it was previewed or begun
  ImportCounts counts;
  std::uint64_t done = 0;                // rows of the commit so far
  std::optional<ImportCounts> undone;    // added: taken out; changed: restored; unchanged: kept
  std::vector<ImportKept> kept;          // the first ones
  bool kept_known = false;               // in the answer to the undo only, while it is in memory
  std::string error;                     // code, of a failed one
  std::optional<ImportPreview> preview;  // in the answer to the upload only
  std::shared_ptr<const Registries> registries;
  TreeSize position;
  bool replayed = false;
};

struct ImportLimits {
  std::size_t previews_max = 16;
  std::size_t previews_per_token_max = 8;
  std::size_t preview_bytes_max = std::size_t{512} << 20;  // of all files together
  std::chrono::milliseconds preview_time{30 * 60 * 1000};
  std::size_t upload_bytes_max = std::size_t{256} << 20;
  std::size_t cell_bytes_max = 32 * 1024;
  std::size_t columns_max = 1'000;
  std::uint64_t rows_max = 1'000'000;
  std::uint64_t unpacked_bytes_max = std::uint64_t{1} << 30;
  std::size_t shown_max = 1'000;               // changes, failures and kept records in one answer
  std::size_t in_flight_max = 2'000;           // commands of a commit
  std::chrono::milliseconds busy_max{20'000};  // so long a command of an import waits for a service that is too busy
};

}  // namespace siegel::service
