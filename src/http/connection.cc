#include "http/connection.h"

#include <algorithm>
#include <atomic>
#include <utility>

#include "base/assert.h"
#include "http/problem.h"

namespace siegel::http {
namespace {

using std::chrono::milliseconds;

constexpr std::size_t kInputBytesMin = 16 * 1024;
constexpr std::size_t kJoinBytesMax = 16 * 1024;  // bodies up to this are copied behind the head: one buffer to send
constexpr milliseconds kLinger{2000};
constexpr int kStatusClientGone = 499;  // only in Finished

// One request's way back to its connection; may live on any thread and longer than both.
class Ticket final : public ReplySink {
 public:
  Ticket(std::weak_ptr<Connection> to, std::shared_ptr<Inbox> inbox, std::uint64_t serial, const RequestId& id,
         std::string_view language, std::size_t stream_buffer_bytes_max)
      : to_(std::move(to)),
        inbox_(std::move(inbox)),
        serial_(serial),
        id_(id),
        language_(language),
        stream_buffer_bytes_max_(stream_buffer_bytes_max) {}
  ~Ticket() override {
    if (!used_.load(std::memory_order_relaxed))
      put(problem_response(Error(Errc::corrupt, "internal", "No answer was given."), id_.text()), nullptr);
  }
  Ticket(const Ticket&) = delete;
  Ticket& operator=(const Ticket&) = delete;

  void send(Response&& response) override {
    use();
    put(std::move(response), nullptr);
  }
  Stream begin(Response&& head, StreamOptions&& options) override {
    use();
    auto state = std::make_shared<StreamState>(to_, inbox_, serial_, stream_buffer_bytes_max_, std::move(options));
    if (!head.body.empty()) (void)state->write(std::exchange(head.body, {}));
    auto stream = make_stream(state);
    put(std::move(head), std::move(state));
    return stream;
  }
  [[nodiscard]] std::string_view request_id() const noexcept override { return id_.text(); }
  [[nodiscard]] std::string_view language() const noexcept override { return language_; }

 private:
  void use() { SIEGEL_ASSERT(!used_.exchange(true)); }  // a second answer to one request
  void put(Response&& answer, std::shared_ptr<StreamState> stream) {
    hand_over(inbox_, Delivery{to_, serial_, std::move(answer), std::move(stream)});
  }

