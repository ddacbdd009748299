#include "sheet/guess.h"

#include <algorithm>
#include <utility>

#include "sheet/title_hints.h"

namespace siegel::sheet {
namespace {

constexpr std::uint64_t kSampleFirst = 1'000;
constexpr std::uint64_t kSampleStep = 97;  // a prime, so that it meets no rhythm of the rows
constexpr std::size_t kDistinctMin = 1'000;
constexpr std::uint64_t kIdentityRowsMin = 2;

bool is_text(ColumnType type) noexcept { return type == ColumnType::text || type == ColumnType::multiline; }

// What makes a column personal by itself.
const char* personal_reason(const ColumnProposal& column, const TitleHints& hints) {
  if (column.type == ColumnType::email || hints.email) return "email";
  if (column.type == ColumnType::phone || hints.phone) return "phone";
  if (hints.person_name) return "name";
  if (hints.address) return "address";
  if (hints.birth) return "birth";
  if (hints.sensitive) return "sensitive";
  return nullptr;
}

void set_personal(std::vector<ColumnProposal>& columns, const std::vector<TitleHints>& hints) {
  bool has_person = false;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    const char* reason = personal_reason(columns[i], hints[i]);
    has_person = has_person || reason != nullptr;
    columns[i].personal_reason = reason != nullptr ? reason : is_text(columns[i].type) ? "free_text" : "";
  }
  // In a table about persons every other column is about them too: what is not protected cannot be erased later.
  for (std::size_t i = 0; i < columns.size(); ++i) {
    auto& column = columns[i];
    if (*column.personal_reason != '\0') continue;
    column.personal = has_person;
    column.personal_reason = !has_person ? "no_person" : hints[i].key ? "identifier" : "about_a_person";
  }
}

// Nearly all rows have an address of their own; a shared one in between is for the user to see.
bool is_mostly_different(const ColumnProposal& column) {
  return column.all_different || column.distinct_is_least || column.distinct * 10 >= column.cells * 9;
}

bool may_be_key(const ColumnProposal& column, std::uint64_t rows) {
  const bool is_type = column.type == ColumnType::text || column.type == ColumnType::integer;
  return is_type && column.all_different && column.cells == rows && rows >= kIdentityRowsMin && column.length_max <= 64;
}

std::vector<IdentityProposal> find_identity(const std::vector<ColumnProposal>& columns,
                                            const std::vector<TitleHints>& hints, std::uint64_t rows) {
  std::vector<IdentityProposal> out;
  const auto pick = [&](auto&& is_it, const char* reason) {
    for (std::size_t i = 0; i < columns.size(); ++i) {
      const auto is_same = [&](const IdentityProposal& one) { return one.column == i; };
      if (is_it(columns[i], hints[i]) && std::none_of(out.begin(), out.end(), is_same)) out.push_back({i, reason});
    }
  };
  pick([](const auto& c, const auto&) { return c.type == ColumnType::email && c.all_different; }, "email_different");
  pick([](const auto& c, const auto&) { return c.type == ColumnType::email && is_mostly_different(c); },
       "email_repeats");
  pick([&](const auto& c, const auto& h) { return h.key && may_be_key(c, rows); }, "key_different");
  // Without a title that says so, only words can be keys: names and counts differ by chance.
  pick(
      [&](const auto& c, const auto& h) {
        const bool is_word = std::none_of(c.samples.begin(), c.samples.end(), [](const Sample& sample) {
          return sample.text.find(' ') != std::string::npos;
        });
        return !h.is_known && is_word && c.type == ColumnType::text && may_be_key(c, rows);
      },
      "all_different");
  return out;
}

void set_searchable(TableProposal& table, const std::vector<TitleHints>& hints) {
  for (std::size_t i = 0; i < table.columns.size(); ++i) {
    auto& column = table.columns[i];
    const auto is_it = [&](const IdentityProposal& one) { return one.column == i; };
    const bool is_identity = std::any_of(table.identity.begin(), table.identity.end(), is_it);
    column.searchable = is_identity || column.type == ColumnType::email || column.type == ColumnType::phone ||
                        (hints[i].person_name && column.type == ColumnType::text) ||
                        (hints[i].key && column.type != ColumnType::multiline);
  }
}

constexpr std::size_t kFirstRows = kHeaderRowsLookedAt;

std::vector<ColumnTitle> titles_of(const std::vector<Row>& first_rows, const HeaderGuess& header, Language language) {
  std::size_t width = 0;
  for (const auto& row : first_rows) width = std::max(width, row.cells.size());
  return make_titles(header.index ? &first_rows[*header.index] : nullptr, width, language);
}

Result<std::vector<Row>> read_first(TableReader& reader) {
  std::vector<Row> out;
  while (out.size() < kFirstRows) {
    SIEGEL_TRY(row, reader.next());
    if (!row) break;
    out.push_back(*std::move(row));
  }
  return out;
}

}  // namespace

Guesser::Guesser(std::vector<ColumnTitle> titles, GuessOptions options)
    : options_(std::move(options)), titles_(std::move(titles)) {
  widen(titles_.size());
}

void Guesser::widen(std::size_t columns) {
  const auto each = std::max(kDistinctMin, options_.distinct_max / std::max<std::size_t>(columns, 1));
  columns_.reserve(columns);
  while (columns_.size() < columns) columns_.emplace_back(options_.country, each);
  if (titles_.size() >= columns) return;
  // All anew, so that a made-up title never meets one of the header.
  Row header;
  for (const auto& title : titles_) header.cells.push_back({CellForm::text, title.title});
  const auto before = std::exchange(titles_, make_titles(&header, columns, options_.language));
  for (std::size_t i = 0; i < before.size(); ++i) titles_[i].untitled = before[i].untitled;
}

void Guesser::add(const Row& row) {
  if (row.cells.size() > columns_.size()) widen(row.cells.size());
  for (std::size_t i = 0; i < row.cells.size(); ++i) columns_[i].add(row.number, row.cells[i]);
  ++rows_;
}

TableProposal Guesser::propose() const {
  TableProposal out;
  out.rows = rows_;
  std::vector<TitleHints> hints;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    out.columns.push_back(sheet::propose(columns_[i], titles_[i], rows_, options_.country));
    hints.push_back(hints_of(field_name(titles_[i].title)));
  }
  set_personal(out.columns, hints);
  out.identity = find_identity(out.columns, hints, rows_);
  set_searchable(out, hints);
  return out;
}

bool is_in_sample(std::uint64_t index) noexcept { return index < kSampleFirst || index % kSampleStep == 0; }

Result<TableGuess> guess_table(TableReader& reader, const GuessOptions& options, Pass pass) {
  SIEGEL_TRY(first_rows, read_first(reader));
  const auto header = guess_header(first_rows);
  Guesser guesser(titles_of(first_rows, header, options.language), options);
  TableGuess out;
  out.header_reason = header.reason;
  if (header.index) out.header_row = first_rows[*header.index].number;
  const auto take = [&](const Row& row) {
    if (pass == Pass::full || is_in_sample(out.rows_read)) guesser.add(row);
    ++out.rows_read;
  };
  for (std::size_t i = header.index ? *header.index + 1 : 0; i < first_rows.size(); ++i) take(first_rows[i]);
  const bool is_whole = first_rows.size() < kFirstRows;  // the reader has ended
  while (!is_whole) {
    SIEGEL_TRY(row, reader.next());
    if (!row) break;
    take(*row);
  }
  out.proposal = guesser.propose();
  return out;
}

}  // namespace siegel::sheet
