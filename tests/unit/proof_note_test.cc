#include "proof/checkpoint.h"
#include "proof/note.h"
#include "proof/proofs.h"
#include "proof/tiles.h"
#include "proof/tlog_proof.h"
#include "support/catch.h"
#include "support/tree.h"

using namespace siegel;
using siegel::test::MemoryTree;

namespace {

const std::string kDash = "\xE2\x80\x94";
const std::string kNeumannKey = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
const std::string kNeumannText =
    "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n";
const std::string kNeumannLine =
    kDash +
    " PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";
const std::string kNeumannNote = kNeumannText + "\n" + kNeumannLine;

const std::string kTesseraKey = "example.com/log/testdata+33d7b496+AeHTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkSx";
const std::string kTesseraNote =
    "example.com/log/testdata\n5\ngy5gl3aksFyiCO95a/1vLXz88A3dRq+0l9Sxte8ZqZQ=\n\n" + kDash +
    " example.com/log/testdata "
    "M9e0lmn5eDHyHP10zJObZdFAX2y1V8fdDKBi4IiHbDYf1TCUBwxZOhqwv2QZCqrdda2zTRTrmnwjwscN5RBTEmZUYAs=\n";

const std::string kLogKey = "ledger.example/kat1+d29fab9c+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
const std::string kWitnessKey = "witness.example/w1+e75f6532+BAOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4";
const std::string kSignedByLog =
    "ledger.example/kat1\n8\nXcnaeacGWamtVZy3Ad7ZoqudgjqtL0lgz+Nw7/RgQyg=\n\n" + kDash +
    " ledger.example/kat1 "
    "0p+rnJ65s7Y5K3O8xcX5FH9u7dV+DPOxiE1PHbXBiRpXHlbgwZA39EqJZLcbvfgJ7L/7vfFZEhoOPzch8t+dEZYjQQ8=\n";
const std::string kWitnessLine = kDash +
                                 " witness.example/w1 "
                                 "519lMgAAAABlU/EAAc3jpOjUVkZ77qpJV+wPi7txXbwgFKGsOCvIH/WejCtA/"
                                 "ELKRMUSHswnf7F90kdpiZwbEpdKPzVh2AInF7paBg==\n";

SecretKey neumann_seed() {
  return SecretKey(from_hex("810a1402d5146c8d84f2443330f54080ebf98ee17d9c74f6252fc5d5c7283173").value());
}
SecretKey witness_seed() {
  return SecretKey(from_hex("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f").value());
}
VerifierKey key(std::string_view text) { return parse_verifier_key(text).value(); }

template <class T>
std::string code_of(const Result<T>& result) {
  return result ? "" : result.error().code();
}
std::string open_code(std::string_view note, std::initializer_list<std::string> keys) {
  std::vector<VerifierKey> known;
  for (const auto& text : keys) known.push_back(key(text));
  return code_of(open_note(note, known));
}

}  // namespace

TEST_CASE("F1 the note of golang/mod opens, and is signed to the same bytes", "[unit][proof][F1]") {
  const std::vector<VerifierKey> known{key(kNeumannKey)};
  const auto opened = open_note(kNeumannNote, known);
  REQUIRE(opened);
  CHECK(opened->text == kNeumannText);
  REQUIRE(opened->signatures.size() == 1);
  CHECK(opened->signatures[0].key == known[0]);
  CHECK_FALSE(opened->signatures[0].seconds);

  const auto signer = NoteSigner::make("PeterNeumann", KeyType::ed25519, neumann_seed()).value();
  CHECK(format_verifier_key(signer.verifier()) == kNeumannKey);
  CHECK(format_note({kNeumannText, {sign_note(signer, kNeumannText)}}) == kNeumannNote);
}

TEST_CASE("F1 the checkpoint of a tiled log opens, over the root of its five leaves", "[unit][proof][F1]") {
  const auto opened = open_checkpoint(kTesseraNote, key(kTesseraKey));
  REQUIRE(opened);
  CHECK(opened->checkpoint.origin == "example.com/log/testdata");
  CompactRange range;
  for (const std::string_view leaf : {"one", "two", "three", "four", "five"}) range.append(leaf_hash(as_bytes(leaf)));
  CHECK(opened->checkpoint.head() == range.head());
}

