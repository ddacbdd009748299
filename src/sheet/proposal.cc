#include "sheet/proposal.h"

#include <algorithm>
#include <array>
#include <initializer_list>

#include "sheet/title_hints.h"

namespace siegel::sheet {
namespace {

struct Decision {
  ColumnType type = ColumnType::text;
  const char* reason = "free_text";
  std::uint64_t exceptions = 0;
  Samples exception_samples;
  std::optional<Nearest> nearest;
};
using Found = std::optional<Decision>;

struct Column {
  const ColumnEvidence& seen;
  const TitleHints hints;
  std::uint64_t rows = 0;
  ColumnStyle style;
};

bool is_enough(std::uint64_t fits, std::uint64_t cells) noexcept {
  return fits > 0 && (cells - fits) * 100 <= cells * kExceptionsPerCentMax;
}

Decision typed(ColumnType type, const char* all, const char* mostly, std::uint64_t exceptions, const Samples& samples) {
  if (exceptions == 0) return {type, all, 0, {}, {}};
  return {type, mostly, exceptions, samples, {}};
}

Decision text(const char* reason) { return {ColumnType::text, reason, 0, {}, {}}; }
Decision text(const char* reason, ColumnType near, std::uint64_t cells, const Samples& samples) {
  return {ColumnType::text, reason, 0, {}, Nearest{near, cells, samples}};
}
Decision text(const char* reason, ColumnType near, const ColumnEvidence& seen, Warning warning) {
  return text(reason, near, seen.warnings(warning), seen.warned(warning));
}

Found by_email(const Column& column) {
  const auto& seen = column.seen;
  const auto fits = seen.fits(Reading::email);
  if (!is_enough(fits, seen.cells)) return {};
  // The API keeps domains in small letters: such a cell would come back changed.
  if (seen.warnings(Warning::capital_domain) > 0)
    return text("capital_domain", ColumnType::email, seen, Warning::capital_domain);
  return typed(ColumnType::email, "all_email", "mostly_email", seen.cells - fits, seen.misfits(Reading::email));
}

Found by_url(const Column& column) {
  const auto fits = column.seen.fits(Reading::url);
  if (!is_enough(fits, column.seen.cells)) return {};
  return typed(ColumnType::url, "all_url", "mostly_url", column.seen.cells - fits, column.seen.misfits(Reading::url));
}

void set_time_style(Column& column) {
  column.style.offset_minutes = column.seen.offset_minutes;
  column.style.offset_is_z = column.seen.offset_is_z || !column.seen.has_offset;
}

Found by_datetime(const Column& column) {
  const auto& seen = column.seen;
  const auto fits = seen.fits(Reading::datetime);
  const auto local = seen.warnings(Warning::time_without_zone) + (seen.typed_times > 0 ? seen.typed_midnights : 0);
  if (is_enough(local, seen.cells)) return text("time_without_zone", ColumnType::datetime, local, seen.samples);
  if (is_enough(seen.warnings(Warning::time_of_day), seen.cells)) return text("time_of_day");
  if (!is_enough(fits, seen.cells)) return {};
  if (seen.has_other_offset || seen.has_other_time_spelling)
    return text("mixed_time_zones", ColumnType::datetime, fits, seen.samples);
  return typed(ColumnType::datetime, "all_times", "mostly_times", seen.cells - fits, seen.misfits(Reading::datetime));
}

struct DateKind {
  Reading reading;
  DateOrder order;
  char separator;
  const char* all;
  const char* mostly;
};
constexpr std::array<DateKind, 7> kDateKinds = {{
    {Reading::date_iso, DateOrder::year_month_day, '-', "all_dates_iso", "mostly_dates_iso"},
    {Reading::date_dotted, DateOrder::day_month_year, '.', "all_dates_german", "mostly_dates_german"},
    {Reading::date_ymd, DateOrder::year_month_day, '/', "all_dates_year_first", "mostly_dates_year_first"},
    {Reading::slash_day, DateOrder::day_month_year, '/', "all_dates_day_first", "mostly_dates_day_first"},
    {Reading::slash_month, DateOrder::month_day_year, '/', "all_dates_month_first", "mostly_dates_month_first"},
    {Reading::dash_day, DateOrder::day_month_year, '-', "all_dates_day_first", "mostly_dates_day_first"},
    {Reading::dash_month, DateOrder::month_day_year, '-', "all_dates_month_first", "mostly_dates_month_first"},
}};

bool is_one_spelling(const DateEvidence& dates) noexcept {
  return !(dates.first_padded && dates.first_bare) && !(dates.second_padded && dates.second_bare) &&
         !dates.has_other_midnight;
}

// Of dates with slashes or dashes the fits of both orders: the order is known if one of them explains all.
struct DateChoice {
  const DateKind* kind = &kDateKinds.front();
  bool is_ambiguous = false;      // both explain all
  bool is_contradictory = false;  // each explains what the other does not
  std::uint64_t fits = 0;
};

DateChoice choose_date(const ColumnEvidence& seen) {
  DateChoice out;
  for (const auto& kind : kDateKinds)
    if (seen.fits(kind.reading) > out.fits) {
      out.kind = &kind;
      out.fits = seen.fits(kind.reading);
    }
  for (const auto& [by_day, by_month] :
       {std::pair(Reading::slash_day, Reading::slash_month), std::pair(Reading::dash_day, Reading::dash_month)}) {
    if (out.kind->reading != by_day && out.kind->reading != by_month) continue;
    const auto typed_dates = seen.typed_dates + seen.typed_midnights;
    const auto both = by_day == Reading::slash_day ? seen.slashes_both : seen.dashes_both;
    const auto only_day = seen.fits(by_day) - both - typed_dates, only_month = seen.fits(by_month) - both - typed_dates;
    out.is_ambiguous = only_day == 0 && only_month == 0;
    out.is_contradictory = only_day > 0 && only_month > 0;
  }
  return out;
}

// Also where no date is proposed: the user may choose one.
void set_date_style(Column& column) {
  const auto choice = choose_date(column.seen);
  if (choice.fits == 0) return;
  auto& style = column.style.date;
  const auto& dates = column.seen.dates(choice.kind->reading);
  if (!dates.has_date) return;  // typed ones: ISO
  style.order = choice.is_ambiguous || choice.is_contradictory ? DateOrder::unknown : choice.kind->order;
  style.separator = choice.kind->separator;
  // What is never seen without a zero is written with one, as long as nothing speaks against it in the other place.
  style.first_padded = !dates.first_bare && (dates.first_padded || !dates.second_bare);
  style.second_padded = !dates.second_bare && (dates.second_padded || !dates.first_bare);
  style.midnight = dates.midnight;
}

Found by_date(const Column& column) {
  const auto& seen = column.seen;
  const auto like = seen.fits(Reading::any_date);
  const auto short_years = seen.warnings(Warning::two_digit_year);
  if (short_years > 0 && is_enough(like + short_years, seen.cells) && !is_enough(like, seen.cells))
    return text("two_digit_year", ColumnType::date, seen, Warning::two_digit_year);
  if (!is_enough(like, seen.cells)) return {};
  const auto times = seen.warnings(Warning::time_without_zone);
  if (times > 0 && (seen.typed_midnights > 0 || !column.style.date.midnight.empty()))
    return text("time_without_zone", ColumnType::datetime, seen, Warning::time_without_zone);
  const auto choice = choose_date(seen);
  const auto& kind = *choice.kind;
  const auto& misfits = seen.misfits(kind.reading);
  if (choice.is_contradictory) return text("contradictory_dates", ColumnType::date, like - choice.fits, misfits);
  if (choice.is_ambiguous) return text("ambiguous_dates", ColumnType::date, seen, Warning::ambiguous_date);
  const auto& dates = seen.dates(kind.reading);
  if (choice.fits < like || !is_one_spelling(dates))
    return text("mixed_date_spelling", ColumnType::date, like - choice.fits, misfits);
  const bool is_typed = !dates.has_date;
  return typed(ColumnType::date, is_typed ? "all_dates" : kind.all, is_typed ? "mostly_dates" : kind.mostly,
               seen.cells - choice.fits, misfits);
}

struct YesNo {
  std::string_view yes, no;
};
constexpr YesNo kYesNo[] = {{"ja", "nein"}, {"yes", "no"}, {"true", "false"}, {"wahr", "falsch"},
                            {"j", "n"},     {"y", "n"},    {"1", "0"}};

std::string lowered(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return out;
}

// "Nein" for "Ja", "NEIN" for "JA".
std::string in_case_of(std::string_view model, std::string_view word) {
  std::string out(word);
  const auto is_capital = [](char c) { return c >= 'A' && c <= 'Z'; };
  const auto raise = [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; };
  if (model.size() > 1 && is_capital(model[1])) {
    std::transform(out.begin(), out.end(), out.begin(), raise);
  } else if (!model.empty() && is_capital(model[0])) {
    out[0] = raise(out[0]);
  }
  return out;
}

Found crosses(Column& column, const std::string& cross) {
  if (column.seen.cells < 2 || column.rows == column.seen.cells) return {};
  column.style.boolean = {cross, ""};
  return typed(ColumnType::boolean, "crosses", "crosses", 0, {});
}

Found by_boolean(Column& column) {
  const auto& seen = column.seen;
  const auto& values = seen.few.entries();
  if (seen.few.overflowed() || values.empty() || values.size() > 6) return {};
  if (values.size() == 1 && lowered(values[0].text) == "x") return crosses(column, values[0].text);
  const YesNo* pair = nullptr;
  for (const auto& one : kYesNo) {
    const bool all = std::all_of(values.begin(), values.end(), [&](const auto& value) {
      const auto word = lowered(value.text);
      return word == one.yes || word == one.no;
    });
    if (all) pair = &one;
  }
  if (pair == nullptr) return {};
  // One letter or digit alone is no answer yet, and 0 and 1 count something unless the title asks a question.
  if (pair->yes.size() == 1 && values.size() < 2) return {};
  if (pair->yes == "1" && (!column.hints.yes_no || seen.typed_numbers > 0)) return {};
  if (values.size() > 2 || (values.size() == 2 && lowered(values[0].text) == lowered(values[1].text)))
    return text("mixed_yes_no_spelling", ColumnType::boolean, seen.cells, seen.samples);
  BooleanStyle style{"", ""};
  for (const auto& value : values) (lowered(value.text) == pair->yes ? style.yes : style.no) = value.text;
  if (style.yes.empty()) style.yes = in_case_of(style.no, pair->yes);
  if (style.no.empty()) style.no = in_case_of(style.yes, pair->no);
  column.style.boolean = style;
  return typed(ColumnType::boolean, "yes_no", "yes_no", 0, {});
}

void set_phone_style(Column& column) {
  const auto& seen = column.seen;
  const auto fits = seen.fits(Reading::phone);
  if (fits == 0) return;
  if (seen.phones_international == fits) column.style.phone = PhoneStyle::international;
  if (seen.phones_national == fits) column.style.phone = PhoneStyle::national;
}

Found by_phone(const Column& column) {
  const auto& seen = column.seen;
  const auto fits = seen.fits(Reading::phone);
  // Digits that begin with a zero can be anything; a plus or the title tells.
  if (!is_enough(fits, seen.cells) || (!column.hints.phone && seen.phones_with_plus * 2 < fits)) return {};
  return typed(ColumnType::phone, "all_phone", "mostly_phone", seen.cells - fits, seen.misfits(Reading::phone));
}

struct NumberChoice {
  DecimalSign sign = DecimalSign::point;
  bool is_ambiguous = false;
  bool is_contradictory = false;
};

NumberChoice choose_number(const ColumnEvidence& seen) {
  const auto any = seen.fits(Reading::any_number);
  const auto only_comma = any - seen.fits(Reading::number_point), only_point = any - seen.fits(Reading::number_comma);
  NumberChoice out;
  out.is_contradictory = only_comma > 0 && only_point > 0;
  out.is_ambiguous = only_comma == 0 && only_point == 0 && seen.warnings(Warning::ambiguous_number) > 0;
  if (only_comma > 0) out.sign = DecimalSign::comma;
  return out;
}

void set_number_style(Column& column) {
  const auto choice = choose_number(column.seen);
  auto& style = column.style.number;
  if (column.seen.fits(Reading::any_number) == column.seen.typed_numbers) return;
  const auto& numbers = choice.sign == DecimalSign::comma ? column.seen.comma : column.seen.point;
  const bool is_known = !choice.is_ambiguous && !choice.is_contradictory;
  // Whole numbers without marks say nothing about the sign: what the user then adds may be written either way.
  if (!is_known || (!numbers.has_fraction && numbers.group.empty())) return;
  style.sign = choice.sign;
  style.group = numbers.group;
}

bool is_one_spelling(const NumberEvidence& numbers) noexcept {
  const bool is_space = numbers.group.empty() || numbers.group == " " || numbers.group.size() > 1;
  return !numbers.has_other_group && (is_space || !numbers.has_ungrouped);
}

Found by_number(const Column& column) {
  const auto& seen = column.seen;
  const auto like = seen.fits(Reading::any_number);
  const auto zeros = seen.warnings(Warning::leading_zero), longs = seen.warnings(Warning::too_long_number);
  if (!is_enough(like, seen.cells) && !is_enough(std::min(seen.cells, like + zeros + longs), seen.cells)) return {};
  if (zeros > 0) return text("leading_zero", ColumnType::integer, seen, Warning::leading_zero);
  if (longs > 0) return text("too_long_number", ColumnType::integer, seen, Warning::too_long_number);
  const auto choice = choose_number(seen);
  const auto reading = choice.sign == DecimalSign::comma ? Reading::number_comma : Reading::number_point;
  const auto& numbers = choice.sign == DecimalSign::comma ? seen.comma : seen.point;
  const auto type = numbers.has_fraction || seen.has_typed_fraction ? ColumnType::decimal : ColumnType::integer;
  if (choice.is_contradictory)
    return text("contradictory_numbers", ColumnType::decimal, like - seen.fits(reading), seen.misfits(reading));
  if (choice.is_ambiguous) return text("ambiguous_numbers", ColumnType::decimal, seen, Warning::ambiguous_number);
  if (!is_one_spelling(numbers)) return text("mixed_number_spelling", type, like, seen.samples);
  if ((column.hints.identifier || column.hints.phone) && type == ColumnType::integer)
    return text("identifier", type, like, seen.samples);
  const bool is_integer = type == ColumnType::integer;
  return typed(type, is_integer ? "all_integers" : "all_decimals", is_integer ? "mostly_integers" : "mostly_decimals",
               seen.cells - like, seen.misfits(reading));
}

bool may_be_choices(const FewTexts& texts, std::uint64_t cells, const TitleHints& hints) {
  if (texts.overflowed() || texts.entries().size() < 2 || cells < kChoiceCellsMin ||
      cells < texts.entries().size() * kChoiceRepeatsMin)
    return false;
  if (hints.person_name || hints.address || hints.email || hints.phone || hints.identifier || hints.key) return false;
  return std::all_of(texts.entries().begin(), texts.entries().end(), [](const FewTexts::Entry& entry) {
    return entry.count >= kChoiceUsesMin && entry.text.size() <= kChoiceLengthMax &&
           entry.text.find_first_of("\r\n") == std::string::npos;
  });
}

void set_choices(Column& column, const FewTexts& texts) {
  for (const auto& entry : texts.entries()) column.style.choices.push_back(entry.text);
}

Found by_choice(Column& column) {
  const auto& seen = column.seen;
  // The choices of a list are fewer than the lists that can be made of them.
  for (std::size_t i = 0; i < seen.few_items.size(); ++i) {
    const auto& items = seen.few_items[i];
    const bool is_shorter = seen.few.overflowed() || items.entries().size() < seen.few.entries().size();
    if (seen.lists[i] * 10 < seen.cells || !is_shorter || !may_be_choices(items, seen.cells, column.hints)) continue;
    set_choices(column, items);
    column.style.list_separator = i == 0 ? ';' : ',';
    return typed(ColumnType::multichoice, "few_distinct_lists", "few_distinct_lists", 0, {});
  }
  if (seen.warnings(Warning::formula_error) > 0 || !may_be_choices(seen.few, seen.cells, column.hints)) return {};
  set_choices(column, seen.few);
  return typed(ColumnType::choice, "few_distinct_values", "few_distinct_values", 0, {});
}

// A type that reads more than half, and so deserves to be named.
Decision mixed_or_free(const Column& column) {
  struct Near {
    Reading reading;
    ColumnType type;
  };
  constexpr Near kNear[] = {{Reading::email, ColumnType::email},       {Reading::url, ColumnType::url},
                            {Reading::datetime, ColumnType::datetime}, {Reading::any_date, ColumnType::date},
                            {Reading::phone, ColumnType::phone},       {Reading::any_number, ColumnType::decimal}};
  const auto& seen = column.seen;
  if (is_enough(seen.fits(Reading::phone), seen.cells)) return text("maybe_phone", ColumnType::phone, 0, {});
  for (const auto& near : kNear)
    if (seen.fits(near.reading) * 2 > seen.cells)
      return text("mixed", near.type, seen.cells - seen.fits(near.reading), seen.misfits(near.reading));
  return text("free_text");
}

Decision decide(Column& column) {
  const auto& seen = column.seen;
  if (seen.cells == 0) return text("empty");
  if (auto found = by_email(column)) return *std::move(found);
  if (auto found = by_url(column)) return *std::move(found);
  if (auto found = by_datetime(column)) return *std::move(found);
  if (auto found = by_date(column)) return *std::move(found);
  if (auto found = by_boolean(column)) return *std::move(found);
  if (auto found = by_phone(column)) return *std::move(found);
  if (auto found = by_number(column)) return *std::move(found);
  if (auto found = by_choice(column)) return *std::move(found);
  return mixed_or_free(column);
}

// Text on as many lines as its cells need.
void set_lines(Decision& decision, const ColumnEvidence& seen) {
  if (decision.type != ColumnType::text || (!seen.has_break && seen.length_max <= kTextLengthMax)) return;
  decision.type = ColumnType::multiline;
  decision.reason = seen.has_break ? "line_breaks" : "long_text";
}

}  // namespace

ColumnProposal propose(const ColumnEvidence& evidence, const ColumnTitle& title, std::uint64_t rows,
                       const std::string& country) {
  Column column{evidence, hints_of(field_name(title.title)), rows, {}};
  column.style.country = country;
  set_time_style(column);
  set_date_style(column);
  set_number_style(column);
  set_phone_style(column);
  auto decision = decide(column);
  set_lines(decision, evidence);
  ColumnProposal out;
  out.title = title;
  out.type = decision.type;
  out.reason = decision.reason;
  out.exceptions = decision.exceptions;
  out.exception_samples = std::move(decision.exception_samples);
  out.nearest = std::move(decision.nearest);
  out.style = std::move(column.style);
  out.cells = evidence.cells;
  out.empty = rows - evidence.cells;
  out.samples = evidence.samples;
  out.length_max = evidence.length_max;
  out.distinct = evidence.distinct.count();
  out.distinct_is_least = evidence.distinct.is_at_least();
  out.all_different = evidence.cells > 0 && !evidence.distinct.repeats() && !evidence.distinct.is_at_least();
  out.required = rows > 0 && out.empty == 0 && out.exceptions == 0;
  return out;
}

}  // namespace siegel::sheet
