#include "sheet/title_hints.h"

#include <algorithm>

namespace siegel::sheet {
namespace {

using Hint = bool TitleHints::*;

// How a word of the table has to stand in the title.
enum class Stand { word, begin, end, within };

struct Rule {
  std::string_view text;
  Stand stand;
  Hint hint;
};

constexpr Rule kRules[] = {{"email", Stand::within, &TitleHints::email},
                           {"e-mail", Stand::within, &TitleHints::email},
                           {"mail", Stand::word, &TitleHints::email},
                           {"mailadresse", Stand::within, &TitleHints::email},
                           {"telefon", Stand::within, &TitleHints::phone},
                           {"tel", Stand::word, &TitleHints::phone},
                           {"phone", Stand::within, &TitleHints::phone},
                           {"mobil", Stand::begin, &TitleHints::phone},
                           {"handy", Stand::within, &TitleHints::phone},
                           {"rufnummer", Stand::within, &TitleHints::phone},
                           {"fax", Stand::within, &TitleHints::phone},
                           {"cell", Stand::word, &TitleHints::phone},
                           {"plz", Stand::word, &TitleHints::identifier},
                           {"postleitzahl", Stand::word, &TitleHints::identifier},
                           {"zip", Stand::begin, &TitleHints::identifier},
                           {"postcode", Stand::word, &TitleHints::identifier},
                           {"postal", Stand::begin, &TitleHints::identifier},
                           {"iban", Stand::within, &TitleHints::identifier},
                           {"bic", Stand::word, &TitleHints::identifier},
                           {"blz", Stand::word, &TitleHints::identifier},
                           {"konto", Stand::begin, &TitleHints::identifier},
                           {"account", Stand::word, &TitleHints::identifier},
                           {"isbn", Stand::within, &TitleHints::identifier},
                           {"ean", Stand::word, &TitleHints::identifier},
                           {"hausnummer", Stand::within, &TitleHints::identifier},
                           {"hausnr", Stand::within, &TitleHints::identifier},
                           {"steuernummer", Stand::within, &TitleHints::identifier},
                           {"ust", Stand::begin, &TitleHints::identifier},
                           {"vat", Stand::word, &TitleHints::identifier},
                           {"nummer", Stand::end, &TitleHints::key},
                           {"nr", Stand::end, &TitleHints::key},
                           {"no", Stand::word, &TitleHints::key},
                           {"number", Stand::word, &TitleHints::key},
                           {"id", Stand::word, &TitleHints::key},
                           {"kennung", Stand::end, &TitleHints::key},
                           {"kuerzel", Stand::end, &TitleHints::key},
                           {"schluessel", Stand::end, &TitleHints::key},
                           {"aktenzeichen", Stand::within, &TitleHints::key},
                           {"matrikel", Stand::begin, &TitleHints::key},
                           {"code", Stand::word, &TitleHints::key},
                           {"key", Stand::word, &TitleHints::key},
                           {"name", Stand::word, &TitleHints::person_name},
                           {"vorname", Stand::within, &TitleHints::person_name},
                           {"nachname", Stand::within, &TitleHints::person_name},
                           {"familienname", Stand::within, &TitleHints::person_name},
                           {"zuname", Stand::word, &TitleHints::person_name},
                           {"geburtsname", Stand::word, &TitleHints::person_name},
                           {"surname", Stand::word, &TitleHints::person_name},
                           {"firstname", Stand::word, &TitleHints::person_name},
                           {"lastname", Stand::word, &TitleHints::person_name},
                           {"fullname", Stand::word, &TitleHints::person_name},
                           {"ansprechpartner", Stand::begin, &TitleHints::person_name},
                           {"kontaktperson", Stand::begin, &TitleHints::person_name},
                           {"anrede", Stand::word, &TitleHints::person_name},
                           {"strasse", Stand::within, &TitleHints::address},
                           {"str", Stand::word, &TitleHints::address},
                           {"street", Stand::within, &TitleHints::address},
                           {"adresse", Stand::word, &TitleHints::address},
                           {"anschrift", Stand::within, &TitleHints::address},
                           {"address", Stand::word, &TitleHints::address},
                           {"ort", Stand::word, &TitleHints::address},
                           {"wohnort", Stand::word, &TitleHints::address},
                           {"stadt", Stand::word, &TitleHints::address},
                           {"city", Stand::word, &TitleHints::address},
                           {"town", Stand::word, &TitleHints::address},
                           {"plz", Stand::word, &TitleHints::address},
                           {"postleitzahl", Stand::word, &TitleHints::address},
                           {"geburt", Stand::begin, &TitleHints::birth},
                           {"geboren", Stand::word, &TitleHints::birth},
                           {"geb", Stand::word, &TitleHints::birth},
                           {"birth", Stand::within, &TitleHints::birth},
                           {"born", Stand::word, &TitleHints::birth},
                           {"dob", Stand::word, &TitleHints::birth},
                           {"alter", Stand::word, &TitleHints::birth},
                           {"iban", Stand::within, &TitleHints::sensitive},
                           {"konto", Stand::begin, &TitleHints::sensitive},
                           {"steuer", Stand::begin, &TitleHints::sensitive},
                           {"religion", Stand::begin, &TitleHints::sensitive},
                           {"konfession", Stand::begin, &TitleHints::sensitive},
                           {"geschlecht", Stand::word, &TitleHints::sensitive},
                           {"gender", Stand::word, &TitleHints::sensitive},
                           {"krank", Stand::begin, &TitleHints::sensitive},
                           {"behinderung", Stand::within, &TitleHints::sensitive},
                           {"gehalt", Stand::within, &TitleHints::sensitive},
                           {"salary", Stand::word, &TitleHints::sensitive},
                           {"staatsangehoerigkeit", Stand::word, &TitleHints::sensitive},
                           {"aktiv", Stand::word, &TitleHints::yes_no},
                           {"active", Stand::word, &TitleHints::yes_no},
                           {"newsletter", Stand::within, &TitleHints::yes_no},
                           {"ist", Stand::begin, &TitleHints::yes_no},
                           {"is", Stand::word, &TitleHints::yes_no},
                           {"hat", Stand::word, &TitleHints::yes_no},
                           {"has", Stand::word, &TitleHints::yes_no},
                           {"mitglied", Stand::word, &TitleHints::yes_no},
                           {"einwilligung", Stand::within, &TitleHints::yes_no},
                           {"consent", Stand::within, &TitleHints::yes_no},
                           {"opt-in", Stand::within, &TitleHints::yes_no},
                           {"gesperrt", Stand::word, &TitleHints::yes_no},
                           {"bezahlt", Stand::word, &TitleHints::yes_no},
                           {"paid", Stand::word, &TitleHints::yes_no}};

// Titles that say nothing about type or person, but that they are titles.
constexpr std::string_view kUsual[] = {
    "datum",    "date",   "betrag",       "amount",      "preis",     "price",     "menge",      "anzahl",
    "status",   "notiz",  "bemerkung",    "notes",       "note",      "kommentar", "comment",    "titel",
    "title",    "firma",  "company",      "land",        "country",   "abteilung", "department", "website",
    "homepage", "url",    "beschreibung", "description", "kategorie", "category",  "rolle",      "role",
    "position", "umsatz", "summe",        "total",       "artikel",   "produkt"};

bool stands(std::string_view name, std::string_view text, Stand stand) {
  for (auto at = name.find(text); at != std::string_view::npos; at = name.find(text, at + 1)) {
    const auto after = at + text.size();
    const bool begins = at == 0 || name[at - 1] == '-';
    const bool ends = after == name.size() || name[after] == '-' || (name[after] >= '0' && name[after] <= '9');
    if (stand == Stand::within || (stand == Stand::begin && begins) || (stand == Stand::end && ends) ||
        (begins && ends))
      return true;
  }
  return false;
}

}  // namespace

TitleHints hints_of(std::string_view field_name) {
  TitleHints out;
  for (const auto& rule : kRules)
    if (stands(field_name, rule.text, rule.stand)) out.*rule.hint = true;
  // A house number stands for no row, a telephone number for no customer.
  if (out.identifier || out.phone) out.key = false;
  const auto is_usual = [&](std::string_view word) { return stands(field_name, word, Stand::word); };
  out.is_known = out != TitleHints{} || std::any_of(std::begin(kUsual), std::end(kUsual), is_usual);
  return out;
}

}  // namespace siegel::sheet