TEST_CASE("F1 the cosigned checkpoint opens, and is made to the same bytes", "[unit][proof][F1]") {
  const std::vector<VerifierKey> witnesses{key(kWitnessKey)};
  const auto opened = open_checkpoint(kSignedByLog + kWitnessLine, key(kLogKey), witnesses);
  REQUIRE(opened);
  REQUIRE(opened->cosignatures.size() == 1);
  CHECK(opened->cosignatures[0].key == witnesses[0]);
  CHECK(opened->cosignatures[0].seconds == 1700000000);

  const auto log = NoteSigner::make("ledger.example/kat1", KeyType::ed25519, neumann_seed()).value();
  const auto witness = NoteSigner::make("witness.example/w1", KeyType::cosignature, witness_seed()).value();
  CHECK(format_verifier_key(log.verifier()) == kLogKey);
  CHECK(format_verifier_key(witness.verifier()) == kWitnessKey);
  CHECK(sign_checkpoint(log, opened->checkpoint) == kSignedByLog);
  Note note = parse_note(kSignedByLog).value();
  note.signatures.push_back(cosign_note(witness, note.text, 1700000000));
  CHECK(format_note(note) == kSignedByLog + kWitnessLine);
}

TEST_CASE("a checkpoint counts only if its log signed it, under its own name", "[unit][proof]") {
  const std::vector<VerifierKey> witnesses{key(kWitnessKey)};
  const auto code = [&](const std::string& note, const std::string& log) {
    return code_of(open_checkpoint(note, key(log), witnesses));
  };
  const std::string text = kSignedByLog.substr(0, kSignedByLog.find("\n\n") + 2);
  CHECK(code(kSignedByLog, kLogKey).empty());
  CHECK(code(text + kWitnessLine, kLogKey) == "note_unsigned");  // a witness alone
  CHECK(code(kSignedByLog + kWitnessLine, kTesseraKey) == "note_unsigned");
  // The log's key signs another log's checkpoint.
  const auto log = NoteSigner::make("ledger.example/kat1", KeyType::ed25519, neumann_seed()).value();
  const std::string foreign = format_checkpoint({"ledger.example/other", 0, empty_root()});
  CHECK(code(format_note({foreign, {sign_note(log, foreign)}}), kLogKey) == "checkpoint_origin_wrong");
  const std::string no_checkpoint = "ledger.example/kat1\n";
  CHECK(code(format_note({no_checkpoint, {sign_note(log, no_checkpoint)}}), kLogKey) == "checkpoint_malformed");
}

TEST_CASE("unknown signatures are ignored, a known one that fails spoils the note", "[unit][proof]") {
  const std::string unknown = kDash + " someone.example AAAAAAECAwQ=\n";
  CHECK(open_code(kNeumannText + "\n" + unknown + kNeumannLine + unknown, {kNeumannKey}).empty());
  CHECK(open_code(kNeumannNote, {kTesseraKey}) == "note_unsigned");
  CHECK(open_code(kNeumannNote, {}) == "note_unsigned");
  CHECK(open_code("x" + kNeumannNote, {kNeumannKey}) == "note_signature_wrong");
  // The right name and id with other bytes behind them, before or after a sound line.
  const auto neumann = NoteSigner::make("PeterNeumann", KeyType::ed25519, neumann_seed()).value();
  const std::string wrong = format_note({"", {sign_note(neumann, "another text\n")}}).substr(1);
  CHECK(open_code(kNeumannText + "\n" + wrong + kNeumannLine, {kNeumannKey}) == "note_signature_wrong");
  CHECK(open_code(kNeumannNote + wrong, {kNeumannKey}) == "note_signature_wrong");
  Note short_line = parse_note(kNeumannNote).value();
  short_line.signatures[0].signature.pop_back();
  CHECK(open_code(format_note(short_line), {kNeumannKey}) == "note_signature_wrong");
  // The same key id under another name is another key.
  Note renamed = parse_note(kNeumannNote).value();
  renamed.signatures[0].name = "Somebody";
  CHECK(open_code(format_note(renamed), {kNeumannKey}) == "note_unsigned");
  // Every known key must hold: the log's line is sound, the witness's time is not.
  Note later = parse_note(kSignedByLog + kWitnessLine).value();
  later.signatures[1].signature[7] ^= 1;
  CHECK(open_code(format_note(later), {kLogKey}).empty());
  CHECK(open_code(format_note(later), {kLogKey, kWitnessKey}) == "note_signature_wrong");
}

