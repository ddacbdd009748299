// EV-02: expected versions against a reference model, one command after the other and many at once.
#include <cstdlib>
#include <map>

#include "support/service_kit.h"

using namespace siegel;
using namespace siegel::test;
using namespace siegel::service;

namespace {

bool long_run() { return std::getenv("SIEGEL_LONG") != nullptr; }

std::uint64_t current_version(const Error& error) {
  const auto* text = error.find("current_version");
  REQUIRE(text != nullptr);
  return std::stoull(*text);
}

PurposeDefinition purpose_of(std::size_t stream, std::uint64_t content) {
  PurposeDefinition out;
  out.name = "purpose-" + std::to_string(stream);
  out.legal_ground = LegalGround::contract;
  out.title = {{"de", "Zweck " + std::to_string(content)}};
  return out;
}

// What the caller expects of a stream. `exists` is what a change without a version asks of a record.
enum class Expect { any, none, exact, older, newer };

struct Model {
  std::uint64_t version = 0;  // 0: never written
  std::uint64_t content = 0;
  bool removed = false;
};

}  // namespace

TEST_CASE("EV-02 any, none, exists and n over many streams end as the reference model says",
          "[property][service][EV-02]") {
  constexpr std::size_t kRecords = 40, kPurposes = 10;
  const std::uint64_t steps = long_run() ? 1'000'000 : 12'000;
  ServiceKit world;
  world.set_up();
  SeededRandom random(2);
  std::vector<Model> records, purposes(kPurposes);
  std::vector<RecordId> ids;
  std::map<std::string, std::uint64_t> counts;

  const auto options_for = [&](Expect expect, std::uint64_t version) {
    WriteOptions out;
    if (expect == Expect::none) out.create_only = true;
    if (expect == Expect::exact) out.expected_version = version;
    if (expect == Expect::older) out.expected_version = version == 0 ? 0 : random.below(version);
    if (expect == Expect::newer) out.expected_version = version + 1 + random.below(3);
    return out;
  };
  const auto any_expect = [&] { return static_cast<Expect>(random.below(5)); };
  const auto add = [&] {
    const auto outcome = world.write(world.editor, ServiceKit::thing("new"));
    REQUIRE(outcome);
    CHECK(outcome->version == 1);
    ids.push_back(*outcome->record);
    records.push_back({.version = 1, .content = 0, .removed = false});
  };
  for (std::size_t i = 0; i < kRecords; ++i) add();

  for (std::uint64_t step = 0; step < steps; ++step) {
    CAPTURE(step);
    if (random.below(4) == 0) {  // a definition: may be made by the same command
      const auto stream = random.below(kPurposes);
      auto& model = purposes[stream];
      const auto expect = any_expect();
      const auto options = options_for(expect, model.version);
      const auto content = random.below(3);
      const auto outcome = world.write(world.admin, SetPurpose{purpose_of(stream, content)}, options);
      const bool wrong = (options.create_only && model.version > 0) ||
                         (options.expected_version && *options.expected_version != model.version);
      if (wrong) {
        ++counts["purpose refused"];
        REQUIRE(!outcome);
        REQUIRE(outcome.error().is("version_conflict"));
        REQUIRE(current_version(outcome.error()) == model.version);
        continue;
      }
      REQUIRE(outcome);
      const bool same = model.version > 0 && model.content == content;
      if (!same) ++model.version;
      model.content = content;
      ++counts[same ? "purpose unchanged" : "purpose set"];
      REQUIRE(outcome->version == model.version);
      REQUIRE((outcome->kind == Written::Kind::unchanged) == same);
      continue;
    }
    const auto stream = random.below(records.size());
    auto& model = records[stream];
    auto expect = any_expect();
    if (expect == Expect::none) expect = Expect::any;  // a record is made by AddRecord only
    const auto options = options_for(expect, model.version);
    const bool remove = random.below(60) == 0;
    Write command = RemoveRecord{ids[stream]};
    if (!remove) {
      ChangeRecord change;
      change.record = ids[stream];
      change.values.push_back(ServiceKit::value("label", "label " + std::to_string(random.below(5))));
      command = std::move(change);
    }
    const auto outcome = world.write(world.editor, std::move(command), options);
    if (model.removed) {
      ++counts["record gone"];
      REQUIRE(!outcome);
      REQUIRE(outcome.error().is("not_found"));
    } else if (options.expected_version && *options.expected_version != model.version) {
      ++counts["record refused"];
      REQUIRE(!outcome);
      REQUIRE(outcome.error().is("version_conflict"));
      REQUIRE(current_version(outcome.error()) == model.version);
    } else {
      ++counts[remove ? "record removed" : "record changed"];
      REQUIRE(outcome);
      REQUIRE(outcome->version == ++model.version);
      model.removed = remove;
      if (remove) add();
    }
  }
  for (const auto* kind : {"purpose refused", "purpose unchanged", "purpose set", "record gone", "record refused",
                           "record removed", "record changed"}) {
    CAPTURE(kind);
    CHECK(counts[kind] > 0);
  }
  CHECK(audit(*world.ledger, world.world.signer.verifier()) == "");
}

