#include "texts/things.h"

#include "texts/problems.h"

namespace siegel::texts {
namespace {

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
    case Thing::held_class:
      return {"Es gibt keine solche Person, oder sie hat nichts in diesen Klassen",
              "There is no such person, or nothing of that person in these classes",
              "`siegel subject show ID` zeigt ihre Datensätze.",
              "`siegel subject show ID` shows that person's records."};
    case Thing::token:
      return {"Es gibt keinen solchen Zugangsschlüssel", "There is no such token", "`siegel token list` zeigt alle.",
              "`siegel token list` shows them."};
  }
  return {};
}

}  // namespace

std::string not_found_text(Thing thing, std::string_view name, std::string_view language) {
  if (thing == Thing::none) return {};
  const auto text = missing_of(thing);
  const bool german = is_german(language);
  const bool may_be_named =
      thing == Thing::type || thing == Thing::purpose || thing == Thing::deletion_class || thing == Thing::erasure;
  std::string out(german ? text.de : text.en);
  if (may_be_named) out.append(" ").append(name);
  return out.append(". ").append(german ? text.next_de : text.next_en);
}

}  // namespace siegel::texts
