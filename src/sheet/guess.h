// What a table is: its header, and for every column a proposed type with style, reason, exceptions and samples, as well
// as what the type's definition needs: whose rows are one person, what is personal, searchable, required. Nothing is
// kept anywhere; the user's choice always wins (cells.h, convert() with Fit::readable).
//
// A pass over a sample is enough to show a proposal: is_in_sample() picks the first rows and some of the rest. The pass
// over all rows takes the same class, and may change the proposal; memory does not grow with the rows in either.
// Samples and failures hold cells of persons: for the one who imports, never for a log.
// Threads: one at a time.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sheet/proposal.h"

namespace siegel::sheet {

struct GuessOptions {
  std::string country = "DE";        // of the configuration, for national phone numbers
  Language language = Language::de;  // of made-up titles
  // Hashes over all columns, 16 to 32 bytes each: enough for 20 keys of 100,000 rows.
  std::size_t distinct_max = 2'500'000;
};

// Rows of which each is one person, by equal fields; the best first.
struct IdentityProposal {
  std::size_t column = 0;
  const char* reason =
      "";  // email_different (all are), email_repeats (some do), key_different (the title names a key), all_different
};

struct TableProposal {
  std::uint64_t rows = 0;  // without the header
  std::vector<ColumnProposal> columns;
  std::vector<IdentityProposal> identity;
};

class Guesser {
 public:
  Guesser(std::vector<ColumnTitle> titles, GuessOptions options);

  // Rows may be longer than the titles: the new columns get made-up ones.
  void add(const Row& row);
  // So far; add() may go on afterwards.
  [[nodiscard]] TableProposal propose() const;

 private:
  void widen(std::size_t columns);

  GuessOptions options_;
  std::vector<ColumnTitle> titles_;
  std::vector<ColumnEvidence> columns_;
  std::uint64_t rows_ = 0;
};

// Whether a row (0 is the first below the header) belongs to the sample: the first 1,000, then every 97th.
[[nodiscard]] bool is_in_sample(std::uint64_t index) noexcept;

struct TableGuess {
  std::uint64_t header_row = 0;  // as Row::number; 0: none
  const char* header_reason = "";
  std::uint64_t rows_read = 0;  // without header and what stands above it
  TableProposal proposal;
};

enum class Pass : std::uint8_t { sample, full };

// Reads to the end, whatever the pass, so that the rows are counted and damage is found. Errors: those of the reader.
Result<TableGuess> guess_table(TableReader& reader, const GuessOptions& options, Pass pass);

}  // namespace siegel::sheet
