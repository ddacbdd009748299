#include "ctl/hints.h"

#include <array>

#include "base/text.h"

namespace siegel::ctl {
namespace {

struct Hint {
  std::string_view code, de, en;
};

constexpr std::array kHints = std::to_array<Hint>({
    {"bad_value", "Der genannte Wert ist zu berichtigen.", "Correct the value that is named."},
    {"unknown_field", "Ein Wort der Datei ist unbekannt; `siegel --json type show NAME` zeigt ein Beispiel.",
     "A word of the file is not known; `siegel --json type show NAME` shows an example."},
    {"schema_invalid", "Die genannte Stelle der Festlegung ist zu berichtigen.",
     "Correct the named place of the definition."},
    {"class_missing", "Jedes Feld braucht eine Löschklasse, oder der Typ eine für alle; `siegel class list`.",
     "Each field needs a deletion class, or the type one for all; `siegel class list`."},
    {"token_missing", "--token @DATEI oder SIEGEL_TOKEN; `siegel token create --local --role admin` stellt einen aus.",
     "--token @FILE or SIEGEL_TOKEN; `siegel token create --local --role admin` issues one."},
    {"purpose_missing", "--purpose NAME nennt ihn; `siegel purpose list` zeigt alle.",
     "--purpose NAME names it; `siegel purpose list` shows them."},
    {"purpose_unknown", "--purpose NAME; `siegel purpose list` zeigt alle.",
     "--purpose NAME; `siegel purpose list` shows them."},
    {"purpose_denied", "Ein Schlüssel für diesen Zweck: `siegel token create --purposes NAME`.",
     "A token for this purpose: `siegel token create --purposes NAME`."},
    {"type_denied", "Ein Schlüssel für diesen Typ: `siegel token create --types NAME`.",
     "A token for this record type: `siegel token create --types NAME`."},
    {"role_denied", "Ein Schlüssel mit einer Rolle, die das darf: `siegel token create --role ROLLE`.",
     "A token with a role that may do this: `siegel token create --role ROLE`."},
    {"field_denied", "Das Feld weglassen, oder ein anderer Zweck: --purpose NAME.",
     "Leave the field out, or another purpose: --purpose NAME."},
    {"erased", "`siegel erasure show ID` zeigt die Löschung; zu lesen ist nichts mehr.",
     "`siegel erasure show ID` shows the erasure; nothing can be read any more."},
    {"version_conflict", "Noch einmal ansehen, dann mit --expect und der jetzigen Version.",
     "Look again, then with --expect and the present version."},
    {"read_only", "`siegel status` nennt die Gründe; lesen geht weiter.",
     "`siegel status` names the reasons; reads go on."},
    {"overloaded", "Später noch einmal.", "Try again later."},
    {"rate_limited", "Später noch einmal.", "Try again later."},
    {"starting", "Gleich noch einmal; der Server fährt hoch.", "Try again in a moment; the server is starting."},
});

struct Missing {
  std::string_view de, en, next_de, next_en;
};

Missing missing_of(Thing thing) {
  switch (thing) {
    case Thing::none:
      break;
    case Thing::type:
      return {"Es gibt keinen Datensatztyp", "There is no record type", "`siegel type list` zeigt alle.",
              "`siegel type list` shows them."};
    case Thing::purpose:
      return {"Es gibt keinen Zweck", "There is no purpose", "`siegel purpose list` zeigt alle.",
              "`siegel purpose list` shows them."};
    case Thing::deletion_class:
      return {"Es gibt keine Löschklasse", "There is no deletion class", "`siegel class list` zeigt alle.",
              "`siegel class list` shows them."};
    case Thing::erasure:
      return {"Es gibt keine Löschung", "There is no erasure", "`siegel erasure list` zeigt alle.",
              "`siegel erasure list` shows them."};
    case Thing::record:
      return {"Es gibt keinen solchen Datensatz", "There is no such record",
              "`siegel records list --type TYP` zeigt die eines Typs.",
              "`siegel records list --type TYPE` shows those of a type."};
    case Thing::subject:
      return {"Es gibt keine solche Person", "There is no such person",
              "`siegel records get ID` nennt die Person eines Datensatzes.",
              "`siegel records get ID` names the person of a record."};
    case Thing::token:
      return {"Es gibt keinen solchen Zugangsschlüssel", "There is no such token", "`siegel token list` zeigt alle.",
              "`siegel token list` shows them."};
  }
  return {};
}

}  // namespace

std::string command_hint(std::string_view code, std::string_view language) {
  for (const auto& hint : kHints)
    if (hint.code == code) return std::string(language == "de" ? hint.de : hint.en);
  return {};
}

std::string not_found_text(Thing thing, std::string_view name, std::string_view language) {
  if (thing == Thing::none) return {};
  const auto text = missing_of(thing);
  const bool german = language == "de";
  const bool may_be_named =
      thing == Thing::type || thing == Thing::purpose || thing == Thing::deletion_class || thing == Thing::erasure;
  std::string out(german ? text.de : text.en);
  if (may_be_named) out.append(" ").append(name);
  return out.append(". ").append(german ? text.next_de : text.next_en);
}

std::string suggested_name(std::string_view name) {
  struct Letter {
    std::string_view from, to;
  };
  constexpr Letter kLetters[] = {{"ä", "ae"}, {"ö", "oe"}, {"ü", "ue"}, {"Ä", "ae"},
                                 {"Ö", "oe"}, {"Ü", "ue"}, {"ß", "ss"}};
  std::string out;
  for (std::size_t i = 0; i < name.size(); ++i) {
    const char c = name[i];
    const auto rest = name.substr(i);
    std::string_view as;
    for (const auto& letter : kLetters)
      if (rest.starts_with(letter.from)) as = letter.to;
    if (!as.empty()) {
      out += as;
      ++i;  // they are two bytes
    } else if (c >= 'A' && c <= 'Z') {
      out += static_cast<char>(c - 'A' + 'a');
    } else if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')) {
      out += c;
    } else if (!out.empty() && out.back() != '-') {
      out += '-';
    }
  }
  while (out.ends_with('-')) out.pop_back();
  return is_name(out) ? out : "contacts";
}

}  // namespace siegel::ctl
