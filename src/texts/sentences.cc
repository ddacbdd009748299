// What a code alone would say too roughly: sentences by their English wording, reasons, and the names of what an error
// says beside its sentence.
#include <algorithm>
#include <array>

#include "texts/problems.h"

namespace siegel::texts {
namespace {

struct Pair {
  std::string_view english;
  std::string_view german;
};

constexpr auto kSentences = std::to_array<Pair>({
    // ── flags and files ──
    {"--expires is a number with m, h or d: 12h.", "--expires ist eine Zahl mit m, h oder d: 12h."},
    {"--bulk-until is a number with m, h or d: 2h.", "--bulk-until ist eine Zahl mit m, h oder d: 2h."},
    {"The export was stopped; what came is not all.", "Die Ausgabe wurde abgebrochen; was kam, ist nicht alles."},
    {"The purpose covers no field of this record type.", "Der Zweck umfasst kein Feld dieses Datensatztyps."},
    {"--role is one of admin, privacy_officer, editor, sender, auditor, consumer.",
     "--role ist eine von admin, privacy_officer, editor, sender, auditor, consumer."},
    {"Too many wrong sign-ins within a minute.", "Zu viele falsche Anmeldungen in einer Minute."},
    {"There is no projection of that name.", "Eine Ansicht dieses Namens gibt es nicht."},
    {"The file is empty.", "Die Datei ist leer."},
    {"Characters follow the closing quote of a cell.",
     "Nach dem schließenden Anführungszeichen einer Zelle folgt Text."},
    {"A quote is opened and never closed.", "Ein Anführungszeichen wird geöffnet und nie geschlossen."},
    {"A cell is too long.", "Eine Zelle ist zu lang."},
    {"The file has too many rows.", "Die Datei hat zu viele Zeilen."},
    {"A row has too many columns.", "Eine Zeile hat zu viele Spalten."},
    {"The file is UTF-16; save it as UTF-8.", "Die Datei ist UTF-16; sie ist als UTF-8 zu speichern."},
    {"A cell holds a NUL byte; the file is no text in UTF-8.",
     "Eine Zelle enthält ein Nullbyte; die Datei ist kein Text in UTF-8."},
    {"A cell is not UTF-8.", "Eine Zelle ist kein UTF-8."},
    {"A cell is not UTF-8; in Excel, save the file as \"CSV UTF-8\".",
     "Eine Zelle ist kein UTF-8; in Excel die Datei als „CSV UTF-8“ speichern."},
    {"The file is UTF-16; save it as \"CSV UTF-8\".", "Die Datei ist UTF-16; sie ist als „CSV UTF-8“ zu speichern."},
    {"This is a spreadsheet file (XLSX, ODS, XLS); save the sheet as \"CSV UTF-8\".",
     "Das ist eine Tabellendatei (XLSX, ODS, XLS); das Blatt als „CSV UTF-8“ speichern."},
    {"A time has its zone beside it: 31.12.2026 13:30 is written 2026-12-31T13:30:00+01:00 (in summer +02:00), if it "
     "is "
     "that of Berlin.",
     "Zu einer Zeit gehört ihre Zone: 31.12.2026 13:30 schreibt sich 2026-12-31T13:30:00+01:00 (im Sommer +02:00), "
     "wenn "
     "es die von Berlin ist."},
    {"The file is there already; --force overwrites it.", "Die Datei ist schon da; --force überschreibt sie."},
    {"Another file took the name meanwhile; the result is kept beside it.",
     "Inzwischen trägt eine andere Datei den Namen; das Ergebnis steht daneben."},
    {"Something failed that should not.", "Etwas ist fehlgeschlagen, das nicht sollte."},
    {"The import was stopped; nothing was sent.", "Die Aufnahme wurde abgebrochen; nichts wurde gesendet."},
    {"The import was stopped before all rows were sent.",
     "Die Aufnahme wurde abgebrochen, bevor alle Zeilen gesendet waren."},
    {"The row has cells that no title of the header stands above.",
     "Die Zeile hat Zellen, über denen in der Kopfzeile nichts steht."},
    {"A column is no field of the type; --ignore-unknown passes it over, `siegel type show` names the fields.",
     "Eine Spalte ist kein Feld des Typs; --ignore-unknown übergeht sie, `siegel type show` nennt die Felder."},
    {"Nothing was taken in, because rows are bad; --bad-rows skip takes in the others.",
     "Nichts wurde aufgenommen, weil Zeilen fehlerhaft sind; --bad-rows skip nimmt die übrigen auf."},
    {"Nothing was taken in.", "Nichts wurde aufgenommen."},
    {"The import was cancelled; nothing is in.", "Der Import wurde abgebrochen; nichts ist aufgenommen."},
    {"A token, purpose or version holds a line break.",
     "Ein Zugangsschlüssel, ein Zweck oder eine Version enthält einen Zeilenumbruch."},
    {"The file is no workbook, so it has no sheet of any name.",
     "Die Datei ist keine Arbeitsmappe, hat also kein Blatt irgendeines Namens."},
    {"The file is not valid JSON.", "Die Datei ist kein gültiges JSON."},
    {"The JSON is nested more than 32 deep.", "Das JSON ist mehr als 32 Ebenen tief verschachtelt."},
    {"The JSON is not an object.", "Das JSON ist kein Objekt."},
    {"An object in the JSON has the same member twice.", "Ein Objekt im JSON hat dasselbe Mitglied zweimal."},
    {"The file with the checkpoint cannot be read.", "Die Datei mit dem signierten Stand lässt sich nicht lesen."},
    {"The file cannot be written.", "Die Datei lässt sich nicht schreiben."},
    {"The server's answer is not a record type.", "Die Antwort des Servers ist kein Datensatztyp."},
    {"The server's answer is not a record.", "Die Antwort des Servers ist kein Datensatz."},
    {"The server's answer is not a list.", "Die Antwort des Servers ist keine Liste."},
    {"The server's answer holds no size.", "Die Antwort des Servers nennt keine Größe."},
    {"The server's answer is not understood.", "Die Antwort des Servers ist nicht zu verstehen."},
    // ── places and configuration ──
    {"There is something already; init never writes over it.", "Da ist schon etwas; init überschreibt nie."},
    {"There is something already; a backup never writes over it.",
     "Da ist schon etwas; eine Sicherung überschreibt nie."},
    {"There is something already; an export never writes over it.",
     "Da ist schon etwas; eine Ausgabe überschreibt nie."},
    {"There is a ledger in the store already.", "Im Speicher ist schon ein Buch."},
    {"There is a signing key already.", "Ein Signierschlüssel ist schon da."},
    {"There is a root store already.", "Ein Wurzelspeicher ist schon da."},
    {"There is a keys store already.", "Ein Schlüsselspeicher ist schon da."},
    {"Nothing can be made at a place that init was told.", "An einem genannten Ort lässt sich nichts anlegen."},
    {"The name of a place holds a control character.", "Der Name eines Ortes enthält ein Steuerzeichen."},
    {"The data directory may not be read by this user.", "Dieser Benutzer darf das Datenverzeichnis nicht lesen."},
    {"There is no store in the directory.", "Im Verzeichnis ist kein Speicher."},
    {"The configuration is not there, or is no file.", "Die Konfiguration ist nicht da, oder keine Datei."},
    {"The configuration is not valid TOML.", "Die Konfiguration ist kein gültiges TOML."},
    {"The environment has an unknown key.", "In der Umgebung steht eine unbekannte Einstellung."},
    {"The configuration names another place than the data directory was made with; init wrote it to PLACES.",
     "Die Konfiguration nennt einen anderen Ort als den, mit dem das Datenverzeichnis angelegt wurde; init hat ihn in "
     "PLACES geschrieben."},
    {"The file PLACES is not there, and a ledger is.", "Die Datei PLACES ist nicht da, ein Buch aber schon."},
    {"A line of PLACES begins with a word that is not known.",
     "Eine Zeile von PLACES beginnt mit einem unbekannten Wort."},
    {"A line of PLACES says again what an earlier one said.",
     "Eine Zeile von PLACES sagt noch einmal, was schon dasteht."},
    {"A line of PLACES names no absolute path.", "Eine Zeile von PLACES nennt keinen absoluten Pfad."},
    {"A line of PLACES holds a control character.", "Eine Zeile von PLACES enthält ein Steuerzeichen."},
    {"PLACES names one path for two things.", "PLACES nennt einen Pfad für zwei Dinge."},
    {"PLACES lacks a line.", "In PLACES fehlt eine Zeile."},
    {"PLACES does not end with the line that counts its members: it is cut off, or of an older version.",
     "PLACES endet nicht mit der Zeile, die seine Glieder zählt: es ist abgeschnitten oder von einer älteren Version."},
    {"The line `members` of PLACES holds no number.", "Die Zeile `members` von PLACES enthält keine Zahl."},
    {"PLACES counts other members than it names: lines are missing, or the count was not changed.",
     "PLACES zählt andere Glieder, als es nennt: Zeilen fehlen, oder die Zahl wurde nicht geändert."},
    {"Behind the line `members` of PLACES nothing may stand.",
     "Hinter der Zeile `members` von PLACES darf nichts stehen."},
    {"The configuration has a value that cannot be.", "Die Konfiguration hat einen unzulässigen Wert."},
    {"The configuration has a value that is no whole number.",
     "Die Konfiguration hat einen Wert, der keine ganze Zahl ist."},
    {"The configuration has a number that is out of bounds.", "Die Konfiguration hat eine Zahl außerhalb der Grenzen."},
    {"The configuration has an unknown key.", "Die Konfiguration hat eine unbekannte Einstellung."},
    {"The configuration has a value that is no text.", "Die Konfiguration hat einen Wert, der kein Text ist."},
    {"The configuration has a key outside a section.",
     "Die Konfiguration hat eine Einstellung außerhalb eines Abschnitts."},
    // ── stores ──
    {"Another process has the store open.", "Ein anderer Prozess hat den Speicher geöffnet."},
    {"A reader still holds the store.", "Der Speicher wird noch gelesen."},
    {"There is no room left on the disk of the store.", "Auf dem Datenträger des Speichers ist kein Platz mehr."},
    {"There is too little room left on the disk of the store.",
     "Auf dem Datenträger des Speichers ist zu wenig Platz."},
    {"The file or its directory does not exist.", "Die Datei oder ihr Verzeichnis gibt es nicht."},
    {"A file of the store is missing.", "Eine Datei des Speichers fehlt."},
    {"A file that belongs to the store is missing.", "Eine Datei, die zum Speicher gehört, fehlt."},
    {"A table that belongs to the store is missing.", "Eine Tabelle, die zum Speicher gehört, fehlt."},
    {"A table is damaged.", "Eine Tabelle des Speichers ist beschädigt."},
    {"The damaged log cannot be kept.", "Das beschädigte Journal lässt sich nicht aufheben."},
    {"No temporary directory can be made.", "Ein vorläufiges Verzeichnis lässt sich nicht anlegen."},
    {"The file cannot be read or written.", "Die Datei lässt sich nicht lesen oder schreiben."},
    {"The directory cannot be read.", "Das Verzeichnis lässt sich nicht lesen."},
    {"A file of the export cannot be written.", "Eine Datei der Ausgabe lässt sich nicht schreiben."},
    {"The ledger was written by a newer version.", "Das Buch wurde von einer neueren Version geschrieben."},
    {"The store lacks a family.", "Dem Speicher fehlt ein Bereich."},
    {"The ledger has no checkpoint that its own key signed.",
     "Das Buch hat keinen Stand, den sein eigener Schlüssel signiert hat."},
    {"The ledger ends before its size.", "Das Buch endet vor seiner Größe."},
    {"The copy ends before its size.", "Die Kopie endet vor ihrer Größe."},
    {"The copy is not what was signed.", "Die Kopie ist nicht, was signiert wurde."},
    {"Events or their parts are missing: run `siegel verify`.",
     "Ereignisse oder ihre Teile fehlen: `siegel verify` ausführen."},
    {"The events are not those that were signed: run `siegel verify`.",
     "Die Ereignisse sind nicht die, die signiert wurden: `siegel verify` ausführen."},
    {"The keys store is behind its replica.", "Der Schlüsselspeicher ist hinter seiner Zweitkopie zurück."},
    {"The keys store has lost what was synced.", "Der Schlüsselspeicher hat verloren, was schon gesichert war."},
    {"The keys store is of an older epoch than the root store.",
     "Der Schlüsselspeicher ist aus einer älteren Epoche als der Wurzelspeicher."},
    {"An erasure was requested, but the keys store has lost its fence.",
     "Eine Löschung war beauftragt, aber der Schlüsselspeicher weiß nichts mehr davon."},
    {"The store holds another ledger than the file FORMAT names.",
     "Der Speicher enthält ein anderes Buch, als die Datei FORMAT nennt."},
    {"The store holds another ledger than the configuration names.",
     "Der Speicher enthält ein anderes Buch, als die Konfiguration nennt."},
    {"A key replica belongs to another ledger.", "Eine Zweitkopie der Schlüssel gehört zu einem anderen Buch."},
    {"The root stores belong to different ledgers.", "Die Wurzelspeicher gehören zu verschiedenen Büchern."},
    {"The keys store belongs to another ledger.", "Der Schlüsselspeicher gehört zu einem anderen Buch."},
    {"The root store belongs to another ledger.", "Der Wurzelspeicher gehört zu einem anderen Buch."},
    {"The place of the root store cannot be looked at.", "Der Ort des Wurzelspeichers lässt sich nicht ansehen."},
    {"Not every root store answers.", "Nicht jeder Wurzelspeicher antwortet."},
    {"The keys store or a required copy of it does not answer.",
     "Der Schlüsselspeicher oder eine nötige Zweitkopie antwortet nicht."},
    {"The ledger is read-only, and this job would write into it.",
     "Das Buch ist nur zu lesen, und dieser Auftrag würde hineinschreiben."},
    {"The ledger is read-only; the reason stands in the server's log and in /readyz.",
     "Das Buch ist nur zu lesen; der Grund steht im Protokoll des Servers und in /readyz."},
    {"The ledger takes no events, so nothing can be changed or looked at.",
     "Das Buch nimmt keine Ereignisse auf; darum lässt sich nichts ändern oder einsehen."},
    {"There is little room left on the disk: looking goes on, changes wait for room.",
     "Auf dem Datenträger ist wenig Platz: Einsehen geht weiter, Änderungen warten auf Platz."},
    {"An erasure cannot be recorded yet. This one is requested, and follows by itself.",
     "Eine Löschung lässt sich noch nicht verzeichnen. Diese ist beauftragt und folgt von selbst."},
    // ── findings of verify ──
    {"A log of the ledger is damaged from this byte on; what was written behind it is not read.",
     "Ein Journal des Buchs ist ab diesem Byte beschädigt; was dahinter geschrieben wurde, wird nicht gelesen."},
    {"A log of the ledger is damaged, and events are missing: run `siegel verify`.",
     "Ein Journal des Buchs ist beschädigt, und Ereignisse fehlen: `siegel verify` sagt mehr."},
    {"The ledger is shorter than was signed: run `siegel verify`.",
     "Das Buch ist kürzer, als signiert wurde: `siegel verify` sagt mehr."},
    {"The stored hashes before the first event to check are missing.",
     "Die gespeicherten Hashwerte vor dem ersten zu prüfenden Ereignis fehlen."},
    {"The header is not one that was ever written.", "Diesen Kopf hat niemand geschrieben."},
    {"The header is not the one that the stored hash is of.", "Der Kopf ist nicht der des gespeicherten Hashwerts."},
    {"Events stand in another order than their sequence says.",
     "Ereignisse stehen in anderer Reihenfolge, als ihre Nummern sagen."},
    {"The time is before that of an earlier event.", "Die Zeit liegt vor der eines früheren Ereignisses."},
    {"The key batch is before that of an earlier event.",
     "Der Schlüsselstapel liegt vor dem eines früheren Ereignisses."},
    {"The parts are missing, and no event says that they were removed.",
     "Die Teile fehlen, und kein Ereignis sagt, dass sie entfernt wurden."},
    {"The parts are damaged.", "Die Teile sind beschädigt."},
    {"The parts are not those that the header commits to.", "Die Teile sind nicht die, auf die der Kopf festlegt."},
    {"A part is removed, and no event says so.", "Ein Teil ist entfernt, und kein Ereignis sagt das."},
    {"There is no checkpoint that the key signed.", "Kein Stand ist mit dem Schlüssel signiert."},
    {"A stored hash of the tree is wrong; the event itself is as it was signed.",
     "Ein gespeicherter Hashwert des Baums ist falsch; das Ereignis selbst ist, was signiert wurde."},
    {"The key is of another ledger. Nothing was verified.",
     "Der Schlüssel gehört zu einem anderen Buch. Nichts wurde geprüft."},
    {"The file is no checkpoint.", "Die Datei ist kein signierter Stand."},
    {"The checkpoint is of another ledger.", "Der Stand gehört zu einem anderen Buch."},
    {"The checkpoint is not signed by the key, so it proves nothing.",
     "Der Stand ist nicht mit dem Schlüssel signiert und beweist darum nichts."},
    {"--from is beyond the end of the ledger.", "--from liegt hinter dem Ende des Buchs."},
    // ── the server ──
    {"There is no such record type.", "Diesen Datensatztyp gibt es nicht."},
    {"There is no such record.", "Diesen Datensatz gibt es nicht."},
    {"There is no such subject.", "Diese Person gibt es nicht."},
    {"There is no such subject, or nothing to erase.", "Diese Person gibt es nicht, oder es ist nichts zu löschen."},
    {"There is no such erasure.", "Diese Löschung gibt es nicht."},
    {"There is no such token.", "Diesen Zugangsschlüssel gibt es nicht."},
    {"This person or class of data is erased.", "Diese Person oder Löschklasse ist gelöscht."},
    {"The key of this data has been destroyed.", "Der Schlüssel dieser Daten ist zerstört."},
    {"The record has another version by now.", "Der Datensatz hat inzwischen eine andere Version."},
    {"The definition has another version by now.", "Die Festlegung hat inzwischen eine andere Version."},
    {"The record type has no field of that name.", "Der Datensatztyp hat kein Feld dieses Namens."},
    {"A value does not fit the type of its field.", "Ein Wert passt nicht zum Typ seines Feldes."},
    {"A value has the wrong JSON type for its field.", "Ein Wert hat die falsche Art von JSON für sein Feld."},
    {"A required field has no value.", "Ein Pflichtfeld hat keinen Wert."},
    {"A required field is empty.", "Ein Pflichtfeld ist leer."},
    {"Records of this type concern no person.", "Datensätze dieses Typs betreffen keine Person."},
    {"Nothing is to be changed.", "Es ist nichts zu ändern."},
    {"A query parameter must be a whole number of at most 18 digits.",
     "Ein Parameter ist keine ganze Zahl mit höchstens 18 Ziffern."},
    {"The read models stand still and will not show that position; the server's log says why.",
     "Die Lesemodelle stehen still und werden diese Position nicht zeigen; das Protokoll des Servers sagt, warum."},
    {"The stores are being closed; they are opened again.", "Die Speicher werden geschlossen und neu geöffnet."},
    {"Last-Event-ID is the sequence of an event.", "Last-Event-ID ist die Nummer eines Ereignisses."},
    {"There is no such purpose; GET /v1/purposes lists them.",
     "Diesen Zweck gibt es nicht; `siegel purpose list` zeigt alle."},
    {"There is no such record type; GET /v1/record-types lists them.",
     "Diesen Datensatztyp gibt es nicht; `siegel type list` zeigt alle."},
    {"limit is out of range.", "Die Anzahl je Seite (limit) liegt außerhalb der Grenzen."},
    {"The index must lie below the size, and the size within the ledger.",
     "Die Nummer liegt unter der Größe, und die Größe innerhalb des Buchs."},
    {"0 <= from <= to <= size of the ledger, and to is at least 1.",
     "Es gilt 0 <= from <= to <= Größe des Buchs, und to ist mindestens 1."},
    {"A role is one of admin, privacy_officer, editor, sender, auditor, consumer.",
     "Eine Rolle ist eine von admin, privacy_officer, editor, sender, auditor, consumer."},
    {"subject is the id of a subject.", "subject ist die Kennung einer Person."},
    {"A subject is named by its id.", "Eine Person wird mit ihrer Kennung genannt."},
    {"Values are strings, true, false, null or lists of strings; numbers are written as strings.",
     "Werte sind Texte, true, false, null oder Listen von Texten; Zahlen stehen als Text."},
    {"A list holds strings only.", "Eine Liste enthält nur Texte."},
    {"A title is a text per language.", "Ein Titel ist ein Text je Sprache."},
    {"A legal ground is one of consent, contract, legal-obligation, vital-interests, public-task, "
     "legitimate-interests.",
     "Eine Rechtsgrundlage ist eine von consent, contract, legal-obligation, vital-interests, public-task, "
     "legitimate-interests."},
    {"A period starts at collection, last_change, end_of_case or end_of_relationship, or at the end of the year: "
     "end_of_calendar_year_of_ before one of these.",
     "Eine Frist beginnt mit collection, last_change, end_of_case oder end_of_relationship, oder am Ende des Jahres: "
     "end_of_calendar_year_of_ davor."},
    {"A field type is one of text, multiline, email, phone, url, integer, decimal, date, datetime, boolean, "
     "choice, multichoice, reference, file, signature, geo.",
     "Ein Feldtyp ist einer von text, multiline, email, phone, url, integer, decimal, date, datetime, boolean, "
     "choice, multichoice, reference, file, signature, geo."},
    {"A field is named by a string.", "Ein Feld wird mit einem Text genannt."},
    {"A field is an object.", "Ein Feld ist ein Objekt."},
    {"A time is RFC 3339: 2026-12-31T23:59:59Z.", "Eine Zeit folgt RFC 3339: 2026-12-31T23:59:59Z."},
    {"A member must be a string.", "Eine Angabe ist kein Text."},
    {"A member must be true or false.", "Eine Angabe ist nicht true oder false."},
    {"A member must be an array of strings.", "Eine Angabe ist keine Liste von Texten."},
    {"A member must be an object.", "Eine Angabe ist kein Objekt."},
    {"A member must be an array.", "Eine Angabe ist keine Liste."},
    {"A member is missing.", "Eine Angabe fehlt."},
    {"The label is too long or not UTF-8.", "Die Bezeichnung ist zu lang oder kein UTF-8."},
    {"Purposes are names.", "Zwecke werden mit ihrem Namen genannt."},
    {"Types are names.", "Datensatztypen werden mit ihrem Namen genannt."},
    {"The token would have expired already.", "Der Zugangsschlüssel wäre schon abgelaufen."},
    {"The ground is one of art17-1-a to art17-1-f, or retention.",
     "Der Grund ist einer von art17-1-a bis art17-1-f, oder retention."},
    {"An erasure names 1 to 10,000 subjects.", "Eine Löschung nennt 1 bis 10.000 Personen."},
    {"A subject is named twice.", "Eine Person ist zweimal genannt."},
    {"A class does not exist, or does not end by an erasure.",
     "Eine Löschklasse gibt es nicht, oder sie endet nicht durch eine Löschung."},
    {"classes is \"all\" or a list of names.", "Löschklassen sind \"all\" oder eine Liste von Namen."},
    {"The identity index is still loading.", "Das Verzeichnis der Personen wird noch geladen."},
    {"The read models do not catch up.", "Die Lesemodelle kommen nicht nach."},
    {"The erasure is not effective yet: there is nothing to certify.",
     "Die Löschung ist noch nicht wirksam: es gibt nichts zu bescheinigen."},
    {"The data changed again and again while the command was prepared.",
     "Die Daten änderten sich immer wieder, während der Befehl vorbereitet wurde."},
    {"The server has as many connections as it takes.", "Der Server hat so viele Verbindungen, wie er annimmt."},
    // ── definitions ──
    {"A built-in class cannot be changed.", "Eine eingebaute Löschklasse lässt sich nicht ändern."},
    {"A field needs a deletion class.", "Ein Feld braucht eine Löschklasse."},
    {"The deletion class of a field is not registered.", "Die Löschklasse eines Feldes gibt es nicht."},
    {"A field's name must match ^[a-z][a-z0-9-]{0,62}$.", "Der Name eines Feldes entspricht ^[a-z][a-z0-9-]{0,62}$."},
    {"A type's name must match ^[a-z][a-z0-9-]{0,62}$.", "Der Name eines Typs entspricht ^[a-z][a-z0-9-]{0,62}$."},
    {"A purpose's name must match ^[a-z][a-z0-9-]{0,62}$.", "Der Name eines Zwecks entspricht ^[a-z][a-z0-9-]{0,62}$."},
    {"A class's name must match ^[a-z][a-z0-9-]{0,62}$.",
     "Der Name einer Löschklasse entspricht ^[a-z][a-z0-9-]{0,62}$."},
    {"A field's title is too long or not UTF-8.", "Der Titel eines Feldes ist zu lang oder kein UTF-8."},
    {"A field's help is too long or not UTF-8.", "Die Hilfe eines Feldes ist zu lang oder kein UTF-8."},
    {"The note is too long or not UTF-8.", "Die Bemerkung ist zu lang oder kein UTF-8."},
    {"A choice is too long or not UTF-8.", "Eine Auswahlmöglichkeit ist zu lang oder kein UTF-8."},
    {"Choices belong to choice and multichoice fields, which need 1 to 1000.",
     "Auswahlmöglichkeiten gehören zu Feldern der Art choice und multichoice, die 1 bis 1000 brauchen."},
    {"Choices must differ.", "Auswahlmöglichkeiten sind verschieden."},
    {"A personal field needs a subject: set subject.mode to row or match.",
     "Ein personenbezogenes Feld braucht eine Person: subject.mode ist row oder match."},
    {"A type has 1 to 1000 fields.", "Ein Typ hat 1 bis 1000 Felder."},
    {"Two fields have one name.", "Zwei Felder haben einen Namen."},
    {"subject.fields belongs to subject.mode match, which needs it.",
     "subject.fields gehört zu subject.mode match, das sie braucht."},
    {"An identity field does not exist.", "Ein Feld, das die Person bestimmt, gibt es nicht."},
    {"An identity field must be personal.", "Ein Feld, das die Person bestimmt, ist personenbezogen."},
    {"A multichoice field cannot identify.", "Ein Feld der Art multichoice kann keine Person bestimmen."},
    {"The form names a field that does not exist, or one twice.",
     "Das Formular nennt ein Feld, das es nicht gibt, oder eines zweimal."},
    {"The default purpose is not registered.", "Den voreingestellten Zweck gibt es nicht."},
    {"A purpose needs a legal ground.", "Ein Zweck braucht eine Rechtsgrundlage."},
    {"A class needs a legal ground.", "Eine Löschklasse braucht eine Rechtsgrundlage."},
    {"A type's name is wrong.", "Der Name eines Typs ist falsch."},
    {"The purpose names a field that the type does not have.", "Der Zweck nennt ein Feld, das der Typ nicht hat."},
    {"A period is an ISO 8601 duration of years, months, days: P3Y.",
     "Eine Frist ist eine Dauer nach ISO 8601 aus Jahren, Monaten, Tagen: P3Y."},
    {"A condition of the search is not acceptable.", "Eine Bedingung der Suche ist nicht zulässig."},
    {"A search has 1 to 16 conditions.", "Eine Suche hat 1 bis 16 Bedingungen."},
    {"A value that is searched by is a string, true or false.", "Gesucht wird nach einem Text, nach true oder false."},
    {"op is exact, prefix or word.", "op ist exact, prefix oder word."},
    {"A condition is an object.", "Eine Bedingung ist ein Objekt."},
    {"limit is a whole number from 1.", "limit ist eine ganze Zahl ab 1."},
    {"The search index is still loading.", "Der Suchindex wird noch geladen."},
    {"The search index is loading again.", "Der Suchindex wird neu geladen."},
    {"The search index has no room for this record type.",
     "Für diesen Datensatztyp reicht der Platz des Suchindex nicht."},
});

// Why a value does not fit its field. Here English has no other place either.
struct Reason {
  std::string_view code, english, german;
};
constexpr auto kReasons = std::to_array<Reason>({
    {"bad_email", "not an e-mail address", "keine E-Mail-Adresse"},
    {"bad_phone", "not a telephone number of 3 to 15 digits, such as +49 30 23125001",
     "keine Telefonnummer mit 3 bis 15 Ziffern, etwa +49 30 23125001"},
    {"bad_url", "not an address that begins with https:// or http://",
     "keine Adresse, die mit https:// oder http:// beginnt"},
    {"bad_number", "not a number", "keine Zahl"},
    {"number_too_long", "a number of more than 38 digits", "eine Zahl mit mehr als 38 Ziffern"},
    {"bad_geo", "not two numbers with a comma", "keine zwei Zahlen mit Komma"},
    {"too_long", "too long", "zu lang"},
    {"bad_text", "not UTF-8", "kein UTF-8"},
    {"line_break", "a line break in a field of one line", "ein Zeilenumbruch in einem Feld mit einer Zeile"},
    {"bad_date", "not a date of the calendar", "kein Datum des Kalenders"},
    {"bad_datetime", "not a time of RFC 3339", "keine Zeit nach RFC 3339"},
    {"bad_boolean", "neither true nor false", "weder true noch false"},
    {"unknown_choice", "none of the field's choices", "keine der Auswahlmöglichkeiten des Feldes"},
    {"choice_twice", "one choice twice", "eine Auswahlmöglichkeit zweimal"},
    {"bad_reference", "not the id of a record", "keine Kennung eines Datensatzes"},
    {"no_storage_yet", "files cannot be kept by this version", "Dateien kann diese Version nicht aufbewahren"},
    {"unknown_type", "a field type that is not known", "ein unbekannter Feldtyp"},
    {"wrong_kind", "the wrong kind of value", "die falsche Art von Wert"},
    {"required", "the field must have a value", "das Feld braucht einen Wert"},
    {"not_searchable", "a field that is not searchable", "ein Feld, das nicht durchsuchbar ist"},
    {"nothing_to_search_by", "nothing in it to search by", "nichts darin, wonach sich suchen lässt"},
});

// Names of what stands beside a sentence.
constexpr auto kNames = std::to_array<Pair>({
    {"at", "Stelle"},
    {"bytes", "Bytes"},
    {"cause", "Ursache"},
    {"choices", "Auswahl"},
    {"clock", "Uhr"},
    {"column", "Spalte"},
    {"configured", "eingestellt"},
    {"counted", "gezählt"},
    {"data", "Daten"},
    {"directory", "Verzeichnis"},
    {"errno", "Systemfehler"},
    {"expected", "erwartet"},
    {"family", "Bereich"},
    {"field", "Feld"},
    {"file", "Datei"},
    {"flag", "Schalter"},
    {"format", "Format"},
    {"found", "gefunden"},
    {"free_bytes", "freie Bytes"},
    {"is", "tatsächlich"},
    {"key", "Einstellung"},
    {"key_of", "Schlüssel von"},
    {"this_ledger", "dieses Buch"},
    {"checkpoint_of", "Stand von"},
    {"from", "ab"},
    {"line", "Zeile"},
    {"member", "Mitglied"},
    {"keys", "Schlüssel"},
    {"least", "mindestens"},
    {"ledger", "Buch"},
    {"limit", "Grenze"},
    {"limit_name", "Grenze"},
    {"limit_value", "Wert"},
    {"members", "Glieder"},
    {"members_reached", "erreicht"},
    {"most", "höchstens"},
    {"name", "Name"},
    {"named", "genannt"},
    {"newest", "neueste"},
    {"part", "Teil"},
    {"parts", "Teile"},
    {"path", "Pfad"},
    {"pid", "Prozess"},
    {"place", "Ort"},
    {"pointer", "Stelle"},
    {"port", "Port"},
    {"projection", "Ansicht"},
    {"projections", "Ansichten"},
    {"reason", "Grund"},
    {"replica", "Zweitkopie"},
    {"request", "Auftrag"},
    {"role", "Rolle"},
    {"root_store", "Wurzelspeicher"},
    {"row", "Zeile"},
    {"schema", "Schema"},
    {"seq", "Ereignis"},
    {"server", "Server"},
    {"signed", "signiert"},
    {"size", "Größe"},
    {"struct", "Struktur"},
    {"synced", "gesichert"},
    {"values", "Werte"},
    {"views", "Lesemodelle"},
    {"wanted", "erwartet"},
    {"wanted_bytes", "gebrauchte Bytes"},
    {"word", "Wort"},
});

// Pieces of what a ledger says of its state, and what the configuration wants, and why a connection failed. Longer ones
// first: the first that is found is replaced.
constexpr auto kPieces = std::to_array<Pair>({
    {"the signer has no good verifier key", "der Signierschlüssel hat keinen brauchbaren Prüfschlüssel"},
    {"its note does not hold", "ihre Signatur gilt nicht"},
    {"it cannot be read", "sie lässt sich nicht lesen"},
    {"events that were acknowledged are missing", "bestätigte Ereignisse fehlen"},
    {"lock record size", "Sperrdatei bei Größe"},
    {"keys store size", "Schlüsselspeicher bei Größe"},
    {"lock record root", "Wurzel der Sperrdatei"},
    {"ledger root there", "Wurzel des Buchs dort"},
    {"ledger size", "Buch bei Größe"},
    {"newest event", "neuestes Ereignis"},
    {", clock ", ", Uhr "},
    {"unreadable", "unlesbar"},
    {"damaged log kept in ", "beschädigtes Journal aufgehoben in "},
    {"environment, ", "Umgebung, "},
    {"ADDRESS:PORT", "ADRESSE:PORT"},
    {"an address that begins with https://", "eine Adresse, die mit https:// beginnt"},
    {"the name of a purpose", "der Name eines Zwecks"},
    {"a zone like Europe/Berlin", "eine Zeitzone wie Europe/Berlin"},
    {"error, warn, info or debug", "error, warn, info oder debug"},
    {"de or en", "de oder en"},
    {"a directory", "ein Verzeichnis"},
    {"a file", "eine Datei"},
    {"nobody answers at this address", "dort antwortet niemand"},
    {"the name of the host is not known", "der Name des Rechners ist unbekannt"},
    {"no answer in time", "keine Antwort in der Zeit"},
    {"the connection broke off", "die Verbindung brach ab"},
    {"no secure connection", "keine sichere Verbindung"},
});

std::string_view name_in_german(std::string_view key) {
  const auto* const at = std::ranges::find(kNames, key, &Pair::english);
  return at == kNames.end() ? key : at->german;
}

// What a person typed or a file is called stays as it is.
bool is_of_others(std::string_view key) {
  constexpr std::string_view kOthers[] = {"file", "path", "place", "data", "directory", "server",  "configured",
                                          "is",   "name", "field", "word", "replica",   "choices", "member"};
  return std::ranges::find(kOthers, key) != std::end(kOthers);
}

}  // namespace

std::string sentence(std::string_view code, std::string_view english, std::string_view language) {
  const auto* const problem = find_problem_text(code);
  if (!is_german(language)) return std::string(english.empty() && problem != nullptr ? problem->english : english);
  if (const auto* const at = std::ranges::find(kSentences, english, &Pair::english); at != kSentences.end())
    return std::string(at->german);
  if (problem != nullptr) return std::string(problem->german);
  const auto codes = code_texts();
  const auto at = std::ranges::find(codes, code, &CodeText::code);
  return std::string(at == codes.end() ? english : at->german);
}

std::string value_reason(std::string_view reason, std::string_view language) {
  const auto* const at = std::ranges::find(kReasons, reason, &Reason::code);
  if (at == kReasons.end()) return {};
  return std::string(is_german(language) ? at->german : at->english);
}

std::string detail(std::string_view english, std::string_view language) {
  std::string out(english);
  if (!is_german(language)) return out;
  for (const auto& piece : kPieces)
    if (const auto at = out.find(piece.english); at != std::string::npos)
      out.replace(at, piece.english.size(), piece.german);
  return out;
}

std::string told(const Error& error, std::string_view language) {
  std::string out = sentence(error.code(), error.what(), language);
  const char* separator = " (";
  for (const auto& [key, value] : error.context()) {
    const auto reason = std::string_view(key) == "reason" ? value_reason(value, language) : std::string();
    out.append(separator).append(is_german(language) ? name_in_german(key) : key).append("=");
    out.append(!reason.empty() ? reason : is_of_others(key) ? value : detail(value, language));
    separator = ", ";
  }
  if (!error.context().empty()) out.push_back(')');
  return out;
}

}  // namespace siegel::texts
