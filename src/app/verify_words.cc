#include "app/verify_words.h"

#include <string_view>

#include "texts/problems.h"

namespace siegel::app {
namespace {

std::string text_of(std::uint64_t value) { return std::to_string(value); }

// For a finding whose own sentence names sizes or roots; where it lies stands beside it.
std::string_view cause_in_german(verify::Cause cause) {
  switch (cause) {
    case verify::Cause::unreadable:
      return "Das lässt sich nicht lesen.";
    case verify::Cause::signature:
      return "Ein Stand trägt keine gültige Signatur des Schlüssels.";
    case verify::Cause::entry_changed:
      return "Ein Kopf in diesem Bereich ist nicht, was geschrieben wurde.";
    case verify::Cause::missing:
      return "Ereignisse fehlen: das Protokoll ist hier kürzer, als signiert wurde.";
    case verify::Cause::order:
      return "Ein Ereignis steht nicht an seinem Platz.";
    case verify::Cause::fork:
      return "Ein signierter Stand gehört zu einem anderen Verlauf als die übrigen.";
    case verify::Cause::roll_back:
      return "Das ist ein älterer Stand: ein neuerer, signierter ist bekannt.";
    case verify::Cause::payload:
      return "Teile sind nicht die, auf die das Ereignis festgelegt ist.";
  }
  return "";
}

std::string where(const verify::Finding& finding) {
  if (finding.until <= finding.index) return "";
  if (finding.until == finding.index + 1) return " bei Ereignis " + text_of(finding.index);
  return " in den Ereignissen " + text_of(finding.index) + " bis " + text_of(finding.until - 1);
}

std::string line_of(const verify::Finding& finding) {
  // "Sentence. (file:byte)": what stands in brackets is the same in each language.
  const auto sentence = finding.detail.substr(0, finding.detail.find(" ("));
  auto said = texts::sentence("", sentence, "de");
  said = said == sentence ? std::string(cause_in_german(finding.cause)) : said + finding.detail.substr(sentence.size());
  return std::string(verify::name_of(finding.cause)) + " (" + std::to_string(static_cast<int>(finding.cause)) + ")" +
         where(finding) + ": " + said + "\n";
}

// Behind the newest checkpoint that is here: what a reader must know is that nothing is lost, which is not known of a
// damaged copy, and that it is not proven.
std::string not_signed_yet(const verify::Report& report) {
  const auto last = report.size - 1;
  const auto events = report.signed_size == last
                          ? "Ereignis " + text_of(last)
                          : "Ereignisse " + text_of(report.signed_size) + " bis " + text_of(last);
  if (!report.intact()) return "hier nicht signiert: " + events + "\n";
  return "hier noch nicht signiert: " + events +
         ". Nichts ist verloren: ein laufender Server hat sie schon signiert, sein neuester Stand steht binnen einer "
         "Sekunde in der Sperrdatei und mit den nächsten Ereignissen im Speicher; sonst werden sie beim nächsten Start "
         "signiert\n";
}

std::string lock_record_in_german(verify::Report::LockRecord record) {
  using State = verify::Report::LockRecord;
  if (record != State::missing && record != State::unreadable) return "";
  return std::string("Hinweis: die Sperrdatei (DIR.outside/head) ") +
         (record == State::missing ? "fehlt" : "ist nicht lesbar") +
         ": ohne sie ist eine ältere Kopie dieses Buchs nicht von der neuesten zu unterscheiden; `siegel lock show` "
         "und "
         "docs/operations.md sagen mehr\n";
}

std::string in_german(const verify::Report& report) {
  std::string out = report.intact() ? "unversehrt" : "BESCHÄDIGT";
  out += ": " + report.origin + ", " + text_of(report.size) + " Ereignisse, davon " + text_of(report.checked) +
         " gelesen, " + text_of(report.parts) + " Teile\n";
  out += "signiert: " + text_of(report.checkpoints) + " Stände gelten, der größte bei Größe " +
         text_of(report.signed_size) + "\n";
  if (report.from > 0)
    out +=
        "gelesen ab Ereignis " + text_of(report.from) +
        ", wo eine ganze Kachel gespeicherter Hashwerte beginnt; die davor zählen mit ihren gespeicherten Hashwerten\n";
  if (report.not_committed() > 0) out += not_signed_yet(report);
  out += lock_record_in_german(report.lock_record);
  for (const auto& range : report.unchecked)
    out += "nicht festgelegt: " + range.file + ", Bytes " + text_of(range.from) + " bis " + text_of(range.until - 1) +
           ": daraus wurde kein Ereignis gelesen\n";
  if (report.keys_destroyed > 0)
    out += "gelöscht: " + text_of(report.keys_destroyed) + " Schlüssel, ihre Teile öffnen sich nicht mehr\n";
  if (report.unreadable_by_design > 0)
    out += "mit Absicht unlesbar: " + text_of(report.unreadable_by_design) + " Teile\n";
  if (report.unknown_types > 0)
    out += "aus einer neueren Version: " + text_of(report.unknown_types) +
           " Ereignisse, im Hashwert enthalten, aber nicht verstanden\n";
  for (const auto& finding : report.findings) out += line_of(finding);
  if (report.findings_more > 0) out += "und " + text_of(report.findings_more) + " weitere\n";
  return out + "Geschwindigkeit: " + text_of(static_cast<std::uint64_t>(report.events_per_second())) +
         " Ereignisse/s\n";
}

}  // namespace

std::string verify_text(const verify::Report& report, const Speech& speech) {
  return texts::is_german(speech.language) ? in_german(report) : verify::to_text(report);
}

}  // namespace siegel::app