TEST_CASE("EV-02 many writers over one stream or many: versions have no gap, and each refusal names one that was there",
          "[property][service][EV-02]") {
  const std::size_t streams = GENERATE(1u, 16u);
  constexpr int kThreads = 6;
  const int each = long_run() ? 8'000 : 700;
  ServiceKit world;
  world.set_up();
  std::vector<RecordId> ids;
  for (std::size_t i = 0; i < streams; ++i) ids.push_back(*world.write(world.editor, ServiceKit::thing("new"))->record);

  struct Change {
    Seq seq;
    std::uint64_t version;
    std::optional<std::uint64_t> expected;
    std::uint64_t done_before, begun_before;  // versions that were certain before it began, and possible when it ended
  };
  struct Stream {
    std::atomic<std::uint64_t> certain{1};  // newest version that was answered
    std::atomic<std::uint64_t> begun{1};    // 1 + changes that were begun
    Guarded<std::vector<Change>> changes;
  };
  std::vector<Stream> all(streams);
  std::atomic<std::size_t> conflicts{0}, given_up{0}, wrong{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      SeededRandom random(static_cast<std::uint64_t>(t) + 40);
      for (int i = 0; i < each; ++i) {
        const auto at = random.below(streams);
        auto& stream = all[at];
        const auto certain = stream.certain.load();
        WriteOptions options;
        if (random.below(3) != 0) options.expected_version = certain + random.below(2);
        ChangeRecord change;
        change.record = ids[at];
        change.values.push_back(ServiceKit::value("label", std::to_string(t) + "-" + std::to_string(i)));
        ++stream.begun;
        const auto outcome = world.write(world.editor, std::move(change), options);
        const auto begun = stream.begun.load();
        if (outcome) {
          if (outcome->version <= certain || outcome->version > begun) ++wrong;
          stream.changes.with([&](auto& list) {
            list.push_back({outcome->seq, outcome->version, options.expected_version, certain, begun});
          });
          for (auto newest = certain; newest < outcome->version;) {
            if (stream.certain.compare_exchange_weak(newest, outcome->version)) break;
          }
        } else if (outcome.error().is("version_conflict")) {
          ++conflicts;
          const auto* text = outcome.error().find("current_version");
          const auto current = text == nullptr ? 0 : std::stoull(*text);
          // Decided between the call and its answer, so against a version of that time, which is not the expected one.
          if (!options.expected_version || current == *options.expected_version || current < certain || current > begun)
            ++wrong;
        } else {
          ++given_up;
          if (!outcome.error().is("overloaded")) ++wrong;
        }
      }
    });
  }
  for (auto& thread : threads) thread.join();
  CHECK(wrong == 0);
  CHECK(conflicts > 0);
  std::size_t written = 0;
  for (auto& stream : all) {
    auto changes = stream.changes.with([](const auto& list) { return list; });
    std::ranges::sort(changes, {}, [](const Change& change) { return change.seq; });
    std::uint64_t version = 1;
    for (const auto& change : changes) {
      ++version;
      REQUIRE(change.version == version);
      if (change.expected) REQUIRE(*change.expected == version - 1);
    }
    written += changes.size();
  }
  CHECK(written + conflicts + given_up == static_cast<std::size_t>(kThreads * each));
  CHECK(given_up < static_cast<std::size_t>(kThreads * each) / 10);
  CHECK(audit(*world.ledger, world.world.signer.verifier()) == "");
}
