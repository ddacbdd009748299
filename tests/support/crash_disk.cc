#include "support/crash_disk.h"

#include "base/assert.h"
#include "support/crash_disk_files.h"
#include "support/crash_disk_model.h"
#include "support/crash_disk_rocksdb.h"

namespace siegel::test {

CrashDisk::CrashDisk(std::uint64_t seed, Keep keep) : disk_(std::make_shared<crash::Disk>(seed, keep)) {}
CrashDisk::CrashDisk(std::shared_ptr<crash::Disk> disk) : disk_(std::move(disk)) {}
CrashDisk::~CrashDisk() = default;
CrashDisk::CrashDisk(CrashDisk&&) noexcept = default;
CrashDisk& CrashDisk::operator=(CrashDisk&&) noexcept = default;

void CrashDisk::plan(const CrashPlan& plan) { disk_->plan(plan); }
void CrashDisk::hang(bool hangs) { disk_->hang(hangs); }
bool CrashDisk::hung() const { return disk_->hung(); }
FileSystemHandle CrashDisk::file_system() { return crash::rocksdb_file_system(disk_); }
std::unique_ptr<Files> CrashDisk::files() { return std::make_unique<crash::CrashFiles>(disk_); }
bool CrashDisk::power_lost() const { return disk_->power_lost(); }
std::uint64_t CrashDisk::calls() const { return disk_->calls(); }
std::uint64_t CrashDisk::syncs() const { return disk_->syncs(); }
void CrashDisk::kill() { disk_->kill(); }
CrashDisk CrashDisk::after_restart(std::uint64_t seed) { return CrashDisk(disk_->after_restart(seed)); }
std::vector<std::string> CrashDisk::paths(std::string_view part) const { return disk_->paths(part); }
std::string CrashDisk::content(const std::string& path) const { return disk_->content(path); }
void CrashDisk::set_content(const std::string& path, std::string bytes) { disk_->set_content(path, std::move(bytes)); }
bool CrashDisk::flip(const std::string& path, std::uint64_t offset) { return disk_->flip(path, offset); }
void CrashDisk::remove(const std::string& path) { disk_->forget(path); }
std::vector<std::string> CrashDisk::every_byte() const { return disk_->every_byte(); }

}  // namespace siegel::test
