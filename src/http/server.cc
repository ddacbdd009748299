#include "http/server.h"

#include <utility>  // before Asio 1.74, which uses std::exchange without it

#include <atomic>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <charconv>
#include <ctime>
#include <mutex>
#include <optional>
#include <thread>
#include <unordered_map>
#include <vector>

#include "base/assert.h"
#include "base/guarded.h"
#include "http/connection.h"

namespace siegel::http {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using ErrorCode = boost::system::error_code;

constexpr std::chrono::milliseconds kTick{100};
constexpr std::size_t kRefusedMax = 64;  // connections over the limit that still get their 503; the rest is dropped

Result<tcp::endpoint> parse_listen(std::string_view listen) {
  const auto refuse = [] {
    return Error(Errc::invalid, "listen_invalid", "The address to listen on is not of the form address:port.");
  };
  const auto colon = listen.rfind(':');
  if (colon == listen.npos) return refuse();
  auto host = listen.substr(0, colon);
  const auto port_text = listen.substr(colon + 1);
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(port_text.data(), port_text.data() + port_text.size(), port);
  if (error != std::errc{} || port_text.empty() || end != port_text.data() + port_text.size()) return refuse();
  const bool bracketed = host.starts_with('[') && host.ends_with(']');
  if (bracketed) host = host.substr(1, host.size() - 2);
  if (host == "localhost") host = "127.0.0.1";
  ErrorCode ec;
  const auto address = asio::ip::make_address(std::string(host), ec);
  if (ec || address.is_v6() != bracketed) return refuse();
  return tcp::endpoint(address, port);
}

struct Entrance {
  tcp::endpoint endpoint;
  std::shared_ptr<asio::ssl::context> tls;  // null: plain HTTP
};

Result<Entrance> entrance_of(const ServerOptions& options) {
  SIEGEL_TRY(endpoint, parse_listen(options.listen));
  Entrance out{endpoint, nullptr};
  if (options.tls_cert.empty() != options.tls_key.empty())
    return Error(Errc::invalid, "tls_invalid", "TLS needs both a certificate and a key.");
  if (options.tls_cert.empty() && !endpoint.address().is_loopback())
    return Error(Errc::invalid, "tls_required", "Other addresses than loopback are served with TLS only.");
  if (!options.tls_cert.empty()) {
    SIEGEL_TRY(context, make_tls_context(options.tls_cert, options.tls_key));
    out.tls = std::move(context);
  }
  return out;
}

Error not_listening(const ErrorCode& ec, const tcp::endpoint& endpoint) {
  if (ec == asio::error::address_in_use)
    return Error(Errc::unavailable, "port_in_use", "Another process listens on that port.")
        .with("port", endpoint.port());
  return Error(Errc::unavailable, "listen_failed", "The address cannot be listened on.").with("errno", ec.value());
}

ErrorCode bind(tcp::acceptor& acceptor, const tcp::endpoint& endpoint) {
  ErrorCode ec;
  acceptor.open(endpoint.protocol(), ec);
  if (!ec) acceptor.set_option(tcp::acceptor::reuse_address(true), ec);
  if (!ec) acceptor.bind(endpoint, ec);
  return ec;
}

struct Counts {
  std::size_t welcome = 0;
  std::size_t refused = 0;
};

// One I/O thread with its connections.
class IoLoop final : public Loop {
 public:
  IoLoop(const ServerOptions& o, Handler& h, std::shared_ptr<asio::ssl::context> tls, Guarded<Counts>& counts)
      : Loop(o, h),
        io_(std::make_shared<asio::io_context>(1)),
        work_(io_->get_executor()),
        tick_(*io_),
        tls_(std::move(tls)),
        counts_(counts) {
    // io_ lives as long as anyone may wake it; what is posted after the thread's end never runs.
    inbox = std::make_shared<Inbox>([io = io_, this] { asio::post(*io, [this] { deliver_all(); }); });
  }
  ~IoLoop() override { join(); }

