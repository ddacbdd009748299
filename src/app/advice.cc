#include "app/advice.h"

#include <algorithm>
#include <array>

namespace siegel::app {
namespace {

struct Entry {
  std::string_view code;
  std::string_view english;
  std::string_view german;
};

constexpr Entry ledger_in_doubt(std::string_view code) {
  return {
      code,
      "Put the newest ledger back if it still exists. Else `siegel lock adopt --reason …` takes this one, and gives up "
      "for good what it lacks (docs/operations.md, Restore).",
      "Das neueste Buch zurücklegen, wenn es noch da ist. Sonst nimmt `siegel lock adopt --reason …` dieses an und "
      "gibt endgültig auf, was ihm fehlt (docs/operations.md, Restore)."};
}
constexpr Entry lock_record_in_doubt(std::string_view code) {
  return {code,
          "Put the lock record back where PLACES names it (`head`), attach its disk. If it is lost, `siegel lock adopt "
          "--reason …` takes the ledger as it is (docs/operations.md, Restore).",
          "Die Sperrdatei an den Ort zurücklegen, den PLACES nennt (`head`), ihren Datenträger anschließen. Ist sie "
          "verloren, nimmt `siegel lock adopt --reason …` das Buch an, wie es ist (docs/operations.md, Restore)."};
}

constexpr std::array kEntries{
    Entry{"format_newer", "Use the version that wrote this directory, or a newer one. Nothing was changed.",
          "Die Version verwenden, die dieses Verzeichnis geschrieben hat, oder eine neuere. Nichts wurde verändert."},
    Entry{"format_damaged",
          "Put the file FORMAT of the data directory back: it is one line, `siegel-data 1 LEDGER-ID`.",
          "Die Datei FORMAT im Datenverzeichnis wiederherstellen: eine Zeile, `siegel-data 1 LEDGER-ID`."},
    Entry{"places_damaged",
          "Mend the file PLACES of the data directory at that line: it names root, signer and head, every key replica "
          "and root mirror, and last how many of these two there are (`members 2`). A copy of it is in each backup. A "
          "mirror that is left out keeps the keys of people erased later.",
          "Die Datei PLACES im Datenverzeichnis an dieser Stelle berichtigen: sie nennt root, signer und head, jede "
          "key-replica und jeden root-mirror, und zuletzt, wie viele dieser beiden es sind (`members 2`). Eine Kopie "
          "ist in jeder Sicherung. Ein Spiegel, der fehlt, behält die Schlüssel später Gelöschter."},
    Entry{"store_missing",
          "Check --data and the disks, and put the missing directory back; only where there never was a ledger, "
          "`siegel init` makes one.",
          "--data und die Datenträger prüfen und das fehlende Verzeichnis zurücklegen; nur wo nie ein Buch war, legt "
          "`siegel init` eines an."},
    Entry{"store_damaged",
          "Put the store back from a copy: `ledger` from a backup, `keys` from its replica; `views` may be deleted and "
          "is "
          "rebuilt.",
          "Den Speicher aus einer Kopie zurücklegen: `ledger` aus einer Sicherung, `keys` aus seiner Zweitkopie; "
          "`views` darf "
          "gelöscht werden und wird neu aufgebaut."},
    Entry{"store_layout", "Use the version that wrote this directory, or a newer one.",
          "Die Version verwenden, die dieses Verzeichnis geschrieben hat, oder eine neuere."},
    Entry{"other_ledger",
          "Parts of two ledgers are mixed: put back the ones that belong to the ledger named in FORMAT.",
          "Teile zweier Bücher sind vermischt: die zurücklegen, die zu dem in FORMAT genannten Buch gehören."},
    Entry{"data_in_use", "Stop that process first, or use the command that talks to the running server.",
          "Zuerst jenen Prozess beenden, oder den Befehl verwenden, der mit dem laufenden Server spricht."},
    Entry{"root_store_missing",
          "Attach the disk that holds the root store, or copy `root` from a root mirror. Never take it from a backup.",
          "Den Datenträger mit dem Wurzelspeicher anschließen, oder `root` von einem Spiegel kopieren. Nie aus einer "
          "Sicherung."},
    Entry{"root_store_damaged", "Copy `root` from a root mirror. Without any whole root all personal data is lost.",
          "`root` von einem Spiegel kopieren. Ohne eine heile Wurzel sind alle personenbezogenen Daten verloren."},
    Entry{"root_store_unavailable", "Attach the disk of the root store and see that it can be read and written.",
          "Den Datenträger des Wurzelspeichers anschließen und prüfen, dass er les- und beschreibbar ist."},
    Entry{"root_behind",
          "An old copy of the root store was put back. Put the present one in its place: from a root mirror, or the "
          "disk that "
          "held it.",
          "Ein alter Stand des Wurzelspeichers wurde eingespielt. Den gegenwärtigen zurücklegen: von einem Spiegel, "
          "oder vom "
          "bisherigen Datenträger."},
    Entry{"root_inside_data", "Move the root store out of the data directory and name its place in PLACES.",
          "Den Wurzelspeicher aus dem Datenverzeichnis verlegen und seinen Ort in PLACES nennen."},
    Entry{"keys_behind",
          "An old copy of the keys store was put back, or its newest part is lost. Copy a key replica over `keys`.",
          "Ein alter Stand des Schlüsselspeichers wurde eingespielt, oder sein neuester Teil ist verloren. Eine "
          "Zweitkopie der "
          "Schlüssel nach `keys` kopieren."},
    Entry{"keys_replica_unavailable", "Attach the disk of the key replica that PLACES names; nothing was changed.",
          "Den Datenträger mit der Zweitkopie der Schlüssel anschließen, den PLACES nennt; nichts wurde verändert."},
    Entry{"keys_damaged", "Copy a key replica over `keys`.", "Eine Zweitkopie der Schlüssel nach `keys` kopieren."},
    Entry{"ledger_damaged", "Put `ledger` back from a backup; `siegel verify` names what is damaged.",
          "`ledger` aus einer Sicherung zurücklegen; `siegel verify` nennt, was beschädigt ist."},
    Entry{"signer_missing", "Put the signing key back where PLACES names it (DIR.outside/signer by default).",
          "Den Signierschlüssel an den Ort zurücklegen, den PLACES nennt (ohne Angabe DIR.outside/signer)."},
    ledger_in_doubt("behind_lock_record"),
    ledger_in_doubt("behind_keys"),
    ledger_in_doubt("log_damaged"),
    ledger_in_doubt("fork"),
    lock_record_in_doubt("lock_record_missing"),
    lock_record_in_doubt("lock_record_damaged"),
    Entry{"private_key_malformed", "Put the signing key back where PLACES names it: what lies there is none.",
          "Den Signierschlüssel an den Ort zurücklegen, den PLACES nennt: was dort liegt, ist keiner."},
    Entry{"views_ahead", "Run `siegel rebuild`: the read models come back from the ledger.",
          "`siegel rebuild` ausführen: die Lesemodelle kommen aus dem Buch zurück."},
    Entry{"views_damaged", "Run `siegel rebuild`: the read models come back from the ledger.",
          "`siegel rebuild` ausführen: die Lesemodelle kommen aus dem Buch zurück."},
    Entry{"disk_full", "Make room on the disk and start again.", "Platz auf dem Datenträger schaffen und neu starten."},
    Entry{"not_permitted", "Start it as the owner of the data directory, DIR.root and DIR.outside.",
          "Als Eigentümer des Datenverzeichnisses, von DIR.root und DIR.outside starten."},
    Entry{"io_error", "Check the disk; the system's log says more.",
          "Den Datenträger prüfen; das Systemprotokoll sagt mehr."},
};

}  // namespace

std::string_view advice(std::string_view code, std::string_view language) {
  const auto* const at = std::find_if(kEntries.begin(), kEntries.end(), [&](const Entry& e) { return e.code == code; });
  if (at == kEntries.end()) return {};
  return language == "de" ? at->german : at->english;
}

}  // namespace siegel::app
