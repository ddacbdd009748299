#include "bench/imports.h"

#include <chrono>
#include <cstdio>
#include <vector>

#include "bench/workbook.h"

namespace siegel::bench {
namespace {

enum class Kind : char { text, number, date };
struct Column {
  const char* name;
  const char* type;
  Kind kind = Kind::text;
  const char* more = "";  // of the field's definition
};
constexpr Column kColumns[] = {
    {"customer-number", "text", Kind::text, R"(,"searchable":true)"},
    {"name", "text", Kind::text, R"(,"searchable":true)"},
    {"first-name", "text"},
    {"e-mail", "email", Kind::text, R"(,"searchable":true)"},
    {"phone", "phone"},
    {"street", "text"},
    {"postcode", "text"},
    {"city", "text"},
    {"born", "date", Kind::date},
    {"since", "date", Kind::date},
    {"revenue", "decimal", Kind::number},
    {"orders", "integer", Kind::number},
    {"active", "boolean"},
    {"state", "choice", Kind::text, R"(,"choices":["aktiv","ruht","ehemals"])"},
    {"note", "text"},
    {"contract", "text"},
    {"discount", "decimal", Kind::number},
    {"newsletter", "boolean"},
    {"region", "text"},
    {"last-order", "date", Kind::date},
};
constexpr std::string_view kSheetType = "customers";

std::string type_body() {
  std::string out = R"({"title":{"en":"Customers"},"subject":{"mode":"match","fields":["e-mail"]},"class":"customer",)"
                    R"("default_purpose":"customer-care","fields":[)";
  for (const auto& column : kColumns)
    out += (out.back() == '[' ? std::string("{\"name\":\"") : std::string(",{\"name\":\"")) + column.name +
           R"(","type":")" + column.type + "\"" + column.more + "}";
  return out + "]}";
}

struct Date {
  int year, month, day;
};
Date date_of(std::uint64_t n, int first_year) {
  return {first_year + static_cast<int>(n % 30), 1 + static_cast<int>(n / 7 % 12), 1 + static_cast<int>(n / 3 % 28)};
}

// A made-up customer: a text, digits with a point, or a date for each column.
struct Cell {
  std::string text;
  Date date{};
};
std::vector<Cell> cells_of(std::uint64_t n) {
  const auto text = [](const char* form, unsigned long long a, unsigned long long b = 0) {
    char out[96];
    // NOLINTNEXTLINE(clang-diagnostic-format-nonliteral): the forms stand below
    std::snprintf(out, sizeof out, form, a, b);
    return Cell{out, {}};
  };
  constexpr const char* kStates[] = {"aktiv", "ruht", "ehemals"};
  const auto yes = [](bool is) { return Cell{is ? "ja" : "nein", {}}; };
  return {text("K-%08llu", n),
          text("Musterfrau %06llx", n),
          text("Adelheid %llu", n % 500),
          text("adelheid.%08llx@example.org", n),
          text("+49 30 23125 %03llu", n % 1'000),
          text("Lange Gasse %llu", n % 997),
          text("%05llu", 1'067 + n % 90'000),
          text("Neustadt %llu", n % 300),
          {{}, date_of(n, 1950)},
          {{}, date_of(n, 1995)},
          text("%llu.%02llu", n % 9'000, n % 100),
          text("%llu", n % 300),
          yes(n % 5 != 0),
          {kStates[n % 3], {}},
          text("Bittet um Antwort bis zum %llu. des Monats", 1 + n % 28),
          text("V-%llu/%04llu", 2'000 + n % 25, n % 10'000),
          text("0.%02llu", n % 40),
          yes(n % 2 == 0),
          text("Region %llu", n % 16),
          {{}, date_of(n, 1996)}};
}

std::string comma(std::string digits) {
  if (const auto at = digits.find('.'); at != std::string::npos) digits[at] = ',';
  return digits;
}

std::string make_csv(std::uint64_t rows) {
  std::string out;
  for (const auto& column : kColumns) out.append(out.empty() ? "" : ";").append(column.name);
  out += '\n';
  for (std::uint64_t n = 0; n < rows; ++n) {
    const auto cells = cells_of(n);
    for (std::size_t i = 0; i < cells.size(); ++i) {
      if (i > 0) out += ';';
      char date[16];
      const auto& [year, month, day] = cells[i].date;
      std::snprintf(date, sizeof date, "%02d.%02d.%04d", day % 100, month % 100, year % 10'000);
      const auto kind = kColumns[i].kind;
      out += kind == Kind::date ? date : kind == Kind::number ? comma(cells[i].text) : cells[i].text;
    }
    out += '\n';
  }
  return out;
}

// Other people than those of the CSV, so that they are new as well.
Result<std::string> make_xlsx(std::uint64_t rows) {
  Workbook out;
  for (const auto& column : kColumns) out.text(column.name);
  out.end_row();
  for (std::uint64_t n = rows; n < 2 * rows; ++n) {
    const auto cells = cells_of(n);
    for (std::size_t i = 0; i < cells.size(); ++i) {
      const auto& [text, date] = cells[i];
      if (kColumns[i].kind == Kind::date) {
        out.date(date.year, date.month, date.day);
      } else if (kColumns[i].kind == Kind::number) {
        out.number(text);
      } else {
        out.text(text);
      }
    }
    out.end_row();
  }
  return out.finish();
}

class Stopwatch {
 public:
  double seconds() {
    const auto now = std::chrono::steady_clock::now();
    return std::chrono::duration<double>(now - std::exchange(begin_, now)).count();
  }

 private:
  std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
};

struct Taken {
  double preview_s = 0, commit_s = 0;
};
Result<Taken> take_in(const Site& site, const std::string& token, std::string_view media, const std::string& file,
                      std::uint64_t rows) {
  const auto port = site.server->port();
  Taken out;
  Stopwatch watch;
  SIEGEL_TRY(preview, call(port, {.method = "POST",
                                  .path = "/v1/imports?type=customers&match=e-mail",
                                  .token = token,
                                  .purpose = kPurpose,
                                  .body = file,
                                  .media = media}));
  out.preview_s = watch.seconds();
  const auto path = "/v1/imports/" + std::string(member(preview, "import")) + "/commit?wait=true";
  SIEGEL_TRY(
      done,
      call(port,
           {.method = "POST", .path = path, .token = token, .purpose = kPurpose, .body = R"({"bad_rows":"none"})"}));
  out.commit_s = watch.seconds();
  if (member(done, "state") != "finished" || done.find("\"new\":" + std::to_string(rows) + ",") == std::string::npos)
    return Error(Errc::unavailable, "import_refused", "The server did not take in the file of the benchmark.");
  return out;
}

}  // namespace

Result<Imported> measure_imports(Site& site, std::uint64_t rows) {
  SIEGEL_CHECK(site.start());
  const auto port = site.server->port();
  const auto type = "/v1/record-types/" + std::string(kSheetType);
  const auto definition = type_body();
  SIEGEL_CHECK(call(port, {.method = "PUT", .path = type, .token = site.admin, .purpose = {}, .body = definition}));
  SIEGEL_TRY(made, call(port, {.method = "POST",
                               .path = "/v1/tokens",
                               .token = site.admin,
                               .purpose = {},
                               .body = R"({"role":"editor","purposes":["customer-care"],"all_types":true})"}));
  const std::string token(member(made, "token"));
  const auto idle = site.server->rss_mib();
  SIEGEL_TRY(text, take_in(site, token, "text/csv", make_csv(rows), rows));
  SIEGEL_TRY(book, make_xlsx(rows));
  SIEGEL_TRY(workbook,
             take_in(site, token, "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", book, rows));
  Imported out{text.preview_s, text.commit_s, workbook.preview_s + workbook.commit_s,
               site.server->peak_rss_mib() - idle};
  site.stop();
  return out;
}

}  // namespace siegel::bench