  const std::weak_ptr<Connection> to_;
  const std::shared_ptr<Inbox> inbox_;
  const std::uint64_t serial_;
  const RequestId id_;
  const std::string_view language_;  // static text
  const std::size_t stream_buffer_bytes_max_;
  std::atomic<bool> used_{false};
};

Error invalid(const char* code, const char* what) { return {Errc::invalid, code, what}; }

}  // namespace

Connection::Connection(Loop& loop, std::unique_ptr<Socket> socket, std::string peer, Layer layer, Entry entry)
    : loop_(loop),
      socket_(std::move(socket)),
      peer_(std::move(peer)),
      layer_(layer),
      entry_(entry),
      in_(std::max(kInputBytesMin, loop.options.header_bytes_max + 4096)),
      parser_(loop.options.header_bytes_max) {}

void Connection::start() {
  deadline_ = now() + loop_.options.header_timeout;
  socket_->handshake(shared_from_this());
}

void Connection::on_handshake(bool ok) {
  if (state_ == State::closed) return;
  if (!ok) return close();
  if (entry_ == Entry::full) {
    arrived_ = now();
    return refuse(Error(Errc::overloaded, "overloaded", "The server has as many connections as it takes.")
                      .with("limit_name", "connections_max")
                      .with("limit_value", loop_.options.connections_max));
  }
  next_request();
}

// ── input ──

std::string_view Connection::unparsed() const noexcept {
  return as_chars(ByteView(in_).subspan(in_begin_, in_end_ - in_begin_));
}

void Connection::next_request() {
  if (last_) return linger();
  state_ = State::idle;
  id_ = {};
  if (in_begin_ < in_end_) {
    begin_head();
    return parse();
  }
  deadline_ = now() + loop_.options.idle_timeout;
  read_more();
}

void Connection::begin_head() {
  state_ = State::head;
  arrived_ = now();
  deadline_ = arrived_ + loop_.options.header_timeout;
  request_ = std::make_unique<Request>();
  method_ = Method::other;
  is_head_ = false;
  route_ = {};
  parser_.restart(*request_);
}

void Connection::read_more() {
  if (reading_) return;  // begun beside a stream
  if (input_ended_) return close();
  if (in_begin_ == in_end_) {
    in_begin_ = in_end_ = 0;
  } else if (in_begin_ > 0) {
    std::copy(in_.begin() + static_cast<std::ptrdiff_t>(in_begin_), in_.begin() + static_cast<std::ptrdiff_t>(in_end_),
              in_.begin());
    in_end_ -= std::exchange(in_begin_, 0);
  }
  reading_ = true;
  socket_->read(MutableBytes(in_).subspan(in_end_), shared_from_this());
}

void Connection::on_read(std::size_t bytes, bool ok) {
  reading_ = false;
  if (state_ == State::closed) return;
  if (state_ == State::lingering) {
    in_begin_ = in_end_ = 0;
    return ok ? read_more() : close();
  }
  in_end_ += bytes;
  if (!ok) {
    input_ended_ = true;
    // Asked and gone: an answer is still written out (the client may have closed its half only), a stream is not.
    if (state_ == State::handling || state_ == State::writing) return;
    return close();
  }
  switch (state_) {
    case State::idle:
      begin_head();
      return parse();
    case State::head:
    case State::body:
      return parse();
    case State::streaming:  // reads only to notice the end; what a client pipelines waits, up to the buffer
      if (in_end_ < in_.size()) read_more();
      return;
    default:
      return;  // handling, writing: read begun beside an earlier stream; it waits in the buffer
  }
}

void Connection::parse() {
  for (;;) {
    std::size_t consumed = 0;
    const Parsed parsed = parser_.feed(unparsed(), consumed);
    in_begin_ += consumed;
    switch (parsed) {
      case Parsed::failed:
        return refuse(parser_.error());
      case Parsed::head:
        return on_head();
      case Parsed::complete:
        return dispatch();
      case Parsed::need_more:
        break;
    }
    if (state_ == State::body) on_body_progress();
    if (consumed > 0 && in_begin_ < in_end_) continue;
    if (in_end_ - in_begin_ == in_.size())  // a chunk header or trailer without end
      return refuse(invalid("bad_header", "A chunk's header is too large."));
    return read_more();
  }
}

Status Connection::read_target() {
  std::string_view target = request_->target;
  if (target == "*" && request_->method == Method::options) {
    request_->path = "*";
    return Done{};
  }
  for (const std::string_view scheme : {"http://", "https://"}) {  // absolute form, as a proxy sends it
    if (!target.starts_with(scheme)) continue;
    const auto slash = target.find('/', scheme.size());
    target = slash == target.npos ? std::string_view("/") : target.substr(slash);
  }
  if (!target.starts_with('/')) return invalid("bad_value", "The request target is not a path.");
  const auto question = target.find('?');
  SIEGEL_TRY(path, decode_path(target.substr(0, question)));
  request_->path = std::move(path);
  if (question == target.npos) return Done{};
  SIEGEL_TRY(query, parse_form(target.substr(question + 1)));
  request_->query = std::move(query);
  return Done{};
}

void Connection::on_head() {
  Request& request = *request_;
  method_ = request.method;
  is_head_ = request.is_head;
  const auto own_id = request.header("Siegel-Request-Id");
  id_ = own_id && RequestId::is_valid(*own_id) ? RequestId(*own_id) : loop_.ids.next();
  request.request_id = id_.text();
  request.peer = peer_;
  request.is_tls = layer_ == Layer::tls;
  request.arrived = arrived_;
  if (auto status = read_target(); !status) return refuse(status.error());
  const auto expect = request.header("Expect");
  if (expect && *expect != "100-continue") return refuse(invalid("bad_header", "Only 100-continue can be expected."));
  last_ = last_ || !parser_.keep_alive();
  if (!parser_.has_body()) return dispatch();

  auto limit = loop_.handler.admit(request, BodyLimit{loop_.options.body_bytes_max, "body_bytes_max"});
  if (!limit) return refuse(limit.error());
  if (parser_.content_length().value_or(0) > limit->bytes_max) return refuse(too_large(limit->name, limit->bytes_max));
  parser_.limit_body(limit->bytes_max, limit->name);
  request.room = std::move(limit->room);
  body_began_ = now();
  on_body_progress();
  if (expect && in_begin_ == in_end_) {
    state_ = State::interim;
    out_ = "HTTP/1.1 100 Continue\r\n\r\n";
    return write_more();
  }
  state_ = State::body;
  parse();
}

void Connection::on_body_progress() {
  const auto seconds = request_->body.size() / std::max<std::uint64_t>(1, loop_.options.body_bytes_per_second_min);
  deadline_ = body_began_ + loop_.options.body_timeout + std::chrono::seconds(seconds);
}

// ── the handler ──

void Connection::dispatch() {
  state_ = State::handling;
  deadline_ = Loop::Instant::max();  // the handler's business, until drain
  // Problems are German for who asks for it first; programs mostly do not ask.
  const auto wanted = request_->header("accept-language").value_or("");
  const bool german = wanted.size() >= 2 && (wanted[0] | 0x20) == 'd' && (wanted[1] | 0x20) == 'e';
  Reply reply(std::make_shared<Ticket>(weak_from_this(), loop_.inbox, serial_, id_, german ? "de" : "en",
                                       loop_.options.stream_buffer_bytes_max));
  try {
    loop_.handler.handle(std::move(request_), std::move(reply));
  } catch (...) {
    // The reply went with the stack: if it was not used yet, it has answered 500 by now.
  }
}

void Connection::deliver(Delivery&& delivery) {
  const auto self = delivery.to.lock();
  if (!self || self->state_ == State::closed || delivery.serial != self->serial_) {
    if (delivery.stream) delivery.stream->close();
    return;
  }
  if (!delivery.answer) {
    if (self->stream_ == delivery.stream) self->pump_stream();
  } else if (self->state_ == State::handling) {
    if (delivery.stream)
      self->begin_stream(std::move(*delivery.answer), std::move(delivery.stream));
    else
      self->answer(std::move(*delivery.answer));
  }
}

// ── output ──

void Connection::refuse(const Error& error) {
  request_.reset();
  last_ = true;  // where the next request would begin is not known
  if (id_.text().empty()) id_ = loop_.ids.next();
  answer(problem_response(error, id_.text()));
}

void Connection::answer(Response&& response) {
  if (!is_safe(response)) {
    const auto route = response.route;
    response = problem_response(Error(Errc::corrupt, "internal", "The answer was not well-formed."), id_.text());
    response.route = route;
  }
  state_ = State::writing;
  status_ = response.status;
  route_ = response.route;
  out_.clear();
  append_head(out_, {response, id_.text(), loop_.date, Framing::length, last_ ? After::close : After::keep_alive});
  if (!is_head_ && has_body(status_)) {
    if (response.body.size() <= kJoinBytesMax)
      out_ += response.body;
    else
      out_body_ = std::move(response.body);
  }
  write_more();
}

void Connection::begin_stream(Response&& head, std::shared_ptr<StreamState> stream) {
  if (!is_safe(head) || !has_body(head.status)) {
    stream->close();
    head.status = 0;
    return answer(std::move(head));  // as 500
  }
  state_ = State::streaming;
  status_ = head.status;
  route_ = head.route;
  stream_ = std::move(stream);
  stream_ended_ = false;
  out_.clear();
  append_head(out_, {head, id_.text(), loop_.date, Framing::chunked, last_ ? After::close : After::keep_alive});
  if (is_head_) {
    std::exchange(stream_, nullptr)->close();
    state_ = State::writing;
    return write_more();
  }
  if (in_end_ < in_.size() && !input_ended_) read_more();
  pump_stream();
}

void Connection::pump_stream() {
  if (writing_ || stream_ended_ || !stream_) return;
  const auto stream = stream_;  // callbacks may end this
  const auto taken = stream->take(out_);
  if (taken.end == StreamState::End::abandoned) return close();
  if (taken.end == StreamState::End::finished) {
    out_ += kLastChunk;
    stream_ended_ = true;
  }
  if (!out_.empty()) {
    write_more();
  } else {
    deadline_ = stream->options().heartbeat.empty() ? Loop::Instant::max() : now() + stream->options().heartbeat_every;
  }
  if (taken.writable) stream->tell_writable();
}

void Connection::write_more() {
  writing_ = true;
  deadline_ = now() + loop_.options.write_timeout;
  std::string_view first = out_;
  std::string_view second = out_body_;
  const auto gone_of_first = std::min(sent_, first.size());
  first.remove_prefix(gone_of_first);
  second.remove_prefix(sent_ - gone_of_first);
  if (first.empty()) std::swap(first, second);
  socket_->write(first, second, shared_from_this());
}

void Connection::on_written(std::size_t bytes, bool ok) {
  writing_ = false;
  if (state_ == State::closed) return;
  if (!ok) return close();
  sent_ += bytes;
  if (sent_ < out_.size() + out_body_.size()) return write_more();
  out_.clear();
  out_body_ = {};
  sent_ = 0;
  switch (state_) {
    case State::interim:
      state_ = State::body;
      on_body_progress();
      return read_more();
    case State::streaming:
      if (!stream_ended_) return pump_stream();
      std::exchange(stream_, nullptr)->close();
      return answer_done();
    default:
      return answer_done();
  }
}

void Connection::finished(int status) {
  if (!loop_.options.on_finished) return;
  const std::chrono::duration<double> took = now() - arrived_;
  loop_.options.on_finished({route_, method_, status, took.count(), id_.text()});
}

void Connection::answer_done() {
  ++serial_;
  finished(status_);
  next_request();
}

// ── end ──

void Connection::linger() {
  state_ = State::lingering;
  deadline_ = now() + kLinger;
  socket_->end_output(shared_from_this());
}

void Connection::drain() {
  switch (state_) {
    case State::handshake:
    case State::idle:
    case State::lingering:
      return close();
    case State::streaming:
      last_ = true;
      if (stream_ended_ || stream_->options().kind == StreamKind::list) return;
      std::shared_ptr(stream_)->end();
      return pump_stream();
    default:
      last_ = true;
  }
}

void Connection::close() {
  if (state_ == State::closed) return;
  const auto self = shared_from_this();  // forget() lets go of it
  const bool answering = state_ == State::handling || state_ == State::writing || state_ == State::streaming;
  state_ = State::closed;
  ++serial_;
  socket_->close();
  if (stream_) std::exchange(stream_, nullptr)->close();
  if (answering) finished(kStatusClientGone);
  loop_.forget(*this);
}

void Connection::on_tick(Loop::Instant at) {
  if (at < deadline_) return;
  switch (state_) {
    case State::head:
    case State::body:
      return refuse(invalid("request_timeout", "The request did not arrive in time."));
    case State::streaming:
      if (writing_) return close();
      append_chunk(out_, stream_->options().heartbeat);
      return write_more();
    default:
      return close();
  }
}

}  // namespace siegel::http
