#include "app/warnings.h"

namespace siegel::app {

std::vector<Warning> warnings(const Places& places, bool dumps_are_forbidden, const KernelTables& tables) {
  std::vector<Warning> out;
  if (places.key_replicas.empty() || places.root_mirrors.empty())
    out.push_back(
        Warning{"single_disk",
                "--single-disk: fällt dieser Datenträger aus, sind alle personenbezogenen Daten verloren, und "
                "Sicherungen des Buchs lassen sich nicht öffnen.",
                "--single-disk: one disk failure loses all personal data, and backups of the ledger will not open."});
  const auto swap = swap_areas(tables);
  if (!swap || swap->plain > 0)
    out.push_back(
        Warning{"unencrypted_swap",
                "Auslagerungsspeicher ohne Verschlüsselung: Werte und Schlüssel können auf einen Datenträger "
                "geraten, den keine Löschung erreicht. Ausschalten (swapoff -a) oder verschlüsseln.",
                "swap without encryption: values and keys can reach a disk that no erasure reaches. Turn it off "
                "(swapoff -a) or encrypt it."});
  if (!dumps_are_forbidden)
    out.push_back(
        Warning{"dumps_possible",
                "das System lässt Speicherabzüge dieses Prozesses zu: Schlüssel können in eine Datei geraten.",
                "the system permits memory dumps of this process: keys can reach a file."});
  return out;
}

}  // namespace siegel::app
