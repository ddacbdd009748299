// Certificates of erasures, checked with code that is not ours and with the ledger's key alone:
// tests/interop/ledgercheck.
#include <sys/wait.h>

#include <cstdlib>
#include <fstream>

#include "proof/note.h"
#include "support/contacts_world.h"
#include "support/temp_dir.h"

using namespace siegel;
using namespace siegel::test;

namespace {

struct World : ContactsWorld {
  explicit World(std::size_t requests_per_epoch_max) : ContactsWorld(1) {
    close();
    service_options.requests_per_epoch_max = requests_per_epoch_max;
    open();
    until([&] { return service->status().search_ready; });
  }
  std::string certificate(std::size_t people) {
    std::vector<SubjectId> subjects;
    for (std::size_t i = 0; i < people; ++i) subjects.push_back(*must(add("Beispiel")).subject);
    const auto done = must(write(officer, service::RequestErasure{subjects, {}, "art17-1-b", true}));
    catch_up();
    return must(service->certificate(officer, *done.erasure)).note;
  }
  // 0: it holds; 1: it does not.
  int check(const std::string& note) {
    const auto file = dir.path() / "certificate";
    std::ofstream(file) << note;
    const auto command = std::string(SIEGEL_LEDGERCHECK) + " -key '" + world.signer.verifier_key() +
                         "' -certificates '" + file.string() + "' >/dev/null 2>&1";
    const int status = std::system(command.c_str());
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }
  // What a ledger that lies would have signed.
  int check_signed(const std::string& text) { return check(must(world.signer.sign_text(text))); }

  TempDir dir;
};

std::string text_of(const std::string& note) { return must(parse_note(note)).text; }

// Without the line that begins at the nth place with this name.
std::string without(std::string text, const std::string& name, std::size_t nth = 0) {
  auto at = text.find("\n" + name + ": ");
  while (nth-- > 0) at = text.find("\n" + name + ": ", at + 1);
  REQUIRE(at != std::string::npos);
  return text.erase(at, text.find('\n', at + 1) - at);
}
std::string with(std::string text, const std::string& from, const std::string& to) {
  const auto at = text.find(from);
  REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

}  // namespace

TEST_CASE("ER-08 a certificate of one epoch or several holds with the ledger's key alone, and not when it is changed",
          "[interop][proof][ER-08]") {
  const std::size_t people = GENERATE(1u, 5u);
  World w(2);
  const auto note = w.certificate(people);
  CHECK(w.check(note) == 0);
  const auto text = text_of(note);
  CHECK(w.check_signed(text) == 0);
  CHECK(w.check(with(note, "\npeople: ", "\npeople: 1")) == 1);  // the signature

  for (const auto* name : {"event", "event header", "inclusion", "tree root", "requests told by the event",
                           "key epoch after", "root node before", "requests of the erasure"})
    CHECK(w.check_signed(without(text, name)) == 1);
  CHECK(w.check_signed(with(text, "root-store grade: L0", "root-store grade: L2")) == 1);
  CHECK(w.check_signed(with(text, "requests of the erasure: ", "requests of the erasure: 1")) == 1);
  if (people == 1) return;
  // Each of the earlier events counts.
  REQUIRE(text.find("\nearlier events: 2\n") != std::string::npos);
  for (std::size_t nth = 1; nth <= 2; ++nth) {
    CHECK(w.check_signed(without(text, "event header", nth)) == 1);
    CHECK(w.check_signed(without(text, "requests told by the event", nth)) == 1);
  }
  const auto last = text.rfind("\nunreadable since: ") + 1;
  CHECK(w.check_signed(text.substr(0, last)) == 1);
  const auto fewer = with(text.substr(0, last), "earlier events: 2", "earlier events: 1");
  CHECK(w.check_signed(fewer) == 1);  // the requests are fewer, too
}
