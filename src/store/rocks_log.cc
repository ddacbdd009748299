#include "store/rocks_log.h"

#include <fcntl.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdarg>
#include <cstdio>
#include <ctime>

namespace siegel {
namespace {

constexpr std::size_t kFileBytesMax = std::size_t{1} << 20;
constexpr std::size_t kLineBytesMax = 4096;  // what is longer is cut

class RocksLog final : public rocksdb::Logger {
 public:
  RocksLog(const std::filesystem::path& file, rocksdb::InfoLogLevel level)
      : Logger(level), fd_(::open(file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600)) {}
  ~RocksLog() override {
    if (fd_ >= 0) ::close(fd_);
  }

  using Logger::Logv;
  void LogHeader(const char* format, va_list arguments) override { Logv(format, arguments); }
  void Logv(const char* format, va_list arguments) override {
    std::array<char, kLineBytesMax> line;
    std::size_t length = put_time(line.data(), line.size());
    const int wanted = std::vsnprintf(line.data() + length, line.size() - length - 1, format, arguments);
    if (wanted < 0) return;
    length = std::min(length + static_cast<std::size_t>(wanted), line.size() - 2);
    if (line[length - 1] != '\n') line[length++] = '\n';
    if (fd_ < 0 || written_.fetch_add(length) + length > kFileBytesMax) return;
    // One call for one line: lines of several threads do not mix. A line that the disk does not take is lost.
    [[maybe_unused]] const auto n = ::write(fd_, line.data(), length);
  }
  std::size_t GetLogFileSize() const override { return written_; }

 protected:
  rocksdb::Status CloseImpl() override { return rocksdb::Status::OK(); }

 private:
  static std::size_t put_time(char* at, std::size_t room) {
    timeval now{};
    ::gettimeofday(&now, nullptr);
    tm parts{};
    ::gmtime_r(&now.tv_sec, &parts);
    const auto length = std::strftime(at, room, "%Y-%m-%dT%H:%M:%S", &parts);
    return length + static_cast<std::size_t>(
                        std::snprintf(at + length, room - length, ".%06ldZ ", static_cast<long>(now.tv_usec)));
  }

  const int fd_;
  std::atomic<std::size_t> written_{0};
};

}  // namespace

std::shared_ptr<rocksdb::Logger> open_rocks_log(const std::filesystem::path& dir, rocksdb::InfoLogLevel level) {
  std::error_code ignored;
  std::filesystem::rename(dir / "LOG", dir / "LOG.old", ignored);
  return std::make_shared<RocksLog>(dir / "LOG", level);
}

}  // namespace siegel