TEST_CASE("every changed bit of a signed note is noticed", "[unit][proof]") {
  const std::vector<VerifierKey> known{key(kLogKey)};
  for (std::size_t bit = 0; bit < kSignedByLog.size() * 8; ++bit) {
    std::string changed = kSignedByLog;
    changed[bit / 8] = static_cast<char>(changed[bit / 8] ^ (1 << (bit % 8)));
    if (open_note(changed, known)) FAIL("accepted with bit " << bit << " changed");
  }
}

TEST_CASE("a repeated signature counts once", "[unit][proof]") {
  const std::vector<VerifierKey> known{key(kNeumannKey), key(kNeumannKey)};
  const auto opened = open_note(kNeumannNote + kNeumannLine, known);
  REQUIRE(opened);
  CHECK(opened->signatures.size() == 1);
}

TEST_CASE("malformed notes are refused", "[unit][proof]") {
  const auto code = [](const std::string& note) { return code_of(parse_note(note)); };
  const std::string malformed[] = {
      "",
      "\n",
      "text\n",
      "text\n\n",
      kNeumannText + kNeumannLine,                                    // no blank line
      kNeumannNote.substr(0, kNeumannNote.size() - 1),                // no LF at the end
      kNeumannNote + "\n",                                            // a blank line, and nothing behind it
      kNeumannNote + "text\n",                                        // no signature line
      kNeumannText + "\n- PeterNeumann x08go/ZJkuA=\n",               // a hyphen
      kNeumannText + "\n" + kDash + "  PeterNeumann x08go/ZJkuA=\n",  // two spaces
      kNeumannText + "\n" + kDash + " PeterNeumann  x08go/ZJkuA=\n",
      kNeumannText + "\n" + kDash + " PeterNeumann x08go/ZJkuA= \n",
      kNeumannText + "\n" + kDash + " PeterNeumann x08go/ZJkuA\n",  // padding is missing
      kNeumannText + "\n" + kDash + " PeterNeumann x08gow==\n",     // a key id and no signature
      kNeumannText + "\n" + kDash + " PeterNeumann \n",
      kNeumannText + "\n" + kDash + " PeterNeumann\n",
      kNeumannText + "\n" + kDash + " Peter+Neumann x08go/ZJkuA=\n",
      kNeumannText + "\n" + kDash + " Peter\xC2\xA0Neumann x08go/ZJkuA=\n",  // a no-break space
      "a\tb\n\n" + kNeumannLine,
      "a\r\n\n" + kNeumannLine,
      std::string("a\0b\n\n", 5) + kNeumannLine,
      "\xff\n\n" + kNeumannLine,
  };
  for (const auto& note : malformed) {
    CAPTURE(note);
    CHECK(code(note) == "note_malformed");
  }
  CHECK(code(kNeumannNote).empty());
  CHECK(parse_note("a\n\nb\n\n" + kNeumannLine).value().text == "a\n\nb\n");  // the last blank line divides
}

TEST_CASE("notes have limits: at least 16 signatures, at most 1 MiB", "[unit][proof]") {
  std::string note = kNeumannText + "\n";
  for (std::size_t i = 0; i < kNoteSignaturesMax - 1; ++i) {
    note += kDash + " witness" + std::to_string(i) + ".example AAAAAAECAwQ=\n";
  }
  static_assert(kNoteSignaturesMax >= 16);
  CHECK(open_code(note + kNeumannLine, {kNeumannKey}).empty());
  CHECK(open_code(note + kNeumannLine + kNeumannLine, {kNeumannKey}) == "note_malformed");

  const auto signer = NoteSigner::make("PeterNeumann", KeyType::ed25519, neumann_seed()).value();
  const auto large = [&](std::size_t bytes) {
    const std::string text = std::string(bytes - kNeumannLine.size() - 2, 'x') + "\n";
    return format_note({text, {sign_note(signer, text)}});
  };
  REQUIRE(large(kNoteBytesMax).size() == kNoteBytesMax);
  CHECK(open_code(large(kNoteBytesMax), {kNeumannKey}).empty());
  CHECK(open_code(large(kNoteBytesMax + 1), {kNeumannKey}) == "note_malformed");
}

