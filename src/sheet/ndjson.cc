#include "sheet/ndjson.h"

#include <rapidjson/memorystream.h>
#include <rapidjson/reader.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <algorithm>
#include <unordered_map>

#include "base/text.h"
#include "sheet/number.h"
#include "sheet/row_limits.h"

namespace siegel::sheet {
namespace {

constexpr unsigned kDepthMax = 32;
constexpr unsigned kFlags = rapidjson::kParseValidateEncodingFlag | rapidjson::kParseNumbersAsStringsFlag;
constexpr std::string_view kMark = "\xEF\xBB\xBF";

// What is asked of the members of one object; the names belong to the parser.
class Members {
 public:
  virtual ~Members() = default;
  virtual Status name(std::string_view name) = 0;
  virtual Status value(Cell cell) = 0;  // of the member named last
};

// Takes what the parser tells of one line; a false answer ends it.
class LineHandler {
 public:
  explicit LineHandler(Members& members) : members_(members) {}

  bool Null() {
    return atom(Cell{}, [&] { return writer_.Null(); });
  }
  bool Bool(bool value) {
    return atom({CellForm::boolean, value ? "true" : "false"}, [&] { return writer_.Bool(value); });
  }
  bool RawNumber(const char* text, rapidjson::SizeType size, bool /*copy*/) {
    if (depth_ > 1) return writer_.RawValue(text, size, rapidjson::kNumberType);
    const std::string_view written(text, size);
    auto plain = plain_number(written);
    return give(plain ? Cell{CellForm::number, std::move(*plain)} : Cell{CellForm::text, std::string(written)});
  }
  bool String(const char* text, rapidjson::SizeType size, bool copy) {
    if (depth_ > 1) return writer_.String(text, size, copy);
    return give({size == 0 ? CellForm::empty : CellForm::text, std::string(text, size)});
  }
  bool Key(const char* text, rapidjson::SizeType size, bool copy) {
    if (depth_ > 1) return writer_.Key(text, size, copy);
    return keep(members_.name({text, size}));
  }
  bool StartObject() {
    if (depth_++ == 0) return true;
    return depth_ <= kDepthMax && begin_inner() && writer_.StartObject();
  }
  bool EndObject(rapidjson::SizeType size) { return --depth_ == 0 || (writer_.EndObject(size) && end_inner()); }
  bool StartArray() { return depth_++ > 0 && depth_ <= kDepthMax && begin_inner() && writer_.StartArray(); }
  bool EndArray(rapidjson::SizeType size) {
    --depth_;
    return writer_.EndArray(size) && end_inner();
  }
  // Numbers come as they are written.
  bool Int(int /*value*/) { return false; }
  bool Uint(unsigned /*value*/) { return false; }
  bool Int64(std::int64_t /*value*/) { return false; }
  bool Uint64(std::uint64_t /*value*/) { return false; }
  bool Double(double /*value*/) { return false; }

  std::optional<Error> error;  // why it ended, if it is not the JSON

 private:
  bool keep(Status done) {
    if (!done) error = std::move(done).error();
    return !error;
  }
  bool give(Cell cell) { return depth_ == 1 && keep(members_.value(std::move(cell))); }
  template <class Write>
  bool atom(Cell cell, const Write& write) {
    return depth_ > 1 ? write() : give(std::move(cell));
  }
  bool begin_inner() {
    if (depth_ != 2) return true;
    buffer_.Clear();
    writer_.Reset(buffer_);
    return true;
  }
  bool end_inner() { return depth_ != 1 || give({CellForm::text, {buffer_.GetString(), buffer_.GetSize()}}); }

  Members& members_;
  unsigned depth_ = 0;
  rapidjson::StringBuffer buffer_;
  rapidjson::Writer<rapidjson::StringBuffer> writer_{buffer_};
};

std::string_view first_line(std::string_view text) { return text.substr(0, std::min(text.find('\n'), text.size())); }

class Lines {
 public:
  explicit Lines(std::string_view text) : rest_(text) {
    if (rest_.starts_with(kMark)) rest_.remove_prefix(kMark.size());
  }
  // The next one that is not blank.
  std::optional<std::string_view> next() {
    while (!rest_.empty()) {
      const auto line = first_line(rest_);
      rest_.remove_prefix(std::min(line.size() + 1, rest_.size()));
      ++number_;
      if (line.find_first_not_of(" \t\r") != std::string_view::npos) return line;
    }
    return std::nullopt;
  }
  [[nodiscard]] std::uint64_t number() const noexcept { return number_; }

