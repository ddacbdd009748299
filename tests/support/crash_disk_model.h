// Private to CrashDisk: the tree, what of it is durable, and the faults. One lock; every call is atomic.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "support/crash_disk.h"

namespace siegel::test::crash {

enum class Io : std::uint8_t { ok, not_found, already_there, not_empty, no_space, error };

struct Node;
using NodePtr = std::shared_ptr<Node>;
using Entries = std::map<std::string, NodePtr, std::less<>>;

struct DirectoryChange {  // applied whole or not at all; a null node removes the name
  std::uint64_t number;   // in time, over all directories
  std::vector<std::pair<std::string, NodePtr>> entries;
};

struct Node {
  bool is_directory = false;

  std::string data;
  std::size_t synced_bytes = 0;
  // Set when bytes below synced_bytes were changed since the last sync, or a sync failed: what is durable instead.
  std::optional<std::string> durable;
  std::vector<std::pair<std::size_t, std::size_t>> doubtful;  // begin, end: of failed syncs
  std::vector<std::string> history;                           // overwritten and cut ranges, if every byte is kept

  Entries entries;
  Entries durable_entries;
  std::vector<DirectoryChange> changes;
};

// A running program's hold on the disk: dead after kill().
using Life = std::uint64_t;

class Disk {
 public:
  Disk(std::uint64_t seed, CrashDisk::Keep keep);

  void plan(const CrashPlan& plan);
  void hang(bool hangs);
  [[nodiscard]] bool hung() const;
  [[nodiscard]] Life life() const;
  void kill();
  [[nodiscard]] bool power_lost() const;
  [[nodiscard]] std::uint64_t calls() const;
  [[nodiscard]] std::uint64_t syncs() const;
  std::shared_ptr<Disk> after_restart(std::uint64_t seed);

  // Looking; no fault but death.
  Io find(Life life, const std::string& path, NodePtr& out) const;
  Io children(Life life, const std::string& path, std::vector<std::string>& out) const;
  Io read(Life life, const Node& file, std::uint64_t offset, std::size_t n, std::string& out) const;
  Io size(Life life, const Node& file, std::uint64_t& out) const;
  std::uint64_t free_bytes() const;

  // Changing; counted.
  enum class Open : std::uint8_t { empty, existing_or_new };
  Io open(Life life, const std::string& path, Open how, NodePtr& out);
  Io append(Life life, Node& file, std::string_view bytes);
  Io write(Life life, Node& file, std::uint64_t offset, std::string_view bytes);
  Io truncate(Life life, Node& file, std::uint64_t size);
  Io sync(Life life, Node& file);
  Io sync_directory(Life life, const std::string& path);
  Io make_directory(Life life, const std::string& path);
  Io remove(Life life, const std::string& path, bool directory);
  Io rename(Life life, const std::string& from, const std::string& to);
  Io link(Life life, const std::string& from, const std::string& to);

  // RocksDB's own log: not counted, so that its chatter does not move the faults.
  void log(Life life, Node& file, std::string_view line);

  bool lock(Life life, const std::string& path);
  void unlock(Life life, const std::string& path);

  [[nodiscard]] std::vector<std::string> paths(std::string_view part) const;
  [[nodiscard]] std::string content(const std::string& path) const;
  void set_content(const std::string& path, std::string bytes);
  bool flip(const std::string& path, std::uint64_t offset);
  void forget(const std::string& path);
  [[nodiscard]] std::vector<std::string> every_byte() const;

 private:
  struct Place {  // a name in a directory that exists
    NodePtr directory;
    std::string name;
  };
  using Copies = std::map<const Node*, NodePtr>;

  [[nodiscard]] bool alive(Life life) const { return !power_lost_ && life == life_; }
  [[nodiscard]] NodePtr walk(std::string_view path) const;
  [[nodiscard]] Place place(std::string_view path) const;
  NodePtr make_node(bool directory);
  void change(const NodePtr& directory, std::vector<std::pair<std::string, NodePtr>> entries);
  Io mutate(Life life, bool is_sync, const std::function<Io()>& perform);
  Io put(Node& file, std::size_t offset, std::string_view bytes);
  void preserve(Node& file, std::size_t from, std::size_t to);
  [[nodiscard]] std::shared_ptr<Disk> survivors(std::uint64_t seed) const;
  NodePtr survivor(const NodePtr& node, Disk& to, Copies& copies, unsigned fate, std::uint64_t cut) const;

  mutable std::mutex mutex_;
  std::condition_variable goes_on_;
  bool hangs_ = false;
  int hanging_ = 0;  // calls
  mutable std::mt19937_64 random_;
  CrashDisk::Keep keep_;
  CrashPlan plan_;
  NodePtr root_;
  std::vector<NodePtr> every_file_;  // if every byte is kept
  std::set<std::string> locks_;
  Life life_ = 1;
  bool power_lost_ = false;
  std::shared_ptr<Disk> left_;  // by a power loss that went unnoticed
  std::uint64_t calls_ = 0;
  std::uint64_t syncs_ = 0;
  std::uint64_t changes_ = 0;
};

}  // namespace siegel::test::crash
