// The certificate of an erasure, checked as whoever has the ledger's key and nothing else would check it; and access
// events of many people.
#include <algorithm>
#include <map>
#include <set>

#include "base/text.h"
#include "codec/header_codec.h"
#include "codec/parts.h"
#include "proof/merkle.h"
#include "proof/note.h"
#include "proof/proofs.h"
#include "support/contacts_world.h"

using namespace siegel;
using namespace siegel::test;

namespace {

using Lines = std::multimap<std::string, std::string, std::less<>>;

// docs/formats/certificate.md: the text up to the first earlier event, then one list of lines for each of these.
struct Certificate {
  Lines about;
  std::vector<Lines> events;  // the one that completed the erasure first
};
Certificate parse(std::string_view text) {
  Certificate out;
  out.events.emplace_back();
  auto* to = &out.events.back();
  while (!text.empty()) {
    const auto line = text.substr(0, text.find('\n'));
    text.remove_prefix(line.size() + 1);
    const auto colon = line.find(": ");
    if (colon == std::string_view::npos) continue;  // the title
    const auto name = line.substr(0, colon);
    if (name == "unreadable since" && to->contains("event")) to = &out.events.emplace_back();
    to->emplace(name, line.substr(colon + 2));
  }
  out.about = out.events.front();
  return out;
}
std::string one(const Lines& lines, std::string_view name) {
  INFO(name);
  REQUIRE(lines.count(name) == 1);
  return lines.find(name)->second;
}
std::uint64_t number(const Lines& lines, std::string_view name) { return *parse_u64(one(lines, name)); }
std::vector<std::string> all(const Lines& lines, std::string_view name) {
  std::vector<std::string> out;
  for (auto [at, end] = lines.equal_range(name); at != end; ++at) out.push_back(at->second);
  return out;
}
Hash hash_of(std::string_view base64) { return to_array<32>(from_base64(base64).value()); }

// The facts that stand behind the lines of one event: they lead to the root, and say what the lines say.
ErasureEffectiveFacts check_event(const Lines& event, const TreeHead& head) {
  const auto bytes = from_base64(one(event, "event header")).value();
  InclusionProof proof{number(event, "event"), head.size, {}};
  for (const auto& line : all(event, "inclusion")) proof.path.push_back(hash_of(line));
  CHECK(verify_inclusion(leaf_hash(bytes), proof, head));
  const auto header = must(codec::decode_header(bytes));
  CHECK(header.type == EventType::erasure_effective);
  CHECK(header.seq == Seq(proof.index));
  CHECK(one(event, "unreadable since") == to_rfc3339(header.time));
  const auto facts = std::get<ErasureEffectiveFacts>(header.facts);
  CHECK(number(event, "key epoch before") == facts.old_epoch);
  CHECK(number(event, "key epoch after") == facts.new_epoch);
  CHECK(one(event, "root node before") == to_hex(facts.old_root));
  CHECK(one(event, "root node after") == to_hex(facts.new_root));
  CHECK(one(event, "root-store grade") == "L" + std::to_string(facts.grade));
  CHECK(number(event, "root stores that destroyed the old key") == facts.members);
  CHECK(number(event, "key replicas") == facts.replicas);
  return facts;
}

struct World : ContactsWorld {
  using ContactsWorld::ContactsWorld;

  void reopen() {
    close();
    open();
    until([&] { return service->status().search_ready; });
  }
  std::vector<SubjectId> add_people(std::size_t count) {
    std::vector<SubjectId> out;
    for (std::size_t i = 0; i < count; ++i) out.push_back(*must(add("Beispiel " + std::to_string(i))).subject);
    return out;
  }
  ErasureId erase_all(const std::vector<SubjectId>& people, std::vector<std::string> classes = {}) {
    const auto done = must(write(officer, service::RequestErasure{people, std::move(classes), "art17-1-b", true}));
    CHECK(done.kind == service::Written::Kind::erasure_effective);
    catch_up();
    return *done.erasure;
  }
  void lose_views() {
    close();
    views_store = MemoryStore(views::families().size());
    open();
    catch_up();
  }
  void set_class(const std::string& name, const std::string& period, LegalGround ground) {
    ClassDefinition cls;
    cls.name = name;
    cls.period = period;
    cls.legal_ground = ground;
    must(write(admin, service::SetClass{cls}));
  }
  service::CertificateAnswer certificate(const ErasureId& id) { return must(service->certificate(officer, id)); }

