// The certificate of an erasure as a text that people read and a note that anybody verifies with the ledger's key
// alone: what happened, the event that says so, and its way to the root that the tree has at that size. No personal
// data: the erasure's id is one of its own. docs/formats/certificate.md.
#include "base/text.h"
#include "crypto/memory.h"
#include "service/impl.h"

namespace siegel::service {
namespace {

class Lines {
 public:
  Lines& line(std::string_view name, std::string_view value) {
    text_.append(name).append(": ").append(value).append("\n");
    return *this;
  }
  Lines& line(std::string_view name, std::uint64_t number) { return line(name, std::to_string(number)); }
  Lines& title(std::string_view text) {
    text_.append(text).append("\n");
    return *this;
  }
  std::string done() { return std::move(text_); }

 private:
  std::string text_;
};

// What one erasure.effective tells.
void tell(Lines& out, const views::ErasureEffect& e) {
  out.line("key epoch before", e.old_epoch).line("key epoch after", e.new_epoch);
  out.line("root node before", to_hex(e.old_root)).line("root node after", to_hex(e.new_root));
  out.line("root-store grade", "L" + std::to_string(e.grade));
  out.line("root stores that destroyed the old key", e.members).line("key replicas", e.replicas);
}

void event(Lines& out, const CertifiedEvent& e) {
  out.line("event", e.effect.seq.get()).line("event header", to_base64(e.header));
}

void inclusion(Lines& out, const CertifiedEvent& e) {
  for (const auto& hash : e.inclusion) out.line("inclusion", to_base64(hash));
}

}  // namespace

// Of this machine as it is now: what was swapped out before the erasure may still stand there (keys.md 7).
std::string_view unencrypted_swap() {
  const auto areas = swap_areas();
  if (!areas) return "unknown";
  return areas->plain > 0 ? "yes" : "no";
}

std::string certificate_text(const CertificateAnswer& c, const std::string& origin, const Hash& root) {
  Lines out;
  // Never the origin, which is the first line of every checkpoint: an origin has no space.
  out.title("Siegel certificate of erasure, version 1");
  out.line("ledger", origin).line("erasure", to_text(c.id)).line("state", views::name_of(c.row.state));
  out.line("ground", name_of(c.row.ground)).line("people", c.row.subjects).line("leaf keys destroyed", c.row.leaves);
  for (const auto& name : c.erased_classes) out.line("erased class", name);
  if (c.erased_classes.empty()) out.line("erased class", "all but those kept");
  out.line("requested at", to_rfc3339(c.row.requested_at)).line("unreadable since", to_rfc3339(c.last.effect.at));
  tell(out, c.last.effect);
  out.line("unencrypted swap", c.unencrypted_swap);
  for (const auto& kept : c.kept_classes) out.line("kept class", kept);
  out.line(
      "left",
      "envelopes (a random id, class, time and type of events) until the next sweep, in backups and kept copies of "
      "damaged logs until these are deleted");
  out.line("requests told by the event", c.last.effect.requests).line("requests of the erasure", c.row.requests.size());
  event(out, c.last);
  out.line("tree size", c.size.get()).line("tree root", to_base64(root));
  inclusion(out, c.last);
  // Very large erasures take more than one epoch: each has an event, and all lead to the root above.
  if (!c.earlier.empty()) out.line("earlier events", c.earlier.size());
  for (const auto& earlier : c.earlier) {
    out.line("unreadable since", to_rfc3339(earlier.effect.at));
    tell(out, earlier.effect);
    out.line("requests told by the event", earlier.effect.requests);
    event(out, earlier);
    inclusion(out, earlier);
  }
  return out.done();
}

}  // namespace siegel::service
