#include "ledger/signer.h"

#include "proof/checkpoint.h"
#include "store/file.h"

namespace siegel::ledger {

namespace {

constexpr std::size_t kBytesMax = 4096;
constexpr unsigned kMode = 0600;

}  // namespace

struct FileSigner::Key {
  NoteSigner signer;
};

Status make_signer_key(Files& files, const std::filesystem::path& path, const std::string& origin, Random& random) {
  if (!is_key_name(origin)) {
    return Error(Errc::invalid, "key_name_malformed",
                 "The origin must have no space, no '+' and no control character.");
  }
  SIEGEL_TRY(there, files.exists(path));
  if (there) return Error(Errc::conflict, "exists", "There is a signing key already.");
  SecretKey seed;
  random.fill(seed.mutable_view());
  const auto text = format_private_key(origin, KeyType::ed25519, seed);
  SecretBytes line(text.size() + 1);
  std::memcpy(line.mutable_view().data(), text.view().data(), text.size());
  line.mutable_view().back() = '\n';
  return files.write_file_durably(path, line.view(), kMode);
}

FileSigner::FileSigner(std::unique_ptr<Key> key) : key_(std::move(key)) {}
FileSigner::~FileSigner() = default;

Result<std::unique_ptr<FileSigner>> FileSigner::load(Files& files, const std::filesystem::path& path) {
  SIEGEL_TRY(bytes, files.read_file(path, kBytesMax));
  const SecretBytes content(std::move(bytes));
  auto line = as_chars(content.view());
  if (line.ends_with('\n')) line.remove_suffix(1);
  SIEGEL_TRY(signer, NoteSigner::parse(line));
  if (signer.verifier().type != KeyType::ed25519) {
    return Error(Errc::invalid, "key_type_unsupported", "The ledger's key must be an Ed25519 key of type 01.");
  }
  return std::unique_ptr<FileSigner>(new FileSigner(std::make_unique<Key>(Key{std::move(signer)})));
}

Result<std::string> FileSigner::sign(const TreeHead& head) {
  return sign_checkpoint(key_->signer, {origin(), head.size.get(), head.root});
}

Result<std::string> FileSigner::sign_text(std::string_view text) {
  return format_note({std::string(text), {sign_note(key_->signer, text)}});
}

std::string FileSigner::verifier_key() const { return format_verifier_key(key_->signer.verifier()); }

const std::string& FileSigner::origin() const noexcept { return key_->signer.verifier().name; }

}  // namespace siegel::ledger