  // The note by the ledger's key, every event by the root that the note tells; all requests are told once.
  Certificate checked(const ErasureId& id, std::size_t people) {
    const VerifierKey keys[] = {world.signer.verifier()};
    const auto certificate = parse(must(open_note(this->certificate(id).note, keys)).text);
    const auto& about = certificate.about;
    CHECK(one(about, "erasure") == to_text(id));
    CHECK(number(about, "people") == people);
    CHECK(number(about, "requests of the erasure") == people);
    const TreeHead head{number(about, "tree size"), hash_of(one(about, "tree root"))};
    std::uint64_t told = 0, leaves = 0;
    std::set<std::uint64_t> requests;
    for (const auto& event : certificate.events) {
      const auto facts = check_event(event, head);
      told += number(event, "requests told by the event");
      leaves += facts.leaves;
      requests.insert(facts.requests.begin(), facts.requests.end());
    }
    CHECK(told == people);
    CHECK(requests.size() == people);  // no other erasure shares these epochs
    CHECK(leaves == number(about, "leaf keys destroyed"));
    return certificate;
  }
};

}  // namespace

TEST_CASE("the certificate of an erasure of several epochs names and proves each of them", "[unit][service]") {
  World w(11);
  w.service_options.requests_per_epoch_max = 2;
  w.reopen();
  const auto id = w.erase_all(w.add_people(5));
  const auto certificate = w.checked(id, 5);
  REQUIRE(certificate.events.size() == 3);
  CHECK(one(certificate.about, "earlier events") == "2");
  // The last one first, since with it the erasure became effective; the earlier ones in their order.
  CHECK(number(certificate.events[1], "requests told by the event") == 2);
  CHECK(number(certificate.events[2], "requests told by the event") == 2);
  CHECK(number(certificate.events[0], "requests told by the event") == 1);
  CHECK(number(certificate.events[1], "key epoch after") == number(certificate.events[2], "key epoch before"));
  CHECK(number(certificate.events[2], "key epoch after") == number(certificate.events[0], "key epoch before"));

  const auto before = w.certificate(id);
  w.lose_views();
  CHECK(w.certificate(id).row.effects == before.row.effects);
  w.checked(id, 5);
}

TEST_CASE("the certificate of an erasure of one epoch shows its event and no earlier one", "[unit][service]") {
  World w(12);
  const auto id = w.erase_all(w.add_people(2));
  const auto certificate = w.checked(id, 2);
  CHECK(certificate.events.size() == 1);
  CHECK_FALSE(certificate.about.contains("earlier events"));
  std::vector<std::string> names;
  auto text = w.certificate(id).note;
  for (std::size_t at = 0; at < text.find("\n\n"); at = text.find('\n', at) + 1)
    names.push_back(text.substr(at, text.find_first_of(":\n", at) - at));
  names.erase(std::unique(names.begin(), names.end()), names.end());
  CHECK(names == std::vector<std::string>{"Siegel certificate of erasure, version 1",
                                          "ledger",
                                          "erasure",
                                          "state",
                                          "ground",
                                          "people",
                                          "leaf keys destroyed",
                                          "erased class",
                                          "requested at",
                                          "unreadable since",
                                          "key epoch before",
                                          "key epoch after",
                                          "root node before",
                                          "root node after",
                                          "root-store grade",
                                          "root stores that destroyed the old key",
                                          "key replicas",
                                          "unencrypted swap",
                                          "kept class",
                                          "left",
                                          "requests told by the event",
                                          "requests of the erasure",
                                          "event",
                                          "event header",
                                          "tree size",
                                          "tree root",
                                          "inclusion"});
}

