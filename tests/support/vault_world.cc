#include "support/vault_world.h"

namespace siegel::test {

VaultWorld::VaultWorld(std::uint64_t seed, const Setup& with)
    : setup(with),
      disk(seed, with.keep_every_byte ? CrashDisk::Keep::every_byte : CrashDisk::Keep::current_bytes),
      tree(SeededRandom(seed).array<16>()) {
  for (std::size_t i = 0; i < setup.replicas; ++i) replica_disks.emplace_back(seed + 1 + i);
  make_root();
}

VaultWorld::~VaultWorld() = default;

std::string VaultWorld::root_path(std::size_t member) const { return "/root" + std::to_string(member) + "/root"; }

void VaultWorld::make_root() {
  std::vector<std::unique_ptr<vault::RootStore>> members;
  files.clear();
  for (std::size_t i = 0; i < setup.root_members; ++i) {
    files.push_back(disk.files());
    members.push_back(vault::open_file_root_store(root_path(i), random, files.back().get()));
  }
  root = members.size() == 1 ? std::move(members.front()) : vault::mirror(std::move(members));
}

vault::Options VaultWorld::options() const {
  auto& self = const_cast<VaultWorld&>(*this);  // a handle on the disk as it is now
  vault::Options out;
  out.keys_dir = "/keys";
  out.file_system = self.disk.file_system();
  for (std::size_t i = 0; i < setup.replicas; ++i) {
    out.replicas.emplace_back("/replica" + std::to_string(i));
    out.replica_file_systems.push_back(self.replica_disks[i].file_system());
  }
  out.spare_leaves = setup.spare_leaves;
  out.replica_wait = setup.replica_wait;
  out.key_cache_bytes_max = setup.key_cache_bytes_max;
  out.ledger_size = ledger_size;
  return out;
}

Status VaultWorld::create() { return vault::Vault::create(options(), *root, tree, ledger, random); }

Status VaultWorld::open() {
  SIEGEL_TRY(opened, vault::Vault::open(options(), *root, ledger, ledger_mark, ledger_epoch, clock, random));
  vault = std::move(opened);
  return Done{};
}

void VaultWorld::crash(std::uint64_t seed) {
  auto next = disk.after_restart(seed);
  vault.reset();
  root.reset();
  disk = std::move(next);
  for (auto& replica : replica_disks) {
    replica.kill();
  }
  make_root();
}

Person VaultWorld::add() {
  Person out;
  out.slot = vault->new_leaf().value();
  SeededRandom text(out.slot.get());
  out.header.id = new_event_id(random);
  out.header.schema = 3;
  out.owner = OwnerId(text.array<16>());
  out.text = to_hex(text.bytes(40));
  out.part = vault->seal(out.slot, out.header.id, 1, ClassNo(7), out.owner, 3, as_bytes(out.text)).value();
  ledger_mark = vault->mark();
  return out;
}

Result<std::string> VaultWorld::read(const Person& person) {
  SIEGEL_TRY(body, vault->open(Receipts::access({person.owner}), person.header, 1, person.stored()));
  return std::string(as_chars(body.view()));
}

bool VaultWorld::readable(const Person& person) {
  const auto body = read(person);
  return body && *body == person.text;
}

bool VaultWorld::erased(const Person& person) {
  const auto body = read(person);
  return !body && body.error().category() == Errc::gone && body.error().is("erased");
}

Result<vault::EpochChange> VaultWorld::erase(std::uint64_t request, const std::vector<Person>& people) {
  vault::Fence fence{.request = request, .slots = {}};
  for (const auto& person : people) fence.slots.push_back(person.slot);
  SIEGEL_CHECK(vault->fence(fence));
  return vault->erase({&fence, 1});
}

std::vector<StolenRoot> VaultWorld::present_roots() const { return roots_of(disk.content(root_path(0))); }

KeyThief VaultWorld::thief() const {
  KeyThief out(tree.get());
  out.take(disk.every_byte());
  return out;
}

}  // namespace siegel::test
