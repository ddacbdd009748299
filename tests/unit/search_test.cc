// What counts as the same in a search, and what the index finds.
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <thread>

#include "search/index.h"
#include "support/catch.h"
#include "support/process_memory.h"
#include "support/seeded_random.h"

using namespace siegel;
using namespace siegel::search;

namespace {

constexpr TypeNo kPeople{3};
constexpr FieldNo kName{1}, kMail{2}, kTags{3};

std::string folded(std::string_view text, FieldType type = FieldType::text) {
  return std::string(view(fold(type, text)));
}
bool finds(std::string_view wanted, Op op, std::string_view text) { return meets(folded(wanted), op, folded(text)); }
RecordId record(std::uint64_t number) {
  Id16 id{};
  const auto bytes = be(number);
  std::copy(bytes.begin(), bytes.end(), id.begin() + 8);
  return RecordId(id);
}
FieldKey key_of(FieldNo field, std::string_view text) { return {field, fold(FieldType::text, text)}; }
Change change(std::uint64_t number, std::vector<FieldKey> values, bool whole = false) {
  return {record(number), whole, std::move(values)};
}
Condition where(FieldNo field, Op op, std::string_view text) { return {field, op, fold(FieldType::text, text)}; }

struct World {
  Index index;
  World() {
    index.define(kPeople, std::array{Index::Field{kName, true}, Index::Field{kMail}, Index::Field{kTags}});
    index.pack(kPeople);
  }
  void put(std::uint64_t number, std::string_view name, std::string_view mail) {
    std::vector<Change> changes;
    changes.push_back(change(number, {key_of(kName, name), key_of(kMail, mail)}));
    index.change(kPeople, std::move(changes));
  }
  void apply(Change one) {
    std::vector<Change> changes;
    changes.push_back(std::move(one));
    index.change(kPeople, std::move(changes));
  }
  std::vector<std::uint64_t> find(const std::vector<Condition>& conditions, std::size_t limit = 100,
                                  std::optional<RecordId> after = {}) const {
    std::vector<std::uint64_t> out;
    for (const auto& id : index.find(kPeople, conditions, after, limit))
      out.push_back(get_be<std::uint64_t>(&id.get()[8]));
    return out;
  }
};
using Numbers = std::vector<std::uint64_t>;

}  // namespace

TEST_CASE("a search minds neither case nor accents nor how an umlaut is written", "[unit][search]") {
  struct Case {
    const char* wanted;
    const char* text;
    bool found;
  };
  const auto c = GENERATE(
      Case{"müller", "Müller", true}, Case{"MÜLLER", "müller", true}, Case{"Mueller", "Müller", true},
      Case{"Muller", "Müller", true}, Case{"Müller", "Mueller", true}, Case{"Müller", "Muller", true},
      Case{"Muller", "Mueller", false}, Case{"Mueller", "Muller", false}, Case{"Baur", "Bauer", false},
      Case{"Bauer", "Baur", false}, Case{"Müller-Schaefer", "Mueller-Schäfer", true}, Case{"strasse", "Straße", true},
      Case{"STRAẞE", "Strasse", true}, Case{"Rene", "René", true}, Case{"René", "Rene", true},
      Case{"Mu\xCC\x88ller", "Müller", true}, Case{"Angstrom", "Ångström", true}, Case{"Lodz", "Łódź", true},
      Case{"Soren", "Søren", true}, Case{"fi", "ﬁ", true}, Case{"ａｂ", "ab", true},
      Case{"  Anna \t Maria ", "anna maria", true}, Case{"Annamaria", "Anna Maria", false},
      Case{"Επιφάνεια", "επιφανεια", true}, Case{"Müller", "Möller", false});
  CAPTURE(c.wanted, c.text);
  CHECK(finds(c.wanted, Op::exact, c.text) == c.found);
}