TEST_CASE("G31 a certificate lists the classes that were kept when the erasure became effective",
          "[unit][service][G31]") {
  World w(13);
  const auto people = w.add_people(2);
  const auto id = w.erase_all({people[0]}, {"customer"});
  const auto kept = w.certificate(id).kept_classes;
  CHECK(kept == std::vector<std::string>{"access-log (legal-obligation, P1Y)", "billing (legal-obligation, P10Y)",
                                         "consent-proof (legal-obligation, P3Y)", "merge (legitimate-interests, P100Y)",
                                         "message-log (legal-obligation, P3Y)", "request-file (legal-obligation, P3Y)",
                                         "suppression (legal-obligation, P3Y)"});
  // What is registered or changed later alters no certificate, but the next one.
  w.set_class("billing", "P6Y", LegalGround::contract);
  w.set_class("newsletter", "P2Y", LegalGround::consent);
  CHECK(w.certificate(id).kept_classes == kept);
  w.lose_views();
  CHECK(w.certificate(id).kept_classes == kept);
  auto now = kept;
  now[1] = "billing (contract, P6Y)";
  now.insert(now.begin() + 5, "newsletter (consent, P2Y)");
  CHECK(w.certificate(w.erase_all({people[1]}, {"customer"})).kept_classes == now);

  // Nothing that people registered outlives an erasure of all classes, nor who was merged or written to.
  now.erase(now.begin() + 3, now.begin() + 6);
  now.erase(now.begin() + 1);
  CHECK(w.certificate(w.erase_all(w.add_people(1))).kept_classes == now);
}

TEST_CASE(
    "G20 a look at more people than one access event can name is told by several, in the ledger before the answer",
    "[unit][service][G20]") {
  World w(14);
  const auto people = w.add_people(12);
  w.catch_up();
  const bool by_bytes = GENERATE(false, true);
  CAPTURE(by_bytes);
  if (by_bytes) {
    w.service_options.event_bytes_max = 1024;
  } else {
    w.service_options.subjects_per_event_max = 5;
  }
  w.reopen();
  w.catch_up();
  const auto before = w.ledger->size();
  const auto listed = must(ServiceKit::answer<service::ListAnswer>([&](auto then) {
    w.service->list_records(w.editor, {"contacts", {}, 50, {}}, then);
  }));
  REQUIRE(listed.items.size() == people.size());
  for (const auto& item : listed.items) CHECK_FALSE(item.values.expose().empty());

  std::map<OwnerId, int> named;
  std::set<TimeMs> times;
  std::size_t events = 0;
  const auto cursor = must(w.ledger->cursor(Seq(before.get())));
  Seq seq;
  ByteView header_bytes, parts_bytes;
  while (must(cursor->next(seq, header_bytes, parts_bytes))) {
    const auto header = must(codec::decode_header(header_bytes));
    if (header.type != EventType::access_read) continue;
    ++events;
    times.insert(header.time);
    if (by_bytes) CHECK(parts_bytes.size() <= 1024);
    const auto parts = must(codec::decode_parts(parts_bytes));
    CHECK(parts.size() <= w.service_options.subjects_per_event_max + 1);
    for (std::size_t i = 1; i < parts.size(); ++i) ++named[parts[i].envelope.owner];
    CHECK_FALSE(std::get<AccessFacts>(header.facts).fields.empty());
  }
  CHECK(events >= 2);
  CHECK(times.size() == 1);  // one group
  CHECK(named.size() == people.size());
  for (const auto& person : people) CHECK(named[owner_of(person)] == 1);
}
