// Private: the buffer between the producers of a stream (any thread) and its connection (I/O thread).
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/guarded.h"
#include "http/inbox.h"
#include "http/reply.h"

namespace siegel::http {

class StreamState : public std::enable_shared_from_this<StreamState> {
 public:
  StreamState(std::weak_ptr<Connection> to, std::shared_ptr<Inbox> inbox, std::uint64_t serial,
              std::size_t buffer_bytes_max, StreamOptions&& options);

  // Any thread.
  Flow write(std::string_view chunk);
  void finish();
  void abandon();  // the last handle went without finish()
  void lose();     // there is no connection or no server any more; calls nothing back, and lets go of the callbacks

  // I/O thread.
  enum class End : std::uint8_t { open, finished, abandoned };
  struct Taken {
    End end = End::open;
    bool writable = false;  // a producer was told full: call tell_writable() once the write has begun
  };
  Taken take(std::string& out);  // appends the chunks that wait, framed
  void tell_writable();
  void end();    // the server ends it: what waits is still to be taken, then finished; calls on_closed
  void close();  // calls on_closed unless finished
  [[nodiscard]] const StreamOptions& options() const noexcept { return options_; }

 private:
  struct Data {
    std::string waiting;
    End end = End::open;
    bool closed = false;
    bool full_told = false;
    bool nudged = true;  // the head's delivery takes along what was written before it
    // Called on the I/O thread only. They may own the stream's handle, so whoever closes lets go of them.
    std::function<void()> on_writable;
    std::function<void()> on_closed;
  };
  void nudge();
  void close_with(End end);

  const std::weak_ptr<Connection> to_;
  const std::shared_ptr<Inbox> inbox_;
  const std::uint64_t serial_;
  const std::size_t buffer_bytes_max_;
  StreamOptions options_;  // without the callbacks
  Guarded<Data> data_;
};

Stream make_stream(std::shared_ptr<StreamState> state);

}  // namespace siegel::http
