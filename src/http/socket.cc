#include "http/socket.h"

#include <utility>  // before Asio 1.74, which uses std::exchange without it

#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl.hpp>

namespace siegel::http {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using ErrorCode = boost::system::error_code;
using Tls = asio::ssl::stream<tcp::socket>;

tcp::socket adopt(asio::io_context& io, int fd) {
  // The protocol only matters for opening; v4 serves for what is open already.
  return tcp::socket(io, tcp::v4(), fd);
}

tcp::socket& lowest(tcp::socket& stream) { return stream; }
tcp::socket& lowest(Tls& stream) { return stream.next_layer(); }

template <class NextLayer>
class SocketOver final : public Socket {
 public:
  explicit SocketOver(NextLayer&& stream) : stream_(std::move(stream)) {
    ErrorCode ignored;
    lowest(stream_).set_option(tcp::no_delay(true), ignored);
  }
  void handshake(std::shared_ptr<SocketUser> user) override {
    if constexpr (std::is_same_v<NextLayer, Tls>) {
      stream_.async_handshake(Tls::server, [user = std::move(user)](ErrorCode ec) { user->on_handshake(!ec); });
    } else {
      asio::post(stream_.get_executor(), [user = std::move(user)] { user->on_handshake(true); });
    }
  }
  void read(MutableBytes into, std::shared_ptr<SocketUser> user) override {
    reading_ = true;
    stream_.async_read_some(asio::buffer(into.data(), into.size()),
                            [this, user = std::move(user)](ErrorCode ec, std::size_t n) {
                              reading_ = false;
                              user->on_read(n, !ec);
                            });
  }
  void write(std::string_view first, std::string_view second, std::shared_ptr<SocketUser> user) override {
    const std::array buffers = {asio::const_buffer(first.data(), first.size()),
                                asio::const_buffer(second.data(), second.size())};
    const auto done = [](std::shared_ptr<SocketUser> u) {
      return [u = std::move(u)](ErrorCode ec, std::size_t n) { u->on_written(n, !ec); };
    };
    if (second.empty())
      stream_.async_write_some(buffers[0], done(std::move(user)));
    else
      stream_.async_write_some(buffers, done(std::move(user)));
  }
  void end_output(std::shared_ptr<SocketUser> user) override {
    if constexpr (std::is_same_v<NextLayer, Tls>) {
      if (!reading_)  // Asio's shutdown must not run beside a read; the answer was complete without it
        return stream_.async_shutdown(
            [this, user = std::move(user)](ErrorCode) mutable { half_close(std::move(user)); });
    }
    half_close(std::move(user));
  }
  void close() noexcept override {
    ErrorCode ignored;
    lowest(stream_).close(ignored);
  }

 private:
  void half_close(std::shared_ptr<SocketUser> user) {
    ErrorCode ignored;
    lowest(stream_).shutdown(tcp::socket::shutdown_send, ignored);
    if (!reading_) discard(std::move(user));
  }
  void discard(std::shared_ptr<SocketUser> user) {
    static thread_local std::array<char, 16 * 1024> dropped;
    lowest(stream_).async_read_some(asio::buffer(dropped),
                                    [this, user = std::move(user)](ErrorCode ec, std::size_t) mutable {
                                      if (ec)
                                        user->on_read(0, false);
                                      else
                                        discard(std::move(user));
                                    });
  }

  NextLayer stream_;
  bool reading_ = false;
};

}  // namespace

std::unique_ptr<Socket> make_plain_socket(asio::io_context& io, int fd) {
  return std::make_unique<SocketOver<tcp::socket>>(adopt(io, fd));
}
std::unique_ptr<Socket> make_tls_socket(asio::io_context& io, asio::ssl::context& tls, int fd) {
  return std::make_unique<SocketOver<Tls>>(Tls(adopt(io, fd), tls));
}

Result<std::shared_ptr<asio::ssl::context>> make_tls_context(const std::string& cert, const std::string& key) {
  auto context = std::make_shared<asio::ssl::context>(asio::ssl::context::tls_server);
  const auto refuse = [](const char* what) { return Error(Errc::invalid, "tls_invalid", what); };
  ErrorCode ec;
  context->set_options(asio::ssl::context::default_workarounds | asio::ssl::context::no_tlsv1 |
                           asio::ssl::context::no_tlsv1_1 | asio::ssl::context::no_compression,
                       ec);
  SSL_CTX_set_options(context->native_handle(), SSL_OP_NO_RENEGOTIATION);
  // Thousands of idle connections: give their buffers back.
  SSL_CTX_set_mode(context->native_handle(), SSL_MODE_RELEASE_BUFFERS);
  context->use_certificate_chain_file(cert, ec);
  if (ec) return refuse("The TLS certificate cannot be read.");
  context->use_private_key_file(key, asio::ssl::context::pem, ec);
  const char* const foreign = "The TLS key does not belong to the certificate.";
  if (ec && ERR_GET_REASON(static_cast<unsigned long>(ec.value())) == X509_R_KEY_VALUES_MISMATCH)
    return refuse(foreign);
  if (ec) return refuse("The TLS key cannot be read; it is a PEM file without a passphrase.");
  if (SSL_CTX_check_private_key(context->native_handle()) != 1) return refuse(foreign);
  return context;
}

}  // namespace siegel::http