TEST_CASE("keys go to text and back, in one spelling", "[unit][proof]") {
  for (const auto& text : {kNeumannKey, kTesseraKey, kLogKey, kWitnessKey})
    CHECK(format_verifier_key(key(text)) == text);
  const auto code = [](std::string_view text) { return code_of(parse_verifier_key(text)); };
  CHECK(code("PeterNeumann+c74f20a4+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW") == "verifier_key_malformed");
  CHECK(code("PeterNeumann+C74F20A3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW") == "verifier_key_malformed");
  CHECK(code("PeterNeuman+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW") == "verifier_key_malformed");
  CHECK(code("PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10Q=") == "verifier_key_malformed");
  CHECK(code("PeterNeumann+c74f20a3+") == "verifier_key_malformed");
  CHECK(code("PeterNeumann+c74f20a3") == "verifier_key_malformed");
  CHECK(code("+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW") == "verifier_key_malformed");
  CHECK(code("") == "verifier_key_malformed");
  CHECK(code("PeterNeumann+c74f20a3+Ahpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW") == "key_type_unsupported");

  const SecretBytes text = format_private_key("PeterNeumann", KeyType::ed25519, neumann_seed());
  CHECK(as_chars(text.view()) == "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz");
  const auto signer = NoteSigner::parse(as_chars(text.view()));
  REQUIRE(signer);
  CHECK(format_verifier_key(signer->verifier()) == kNeumannKey);
  const auto private_code = [](std::string_view spelled) { return code_of(NoteSigner::parse(spelled)); };
  CHECK(private_code(kNeumannKey) == "private_key_malformed");
  CHECK(private_code("PRIVATE+KEY+PeterNeumann+c74f20a4+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz") ==
        "private_key_malformed");
  CHECK(private_code("PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDE=") ==
        "private_key_malformed");
  CHECK(code_of(NoteSigner::make("two words", KeyType::ed25519, neumann_seed())) == "key_name_malformed");
}

TEST_CASE("key names have no space, no plus, no control character", "[unit][proof]") {
  for (const std::string_view good : {"a", "ledger.example/kat1", "\xC3\xBC.example"}) CHECK(is_key_name(good));
  for (const std::string_view bad : {"", "a b", "a+b", "a\nb", "a\x7F\xC2\x85", "a\xC2\xA0", "\xE2\x80\x83",
                                     "\xE3\x80\x80", "\xE1\x9A\x80", "\xE2\x80\xA8", "\xff"}) {
    CHECK_FALSE(is_key_name(bad));
  }
}

TEST_CASE("a checkpoint has exactly three lines in one spelling", "[unit][proof]") {
  const std::string root = "XcnaeacGWamtVZy3Ad7ZoqudgjqtL0lgz+Nw7/RgQyg=";
  const std::string empty = to_base64(empty_root());
  const auto code = [](const std::string& text) { return code_of(parse_checkpoint(text)); };
  CHECK(code("o\n8\n" + root + "\n").empty());
  CHECK(code("o\n0\n" + empty + "\n").empty());
  CHECK(code("o\n9223372036854775807\n" + root + "\n").empty());
  for (const auto& text :
       {"o\n8\n" + root, "o\n8\n" + root + "\next\n", "o\n8\n" + root + "\n\n", "\n8\n" + root + "\n",
        "o\n08\n" + root + "\n", "o\n+8\n" + root + "\n", "o\n\n" + root + "\n", "o\n8 \n" + root + "\n",
        "o\n9223372036854775808\n" + root + "\n", "o\n0\n" + root + "\n", std::string("o\n8\nAAAA\n"),
        "o\n8\n" + root.substr(0, 43) + "\n", std::string("o\n8\n"), std::string()}) {
    CAPTURE(text);
    CHECK(code(text) == "checkpoint_malformed");
  }
  const Checkpoint checkpoint{"ledger.example/kat1", 0, empty_root()};
  CHECK(format_checkpoint(checkpoint) == "ledger.example/kat1\n0\n" + empty + "\n");
  CHECK(parse_checkpoint(format_checkpoint(checkpoint)).value() == checkpoint);
}