TEST_CASE("a prefix is found across the ways to write an umlaut", "[unit][search]") {
  CHECK(finds("mu", Op::prefix, "Müller"));
  CHECK(finds("mue", Op::prefix, "Müller"));
  CHECK(finds("mü", Op::prefix, "Mueller"));
  CHECK(finds("mül", Op::prefix, "Muller"));
  CHECK_FALSE(finds("mue", Op::prefix, "Munk"));
  CHECK_FALSE(finds("ller", Op::prefix, "Müller"));
  CHECK(finds("", Op::prefix, "Müller"));
}

TEST_CASE("the words of a text are what punctuation and space part", "[unit][search]") {
  const auto words = [](std::string_view text) {
    std::vector<std::string> out;
    const auto fold = folded(text);
    for (const auto word : later_words(fold)) out.emplace_back(word);
    return out;
  };
  using Words = std::vector<std::string>;
  CHECK(words("Müller").empty());
  CHECK(words("").empty());
  CHECK(words("Anna-Lena Groß") == Words{"lena gross", "gross"});
  CHECK(words("Dr. Zoë O'Neil (Köln)") == Words{"zoe o'neil (köln)", "o'neil (köln)", "neil (köln)", "köln)"});
  CHECK(words("- , -").empty());
  CHECK(words("Müller–Schmidt") == Words{"schmidt"});
  CHECK(words("»Lena« Groß") == Words{"lena« gross", "gross"});
  CHECK(words("a b c d e f g h i j").size() == 7);
}

TEST_CASE("a search by word meets every word of a value, and only that search does", "[unit][search]") {
  World world;
  const auto put = [&](std::uint64_t number, std::string_view name) {
    world.apply(change(number, {key_of(kName, name)}));
  };
  put(1, "Anna Müller");
  put(2, "Müller, Bernd");
  put(3, "Clara Mueller-Vogt");
  for (const bool packed : {false, true}) {
    CAPTURE(packed);
    if (packed) world.index.pack(kPeople);
    CHECK(world.find({where(kName, Op::word, "mül")}) == Numbers{1, 2, 3});
    CHECK(world.find({where(kName, Op::word, "vogt")}) == Numbers{3});
    CHECK(world.find({where(kName, Op::word, "müller"), where(kName, Op::word, "b")}) == Numbers{2});
    CHECK(world.find({where(kName, Op::prefix, "mül")}) == Numbers{2});
    CHECK(world.find({where(kName, Op::exact, "müller")}).empty());
    CHECK(world.find({where(kName, Op::word, "uller")}).empty());
  }
  put(1, "Anna Huber");
  CHECK(world.find({where(kName, Op::word, "mül")}) == Numbers{2, 3});
  CHECK(world.find({where(kName, Op::word, "hub")}) == Numbers{1});
  world.apply(change(3, {}, true));
  CHECK(world.find({where(kName, Op::word, "vogt")}).empty());
}

TEST_CASE("phone numbers are compared by what is dialled", "[unit][search]") {
  CHECK(folded("0049 (171) 123-45", FieldType::phone) == "+4917112345");
  CHECK(folded("+49 171 12345", FieldType::phone) == "+4917112345");
  CHECK(folded("", FieldType::phone).empty());
}

TEST_CASE("broken UTF-8 and empty texts have a fold", "[unit][search]") {
  CHECK(folded("").empty());
  CHECK(folded(" \t\n ").empty());
  CHECK_FALSE(folded("a\xFF\xC3").empty());
  CHECK(folded("\xCC\x88").empty());  // an accent on nothing
}