  void run() {
    tick();
    thread_ = std::thread([this] {
      inbox->bind_to_this_thread();
      io_->run();
      inbox->unbind();
    });
  }
  void join() {
    if (thread_.joinable()) thread_.join();
    inbox->close();
  }
  template <class F>
  void post(F&& f) {
    asio::post(*io_, std::forward<F>(f));
  }
  [[nodiscard]] asio::io_context& io() noexcept { return *io_; }

  // On the loop's thread from here on.
  void adopt(int fd, std::string peer, Entry entry) {
    auto socket = tls_ ? make_tls_socket(*io_, *tls_, fd) : make_plain_socket(*io_, fd);
    auto connection = std::make_shared<Connection>(*this, std::move(socket), std::move(peer),
                                                   tls_ ? Layer::tls : Layer::plain, entry);
    connections_.emplace(connection.get(), connection);
    connection->start();
    if (draining_) connection->drain();
  }
  void forget(Connection& connection) override {
    counts_.with([&](Counts& c) { --(connection.entry() == Entry::full ? c.refused : c.welcome); });
    counts_.notify_all();
    connections_.erase(&connection);
  }
  void drain() {
    draining_ = true;
    for (const auto& connection : all()) connection->drain();
  }
  void cut() {
    for (const auto& connection : all()) connection->close();
    tick_.cancel();
    ended_ = true;
    work_.reset();
  }

 private:
  std::vector<std::shared_ptr<Connection>> all() const {  // a copy: any of them may go while we walk
    std::vector<std::shared_ptr<Connection>> out;
    out.reserve(connections_.size());
    for (const auto& [_, connection] : connections_) out.push_back(connection);
    return out;
  }
  void deliver_all() {
    inbox->take(deliveries_);
    for (auto& delivery : deliveries_) Connection::deliver(std::move(delivery));
    deliveries_.clear();
  }
  void tick() {
    if (const auto second = std::time(nullptr); second != date_second_) {
      date_second_ = second;
      date = http_date(second);
    }
    const auto now = std::chrono::steady_clock::now();
    for (const auto& connection : all()) connection->on_tick(now);
    tick_.expires_after(kTick);
    tick_.async_wait([this](ErrorCode ec) {
      if (!ec && !ended_) tick();
    });
  }

  std::shared_ptr<asio::io_context> io_;
  asio::executor_work_guard<asio::io_context::executor_type> work_;
  asio::steady_timer tick_;
  const std::shared_ptr<asio::ssl::context> tls_;
  Guarded<Counts>& counts_;
  std::unordered_map<const Connection*, std::shared_ptr<Connection>> connections_;
  std::vector<Delivery> deliveries_;
  std::time_t date_second_ = 0;
  bool draining_ = false;
  bool ended_ = false;
  std::thread thread_;
};

}  // namespace

class Server::Impl {
 public:
  Impl(ServerOptions&& o, Handler& handler, std::shared_ptr<asio::ssl::context> tls) : options_(std::move(o)) {
    SIEGEL_ASSERT(options_.io_threads >= 1);
    for (unsigned i = 0; i < options_.io_threads; ++i)
      loops_.push_back(std::make_unique<IoLoop>(options_, handler, tls, counts_));
    acceptor_.emplace(loops_.front()->io());
    accept_again_.emplace(loops_.front()->io());
  }

  Status listen(const tcp::endpoint& endpoint) {
    auto ec = bind(*acceptor_, endpoint);
    if (!ec) acceptor_->listen(asio::socket_base::max_listen_connections, ec);
    if (!ec) bound_ = acceptor_->local_endpoint(ec);
    if (ec) return not_listening(ec, endpoint);
    return Done{};
  }
  void run() {
    accept();
    for (const auto& loop : loops_) loop->run();
  }
  void stop() {
    const std::lock_guard lock(stopping_);
    if (std::exchange(stopped_, true)) return;
    for (const auto& loop : loops_) SIEGEL_ASSERT(!loop->inbox->is_this_thread());
    loops_.front()->post([this] {
      ErrorCode ignored;
      acceptor_->close(ignored);
      accept_again_->cancel();
    });
    for (const auto& loop : loops_) loop->post([&loop] { loop->drain(); });
    counts_.when_for(
        options_.drain, [](const Counts& c) { return c.welcome + c.refused == 0; }, [](const Counts&, bool) {});
    for (const auto& loop : loops_) loop->post([&loop] { loop->cut(); });
    for (const auto& loop : loops_) loop->join();
  }
  [[nodiscard]] const tcp::endpoint& bound() const noexcept { return bound_; }
  [[nodiscard]] bool is_tls() const noexcept { return !options_.tls_cert.empty(); }
  [[nodiscard]] std::size_t connections() const noexcept {
    return counts_.with([](const Counts& c) { return c.welcome; });
  }

