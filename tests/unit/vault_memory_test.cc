// What the memory of a process that erases still holds: a child process works with a vault, with threads that have
// sealed and opened and then sleep; its parent reads all of its memory before and after, and knows what to look for
// from the disk and the root of that time.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <barrier>
#include <fstream>
#include <iterator>
#include <set>
#include <thread>

#include "crypto/hmac.h"
#include "support/catch.h"
#include "support/key_thief.h"
#include "support/process_memory.h"
#include "support/temp_dir.h"
#include "support/vault_world.h"

using namespace siegel;
using namespace siegel::test;

namespace {

constexpr int kThreads = 3;
constexpr int kPeople = 6;
constexpr int kDying = 2;
constexpr char kOn = '+';

const KeyTreeId kTree(SeededRandom(11).array<16>());

vault::Options options_in(const std::filesystem::path& dir) {
  vault::Options out;
  out.keys_dir = dir / "keys";
  out.spare_leaves = 64;
  return out;
}

// What the parent must know of a sealed part.
struct Told {
  std::uint64_t slot = 0;
  Id16 event{};
};

// One end of a conversation by single signs and structures.
class Line {
 public:
  Line(int in, int out) : in_(in), out_(out) {}
  template <class T>
  void say(const T& value) const {
    SIEGEL_ASSERT(::write(out_, &value, sizeof value) == static_cast<ssize_t>(sizeof value));
  }
  template <class T>
  [[nodiscard]] bool hear(T& value) const {
    return ::read(in_, &value, sizeof value) == static_cast<ssize_t>(sizeof value);
  }

 private:
  int in_;
  int out_;
};

// Everything a server does with keys, on a thread that then sleeps until the end.
void use_keys(vault::Vault& vault, const std::vector<Person>& people, Random& random) {
  for (const auto& person : people) {
    const auto row = vault.seal_row(person.slot, "records", {}, as_bytes(person.text)).value();
    SIEGEL_ASSERT(vault.open_row(Receipts::system(), person.slot, "records", {}, row).has_value());
    SIEGEL_ASSERT(vault.open(Receipts::access({person.owner}), person.header, 1, person.stored()).has_value());
    const auto other = new_event_id(random);
    SIEGEL_ASSERT(vault.seal(person.slot, other, 1, ClassNo(7), person.owner, 3, as_bytes(person.text)).has_value());
    SIEGEL_ASSERT(vault.day_mac(person.slot, as_bytes("request")).has_value());
  }
}

int child(const std::filesystem::path& dir, const Line& line) {
  SystemRandom random;
  SystemClock clock;
  const auto options = options_in(dir);
  const auto root = vault::open_file_root_store(dir / "root" / "root", random);
  SIEGEL_ASSERT(vault::Vault::create(options, *root, kTree, test_ledger_id(), random).has_value());
  // Opening turns this first log into a table, which the thief cannot read.
  std::filesystem::copy(dir / "keys", dir / "kept");
  const auto vault = vault::Vault::open(options, *root, test_ledger_id(), KeysMark(0), Epoch(1), clock, random).value();

  std::vector<Person> people(kPeople);
  vault::Fence fence{.request = 1, .slots = {}};
  for (int i = 0; i < kPeople; ++i) {
    auto& person = people[static_cast<std::size_t>(i)];
    person.slot = vault->new_leaf().value();
    person.header.id = new_event_id(random);
    person.header.schema = 3;
    person.owner = OwnerId(SeededRandom(static_cast<std::uint64_t>(i)).array<16>());
    person.text = "made up";
    person.part =
        vault->seal(person.slot, person.header.id, 1, ClassNo(7), person.owner, 3, as_bytes(person.text)).value();
    if (i < kDying) fence.slots.push_back(person.slot);
    line.say(Told{person.slot.get(), person.header.id.get()});
  }
  // The dying come last, so that it is their keys that a thread at rest has left.
  std::reverse(people.begin(), people.end());

  std::barrier used(kThreads + 1);
  std::barrier ended(kThreads + 1);
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&] {
      use_keys(*vault, people, random);
      used.arrive_and_wait();
      ended.arrive_and_wait();
    });
  }
  used.arrive_and_wait();
  char sign = kOn;
  line.say(sign);
  if (!line.hear(sign)) ::_exit(1);  // the parent has failed

  SIEGEL_ASSERT(vault->fence(fence).has_value());
  const auto change = vault->erase({&fence, 1});
  SIEGEL_ASSERT(change.has_value() && change->leaves == kDying);
  line.say(sign);
  if (!line.hear(sign)) ::_exit(1);  // the parent has failed

  SIEGEL_ASSERT(vault->told(change->to).has_value());
  for (const auto& person : people) {
    const auto body = vault->open(Receipts::access({person.owner}), person.header, 1, person.stored());
    const bool dying = std::find(fence.slots.begin(), fence.slots.end(), person.slot) != fence.slots.end();
    SIEGEL_ASSERT(body.has_value() != dying);
  }
  line.say(sign);
  if (!line.hear(sign)) ::_exit(1);  // the parent has failed
  ended.arrive_and_wait();
  for (auto& thread : threads) thread.join();
  return 0;
}