 private:
  std::string_view rest_;
  std::uint64_t number_ = 0;
};

Error damaged(const char* what, std::uint64_t line) {
  return Error(Errc::invalid, "damaged_file", what).with("row", line);
}

Status parse_line(std::string_view line, std::uint64_t number, Members& members) {
  if (line.find('\0') != std::string_view::npos)
    return Error(Errc::invalid, "bad_encoding", "A line holds a NUL byte.").with("row", number);
  rapidjson::MemoryStream stream(line.data(), line.size());
  rapidjson::Reader reader;
  LineHandler handler(members);
  if (reader.Parse<kFlags>(stream, handler)) return Done{};
  if (handler.error) return std::move(*handler.error);
  return damaged("A line is not one JSON object in UTF-8.", number);
}

struct Ignored final : Members {
  Status name(std::string_view /*name*/) override { return Done{}; }
  Status value(Cell /*cell*/) override { return Done{}; }
};

class NdjsonTable final : public TableReader, private Members {
 public:
  NdjsonTable(ByteView bytes, const TableLimits& limits) : text_(as_chars(bytes)), lines_(text_), limits_(limits, "") {
    info_.format = Format::ndjson;
    info_.encoding = "utf-8";
  }

  Status read_names();
  [[nodiscard]] const TableInfo& info() const noexcept override { return info_; }
  Result<std::optional<Row>> next() override;

 private:
  Status name(std::string_view name) override;
  Status value(Cell cell) override;
  Status add_name(std::string_view name);
  [[nodiscard]] Status check(std::string_view text) const;

  std::string_view text_;
  Lines lines_;
  RowLimits limits_;
  TableInfo info_;
  std::unordered_map<std::string, std::size_t> columns_;
  std::vector<std::uint64_t> last_line_;  // by column: where it was met last
  Row header_;
  Row row_;
  std::size_t column_ = 0;
  bool header_given_ = false;
  bool ended_ = false;
};

Status NdjsonTable::add_name(std::string_view name) {
  SIEGEL_CHECK(check(name));
  const auto& limits = limits_.limits();
  const auto too_large = [&](const char* what, const char* limit, std::size_t max) {
    return Error(Errc::invalid, "too_large", what)
        .with("row", row_.number)
        .with("limit_name", limit)
        .with("limit_value", max);
  };
  if (header_.cells.size() == limits.columns_max)
    return too_large("The lines have too many different members.", "columns_max", limits.columns_max);
  if (name.size() > limits.cell_bytes_max)
    return too_large("The name of a member is too long.", "cell_bytes_max", limits.cell_bytes_max);
  columns_.emplace(name, header_.cells.size());
  header_.cells.push_back({name.empty() ? CellForm::empty : CellForm::text, std::string(name)});
  last_line_.push_back(0);
  return Done{};
}

Status NdjsonTable::name(std::string_view name) {
  // Most lines name the same members in the same order.
  const auto guess = column_ + 1 < header_.cells.size() ? column_ + 1 : 0;
  if (guess < header_.cells.size() && header_.cells[guess].text == name) {
    column_ = guess;
  } else {
    auto found = columns_.find(std::string(name));
    if (found == columns_.end()) {
      SIEGEL_CHECK(add_name(name));
      column_ = header_.cells.size() - 1;
    } else {
      column_ = found->second;
    }
  }
  if (std::exchange(last_line_[column_], row_.number) == row_.number)
    return damaged("A line has the same member twice.", row_.number);
  return Done{};
}

// The parser takes half a surrogate pair (\uDDAD) for a character.
Status NdjsonTable::check(std::string_view text) const {
  if (is_utf8(text) && text.find('\0') == std::string_view::npos) return Done{};
  return Error(Errc::invalid, "bad_encoding", "A member holds a NUL character or half a character.")
      .with("row", row_.number);
}

Status NdjsonTable::value(Cell cell) {
  SIEGEL_CHECK(check(cell.text));
  return limits_.put(row_, column_, std::move(cell));
}

Status NdjsonTable::read_names() {
  while (const auto line = lines_.next()) {
    row_ = {lines_.number(), false, {}};
    SIEGEL_CHECK(parse_line(*line, row_.number, *this));
  }
  lines_ = Lines(text_);
  std::ranges::fill(last_line_, 0);
  while (!header_.cells.empty() && header_.cells.back().form == CellForm::empty) header_.cells.pop_back();
  return Done{};
}

Result<std::optional<Row>> NdjsonTable::next() {
  if (!std::exchange(header_given_, true) && !header_.cells.empty()) {
    SIEGEL_CHECK(limits_.give(header_));
    return std::optional<Row>(header_);
  }
  if (ended_) return std::optional<Row>{};
  ended_ = true;  // until this row is whole
  while (const auto line = lines_.next()) {
    row_ = {lines_.number(), false, {}};
    SIEGEL_CHECK(parse_line(*line, row_.number, *this));
    if (row_.cells.empty()) continue;
    SIEGEL_CHECK(limits_.give(row_));
    ended_ = false;
    return std::optional<Row>(std::move(row_));
  }
  return std::optional<Row>{};
}

}  // namespace

bool looks_like_ndjson(std::string_view text) {
  const auto line = Lines(text).next();
  if (!line || line->substr(line->find_first_not_of(" \t\r")).front() != '{') return false;
  Ignored ignored;
  return parse_line(*line, 1, ignored).has_value();
}

Result<std::unique_ptr<TableReader>> open_ndjson(ByteView bytes, const TableOptions& options) {
  auto table = std::make_unique<NdjsonTable>(bytes, options.limits);
  SIEGEL_CHECK(table->read_names());
  return std::unique_ptr<TableReader>(std::move(table));
}

}  // namespace siegel::sheet
