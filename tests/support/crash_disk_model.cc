#include "support/crash_disk_model.h"

#include <algorithm>

#include "base/assert.h"

namespace siegel::test::crash {

namespace {

constexpr std::size_t kSectorBytes = 512;

std::vector<std::string_view> split(std::string_view path) {
  std::vector<std::string_view> out;
  while (!path.empty()) {
    const auto end = std::min(path.find('/'), path.size());
    const auto name = path.substr(0, end);
    if (!name.empty() && name != ".") out.push_back(name);
    path.remove_prefix(std::min(end + 1, path.size()));
  }
  return out;
}

// What the medium holds of a file after the power went.
std::string surviving_bytes(const Node& file, std::mt19937_64& random) {
  const auto old = file.durable ? *file.durable : file.data.substr(0, file.synced_bytes);
  const auto& now = file.data;
  if (old == now) return now;
  const auto longer = std::max(old.size(), now.size());
  const auto shorter = std::min(old.size(), now.size());
  switch (random() % 4) {
    case 0:
      return old;
    case 1:
      return now;
    case 2:
      if (!file.durable) return now.substr(0, shorter + random() % (longer - shorter + 1));
      [[fallthrough]];
    default:
      break;
  }
  // Sector by sector old or new; where the file was shorter before, old is zeros. The length is often there before the
  // bytes are: it stands in the file system's journal.
  std::string mix(random() % 2 == 0 ? longer : shorter + random() % (longer - shorter + 1), '\0');
  for (std::size_t at = 0; at < mix.size(); at += kSectorBytes) {
    const auto& from = random() % 2 == 0 ? old : now;
    const auto n = std::min({kSectorBytes, mix.size() - at, from.size() - std::min(at, from.size())});
    from.copy(mix.data() + at, n, std::min(at, from.size()));
  }
  if (!file.durable) old.copy(mix.data(), std::min(old.size(), mix.size()));  // synced and never touched since: stays
  return mix;
}

void walk_files(const Node& directory, const std::string& path,
                const std::function<void(const std::string&, const NodePtr&)>& visit) {
  for (const auto& entry : directory.entries) {
    const auto below = path + "/" + entry.first;
    if (entry.second->is_directory) {
      walk_files(*entry.second, below, visit);
    } else {
      visit(below, entry.second);
    }
  }
}

}  // namespace

Disk::Disk(std::uint64_t seed, CrashDisk::Keep keep) : random_(seed), keep_(keep), root_(make_node(true)) {}

void Disk::plan(const CrashPlan& plan) {
  const std::lock_guard lock(mutex_);
  plan_ = plan;
  calls_ = 0;
  syncs_ = 0;
}

void Disk::hang(bool hangs) {
  const std::lock_guard lock(mutex_);
  hangs_ = hangs;
  goes_on_.notify_all();
}

bool Disk::hung() const {
  const std::lock_guard lock(mutex_);
  return hanging_ > 0;
}

Life Disk::life() const {
  const std::lock_guard lock(mutex_);
  return life_;
}

void Disk::kill() {
  const std::lock_guard lock(mutex_);
  ++life_;
  locks_.clear();
}

bool Disk::power_lost() const {
  const std::lock_guard lock(mutex_);
  return power_lost_ || left_ != nullptr;
}

std::uint64_t Disk::calls() const {
  const std::lock_guard lock(mutex_);
  return calls_;
}

std::uint64_t Disk::syncs() const {
  const std::lock_guard lock(mutex_);
  return syncs_;
}

// ── power loss ───────────────────────────────────────────────────────────────────────────────────────────────────────

// fate of the names: 0 none of the unsynced changes, 1 all, 2 those before `cut`, 3 all or none by directory.
NodePtr Disk::survivor(const NodePtr& node, Disk& to, Copies& copies, unsigned fate, std::uint64_t cut) const {
  if (const auto known = copies.find(node.get()); known != copies.end()) return known->second;
  auto copy = to.make_node(node->is_directory);
  copies.emplace(node.get(), copy);
  if (!node->is_directory) {
    copy->data = surviving_bytes(*node, to.random_);
    copy->synced_bytes = copy->data.size();
    return copy;
  }
  auto entries = node->durable_entries;
  const bool coin = to.random_() % 2 == 0;
  for (const auto& change : node->changes) {
    if (fate == 0 || (fate == 2 && change.number >= cut) || (fate == 3 && coin)) break;
    for (const auto& [name, target] : change.entries) {
      if (target) {
        entries.insert_or_assign(name, target);
      } else {
        entries.erase(name);
      }
    }
  }
  for (const auto& [name, target] : entries) {
    copy->entries.emplace(name, survivor(target, to, copies, fate, cut));
  }
  copy->durable_entries = copy->entries;
  return copy;
}

std::shared_ptr<Disk> Disk::after_restart(std::uint64_t seed) {
  const std::lock_guard lock(mutex_);
  if (left_) return left_->after_restart(seed);
  power_lost_ = true;
  return survivors(seed);
}

std::shared_ptr<Disk> Disk::survivors(std::uint64_t seed) const {
  auto out = std::make_shared<Disk>(seed, keep_);
  Copies copies;
  const auto fate = static_cast<unsigned>(out->random_() % 4);
  out->root_ = survivor(root_, *out, copies, fate, out->random_() % (changes_ + 1));
  out->every_file_.insert(out->every_file_.end(), every_file_.begin(), every_file_.end());
  return out;
}

// ── names ────────────────────────────────────────────────────────────────────────────────────────────────────────────

NodePtr Disk::walk(std::string_view path) const {
  auto at = root_;
  for (const auto name : split(path)) {
    if (!at->is_directory) return nullptr;
    const auto entry = at->entries.find(name);
    if (entry == at->entries.end()) return nullptr;
    at = entry->second;
  }
  return at;
}

Disk::Place Disk::place(std::string_view path) const {
  const auto names = split(path);
  if (names.empty()) return {};
  auto at = root_;
  for (std::size_t i = 0; i + 1 < names.size(); ++i) {
    const auto entry = at->entries.find(names[i]);
    if (entry == at->entries.end() || !entry->second->is_directory) return {};
    at = entry->second;
  }
  return {at, std::string(names.back())};
}

NodePtr Disk::make_node(bool directory) {
  auto node = std::make_shared<Node>();
  node->is_directory = directory;
  if (keep_ == CrashDisk::Keep::every_byte && !directory) every_file_.push_back(node);
  return node;
}

void Disk::change(const NodePtr& directory, std::vector<std::pair<std::string, NodePtr>> entries) {
  for (const auto& [name, node] : entries) {
    if (node) {
      directory->entries.insert_or_assign(name, node);
    } else {
      directory->entries.erase(name);
    }
  }
  directory->changes.push_back({changes_++, std::move(entries)});
}

Io Disk::find(Life life, const std::string& path, NodePtr& out) const {
  const std::lock_guard lock(mutex_);
  if (!alive(life)) return Io::error;
  out = walk(path);
  return out ? Io::ok : Io::not_found;
}

Io Disk::children(Life life, const std::string& path, std::vector<std::string>& out) const {
  const std::lock_guard lock(mutex_);
  out.clear();
  if (!alive(life)) return Io::error;
  const auto node = walk(path);
  if (!node || !node->is_directory) return Io::not_found;
  for (const auto& entry : node->entries) out.push_back(entry.first);
  return Io::ok;
}

// ── changes ──────────────────────────────────────────────────────────────────────────────────────────────────────────

Io Disk::mutate(Life life, bool is_sync, const std::function<Io()>& perform) {
  std::unique_lock lock(mutex_);
  if (hangs_) {
    ++hanging_;
    goes_on_.wait(lock, [this] { return !hangs_; });
    --hanging_;
  }
  if (!alive(life)) return Io::error;
  ++calls_;
  if (is_sync) ++syncs_;
  if (plan_.io_error_at_call == calls_) return Io::error;
  if (plan_.power_loss_at_call == calls_ || (is_sync && plan_.power_loss_at_sync == syncs_)) {
    const bool takes_effect = random_() % 2 == 0;
    auto done = takes_effect ? perform() : Io::error;
    if (!plan_.unnoticed) {
      power_lost_ = true;
      return Io::error;
    }
    left_ = survivors(random_());
    return takes_effect ? done : perform();
  }
  return perform();
}

Io Disk::open(Life life, const std::string& path, Open how, NodePtr& out) {
  return mutate(life, false, [&] {
    const auto at = place(path);
    if (!at.directory) return Io::not_found;
    const auto entry = at.directory->entries.find(at.name);
    if (entry != at.directory->entries.end()) {
      if (entry->second->is_directory) return Io::error;
      if (how == Open::existing_or_new) {
        out = entry->second;
        return Io::ok;
      }
    }
    out = make_node(false);  // an emptied file counts as a new one: its old bytes may come back with the old name
    change(at.directory, {{at.name, out}});
    return Io::ok;
  });
}

// Keeps what is about to be overwritten or cut.
void Disk::preserve(Node& file, std::size_t from, std::size_t to) {
  if (keep_ == CrashDisk::Keep::every_byte && from < to) file.history.push_back(file.data.substr(from, to - from));
  if (from < file.synced_bytes && !file.durable) file.durable = file.data.substr(0, file.synced_bytes);
}

Io Disk::put(Node& file, std::size_t offset, std::string_view bytes) {
  auto fits = bytes.size();
  if (plan_.space_bytes) {
    fits = static_cast<std::size_t>(std::min<std::uint64_t>(fits, *plan_.space_bytes));
    *plan_.space_bytes -= fits;
  }
  if (offset < file.data.size()) preserve(file, offset, std::min(file.data.size(), offset + fits));
  if (file.data.size() < offset + fits) file.data.resize(offset + fits);
  bytes.copy(file.data.data() + offset, fits);
  return fits == bytes.size() ? Io::ok : Io::no_space;
}

Io Disk::append(Life life, Node& file, std::string_view bytes) {
  return mutate(life, false, [&] { return put(file, file.data.size(), bytes); });
}

Io Disk::write(Life life, Node& file, std::uint64_t offset, std::string_view bytes) {
  return mutate(life, false, [&] { return put(file, offset, bytes); });
}

Io Disk::truncate(Life life, Node& file, std::uint64_t size) {
  return mutate(life, false, [&] {
    if (size < file.data.size()) preserve(file, size, file.data.size());
    file.data.resize(size);
    return Io::ok;
  });
}

Io Disk::sync(Life life, Node& file) {
  return mutate(life, true, [&] {
    const auto old_bytes = file.synced_bytes;
    if (plan_.sync_failure_at == syncs_) {
      // Linux marks the pages clean all the same: nobody writes them again.
      if (old_bytes < file.data.size()) file.doubtful.emplace_back(old_bytes, file.data.size());
      return Io::error;
    }
    file.synced_bytes = file.data.size();
    file.durable.reset();
    if (!file.doubtful.empty()) {
      file.durable = file.data;
      for (auto [begin, end] : file.doubtful) {
        end = std::min(end, file.data.size());
        if (begin < end) std::fill(file.durable->begin() + begin, file.durable->begin() + end, '\0');
      }
    }
    return Io::ok;
  });
}

Io Disk::sync_directory(Life life, const std::string& path) {
  return mutate(life, true, [&] {
    const auto node = walk(path);
    if (!node || !node->is_directory) return Io::not_found;
    if (plan_.sync_failure_at == syncs_) return Io::error;
    node->durable_entries = node->entries;
    node->changes.clear();
    return Io::ok;
  });
}

Io Disk::make_directory(Life life, const std::string& path) {
  return mutate(life, false, [&] {
    if (walk(path)) return Io::already_there;
    const auto at = place(path);
    if (!at.directory) return Io::not_found;
    change(at.directory, {{at.name, make_node(true)}});
    return Io::ok;
  });
}

Io Disk::remove(Life life, const std::string& path, bool directory) {
  return mutate(life, false, [&] {
    const auto node = walk(path);
    if (!node || node->is_directory != directory || node == root_) return Io::not_found;
    if (directory && !node->entries.empty()) return Io::not_empty;
    const auto at = place(path);
    change(at.directory, {{at.name, nullptr}});
    return Io::ok;
  });
}

Io Disk::rename(Life life, const std::string& from, const std::string& to) {
  return mutate(life, false, [&] {
    const auto node = walk(from);
    const auto source = place(from);
    const auto target = place(to);
    if (!node || !source.directory || !target.directory) return Io::not_found;
    if (source.directory == target.directory) {
      change(source.directory, {{source.name, nullptr}, {target.name, node}});
    } else {  // between directories a power loss may leave both names, never none
      change(target.directory, {{target.name, node}});
      change(source.directory, {{source.name, nullptr}});
    }
    return Io::ok;
  });
}

Io Disk::link(Life life, const std::string& from, const std::string& to) {
  return mutate(life, false, [&] {
    const auto node = walk(from);
    const auto target = place(to);
    if (!node || node->is_directory || !target.directory) return Io::not_found;
    if (target.directory->entries.contains(target.name)) return Io::already_there;
    change(target.directory, {{target.name, node}});
    return Io::ok;
  });
}

void Disk::log(Life life, Node& file, std::string_view line) {
  const std::lock_guard lock(mutex_);
  if (alive(life)) file.data.append(line);
}

// ── reading ──────────────────────────────────────────────────────────────────────────────────────────────────────────

Io Disk::read(Life life, const Node& file, std::uint64_t offset, std::size_t n, std::string& out) const {
  const std::lock_guard lock(mutex_);
  if (!alive(life)) return Io::error;
  out = offset < file.data.size() ? file.data.substr(offset, n) : std::string();
  return Io::ok;
}

Io Disk::size(Life life, const Node& file, std::uint64_t& out) const {
  const std::lock_guard lock(mutex_);
  if (!alive(life)) return Io::error;
  out = file.data.size();
  return Io::ok;
}

std::uint64_t Disk::free_bytes() const {
  const std::lock_guard lock(mutex_);
  return plan_.space_bytes.value_or(std::uint64_t{1} << 40);
}

bool Disk::lock(Life life, const std::string& path) {
  const std::lock_guard lock(mutex_);
  return alive(life) && locks_.insert(path).second;
}

void Disk::unlock(Life life, const std::string& path) {
  const std::lock_guard lock(mutex_);
  if (life == life_) locks_.erase(path);
}

// ── from outside ─────────────────────────────────────────────────────────────────────────────────────────────────────

std::vector<std::string> Disk::paths(std::string_view part) const {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> out;
  walk_files(*root_, "", [&](const std::string& path, const NodePtr&) {
    if (path.find(part) != path.npos) out.push_back(path);
  });
  std::sort(out.begin(), out.end());
  return out;
}

std::string Disk::content(const std::string& path) const {
  const std::lock_guard lock(mutex_);
  const auto node = walk(path);
  SIEGEL_ASSERT(node && !node->is_directory);
  return node->data;
}

void Disk::set_content(const std::string& path, std::string bytes) {
  const std::lock_guard lock(mutex_);
  const auto node = walk(path);
  SIEGEL_ASSERT(node && !node->is_directory);
  preserve(*node, 0, node->data.size());
  node->data = std::move(bytes);
  node->synced_bytes = node->data.size();
  node->durable.reset();
  node->doubtful.clear();
}

bool Disk::flip(const std::string& path, std::uint64_t offset) {
  const std::lock_guard lock(mutex_);
  const auto node = walk(path);
  if (!node || node->is_directory || offset >= node->data.size()) return false;
  node->data[offset] = static_cast<char>(~node->data[offset]);
  if (node->durable && offset < node->durable->size()) (*node->durable)[offset] = node->data[offset];
  return true;
}

void Disk::forget(const std::string& path) {
  const std::lock_guard lock(mutex_);
  const auto at = place(path);
  SIEGEL_ASSERT(at.directory && at.directory->entries.contains(at.name));
  at.directory->entries.erase(at.name);
  at.directory->durable_entries.erase(at.name);
}

std::vector<std::string> Disk::every_byte() const {
  const std::lock_guard lock(mutex_);
  SIEGEL_ASSERT(keep_ == CrashDisk::Keep::every_byte);
  std::vector<std::string> out;
  for (const auto& file : every_file_) {
    out.push_back(file->data);
    out.insert(out.end(), file->history.begin(), file->history.end());
  }
  return out;
}

}  // namespace siegel::test::crash
