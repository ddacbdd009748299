// Our tree, notes, tiles and proofs, checked by ledgercheck: the note package of golang.org/x/mod and the verifiers of
// transparency-dev/merkle.
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "proof/checkpoint.h"
#include "proof/proofs.h"
#include "proof/tiles.h"
#include "proof/tlog_proof.h"
#include "support/catch.h"
#include "support/tree.h"

using namespace siegel;
using siegel::test::MemoryTree;
namespace fs = std::filesystem;

namespace {

constexpr std::uint64_t kSize = 1025;

NoteSigner log_signer() {
  return NoteSigner::make("ledger.example/interop", KeyType::ed25519, SecretKey(as_bytes("made up for this test")))
      .value();
}
NoteSigner witness_signer() {
  return NoteSigner::make("witness.example/1", KeyType::cosignature, SecretKey(as_bytes("made up as well"))).value();
}

// Entries of different lengths, empty and largest ones among them.
Bytes entry(std::uint64_t index) {
  const std::size_t length = index == 7 ? 0 : index == 8 ? kBundleEntryBytesMax : 1 + index % 300;
  Bytes bytes(length, static_cast<std::uint8_t>(index));
  for (std::size_t i = 0; i < 8 && i < length; ++i) bytes[i] = static_cast<std::uint8_t>(index >> (8 * i));
  return bytes;
}

const MemoryTree& tree() {
  static const MemoryTree whole = [] {
    MemoryTree made;
    for (std::uint64_t i = 0; i < kSize; ++i) made.append(leaf_hash(entry(i)));
    return made;
  }();
  return whole;
}

std::string checkpoint_at(std::uint64_t size) {
  Note note =
      parse_note(sign_checkpoint(log_signer(), {"ledger.example/interop", size, tree().head(size).root})).value();
  note.signatures.push_back(cosign_note(witness_signer(), note.text, 1700000000));
  return format_note(note);
}

std::string json_of(const std::vector<Hash>& path) {
  std::string text = "[";
  for (const Hash& hash : path) text += (text.size() > 1 ? ",\"" : "\"") + to_base64(hash) + "\"";
  return text + "]";
}
std::string inclusion_json(std::uint64_t index, std::uint64_t size) {
  auto view = tree().at(size);
  return "{\"index\":" + std::to_string(index) + ",\"size\":" + std::to_string(size) + ",\"leaf_hash\":\"" +
         to_base64(tree().leaf(index)) +
         "\",\"hashes\":" + json_of(make_inclusion_proof({index, size}, view).value().path) + "}\n";
}
std::string consistency_json(std::uint64_t from, std::uint64_t to) {
  auto view = tree().at(to);
  return "{\"from\":" + std::to_string(from) + ",\"to\":" + std::to_string(to) +
         ",\"hashes\":" + json_of(make_consistency_proof({from, to}, view).value().path) + "}\n";
}

class Export {
 public:
  explicit Export(std::uint64_t size) {
    std::string name = (fs::temp_directory_path() / "siegel-interop-XXXXXX").string();
    REQUIRE(mkdtemp(name.data()) != nullptr);
    path_ = name;
    write("checkpoint", checkpoint_at(size));
    write("verifier-key", format_verifier_key(log_signer().verifier()) + "\n");
    for (unsigned level = 0; (size >> (level * kTileHeight)) > 0; ++level) write_tiles(level, size);
  }
  Export(const Export&) = delete;
  Export& operator=(const Export&) = delete;
  ~Export() { fs::remove_all(path_); }

  [[nodiscard]] fs::path path(const std::string& name) const { return path_ / name; }
  void write(const std::string& name, std::string_view content) const {
    fs::create_directories(path(name).parent_path());
    std::ofstream(path(name), std::ios::binary) << content;
  }
  void flip(const std::string& name, std::streamoff at) const {
    std::fstream file(path(name), std::ios::in | std::ios::out | std::ios::binary);
    REQUIRE(file.seekg(at));
    const int byte = file.get();
    REQUIRE(byte >= 0);
    file.seekp(at);
    file.put(static_cast<char>(byte ^ 1));
  }
  // The exit code of ledgercheck over this export; proofs on its standard input come from feed.
  template <class Feed>
  [[nodiscard]] int check(const std::string& arguments, Feed&& feed) const {
    const std::string witness = format_verifier_key(witness_signer().verifier());
    const std::string command = std::string(SIEGEL_LEDGERCHECK) + " -witness '" + witness + "' " + arguments + " '" +
                                path_.string() + "' - >'" + path("out").string() + "' 2>'" + path("err").string() + "'";
    std::FILE* const pipe = popen(command.c_str(), "w");
    REQUIRE(pipe != nullptr);
    feed([pipe](const std::string& text) { std::fwrite(text.data(), 1, text.size(), pipe); });
    const int status = pclose(pipe);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }
  [[nodiscard]] int check(const std::string& proofs) const {
    return check("", [&](auto&& put) { put(proofs); });
  }
  [[nodiscard]] std::string said(const std::string& stream) const {
    std::ifstream file(path(stream));
    return {std::istreambuf_iterator<char>(file), {}};
  }

