// L0, a file. Its two slots lie in blocks of their own, so that a torn write of a 4 KiB sector cannot take both. The
// file is made with noise in it (blocks are really given, also by systems that compress), and only then does a key come
// in, by overwriting in place.
#include <algorithm>
#include <array>
#include <utility>

#include "crypto/secret_bytes.h"
#include "vault/root_slot.h"
#include "vault/root_store.h"

namespace siegel::vault {
namespace {

constexpr std::size_t kBlockBytes = 4096;
constexpr std::size_t kFileBytes = 2 * kBlockBytes;
constexpr unsigned kFileMode = 0600;
constexpr unsigned kDirMode = 0700;

using Slots = std::array<std::optional<RootEntry>, 2>;

Error unavailable() {
  return Error(Errc::unavailable, "root_store_unavailable", "The root store does not answer.")
      .with("members_reached", 0);
}
Error order() {
  return Error(Errc::conflict, "root_order", "The root store does not hold the entries that this change needs.");
}

class FileRootStore final : public RootStore {
 public:
  FileRootStore(std::filesystem::path file, Random& random, Files* files)
      : file_(std::move(file)), random_(random), files_(files != nullptr ? *files : system_) {}

  Result<std::vector<RootEntry>> read() override {
    SIEGEL_TRY(slots, read_slots());
    std::vector<RootEntry> out;
    for (auto& slot : slots) {
      if (slot) out.push_back(std::move(*slot));
    }
    if (out.empty()) return damaged();
    std::sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.epoch < b.epoch; });
    return out;
  }

  Status create(const RootEntry& first) override {
    const auto there = files_.exists(file_);
    if (!there) return unavailable();
    if (*there) return Error(Errc::conflict, "exists", "There is a root store already.");
    const auto dir = file_.parent_path();
    if (!dir.empty() && !files_.make_dir(dir, kDirMode)) return unavailable();
    Bytes noise(kFileBytes);
    random_.fill(noise);
    if (!files_.write_file_durably(file_, noise, kFileMode)) return unavailable();
    return write(0, encode_root_slot(first).view());
  }

  Status prepare(const RootEntry& next) override {
    SIEGEL_TRY(slots, read_slots());
    if (place_of(next, slots)) return Done{};
    const auto living = lowest(slots);
    if (!living || next.epoch < living->epoch || foreign(slots, next)) return order();
    return write(1 - living->at, encode_root_slot(next).view());
  }

  Status commit(const RootEntry& next) override {
    SIEGEL_CHECK(prepare(next));
    SIEGEL_TRY(slots, read_slots());
    const auto at = place_of(next, slots);
    if (!at) return unavailable();  // what was written is not what is read
    return write_noise(1 - *at);
  }

  Status abort(Epoch next) override {
    SIEGEL_TRY(slots, read_slots());
    const auto living = lowest(slots);
    if (!living || !(living->epoch < next)) return order();
    return write_noise(1 - living->at);
  }

  Healed heal(const RootEntry& living) override {
    const auto slots = read_slots();
    if (slots && foreign(*slots, living)) return {.away = {file_}};
    if (slots && place_of(living, *slots)) return {};
    if (slots && lowest(*slots)) return {.other = 1};
    const bool healed = slots && write(0, encode_root_slot(living).view()) && write_noise(1);
    return healed ? Healed{.healed = 1} : Healed{.away = {file_}};
  }

  unsigned grade() const override { return 0; }
  std::uint16_t members() const override { return 1; }
  std::string kind() const override { return "file"; }

 private:
  static Error damaged() {
    return Error(Errc::corrupt, "root_store_damaged", "No slot of the root store holds a whole root key.");
  }
  struct Living {
    std::size_t at;
    Epoch epoch;
  };
  static std::optional<Living> lowest(const Slots& slots) {
    std::optional<Living> out;
    for (std::size_t i = 0; i < slots.size(); ++i) {
      const auto& slot = slots[i];
      if (slot && (!out || slot->epoch <= out->epoch)) out = Living{i, slot->epoch};
    }
    return out;
  }
  // Of another ledger: its only key, perhaps.
  static bool foreign(const Slots& slots, const RootEntry& entry) {
    return std::any_of(slots.begin(), slots.end(), [&](const auto& slot) {
      return slot && (slot->ledger != entry.ledger || slot->tree != entry.tree);
    });
  }
  static std::optional<std::size_t> place_of(const RootEntry& entry, const Slots& slots) {
    for (std::size_t i = 0; i < slots.size(); ++i) {
      const auto& slot = slots[i];
      if (slot && same(*slot, entry)) return i;
    }
    return std::nullopt;
  }

  Result<Slots> read_slots() {
    auto bytes = files_.read_file(file_, kFileBytes);
    if (!bytes) {
      const auto error = std::move(bytes).error();
      if (error.category() == Errc::not_found) {
        return Error(Errc::not_found, "root_store_missing", "There is no root store at the place that is configured.");
      }
      return error.is("file_too_large") ? damaged() : unavailable();
    }
    const SecretBytes content(std::move(*bytes));
    if (content.size() != kFileBytes) return damaged();
    return Slots{decode_root_slot(content.view().first(kRootSlotBytes)),
                 decode_root_slot(content.view().subspan(kBlockBytes, kRootSlotBytes))};
  }
  Status write(std::size_t slot, ByteView bytes) {
    if (!files_.overwrite_in_place(file_, slot * kBlockBytes, bytes)) return unavailable();
    return Done{};
  }
  Status write_noise(std::size_t slot) {
    Bytes noise(kRootSlotBytes);
    random_.fill(noise);
    return write(slot, noise);
  }

  std::filesystem::path file_;
  Random& random_;
  SystemFiles system_;
  Files& files_;
};

}  // namespace

std::unique_ptr<RootStore> open_file_root_store(std::filesystem::path file, Random& random, Files* files) {
  return std::make_unique<FileRootStore>(std::move(file), random, files);
}

Status check_root_place(const std::filesystem::path& root_file, const std::filesystem::path& data_dir) {
  std::error_code failed;
  const auto root = std::filesystem::weakly_canonical(root_file, failed);
  const auto data = failed ? data_dir : std::filesystem::weakly_canonical(data_dir, failed);
  if (failed)
    return Error(Errc::unavailable, "root_store_unavailable", "The place of the root store cannot be looked at.");
  const auto [in_data, in_root] = std::mismatch(data.begin(), data.end(), root.begin(), root.end());
  if (in_data == data.end() || (std::next(in_data) == data.end() && in_data->empty())) {
    return Error(Errc::invalid, "root_inside_data",
                 "The root store lies inside the data directory, where a backup would take it along.");
  }
  return Done{};
}

}  // namespace siegel::vault
