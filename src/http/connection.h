// Private: one client connection, a state machine on one I/O thread; knows Socket and RequestParser, no Asio.
//
//   handshake ─▶ idle ─▶ head ─▶ (interim ─▶) body ─▶ handling ─▶ writing ─▶ idle …      one request at a time, the
//                                                        └──────▶ streaming ─▶ idle …      next waits in the buffer
//   after an answer with Connection: close ─▶ lingering ─▶ closed
//
// Each state has a deadline, watched by on_tick(): no timer per operation.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "http/inbox.h"
#include "http/parser.h"
#include "http/server.h"
#include "http/socket.h"
#include "http/stream.h"
#include "http/wire.h"

namespace siegel::http {

// What connections of one I/O thread share. Outlives them.
class Loop {
 public:
  using Instant = std::chrono::steady_clock::time_point;
  Loop(const ServerOptions& o, Handler& h) : options(o), handler(h) {}
  virtual ~Loop() = default;
  virtual void forget(Connection& connection) = 0;  // it is closed

  const ServerOptions& options;
  Handler& handler;
  std::shared_ptr<Inbox> inbox;
  RequestIds ids;
  std::string date;  // HTTP date of this second
};

enum class Entry : bool { welcome, full };  // full: its first request gets 503 overloaded, whatever it is
enum class Layer : bool { plain, tls };

class Connection final : public SocketUser, public std::enable_shared_from_this<Connection> {
 public:
  Connection(Loop& loop, std::unique_ptr<Socket> socket, std::string peer, Layer layer, Entry entry);
  void start();
  static void deliver(Delivery&& delivery);  // on the connection's thread
  void drain();                              // no further request after this one
  void close();
  void on_tick(Loop::Instant now);
  [[nodiscard]] Entry entry() const noexcept { return entry_; }

 private:
  enum class State : std::uint8_t {
    handshake,
    idle,
    head,
    interim,
    body,
    handling,
    writing,
    streaming,
    lingering,
    closed
  };

  void on_handshake(bool ok) override;
  void on_read(std::size_t bytes, bool ok) override;
  void on_written(std::size_t bytes, bool ok) override;

  void next_request();
  void begin_head();
  void read_more();
  void parse();
  void on_head();
  Status read_target();
  void on_body_progress();
  void dispatch();
  void refuse(const Error& error);  // answers and closes
  void answer(Response&& response);
  void begin_stream(Response&& head, std::shared_ptr<StreamState> stream);
  void pump_stream();
  void write_more();
  void finished(int status);
  void answer_done();
  void linger();
  [[nodiscard]] std::string_view unparsed() const noexcept;
  [[nodiscard]] Loop::Instant now() const noexcept { return std::chrono::steady_clock::now(); }

  Loop& loop_;
  const std::unique_ptr<Socket> socket_;
  const std::string peer_;
  const Layer layer_;
  const Entry entry_;
  State state_ = State::handshake;
  Loop::Instant deadline_ = Loop::Instant::max();
  bool last_ = false;  // close after the current answer

  // input: bytes [begin, end) of the buffer are not parsed yet
  Bytes in_;
  std::size_t in_begin_ = 0;
  std::size_t in_end_ = 0;
  bool reading_ = false;
  bool input_ended_ = false;
  RequestParser parser_;

  // the request under way
  std::unique_ptr<Request> request_;  // until dispatch
  std::uint64_t serial_ = 0;
  RequestId id_;
  Method method_ = Method::other;
  bool is_head_ = false;
  Loop::Instant arrived_{};
  Loop::Instant body_began_{};

  // output: out_ then out_body_, sent_ bytes of both are gone
  std::string out_;
  std::string out_body_;
  std::size_t sent_ = 0;
  bool writing_ = false;
  int status_ = 0;
  std::string_view route_;
  std::shared_ptr<StreamState> stream_;
  bool stream_ended_ = false;  // the last chunk is in out_
};

}  // namespace siegel::http