std::string content_of(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

// Whoever copied keys and root at this moment.
struct Look {
  StolenRoot root;
  std::map<std::uint64_t, std::set<Hash>> leaves;
  std::set<Hash> nodes;
};
Look look(const std::filesystem::path& dir) {
  std::vector<std::string> files;
  for (const auto* name : {"kept", "keys"}) {
    for (const auto& file : std::filesystem::directory_iterator(dir / name)) files.push_back(content_of(file.path()));
  }
  KeyThief thief(kTree.get());
  thief.take(files);
  const auto roots = roots_of(content_of(dir / "root" / "root"));
  REQUIRE(roots.size() == 1);
  Look out{.root = roots.front(), .leaves = thief.reach(roots.front().key), .nodes = {}};
  for (const auto& [use, rows] : thief.seals(roots.front().key)) out.nodes.insert(use.first);
  return out;
}

// A key as it is, as HMAC pads it, and as SHA-256 loads it into words.
void add_needles(std::vector<Needle>& to, const std::string& name, ByteView key) {
  const auto padded = [&](std::uint8_t pad) {
    std::string out(as_chars(key));
    for (auto& c : out) c = static_cast<char>(static_cast<std::uint8_t>(c) ^ pad);
    return out;
  };
  const auto words = [](std::string bytes) {
    for (std::size_t i = 0; i + 4 <= bytes.size(); i += 4)
      std::reverse(bytes.begin() + static_cast<long>(i), bytes.begin() + static_cast<long>(i) + 4);
    return bytes;
  };
  to.push_back({name, std::string(as_chars(key))});
  for (const std::uint8_t pad : {0x36, 0x5c}) {
    to.push_back({name + " padded", padded(pad)});
    to.push_back({name + " padded, in words", words(padded(pad))});
  }
}

}  // namespace

TEST_CASE("ER-06 the memory of a process holds no erased leaf key and no old root once the old root is destroyed",
          "[unit][proof][ER-06]") {
  const TempDir dir;
  std::array<int, 2> down{};
  std::array<int, 2> up{};
  REQUIRE(::pipe(down.data()) == 0);
  REQUIRE(::pipe(up.data()) == 0);
  const pid_t pid = ::fork();
  REQUIRE(pid >= 0);
  if (pid == 0) {
    ::close(down[1]);
    ::close(up[0]);
    ::_exit(child(dir.path(), Line(down[0], up[1])));
  }
  ::close(down[0]);
  ::close(up[1]);
  const Line line(up[0], down[1]);

  std::array<Told, kPeople> people{};
  for (auto& person : people) REQUIRE(line.hear(person));
  char sign = 0;
  REQUIRE(line.hear(sign));
  const auto before = look(dir.path());

  std::vector<Needle> dead;
  add_needles(dead, "old root", before.root.key);
  for (int i = 0; i < kDying; ++i) {
    const auto& [slot, event] = people[static_cast<std::size_t>(i)];
    REQUIRE(before.leaves.at(slot).size() == 1);
    const auto leaf = *before.leaves.at(slot).begin();
    add_needles(dead, "leaf key", leaf);
    const auto part = hmac_derive(leaf, {as_bytes("part"), event, be(std::uint16_t{1})});
    add_needles(dead, "part key", part.view());
    const auto row = hmac_derive(leaf, {as_bytes("row"), as_bytes("records"), be(std::uint32_t{1})});
    add_needles(dead, "row key", row.view());
  }
  std::vector<Needle> living;
  for (std::size_t i = kDying; i < kPeople; ++i) {
    const auto leaf = *before.leaves.at(people[i].slot).begin();
    living.push_back({"living leaf " + std::to_string(i), std::string(as_chars(leaf))});
  }

  // The look can find: they are there while they live, the part key in what a sleeping thread has left.
  const auto found_before = found_in_memory(pid, dead);
  for (const auto* name : {"old root", "leaf key", "part key"}) {
    CAPTURE(name);
    CHECK(std::find(found_before.begin(), found_before.end(), name) != found_before.end());
  }
  CHECK(found_in_memory(pid, living).size() == living.size());

  line.say(sign);
  REQUIRE(line.hear(sign));  // step 4c is done
  const auto after = look(dir.path());
  CHECK(after.root.epoch == before.root.epoch + 1);
  for (int i = 0; i < kDying; ++i) CHECK_FALSE(after.leaves.contains(people[static_cast<std::size_t>(i)].slot));
  std::size_t old_nodes = 0;
  for (const auto& node : before.nodes) {
    if (after.nodes.contains(node)) continue;
    add_needles(dead, "old node key", node);
    ++old_nodes;
  }
  CHECK(old_nodes >= 5);  // the root and four below it
  CHECK(found_in_memory(pid, dead) == std::vector<std::string>());
  CHECK(found_in_memory(pid, living).size() == living.size());
  CHECK(found_in_memory(pid, {{"root", std::string(as_chars(after.root.key))}}).size() == 1);

  line.say(sign);
  REQUIRE(line.hear(sign));  // told, and everybody tried
  CHECK(found_in_memory(pid, dead) == std::vector<std::string>());

  line.say(sign);
  int status = 0;
  REQUIRE(::waitpid(pid, &status, 0) == pid);
  CHECK(status == 0);
}