TEST_CASE("texts made to be expensive are folded and compared in a moment", "[unit][search]") {
  const auto repeated = [](std::string_view what, std::size_t times) {
    std::string out;
    for (std::size_t i = 0; i < times; ++i) out += what;
    return out;
  };
  const auto text = GENERATE_COPY(
      "a" + repeated("\xCC\x81", 100'000) + repeated("\xCC\x96", 100'000),  // ICU sorts marks
      repeated("\xEF\xB7\xBA", 10'900),                                     // one character of 18 letters
      repeated("ae", 150'000), repeated("\xC3\xA4", 150'000), repeated("a", 300'000), "ae" + repeated("e", 300'000));
  const auto begin = std::chrono::steady_clock::now();
  CHECK(finds(text, Op::exact, text));
  CHECK_FALSE(finds(text + "x", Op::exact, text));
  CHECK(finds(text, Op::prefix, text + "x"));
  CHECK(std::chrono::steady_clock::now() - begin <
        std::chrono::seconds(20));  // a second with sanitizers; minutes before
}

TEST_CASE("a mark too many changes nothing", "[unit][search]") {
  std::string much = "Ren";
  for (int i = 0; i < 40; ++i) much += "\xCC\x81";
  CHECK(folded(much) == "ren");
  CHECK(folded("Mu\xCC\x88ller") == folded("Müller"));
}

TEST_CASE("records are found by one field, by several, and page by page", "[unit][search]") {
  World w;
  w.put(1, "Änne Müller", "aenne@example.org");
  w.put(2, "Anne Meier", "anne@example.org");
  w.put(3, "Änne Müller", "other@example.com");
  CHECK(w.find({where(kName, Op::exact, "änne müller")}) == Numbers{1, 3});
  CHECK(w.find({where(kName, Op::prefix, "an")}) == Numbers{1, 2, 3});
  CHECK(w.find({where(kName, Op::prefix, "aen")}) == Numbers{1, 3});
  CHECK(w.find({where(kName, Op::exact, "aenne mueller"), where(kMail, Op::prefix, "OTHER@")}) == Numbers{3});
  CHECK(w.find({where(kName, Op::exact, "anne meier"), where(kMail, Op::prefix, "other@")}).empty());
  CHECK(w.find({where(kName, Op::prefix, "an")}, 2) == Numbers{1, 2});
  CHECK(w.find({where(kName, Op::prefix, "an")}, 2, record(2)) == Numbers{3});
  CHECK(w.find({where(kName, Op::prefix, "an")}, 2, record(3)).empty());
}

TEST_CASE("a change takes the old value away, and a record goes as a whole", "[unit][search]") {
  World w;
  for (std::uint64_t i = 0; i < 3000; ++i) w.put(i, "Person " + std::to_string(i), "p" + std::to_string(i) + "@x.org");
  w.index.pack(kPeople);
  w.apply(change(17, {key_of(kName, "Other")}));
  CHECK(w.find({where(kName, Op::exact, "person 17")}).empty());
  CHECK(w.find({where(kName, Op::exact, "other")}) == Numbers{17});
  CHECK(w.find({where(kMail, Op::exact, "p17@x.org")}) == Numbers{17});
  w.apply(change(17, {key_of(kName, "")}));
  CHECK(w.find({where(kName, Op::exact, "other")}).empty());
  w.apply(change(17, {}, true));
  CHECK(w.find({where(kMail, Op::exact, "p17@x.org")}).empty());
  CHECK(w.index.records(kPeople) == 2999);
  w.apply(change(18, {key_of(kName, "Only this")}, true));
  CHECK(w.find({where(kMail, Op::exact, "p18@x.org")}).empty());
  CHECK(w.find({where(kName, Op::exact, "only this")}) == Numbers{18});
}

TEST_CASE("several values of one field are each found, and go together", "[unit][search]") {
  World w;
  const auto tagged = [&](std::uint64_t number, std::vector<std::string> tags) {
    std::vector<FieldKey> values;
    for (const auto& tag : tags) values.push_back(key_of(kTags, tag));
    w.apply(change(number, std::move(values)));
  };
  for (std::uint64_t i = 0; i < 2000; ++i) tagged(i, {"red", "tag " + std::to_string(i), "RED", "zebra"});
  w.index.pack(kPeople);
  CHECK(w.find({where(kTags, Op::exact, "red")}, 5000).size() == 2000);
  CHECK(w.find({where(kTags, Op::exact, "tag 7")}) == Numbers{7});
  tagged(7, {"blue"});
  CHECK(w.find({where(kTags, Op::exact, "tag 7")}).empty());
  CHECK(w.find({where(kTags, Op::exact, "red")}, 5000).size() == 1999);
  CHECK(w.find({where(kTags, Op::exact, "zebra")}, 5000).size() == 1999);
  CHECK(w.find({where(kTags, Op::exact, "blue")}) == Numbers{7});
}

// A million people with five such fields have to fit into what the index may hold (256 MiB).
TEST_CASE("a value of several words takes little more than one of a single word", "[unit][search]") {
  constexpr std::uint64_t kRecords = 4000;
  const auto bytes_each = [](const char* format) {
    World w;
    char name[64];
    for (std::uint64_t number = 0; number < kRecords; ++number) {
      std::snprintf(name, sizeof name, format, static_cast<unsigned long long>(number));
      w.apply(change(number, {key_of(kName, name)}));
    }
    w.index.pack(kPeople);
    return static_cast<double>(w.index.bytes()) / kRecords;
  };
  CHECK(bytes_each("Anna-Lena von Musterfrau %05llu") < bytes_each("AnnaLenaVonMusterfrau%05llu") + 45);
}

TEST_CASE("a type that is defined anew knows nothing, and one that is not defined keeps nothing", "[unit][search]") {
  World w;
  w.put(1, "Anna", "anna@x.org");
  w.index.define(kPeople, std::array{Index::Field{kMail}});
  CHECK(w.find({where(kMail, Op::prefix, "a")}).empty());
  w.put(1, "Anna", "anna@x.org");
  CHECK(w.find({where(kMail, Op::prefix, "a")}) == Numbers{1});
  w.index.define(kPeople, {});
  CHECK(w.index.bytes() == 0);
  w.put(1, "Anna", "anna@x.org");
  CHECK(w.index.bytes() == 0);
}

TEST_CASE("long texts are found by their beginning", "[unit][search]") {
  World w;
  const std::string text(1000, 'u');
  w.put(1, text + "x", "a");
  w.put(2, text.substr(0, 90), "b");
  CHECK(w.find({where(kName, Op::prefix, text.substr(0, 400))}) == Numbers{1});
  CHECK(w.find({where(kName, Op::exact, text.substr(0, 90))}) == Numbers{2});
}

TEST_CASE("texts of nothing but a and ä are found, and keep nobody waiting", "[unit][search]") {
  World w;
  test::SeededRandom random{7};
  std::vector<std::string> texts;
  std::vector<Change> changes;
  for (std::uint64_t i = 0; i < 8'000; ++i) {
    std::uint8_t bits[8];
    random.fill(bits);
    std::string text;
    for (std::size_t k = 0; k < 40; ++k) text += (bits[k / 8] >> (k % 8) & 1) != 0 ? "\xC3\xA4" : "a";
    changes.push_back(change(i + 1, {key_of(kName, text)}));
    texts.push_back(std::move(text));
  }
  w.index.change(kPeople, std::move(changes));
  w.index.pack(kPeople);
  const auto begin = std::chrono::steady_clock::now();
  const auto wanted = std::string(40, 'a');
  CHECK(w.find({where(kName, Op::exact, wanted)}, 30'000).size() == texts.size());
  CHECK(w.find({where(kName, Op::exact, texts[77])}).size() >= 1);
  CHECK(w.find({where(kName, Op::exact, wanted + "a")}).empty());
  std::vector<Condition> many;
  for (std::size_t i = 0; i < 4; ++i) many.push_back(where(kName, Op::prefix, std::string(39 - i, 'a')));
  CHECK(w.find(many, 30'000).size() == texts.size());
  many.assign(16, where(kName, Op::exact, std::string(39, 'a')));
  CHECK(w.find(many).empty());
  CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds(20));
}

TEST_CASE("who reads while others write finds what stays, at every moment", "[unit][search]") {
  World w;
  w.put(1'000'000, "Stays", "stays@x.org");
  std::vector<std::thread> readers;
  std::atomic<unsigned> wrong{0};
  for (int i = 0; i < 2; ++i) {
    readers.emplace_back([&] {
      for (int look = 0; look < 500; ++look)
        if (w.find({where(kName, Op::exact, "stays"), where(kMail, Op::prefix, "stay")}) != Numbers{1'000'000}) ++wrong;
    });
  }
  for (std::uint64_t i = 0; i < 1500; ++i) {
    w.put(i, "Stand " + std::to_string(i % 37), "s" + std::to_string(i) + "@x.org");
    if (i % 3 == 0) w.apply(change(i / 2, {}, true));
  }
  for (auto& reader : readers) reader.join();
  CHECK(wrong == 0);
}

// Its parent reads all of its memory, as the test of the keys does (vault_memory_test.cc). The values are made of
// numbers so that neither side holds them but for the index.
TEST_CASE("ER-06 a process that has taken a record out of its index holds nothing of its values",
          "[unit][search][proof][ER-06]") {
  const auto secret = [](std::uint64_t number) {
    std::string out = "canary";
    number = (number + 1) * 0x9E3779B97F4A7C15u;
    for (int i = 0; i < 16; ++i, number = number * 6364136223846793005u + 1442695040888963407u)
      out.push_back(static_cast<char>('b' + (number >> 33) % 20));
    return out;
  };
  constexpr std::uint64_t kRecords = 1500;
  std::array<int, 2> down{};
  std::array<int, 2> up{};
  REQUIRE(::pipe(down.data()) == 0);
  REQUIRE(::pipe(up.data()) == 0);
  const pid_t pid = ::fork();
  REQUIRE(pid >= 0);
  if (pid == 0) {
    ::close(down[1]);
    ::close(up[0]);
    {
      World w;
      char sign = '+';
      for (std::uint64_t i = 0; i < kRecords; ++i) {
        auto text = secret(i);
        w.put(i, text, text);
        wipe(text.data(), text.size());
      }
      w.index.pack(kPeople);
      for (std::uint64_t i = kRecords; i < kRecords + 20; ++i) {  // not merged yet
        auto text = secret(i);
        w.put(i, text, text);
        wipe(text.data(), text.size());
      }
      (void)!::write(up[1], &sign, 1);
      if (::read(down[0], &sign, 1) != 1) ::_exit(1);
      for (std::uint64_t i = 0; i < kRecords + 20; ++i)
        if (i % 10 == 0) w.apply(change(i, {}, true));
      (void)!::write(up[1], &sign, 1);
      if (::read(down[0], &sign, 1) != 1) ::_exit(1);
    }
    ::_exit(0);
  }
  ::close(down[0]);
  ::close(up[1]);
  // By their last bytes: a block keeps what a key does not share with the one before.
  std::vector<test::Needle> dead, living;
  for (std::uint64_t i = 0; i < kRecords + 20; ++i)
    (i % 10 == 0 ? dead : living).push_back({std::to_string(i), secret(i).substr(12)});
  char sign = 0;
  REQUIRE(::read(up[0], &sign, 1) == 1);
  CHECK(test::found_in_memory(pid, dead).size() == dead.size());
  CHECK(test::found_in_memory(pid, living).size() == living.size());
  REQUIRE(::write(down[1], &sign, 1) == 1);
  REQUIRE(::read(up[0], &sign, 1) == 1);
  CHECK(test::found_in_memory(pid, dead) == std::vector<std::string>());
  CHECK(test::found_in_memory(pid, living).size() == living.size());
  REQUIRE(::write(down[1], &sign, 1) == 1);
  int status = 0;
  REQUIRE(::waitpid(pid, &status, 0) == pid);
  CHECK(status == 0);
}
