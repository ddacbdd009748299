// How a handler answers: a Reply for one whole answer, a Stream for one that goes on (SSE, NDJSON).
// Threads:  every call from any thread. An answer given on another thread than the connection's is put into the I/O
//           thread's inbox; that thread is woken once for all that wait there.
// Promise:  each request gets exactly one answer. When the last copy of an unused Reply goes, the answer is 500
// internal. Lifetime: a Reply or Stream may outlive connection and server; then what it sends goes nowhere.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "http/message.h"

namespace siegel::http {

enum class Flow : std::uint8_t {
  taken,   // in the buffer, will be sent in order
  full,    // not taken: wait for on_writable, then write it again
  closed,  // not taken: the client went, or the server stops
};

enum class StreamKind : std::uint8_t {
  list,  // has an end of its own: a stopping server lets it go on within drain, then cuts it
  live,  // has none: a stopping server ends it cleanly at once; the client comes again and goes on where it was
};

struct StreamOptions {
  StreamKind kind = StreamKind::list;
  std::string heartbeat;  // sent when nothing else was for that long; empty: none
  std::chrono::milliseconds heartbeat_every{15000};
  std::function<void()> on_writable;  // once after each Flow::full, when half of the buffer is free again
  std::function<void()> on_closed;    // once, unless finish() came first; no call of either kind follows it
};                                    // both run on the I/O thread: post, do not work there
inline constexpr std::string_view kSseContentType = "text/event-stream";
inline constexpr std::string_view kSseHeartbeat = ":\n\n";
inline constexpr std::string_view kNdjsonContentType = "application/x-ndjson";
// One event in the text form of SSE; data may hold line feeds (no CR), id and event neither.
std::string sse_event(std::string_view id, std::string_view event, std::string_view data);

class StreamSink {  // the connection's side; tests may bring their own
 public:
  virtual ~StreamSink() = default;
  virtual Flow write(std::string_view chunk) = 0;
  virtual void finish() = 0;
};

// Copies share one stream. When the last copy goes without finish(), the connection is cut, so that the client does not
// take half a list for the whole.
class Stream {
 public:
  explicit Stream(std::shared_ptr<StreamSink> sink) noexcept : sink_(std::move(sink)) {}
  [[nodiscard]] Flow write(std::string_view chunk) { return sink_->write(chunk); }
  void finish() { sink_->finish(); }  // the client sees a complete answer; further calls do nothing

 private:
  std::shared_ptr<StreamSink> sink_;
};

class ReplySink {  // where the answer of one request goes; tests may bring their own
 public:
  virtual ~ReplySink() = default;
  virtual void send(Response&& response) = 0;
  virtual Stream begin(Response&& head, StreamOptions&& options) = 0;
  [[nodiscard]] virtual std::string_view request_id() const noexcept = 0;
  [[nodiscard]] virtual std::string_view language() const noexcept { return "en"; }  // of problems: "de" or "en"
};

class Reply {
 public:
  explicit Reply(std::shared_ptr<ReplySink> sink) noexcept : sink_(std::move(sink)) {}
  // Exactly one of these three, exactly once among all copies.
  void send(Response&& response) const { sink_->send(std::move(response)); }
  void fail(const Error& error, std::string_view route = {}) const;  // problem_response(error) with the route as label
  [[nodiscard]] Stream begin(Response&& head, StreamOptions&& options) const {  // head.body is the first chunk, if any
    return sink_->begin(std::move(head), std::move(options));
  }
  [[nodiscard]] std::string_view request_id() const noexcept { return sink_->request_id(); }
  [[nodiscard]] std::string_view language() const noexcept { return sink_->language(); }

 private:
  std::shared_ptr<ReplySink> sink_;
};

// While one lives on a thread, answers sent by that thread wait in it and leave together when it goes: one lock and one
// wake-up per group commit instead of one per answer. Keep it short-lived; nesting is allowed (the outer one sends).
class ReplyBatch {
 public:
  ReplyBatch() noexcept;
  ~ReplyBatch();
  ReplyBatch(const ReplyBatch&) = delete;
  ReplyBatch& operator=(const ReplyBatch&) = delete;
};

}  // namespace siegel::http
