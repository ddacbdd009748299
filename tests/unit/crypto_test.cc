#include <type_traits>

#include "crypto/aead.h"
#include "crypto/box.h"
#include "crypto/hmac.h"
#include "crypto/memory.h"
#include "crypto/sha256.h"
#include "crypto/sign.h"
#include "support/catch.h"
#include "support/seeded_random.h"

using namespace siegel;
using siegel::test::SeededRandom;

namespace {

Bytes hex(std::string_view text) { return from_hex(text).value(); }
SecretKey key_of(std::string_view text) { return SecretKey(hex(text)); }
SecretKey counting_key() { return key_of("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"); }

}  // namespace

static_assert(!std::is_copy_constructible_v<SigningKey> && !std::is_copy_constructible_v<HmacKey>);
static_assert(!std::is_copy_constructible_v<SecretBytes> && !std::is_copy_constructible_v<LockedBytes>);

TEST_CASE("SHA-256 gives the digests of FIPS 180-4", "[unit][crypto]") {
  CHECK(to_hex(sha256(ByteView())) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK(to_hex(sha256(as_bytes("abc"))) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  CHECK(to_hex(sha256(as_bytes("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"))) ==
        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  CHECK(to_hex(sha256(Bytes(1000000, 'a'))) == "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST_CASE("SHA-256 of pieces is that of the whole, and a finished object starts anew", "[unit][crypto]") {
  SeededRandom random(1);
  Sha256 running;
  for (std::size_t size = 0; size < 200; ++size) {
    const Bytes all = random.bytes(size);
    const std::size_t cut = random.below(size + 1);
    const ByteView front = ByteView(all).first(cut), back = ByteView(all).subspan(cut);
    const Hash whole = sha256(ByteView(all));
    CHECK(sha256({front, back}) == whole);
    running.update(front);
    (void)sha256({back, front});  // another digest on the same thread in between
    running.update(back);
    CHECK(running.finish() == whole);
  }
}

TEST_CASE("HMAC-SHA256 gives the codes of RFC 4231", "[unit][crypto]") {
  struct Case {
    Bytes key, data;
    std::string code;
  };
  const Case cases[] = {
      {Bytes(20, 0x0b), to_bytes(as_bytes("Hi There")),
       "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
      {to_bytes(as_bytes("Jefe")), to_bytes(as_bytes("what do ya want for nothing?")),
       "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
      {Bytes(20, 0xaa), Bytes(50, 0xdd), "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"},
      {hex("0102030405060708090a0b0c0d0e0f10111213141516171819"), Bytes(50, 0xcd),
       "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"},
      {Bytes(20, 0x0c), to_bytes(as_bytes("Test With Truncation")), "a3b6167473100ee06e0c796c2955552b"},
      {Bytes(131, 0xaa), to_bytes(as_bytes("Test Using Larger Than Block-Size Key - Hash Key First")),
       "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"},
      {Bytes(131, 0xaa),
       to_bytes(as_bytes("This is a test using a larger than block-size key and a larger than block-size data. The key "
                         "needs to be hashed before being used by the HMAC algorithm.")),
       "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2"},
  };
  for (const auto& [key, data, code] : cases) {
    const ByteView view(data);
    const HmacKey prepared(key);
    for (int round = 0; round < 2; ++round) {  // a key may be used again
      CHECK(to_hex(hmac_sha256(key, {view})).substr(0, code.size()) == code);
      CHECK(to_hex(prepared({view})).substr(0, code.size()) == code);
      CHECK(to_hex(prepared({view.first(3), view.subspan(3)})).substr(0, code.size()) == code);
    }
    CHECK(to_hex(hmac_derive(key, {view}).view()).substr(0, code.size()) == code);
    CHECK(to_hex(prepared.derive({view}).view()).substr(0, code.size()) == code);
  }
}

TEST_CASE("keys of 63, 64 and 65 bytes agree between both ways to HMAC", "[unit][crypto]") {
  for (const std::size_t size : {std::size_t{0}, std::size_t{63}, std::size_t{64}, std::size_t{65}}) {
    const Bytes key = SeededRandom(size).bytes(size);
    CHECK(HmacKey(key)({as_bytes("x")}) == hmac_sha256(key, {as_bytes("x")}));
  }
  CHECK(hmac_sha256(Bytes(65, 7), {}) == hmac_sha256(sha256(Bytes(65, 7)), {}));
  CHECK(hmac_sha256(Bytes(64, 7), {}) != hmac_sha256(sha256(Bytes(64, 7)), {}));
}

TEST_CASE("AES-256-GCM gives the ciphertexts of its specification", "[unit][crypto]") {
  struct Case {
    std::string key, nonce, aad, plaintext, sealed;
  };
  const std::string zeros(64, '0');
  const std::string key = "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308";
  const std::string plain60 =
      "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657"
      "ba637b39";
  const Case cases[] = {
      // McGrew and Viega, test cases 13, 14 and 16
      {zeros, zeros.substr(0, 24), "", "", "530f8afbc74536b9a963b4f1c4cb738b"},
      {zeros, zeros.substr(0, 24), "", zeros.substr(0, 32),
       "cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919"},
      {key, "cafebabefacedbaddecaf888", "feedfacedeadbeeffeedfacedeadbeefabaddad2", plain60,
       "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0"
       "a"
       "bcc9f66276fc6ece0f4e1768cddf8853bb2d551b"},
  };
  for (const auto& vector : cases) {
    const Nonce nonce = to_array<12>(hex(vector.nonce));
    const Bytes aad = hex(vector.aad), plaintext = hex(vector.plaintext), expected = hex(vector.sealed);
    Bytes sealed(plaintext.size() + kAeadTagBytes);
    aes_gcm_seal(key_of(vector.key), nonce, aad, plaintext, sealed);
    CHECK(to_hex(sealed) == vector.sealed);
    Bytes opened(plaintext.size());
    CHECK(aes_gcm_open(key_of(vector.key), nonce, aad, expected, opened));
    CHECK(opened == plaintext);

    Bytes in_place = plaintext;
    in_place.resize(plaintext.size() + kAeadTagBytes);
    aes_gcm_seal(key_of(vector.key), nonce, aad, ByteView(in_place).first(plaintext.size()), in_place);
    CHECK(in_place == expected);
    CHECK(aes_gcm_open(key_of(vector.key), nonce, aad, in_place, MutableBytes(in_place).first(plaintext.size())));
    CHECK(equal(ByteView(in_place).first(plaintext.size()), plaintext));
  }
}

TEST_CASE("AES-256-GCM opens nothing that was changed, and leaves zeros", "[unit][crypto]") {
  const Bytes plaintext = SeededRandom(3).bytes(40);
  const Nonce nonce{1, 2, 3};
  Bytes sealed(plaintext.size() + kAeadTagBytes);
  aes_gcm_seal(counting_key(), nonce, as_bytes("aad"), plaintext, sealed);
  Bytes out(plaintext.size(), 0xff);
  const auto refuses = [&](const SecretKey& key, const Nonce& with, std::string_view aad, ByteView bytes) {
    out.assign(bytes.size() < kAeadTagBytes ? 7 : bytes.size() - kAeadTagBytes, 0xff);
    const bool opened = aes_gcm_open(key, with, as_bytes(aad), bytes, out);
    return !opened && out == Bytes(out.size(), 0);
  };
  CHECK_FALSE(refuses(counting_key(), nonce, "aad", sealed));
  for (std::size_t bit = 0; bit < sealed.size() * 8; ++bit) {
    Bytes changed = sealed;
    changed[bit / 8] ^= static_cast<std::uint8_t>(1u << (bit % 8));
    REQUIRE(refuses(counting_key(), nonce, "aad", changed));
  }
  for (std::size_t size = 0; size < sealed.size(); ++size) {
    REQUIRE(refuses(counting_key(), nonce, "aad", ByteView(sealed).first(size)));
  }
  CHECK(refuses(counting_key(), Nonce{1, 2, 4}, "aad", sealed));
  CHECK(refuses(counting_key(), nonce, "aae", sealed));
  CHECK(refuses(counting_key(), nonce, "", sealed));
  CHECK(refuses(SecretKey(), nonce, "aad", sealed));
}

TEST_CASE("Ed25519 gives the signatures of RFC 8032", "[unit][crypto]") {
  struct Case {
    std::string seed, key, message, signature;
  };
  const Case cases[] = {
      {"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
       "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
       "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe2"
       "4"
       "655141438e7a100b"},
      {"4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
       "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
       "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302ae"
       "e"
       "b00d291612bb0c00"},
      {"c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
       "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
       "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28"
       "d"
       "c027beceea1ec40a"},
  };
  for (const auto& vector : cases) {
    const SigningKey key(key_of(vector.seed));
    CHECK(to_hex(key.public_key()) == vector.key);
    const Bytes message = hex(vector.message);
    for (int round = 0; round < 2; ++round) CHECK(to_hex(key.sign(message)) == vector.signature);
    CHECK(ed25519_verify(key.public_key(), message, to_array<64>(hex(vector.signature))));
  }
}

TEST_CASE("a signature holds for its key, message and bytes only", "[unit][crypto]") {
  const SigningKey key(counting_key());
  const Bytes message = to_bytes(as_bytes("three lines"));
  const Signature signature = key.sign(message);
  REQUIRE(ed25519_verify(key.public_key(), message, signature));
  for (std::size_t bit = 0; bit < signature.size() * 8; ++bit) {
    Signature changed = signature;
    changed[bit / 8] ^= static_cast<std::uint8_t>(1u << (bit % 8));
    REQUIRE_FALSE(ed25519_verify(key.public_key(), message, changed));
  }
  CHECK_FALSE(ed25519_verify(key.public_key(), as_bytes("three line"), signature));
  CHECK_FALSE(ed25519_verify(SigningKey(SecretKey()).public_key(), message, signature));
  PublicKey no_point;
  no_point.fill(0xff);
  CHECK_FALSE(ed25519_verify(no_point, message, signature));
  CHECK(ed25519_verify(key.public_key(), message, signature));  // the thread's context is sound after failures
}

TEST_CASE("a moved signing key goes on signing", "[unit][crypto]") {
  SigningKey key(counting_key());
  const Signature before = key.sign(as_bytes("x"));
  const SigningKey moved = std::move(key);
  CHECK(moved.sign(as_bytes("x")) == before);
}

TEST_CASE("forgetting the thread's keys changes no later result", "[unit][crypto]") {
  const HmacKey prepared(counting_key().view());
  const Hash code = prepared({as_bytes("x")});
  Bytes box;
  seal_box(counting_key(), Nonce{}, {}, as_bytes("body"), box);
  forget_thread_keys();
  CHECK(prepared({as_bytes("x")}) == code);
  CHECK(to_hex(sha256(as_bytes("abc"))).starts_with("ba7816bf"));
  CHECK(open_box(counting_key(), Nonce{}, {}, box));
  Bytes again;
  seal_box(counting_key(), Nonce{}, {}, as_bytes("body"), again);
  CHECK(again == box);
}