 private:
  void accept() {
    acceptor_->async_accept([this](ErrorCode ec, tcp::socket socket) {
      if (!acceptor_->is_open()) return;
      if (!ec) {
        take(std::move(socket));
        return accept();
      }
      // Out of descriptors or memory, mostly: what is open will go, so wait instead of spinning.
      accept_again_->expires_after(kTick);
      accept_again_->async_wait([this](ErrorCode cancelled) {
        if (!cancelled && acceptor_->is_open()) accept();
      });
    });
  }
  void take(tcp::socket&& socket) {
    ErrorCode ec;
    const auto peer = socket.remote_endpoint(ec);
    if (ec) return;
    const auto entry = counts_.with([&](Counts& c) -> std::optional<Entry> {
      if (c.welcome < options_.connections_max) return ++c.welcome, Entry::welcome;
      if (c.refused < std::min(kRefusedMax, options_.connections_max)) return ++c.refused, Entry::full;
      return std::nullopt;
    });
    if (!entry) return;  // the socket closes
    const int fd = socket.release(ec);
    auto& loop = *loops_[next_++ % loops_.size()];
    auto address = peer.address().to_string();
    if (&loop == loops_.front().get()) return loop.adopt(fd, std::move(address), *entry);
    loop.post([&loop, fd, address = std::move(address), entry = *entry] { loop.adopt(fd, address, entry); });
  }

  const ServerOptions options_;
  Guarded<Counts> counts_;
  std::vector<std::unique_ptr<IoLoop>> loops_;
  std::optional<tcp::acceptor> acceptor_;           // first loop's thread
  std::optional<asio::steady_timer> accept_again_;  // first loop's thread
  std::size_t next_ = 0;
  tcp::endpoint bound_;
  std::mutex stopping_;
  bool stopped_ = false;
};

Server::Server(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Server::~Server() { stop(); }

Status Server::check(const ServerOptions& options) {
  SIEGEL_TRY(entrance, entrance_of(options));
  try {
    asio::io_context io;
    tcp::acceptor acceptor(io);
    if (const auto ec = bind(acceptor, entrance.endpoint)) return not_listening(ec, entrance.endpoint);
    return Done{};
  } catch (const std::exception&) {  // no descriptors left
    return not_listening({}, entrance.endpoint);
  }
}

Result<std::unique_ptr<Server>> Server::start(ServerOptions options, Handler& handler) {
  SIEGEL_TRY(entrance, entrance_of(options));
  try {
    auto impl = std::make_unique<Impl>(std::move(options), handler, std::move(entrance.tls));
    SIEGEL_CHECK(impl->listen(entrance.endpoint));
    impl->run();
    return std::unique_ptr<Server>(new Server(std::move(impl)));
  } catch (const std::exception&) {  // no descriptors or threads left
    return Error(Errc::unavailable, "listen_failed", "The server's threads cannot be started.");
  }
}

void Server::stop() { impl_->stop(); }
std::uint16_t Server::port() const noexcept { return impl_->bound().port(); }
std::size_t Server::connections() const noexcept { return impl_->connections(); }
std::string Server::url() const {
  const auto& address = impl_->bound().address();
  const auto host = address.is_v6() ? "[" + address.to_string() + "]" : address.to_string();
  return (impl_->is_tls() ? "https://" : "http://") + host + ":" + std::to_string(port());
}

}  // namespace siegel::http
