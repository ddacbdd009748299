#include "app/log.h"

#include <spdlog/async.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_sinks.h>

namespace siegel::app {
namespace {

constexpr std::size_t kLinesWaitingMax = 8192;

}  // namespace

struct Log::Impl {
  std::shared_ptr<spdlog::details::thread_pool> pool =
      std::make_shared<spdlog::details::thread_pool>(kLinesWaitingMax, std::size_t{1});
  std::shared_ptr<spdlog::async_logger> lines = std::make_shared<spdlog::async_logger>(
      "siegel", std::make_shared<spdlog::sinks::stderr_sink_mt>(), pool, spdlog::async_overflow_policy::overrun_oldest);
};

Log::Log(const std::string& level) : impl_(std::make_unique<Impl>()) {
  impl_->lines->set_formatter(
      std::make_unique<spdlog::pattern_formatter>("%Y-%m-%dT%H:%M:%S.%eZ %l %v", spdlog::pattern_time_type::utc));
  impl_->lines->set_level(spdlog::level::from_str(level));
}

Log::~Log() = default;

void Log::finished(const http::Finished& request) {
  const auto level = request.status >= 500   ? spdlog::level::err
                     : request.status >= 400 ? spdlog::level::info
                                             : spdlog::level::debug;
  if (!impl_->lines->should_log(level)) return;
  impl_->lines->log(level, "request id={} method={} route={} status={} ms={:.1f}", request.request_id,
                    name_of(request.method), request.route.empty() ? std::string_view("-") : request.route,
                    request.status, request.seconds * 1000);
}

}  // namespace siegel::app
