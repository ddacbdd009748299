// The log itself: status, headers, checkpoint, proofs.
#include "base/text.h"
#include "http/api_call.h"
#include "http/json_writer.h"

namespace siegel::http {
namespace {

constexpr std::size_t kEventsPage = 1000;
constexpr std::size_t kEventsAtOnce = 100;  // of a live stream
constexpr std::chrono::seconds kLookAgainAfter{10};

void status(const CallPtr& call) {
  if (auto allowed = call->service->may(call->caller, decide::Action::read_status); !allowed)
    return call->fail(allowed.error());
  const auto now = call->service->status();
  JsonWriter json;
  json.begin().text("version", call->options->version).text("ledger", to_text(now.ledger)).text("origin", now.origin);
  json.text("verifier_key", now.verifier_key)
      .number("size", now.size.get())
      .text("checkpoint_at", to_rfc3339(now.checkpoint_at));
  json.flag("read_only", !now.read_only.empty()).list("reasons");
  for (const auto& reason : now.read_only) json.begin().text("code", reason.code).text("detail", reason.detail).end();
  json.end_list().number("epoch", now.epoch.get());
  json.begin("root_store").text("kind", now.root_store_kind).text("grade", "L" + std::to_string(now.grade)).end();
  json.begin("projections").begin("records").number("position", now.projected.get());
  json.number("lag", now.size.get() - std::min(now.size.get(), now.projected.get())).end().end();
  json.text("search", now.search_ready ? "ready" : "starting").number("erasures_open", now.erasures_open);
  json.begin("kafka").text("state", "off").end();
  json.list("checks");
  if (call->options->not_ready)
    for (const auto& check : call->options->not_ready()) json.text(check);
  if (call->options->hampered)
    for (const auto& check : call->options->hampered()) json.text(check);
  json.end_list().list("warnings");
  if (call->options->warnings)
    for (const auto& warning : call->options->warnings()) json.text(warning);
  json.end_list();
  json.number("uptime_s", call->options->uptime_s ? call->options->uptime_s() : 0).end();
  call->send(200, json.take(), now.projected);
}

std::string event_line(const service::EventLine& line) {
  const auto& h = line.header;
  JsonWriter json;
  json.begin().number("seq", line.seq.get()).text("time", to_rfc3339(h.time)).text("id", to_hex(h.id.get()));
  json.text("type", siegel::name_of(h.type)).text("source", siegel::name_of(h.source));
  json.number("purpose", h.purpose.get()).number("record_type", h.record_type.get());
  json.text("legal_ground", siegel::name_of(h.ground))
      .number("parts", h.part_count)
      .number("keys_mark", h.keys_mark.get());
  json.text("parts_digest", to_hex(h.parts_digest)).text("leaf_hash", to_hex(line.leaf)).end();
  return json.take();
}

// A live stream of headers: looks for new events whenever the read models advance, and at least every ten seconds.
// Lives in the callback that goes on with it: on_writable of the stream until that is closed, and the waiter in the
// read models. It holds no service while it waits, so that the stores can be closed under it; then it ends, and the
// client comes again with Last-Event-ID.
class EventStream : public std::enable_shared_from_this<EventStream> {
 public:
  EventStream(const Call& call, Seq from)
      : service_(call.service), ledger_(call.service->ledger_id()), caller_(call.caller), next_(from) {}
  void open(const Call& call) {
    Response head;
    head.content_type = kSseContentType;
    head.route = call.route;
    StreamOptions options;
    options.kind = StreamKind::live;
    options.heartbeat = std::string(kSseHeartbeat);
    options.on_writable = [self = shared_from_this()] { self->pump(); };
    stream_.emplace(call.reply.begin(std::move(head), std::move(options)));
    pump();
  }