 private:
  void write_tiles(unsigned level, std::uint64_t size) const {
    const std::uint64_t full = full_tiles(level, size);
    for (std::uint64_t index = 0; index < full; ++index) write_tile(level, index, kTileWidth);
    if (const unsigned width = partial_width(level, size); width > 0) write_tile(level, full, width);
  }
  void write_tile(unsigned level, std::uint64_t index, unsigned width) const {
    const auto first = static_cast<std::size_t>(index * kTileWidth);
    const Bytes tile = encode_tile(tree().level(level * kTileHeight).subspan(first, width));
    write(tile_path({level, index, width}), as_chars(tile));
    if (level > 0) return;
    Bytes bundle;
    for (unsigned i = 0; i < width; ++i) append_bundle_entry(bundle, entry(first + i));
    write(tile_path({std::nullopt, index, width}), as_chars(bundle));
  }

  fs::path path_;
};

}  // namespace

TEST_CASE("P1 the Go verifiers accept every pair of sizes, and refuse each when damaged", "[interop][proof][P1]") {
  // The short run takes all pairs to 257 and, at the edges beyond, every partner; the long run all pairs to 1,025.
  const bool all = std::getenv("SIEGEL_LONG") != nullptr;
  const auto wanted = [&](std::uint64_t size) {
    return all || size <= 257 || size == 511 || size == 512 || size == 513 || size >= 1023;
  };
  const Export exported(kSize);
  std::uint64_t pairs = 0;
  const int code = exported.check("-damage", [&](auto&& put) {
    for (std::uint64_t size = 1; size <= kSize; ++size) {
      if (!wanted(size)) continue;
      for (std::uint64_t index = 0; index < size; ++index) {
        put(inclusion_json(index, size));
        put(consistency_json(index + 1, size));
        ++pairs;
      }
    }
  });
  INFO(exported.said("err"));
  CHECK(code == 0);
  const std::string count = std::to_string(pairs);
  CHECK_THAT(exported.said("out"), test::contains(count + " inclusion proofs, " + count + " consistency proofs"));
}

TEST_CASE("F1 exports of many sizes pass the Go note package and compute to the same root", "[interop][proof][F1]") {
  for (const std::uint64_t size : {0u, 1u, 2u, 255u, 256u, 257u, 511u, 512u, 1000u}) {
    const Export exported(size);
    CAPTURE(size);
    CHECK(exported.check("") == 0);
    INFO(exported.said("err"));
    CHECK_THAT(exported.said("out"), test::contains("size " + std::to_string(size) + ","));
  }
}

TEST_CASE("an offline proof passes", "[interop][proof]") {
  const Export exported(kSize);
  auto view = tree().at(700);
  const auto path = make_inclusion_proof({300, 700}, view).value().path;
  const std::string name = exported.path("one.tlog-proof").string();
  const auto code = [&](std::uint64_t index) {
    exported.write("one.tlog-proof", format_tlog_proof({std::nullopt, index, path, checkpoint_at(700)}));
    return std::system(
        (std::string(SIEGEL_LEDGERCHECK) + " '" + exported.path("").string() + "' '" + name + "' >/dev/null 2>&1")
            .c_str());
  };
  CHECK(code(300) == 0);
  CHECK(WEXITSTATUS(code(301)) == 1);
}

TEST_CASE("what was changed after the export is found, with its reason", "[interop][proof]") {
  const auto refused = [](const Export& exported, const std::string& reason, const std::string& proofs = "") {
    CHECK(exported.check(proofs) == 1);
    CHECK_THAT(exported.said("err"), test::contains(reason));
  };
  {
    const Export exported(300);
    exported.flip("checkpoint", 3);
    refused(exported, "checkpoint");
  }
  {
    const Export exported(300);
    exported.flip("tile/entries/001.p/44", 20);
    refused(exported, "the entries' root");
  }
  {
    const Export exported(300);
    exported.flip("tile/1/000.p/1", 0);
    refused(exported, "tile/1/000.p/1");
  }
  {
    const Export exported(300);
    exported.write("checkpoint", checkpoint_at(299));  // signed, but of another size than the files
    refused(exported, "tile/entries/001.p/43");
  }
  {
    const Export exported(300);
    std::string proof = inclusion_json(17, 300);
    const auto digit = proof.find("\"index\":17") + 9;
    proof[digit] = '6';
    refused(exported, "leaf hash of index 16", proof);
  }
}
