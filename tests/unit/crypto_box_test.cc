#include "crypto/box.h"
#include "crypto/sha256.h"
#include "support/catch.h"
#include "support/seeded_random.h"

using namespace siegel;
using siegel::test::SeededRandom;

namespace {

const SecretKey kKey(from_hex("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f").value());
constexpr Nonce kNonce{};

Bytes box_of(ByteView body) {
  Bytes box;
  seal_box(kKey, kNonce, as_bytes("aad"), body, box);
  return box;
}
bool is_damaged(const SecretKey& key, const Nonce& nonce, std::string_view aad, ByteView box) {
  const auto opened = open_box(key, nonce, as_bytes(aad), box);
  return !opened && opened.error().is("box_damaged") && opened.error().category() == Errc::corrupt;
}
bool is_damaged(ByteView box) { return is_damaged(kKey, kNonce, "aad", box); }

// A box over any plaintext, as somebody with the key but another idea of the format would make it.
Bytes box_over(const Bytes& plaintext) {
  Bytes box(plaintext.size() + kAeadTagBytes);
  aes_gcm_seal(kKey, kNonce, as_bytes("aad"), plaintext, box);
  return box;
}
Bytes plaintext_of(std::string_view body, std::size_t size) {
  Bytes plaintext(size);
  put_be(plaintext.data() + 32, static_cast<std::uint32_t>(body.size()));
  std::memcpy(plaintext.data() + 36, body.data(), body.size());
  return plaintext;
}

}  // namespace

TEST_CASE("the box's bytes stay as they are for ever",
          "[unit][crypto][golden]") {  // computed by another implementation
  CHECK(
      to_hex(box_of(as_bytes("hello"))) ==
      "0ebcb5deb52c83bd08a8a935182c9199d24356532881602f809eb383c5ff5d564e5fe6b94297d46a5cc371f5c1ce694ea90741e6797146a5"
      "50b63f264a604ee4ee10317b64b932860dc4899212c1d7ca");
  Bytes large(5000);
  for (std::size_t i = 0; i < large.size(); ++i) large[i] = static_cast<std::uint8_t>(i);
  CHECK(to_hex(sha256(ByteView(box_of(large)))) == "f41460bfccfce9170f72db4042d59dbfbddef3b1e6e01b586de3b84f4d8dc0dc");
}

TEST_CASE("box sizes go in steps of 64 to 1 KiB, then by Padmé", "[unit][crypto]") {
  const std::pair<std::size_t, std::size_t> sizes[] = {
      {0, 80},      {28, 80},     {29, 144},    {92, 144},    {280, 336},     {988, 1040},       {989, 1104},
      {2012, 2064}, {2013, 2192}, {4060, 4112}, {4061, 4368}, {65000, 65552}, {1000000, 1015824}};
  for (const auto& [body, box] : sizes) CHECK(box_size(body) == box);
  std::size_t distinct = 0, last = 0;
  for (std::size_t body = 0; body < 100000; ++body) {
    const std::size_t size = box_size(body);
    const std::size_t least = body + 36 + kAeadTagBytes;
    REQUIRE(size >= least);
    REQUIRE(size >= last);
    REQUIRE((body < 988 ? size - least < 64 : (size - least) * 100 <= least * 12));
    if (size != last) ++distinct;
    last = size;
  }
  CHECK(distinct == 129);  // of 100,000 lengths
}

TEST_CASE("what was sealed opens, behind whatever stood there before", "[unit][crypto]") {
  SeededRandom random(11);
  for (std::size_t size = 0; size < 3000; size += size < 1100 ? 1 : 37) {
    const Bytes body = random.bytes(size);
    Bytes row = to_bytes(as_bytes("before"));
    seal_box(kKey, kNonce, as_bytes("aad"), body, row);
    REQUIRE(row.size() == 6 + box_size(size));
    REQUIRE(as_chars(ByteView(row).first(6)) == "before");
    const auto opened = open_box(kKey, kNonce, as_bytes("aad"), ByteView(row).subspan(6));
    REQUIRE(opened);
    REQUIRE(*opened == body);
    const auto secret = open_secret_box(kKey, kNonce, as_bytes("aad"), ByteView(row).subspan(6));
    REQUIRE(secret);
    REQUIRE(equal(secret->view(), body));
  }
}

TEST_CASE("a box opens under its key, nonce and aad only, and with every bit as written", "[unit][crypto]") {
  const Bytes box = box_of(as_bytes("a made-up value"));
  REQUIRE_FALSE(is_damaged(box));
  for (std::size_t bit = 0; bit < box.size() * 8; ++bit) {
    Bytes changed = box;
    changed[bit / 8] ^= static_cast<std::uint8_t>(1u << (bit % 8));
    REQUIRE(is_damaged(changed));
  }
  for (std::size_t size = 0; size < box.size(); ++size) REQUIRE(is_damaged(ByteView(box).first(size)));
  CHECK(is_damaged(SecretKey(), kNonce, "aad", box));
  CHECK(is_damaged(kKey, Nonce{1}, "aad", box));
  CHECK(is_damaged(kKey, kNonce, "aae", box));
  CHECK_FALSE(open_secret_box(SecretKey(), kNonce, as_bytes("aad"), box));
}

TEST_CASE("a box that authenticates but was not made by seal_box is damaged", "[unit][crypto]") {
  const Bytes sound = plaintext_of("hello", 64);
  REQUIRE(box_over(sound) == box_of(as_bytes("hello")));

  for (std::size_t i = 0; i < 32; ++i) {  // the commitment block
    Bytes plaintext = sound;
    plaintext[i] = 1;
    CHECK(is_damaged(box_over(plaintext)));
  }
  for (std::size_t i = 41; i < 64; ++i) {  // the padding
    Bytes plaintext = sound;
    plaintext[i] = 1;
    CHECK(is_damaged(box_over(plaintext)));
  }
  CHECK(is_damaged(box_over(plaintext_of("hello", 128))));  // larger than it need be
  CHECK(is_damaged(box_over(plaintext_of("hello", 65))));
  CHECK(is_damaged(box_over(Bytes(63))));
  Bytes too_long = sound;
  put_be(too_long.data() + 32, std::uint32_t{29});
  CHECK(is_damaged(box_over(too_long)));
  put_be(too_long.data() + 32, std::uint32_t{0xffffffff});
  CHECK(is_damaged(box_over(too_long)));
}

TEST_CASE("secret bytes move and stay whole", "[unit][crypto]") {
  SecretBytes secret(to_bytes(as_bytes("key")));
  SecretBytes moved = std::move(secret);
  CHECK(as_chars(moved.view()) == "key");
  SecretBytes other(to_bytes(as_bytes("another")));
  other = std::move(moved);
  CHECK(as_chars(other.view()) == "key");
}
