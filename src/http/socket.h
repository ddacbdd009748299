// Private: a connected socket, plain or TLS, behind one face without templates. All on one I/O thread.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/error.h"

namespace boost::asio {
class io_context;
namespace ssl {
class context;
}
}  // namespace boost::asio

namespace siegel::http {

// One call back per call, never from inside it. ok = false: the other side went, or close() was called.
class SocketUser {
 public:
  virtual ~SocketUser() = default;
  virtual void on_handshake(bool ok) = 0;
  virtual void on_read(std::size_t bytes, bool ok) = 0;
  virtual void on_written(std::size_t bytes, bool ok) = 0;
};

// At most one read and one write at a time. Each call keeps the user alive until its call back; the user owns the
// socket.
class Socket {
 public:
  virtual ~Socket() = default;
  virtual void handshake(std::shared_ptr<SocketUser> user) = 0;
  virtual void read(MutableBytes into, std::shared_ptr<SocketUser> user) = 0;
  virtual void write(std::string_view first, std::string_view second,
                     std::shared_ptr<SocketUser> user) = 0;  // some of it
  // Says the end (with TLS close_notify) and drops what still comes, so that the kernel does not answer it with a reset
  // that overtakes the last bytes. on_read(…, false) follows when the other side has ended too. If a read is under way
  // its user goes on reading and dropping instead.
  virtual void end_output(std::shared_ptr<SocketUser> user) = 0;
  virtual void close() noexcept = 0;
};

std::unique_ptr<Socket> make_plain_socket(boost::asio::io_context& io, int fd);
std::unique_ptr<Socket> make_tls_socket(boost::asio::io_context& io, boost::asio::ssl::context& tls, int fd);
Result<std::shared_ptr<boost::asio::ssl::context>> make_tls_context(const std::string& cert, const std::string& key);

}  // namespace siegel::http