TEST_CASE("F1 tile paths and widths as in tlog-tiles", "[unit][proof][F1]") {
  CHECK(tile_path({0, 1234067, 256}) == "tile/0/x001/x234/067");
  CHECK(tile_path({0, 0, 256}) == "tile/0/000");
  CHECK(tile_path({1, 273, 17}) == "tile/1/273.p/17");
  CHECK(tile_path({std::nullopt, 1000, 255}) == "tile/entries/x001/000.p/255");
  CHECK(tile_path({63, UINT64_MAX, 256}) == "tile/63/x018/x446/x744/x073/x709/x551/615");
  for (const TileId& tile : {TileId{0, 1234067, 256}, TileId{7, 999, 1}, TileId{std::nullopt, 1000, 255},
                             TileId{63, UINT64_MAX, 256}, TileId{std::nullopt, 0, 256}}) {
    CHECK(parse_tile_path(tile_path(tile)) == tile);
  }
  for (const std::string_view bad : {"",
                                     "tile",
                                     "tile/0",
                                     "tile/0/",
                                     "tile/0/1",
                                     "tile/0/0001",
                                     "tile/00/001",
                                     "tile/64/001",
                                     "tile/-1/001",
                                     "tile/x/001",
                                     "tile/0/x000/001",
                                     "tile/0/001/002",
                                     "tile/0/x001/2",
                                     "tile/0/x001",
                                     "tile/0/001.p/0",
                                     "tile/0/001.p/256",
                                     "tile/0/001.p/01",
                                     "tile/0/001.p/",
                                     "tile/0/001.p",
                                     "tile/0/001/",
                                     "tile/0/00a",
                                     "/tile/0/001",
                                     "tile/entries",
                                     "tile/0/x018/x446/x744/x073/x709/x551/616",
                                     "tile/0/x999/x999/x999/x999/x999/x999/x999/999"}) {
    CAPTURE(bad);
    CHECK_FALSE(parse_tile_path(bad));
  }
  const std::array<std::pair<std::uint64_t, unsigned>, 3> expected{{{273, 112}, {1, 17}, {0, 1}}};
  for (unsigned level = 0; level < 3; ++level) {
    CHECK(full_tiles(level, 70000) == expected[level].first);
    CHECK(partial_width(level, 70000) == expected[level].second);
  }
  CHECK(partial_width(3, 70000) == 0);
  CHECK(full_tiles(8, UINT64_MAX) == 0);
}

TEST_CASE("F1 entry bundles as in tlog-tiles", "[unit][proof][F1]") {
  Bytes bundle;
  for (const std::string_view entry : {"one", "two", "three"}) append_bundle_entry(bundle, as_bytes(entry));
  CHECK(to_hex(bundle) == "00036f6e65000374776f00057468726565");
  const auto entries = decode_bundle(bundle);
  REQUIRE(entries);
  REQUIRE(entries->size() == 3);
  CHECK(as_chars((*entries)[2]) == "three");
  for (std::size_t size = 0; size < bundle.size(); ++size) {
    const bool whole = size == 5 || size == 10;
    CHECK(code_of(decode_bundle(ByteView(bundle).first(size))) == (whole ? "" : "bundle_malformed"));
  }
  Bytes full;
  for (unsigned i = 0; i < kTileWidth; ++i) append_bundle_entry(full, {});
  CHECK(decode_bundle(full).value().size() == 256);
  append_bundle_entry(full, {});
  CHECK(code_of(decode_bundle(full)) == "bundle_malformed");
  Bytes largest;
  append_bundle_entry(largest, Bytes(65535, 1));
  CHECK(decode_bundle(largest).value().front().size() == 65535);
}

TEST_CASE("tiles are whole hashes, 1 to 256 of them", "[unit][proof]") {
  std::vector<Hash> hashes;
  for (std::uint64_t i = 0; i < kTileWidth; ++i) hashes.push_back(leaf_hash(be(i)));
  const Bytes tile = encode_tile(hashes);
  CHECK(tile.size() == 8192);
  CHECK(decode_tile(tile).value() == hashes);
  CHECK(decode_tile(ByteView(tile).first(32)).value().size() == 1);
  CHECK(code_of(decode_tile({})) == "tile_malformed");
  CHECK(code_of(decode_tile(ByteView(tile).first(33))) == "tile_malformed");
  CHECK(code_of(decode_tile(Bytes(8224))) == "tile_malformed");
}