 private:
  // One at a time: where this returns, either the stream or the read models call it again, never both.
  void pump() {
    const auto service = service_.lock();
    if (!service) return stream_->finish();
    for (;;) {
      const auto lines = service->events(caller_, next_, kEventsAtOnce);
      if (!lines) return stream_->finish();
      for (const auto& line : *lines) {
        const auto flow = stream_->write(sse_event(std::to_string(line.seq.get()), "event", event_line(line)));
        if (flow != Flow::taken) return;  // full: on_writable goes on from next_
        next_ = Seq(line.seq.get() + 1);
      }
      if (lines->empty()) break;
    }
    // A comment tells whether the client is still there before it is waited for again.
    if (stream_->write(kSseHeartbeat) != Flow::taken) return;
    const Position more{ledger_, TreeSize(next_.get() + 1)};
    service->at_least(more, kLookAgainAfter, [self = shared_from_this()](const Status& reached) {
      if (!reached && !reached.error().is("position_not_reached")) return self->stream_->finish();
      self->pump();
    });
  }

  const std::weak_ptr<service::Service> service_;
  const LedgerId ledger_;
  const service::Caller caller_;
  Seq next_;
  std::optional<Stream> stream_;
};

void events(const CallPtr& call) {
  if (auto allowed = call->service->may(call->caller, decide::Action::read_events); !allowed)
    return call->fail(allowed.error());
  SIEGEL_CALL_TRY(from, number_of(*call, "from", 0));
  const auto last = call->request.header("last-event-id");
  const auto last_seq = parse_count(last.value_or("0"));
  if (!last_seq) return call->fail(Error(Errc::invalid, "bad_header", "Last-Event-ID is the sequence of an event."));
  if (call->request.header("accept").value_or("").find("text/event-stream") != std::string_view::npos) {
    if (last) from = *last_seq + 1;
    std::make_shared<EventStream>(*call, Seq(from))->open(*call);
    return;
  }
  SIEGEL_CALL_TRY(limit, number_of(*call, "limit", 100));
  if (limit < 1 || limit > kEventsPage)
    return call->fail(Error(Errc::invalid, "bad_value", "limit is 1 to 1000.").with("pointer", "/limit"));
  SIEGEL_CALL_TRY(lines, call->service->events(call->caller, Seq(from), limit));
  std::string body;
  for (const auto& line : lines) body.append(event_line(line)).append("\n");
  call->send(200, std::move(body), {}, {}, {}, kNdjsonContentType);
}

void checkpoint(const CallPtr& call) {
  SIEGEL_CALL_TRY(note, call->service->checkpoint(call->caller));
  call->send(200, std::move(note), {}, {}, {}, "text/plain; charset=utf-8");
}

void inclusion(const CallPtr& call) {
  SIEGEL_CALL_TRY(index, number_of(*call, "index"));
  SIEGEL_CALL_TRY(size, number_of(*call, "size"));
  SIEGEL_CALL_TRY(proof, call->service->inclusion(call->caller, Seq(index), TreeSize(size)));
  JsonWriter json;
  json.begin().number("index", index).number("size", size).text("leaf_hash", to_base64(proof.leaf)).list("hashes");
  for (const auto& hash : proof.hashes) json.text(to_base64(hash));
  json.end_list().text("checkpoint", proof.checkpoint).end();
  call->send(200, json.take());
}

void consistency(const CallPtr& call) {
  SIEGEL_CALL_TRY(from, number_of(*call, "from"));
  SIEGEL_CALL_TRY(to, number_of(*call, "to"));
  SIEGEL_CALL_TRY(proof, call->service->consistency(call->caller, TreeSize(from), TreeSize(to)));
  JsonWriter json;
  json.begin().number("from", from).number("to", to).list("hashes");
  for (const auto& hash : proof.hashes) json.text(to_base64(hash));
  json.end_list().text("checkpoint", proof.checkpoint).end();
  call->send(200, json.take());
}

}  // namespace

std::vector<Route> log_routes() {
  return {{Method::get, "/v1/status", status, true, true},
          {Method::get, "/v1/events", events, true, true},
          {Method::get, "/v1/log/checkpoint", checkpoint},
          {Method::get, "/v1/log/proofs/inclusion", inclusion, true, true},
          {Method::get, "/v1/log/proofs/consistency", consistency, true, true}};
}

}  // namespace siegel::http
