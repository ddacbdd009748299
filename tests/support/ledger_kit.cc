#include "support/ledger_kit.h"

#include "base/assert.h"
#include "codec/header_codec.h"
#include "codec/parts.h"
#include "proof/checkpoint.h"

namespace siegel::test {

using namespace ledger;  // NOLINT: the kit is about nothing else

void SignedHeads::add(const ledger::TreeHead& head) {
  state_.with([&](State& state) {
    ++state.signatures;
    const auto [at, fresh] = state.roots.emplace(head.size.get(), head.root);
    if (!fresh && at->second != head.root) state.forked = true;
  });
}
bool SignedHeads::forked() const {
  return state_.with([](const State& state) { return state.forked; });
}
std::size_t SignedHeads::signatures() const {
  return state_.with([](const State& state) { return state.signatures; });
}
std::optional<Hash> SignedHeads::root_of(std::uint64_t size) const {
  return state_.with([&](const State& state) -> std::optional<Hash> {
    const auto at = state.roots.find(size);
    if (at == state.roots.end()) return std::nullopt;
    return at->second;
  });
}

namespace {

NoteSigner test_signer(const std::string& origin) {
  SecretKey seed(as_bytes("a seed of 32 bytes, for tests .."));
  return std::move(*NoteSigner::make(origin, KeyType::ed25519, seed));
}

}  // namespace

CountingSigner::CountingSigner(std::string origin, SignedHeads* heads)
    : origin_(std::move(origin)), signer_(test_signer(origin_)), heads_(heads) {}

Result<std::string> CountingSigner::sign(const ledger::TreeHead& head) {
  if (before) SIEGEL_CHECK(before());
  if (heads_) heads_->add(head);
  return sign_checkpoint(signer_, {origin_, head.size.get(), head.root});
}
Result<std::string> CountingSigner::sign_text(std::string_view text) {
  return format_note({std::string(text), {sign_note(signer_, text)}});
}
std::string CountingSigner::verifier_key() const { return format_verifier_key(signer_.verifier()); }

Draft make_draft(SeededRandom& random, const DraftOptions& options) {
  Draft draft;
  draft.header.type = options.type;
  draft.header.id = EventId(random.array<16>());
  draft.header.purpose = PurposeNo(3);
  draft.header.part_count = static_cast<std::uint16_t>(options.parts);
  draft.header.facts = options.facts;
  for (std::size_t i = 0; i < options.parts; ++i) {
    SealedPart part;
    part.envelope.cls = ClassNo(static_cast<std::uint32_t>(i + 1));
    part.envelope.owner = OwnerId(random.array<16>());
    part.envelope.slot = Slot(random.next());
    part.envelope.number = i;
    part.envelope.salt = random.array<16>();
    part.ciphertext = random.bytes(options.bytes);
    part.inner = codec::inner_hash(part.ciphertext);
    draft.parts.push_back(std::move(part));
  }
  if (options.prepared) draft.prepared = std::move(*codec::encode_template(draft.header));
  return draft;
}

codec::IdempotencyRow make_idempotency(SeededRandom& random) {
  return {Slot(random.next()), random.array<32>(), random.array<12>(), random.bytes(70)};
}

Pending submit(Ledger& ledger, TestCommand::Finish finish, const SubmitOptions& options) {
  TestCommand::Answer answer;
  auto pending = answer.get_future();
  auto command = std::make_unique<TestCommand>(std::move(finish), std::move(answer));
  command->mark = KeysMark(options.mark);
  command->estimate = options.estimate;
  ledger.submit(std::move(command));
  return pending;
}

Pending submit(Ledger& ledger, std::vector<Draft> drafts, const SubmitOptions& options) {
  auto shared = std::make_shared<std::vector<Draft>>(std::move(drafts));
  return submit(
      ledger,
      [shared](const Moment&) {
        return Verdict{std::move(*shared), {}};
      },
      options);
}

Result<Committed> append_each(Ledger& ledger, SeededRandom& random, std::size_t count) {
  SIEGEL_ASSERT(count > 0);
  for (std::size_t i = 1; i < count; ++i) SIEGEL_CHECK(append_bulk(ledger, random, 1));
  return append_bulk(ledger, random, 1);
}

Result<Committed> append_bulk(Ledger& ledger, SeededRandom& random, std::size_t count, const DraftOptions& options) {
  std::vector<Draft> drafts;
  for (std::size_t i = 0; i < count; ++i) drafts.push_back(make_draft(random, options));
  return submit(ledger, std::move(drafts), {.mark = 1, .estimate = count}).get();
}

LedgerId test_ledger_id() { return LedgerId({0x5f, 0x0c, 0x2a, 0x91, 0xd4, 0x7b, 0xe8, 0x03}); }

Options test_options(Files& files, std::string lock_record_path) {
  Options options;
  options.origin = kOrigin;
  options.id = test_ledger_id();
  options.lock_record_path = std::move(lock_record_path);
  options.files = &files;
  return options;
}

std::string audit(const Ledger& ledger, const VerifierKey& key) {
  auto events = ledger.cursor(Seq(0));
  if (!events) return events.error().text();
  CompactRange tree;
  TimeMs time;
  for (std::uint64_t expected = 0;; ++expected) {
    Seq seq;
    ByteView bytes, parts;
    const auto more = (*events)->next(seq, bytes, parts);
    if (!more) return more.error().text();
    if (!*more) break;
    const auto header = codec::decode_header(bytes);
    if (!header) return header.error().text();
    if (seq.get() != expected || header->seq != seq) return "a gap at " + std::to_string(expected);
    if (header->time < time) return "time falls at " + std::to_string(expected);
    time = header->time;
    const auto stored = codec::decode_parts(parts);
    if (!stored) return stored.error().text();
    if (const auto good = codec::check_parts(*header, *stored); !good) return good.error().text();
    tree.append(leaf_hash(bytes));
  }
  if (tree.size() != ledger.size().get()) return "size and events differ";
  const auto checkpoint = open_checkpoint(ledger.checkpoint(), key);
  if (!checkpoint) return checkpoint.error().text();
  if (checkpoint->checkpoint.head() != tree.head()) return "the checkpoint is not of this tree";
  return {};
}

}  // namespace siegel::test