TEST_CASE("P2 an offline proof holds for its leaf, its index and a checkpoint of its log", "[unit][proof][P2]") {
  MemoryTree tree;
  for (std::uint64_t i = 0; i < 100; ++i) tree.append(leaf_hash(be(i)));
  const auto signer = NoteSigner::make("ledger.example/kat1", KeyType::ed25519, neumann_seed()).value();
  const auto checkpoint_at = [&](std::uint64_t size) {
    return sign_checkpoint(signer, {"ledger.example/kat1", size, tree.head(size).root});
  };
  auto view = tree.at(90);
  TlogProof proof{std::nullopt, 70, make_inclusion_proof({70, 90}, view).value().path, checkpoint_at(90)};
  const auto code = [&](const TlogProof& one) {
    return code_of(verify_tlog_proof(one, tree.leaf(70), signer.verifier()));
  };
  REQUIRE(code(proof).empty());
  CHECK(code_of(verify_tlog_proof(proof, tree.leaf(71), signer.verifier())) == "proof_wrong");
  CHECK(code_of(verify_tlog_proof(proof, tree.leaf(70), key(kTesseraKey))) == "note_unsigned");
  for (std::uint64_t size = 0; size <= 100; ++size) {
    TlogProof other = proof;
    other.checkpoint = checkpoint_at(size);
    CHECK(code(other) == (size == 90 ? "" : "proof_wrong"));
  }
  for (std::uint64_t index = 0; index < 100; ++index) {
    TlogProof other = proof;
    other.index = index;
    CHECK(code(other) == (index == 70 ? "" : "proof_wrong"));
  }
}

TEST_CASE("offline proofs go to text and back, in one form", "[unit][proof]") {
  TlogProof proof{std::nullopt, 4711, {leaf_hash(as_bytes("a")), leaf_hash(as_bytes("b"))}, kSignedByLog};
  const std::string text = format_tlog_proof(proof);
  CHECK(text == "c2sp.org/tlog-proof@v1\nindex 4711\n" + to_base64(proof.path[0]) + "\n" + to_base64(proof.path[1]) +
                    "\n\n" + kSignedByLog);
  const auto again = [](const TlogProof& one) {
    return format_tlog_proof(parse_tlog_proof(format_tlog_proof(one)).value());
  };
  CHECK(again(proof) == text);
  proof.extra = to_bytes(as_bytes("note"));
  CHECK(format_tlog_proof(proof).starts_with("c2sp.org/tlog-proof@v1\nextra bm90ZQ==\nindex 4711\n"));
  CHECK(again(proof) == format_tlog_proof(proof));
  CHECK(parse_tlog_proof(format_tlog_proof(proof)).value().extra == proof.extra);
  proof = {std::nullopt, 0, {}, kSignedByLog};  // a tree of one leaf
  CHECK(again(proof) == "c2sp.org/tlog-proof@v1\nindex 0\n\n" + kSignedByLog);

  const std::string hash = to_base64(leaf_hash(as_bytes("a")));
  const std::string first = "c2sp.org/tlog-proof@v1\n";
  std::string too_many = first + "index 1\n";
  for (int i = 0; i < 64; ++i) too_many += hash + "\n";
  for (const auto& bad :
       {std::string(), first, first + "\n" + kSignedByLog, first + "index 1\n" + kSignedByLog,
        first + "index 01\n\n" + kSignedByLog, first + "index -1\n\n" + kSignedByLog,
        first + "index 9223372036854775807\n\n" + kSignedByLog, "c2sp.org/tlog-proof@v2\nindex 1\n\n" + kSignedByLog,
        first + "index 1\nAAAA\n\n" + kSignedByLog, first + "index 1\n" + hash + " \n\n" + kSignedByLog,
        first + "index 1\nextra AAAA\n\n" + kSignedByLog, first + "extra A\nindex 1\n\n" + kSignedByLog,
        first + "index 1\n\n", first + "index 1\n\ntext\n", too_many + "\n" + kSignedByLog}) {
    CAPTURE(bad);
    CHECK(code_of(parse_tlog_proof(bad)) == "tlog_proof_malformed");
  }
}
