// Answers that go on: SSE and NDJSON with back-pressure, heartbeats, and every way to end.
#include <atomic>
#include <optional>
#include <string>
#include <thread>

#include "base/guarded.h"
#include "e2e/http_served.h"
#include "http/problem.h"
#include "http/server.h"
#include "support/catch.h"
#include "support/http_client.h"

using namespace siegel;
using namespace siegel::http;
using namespace siegel::test;
using namespace std::chrono_literals;

namespace {

constexpr std::string_view kGet = "GET /events HTTP/1.1\r\nHost: x\r\n\r\n";

// What a test holds of a stream that a handler began, with the calls back counted.
struct Producer {
  std::optional<Stream> stream;
  int writable = 0;
  int closed = 0;
};

struct Producing {
  Guarded<Producer> state;

  FunctionHandler::Handle handler(StreamKind kind, std::string heartbeat = {}, std::string first = {}) {
    return [=, this](Request&, Reply reply) {
      StreamOptions options;
      options.kind = kind;
      options.heartbeat = heartbeat;
      options.heartbeat_every = 200ms;
      options.on_writable = [this] { tell([](Producer& p) { ++p.writable; }); };
      options.on_closed = [this] { tell([](Producer& p) { ++p.closed; }); };
      auto stream = reply.begin({200, kSseContentType, first, {}, "/v1/events"}, std::move(options));
      tell([&](Producer& p) { p.stream = std::move(stream); });
    };
  }
  template <class F>
  void tell(F&& f) {
    state.with(f);
    state.notify_all();
  }
  Stream stream() {
    return state.when([](const Producer& p) { return p.stream.has_value(); }, [](Producer& p) { return *p.stream; });
  }
  void drop() {
    state.with([](Producer& p) { p.stream.reset(); });
  }
  int closed() {
    return state.with([](const Producer& p) { return p.closed; });
  }
  void wait_closed() {
    state.when([](const Producer& p) { return p.closed > 0; }, [](Producer&) {});
  }
  void wait_writable(int times) {
    state.when([=](const Producer& p) { return p.writable >= times; }, [](Producer&) {});
  }
};

}  // namespace

TEST_CASE("events reach the client as they are written, and the connection goes on after the end", "[e2e][http]") {
  Producing producing;
  Served served(producing.handler(StreamKind::live, {}, "first\n"));
  HttpClient client(served.port());
  client.send(kGet);
  const auto head = client.receive_head();
  CHECK(head.status == 200);
  CHECK(head.header("content-type") == "text/event-stream");
  CHECK(head.header("transfer-encoding") == "chunked");
  CHECK(client.read_until("first\n\r\n") == "6\r\nfirst\n\r\n");
  auto stream = producing.stream();
  CHECK(stream.write(sse_event("7", "record.added", "{\"a\":1}\nb")) == Flow::taken);
  CHECK(client.read_until("\n\n\r\n").ends_with("id: 7\nevent: record.added\ndata: {\"a\":1}\ndata: b\n\n\r\n"));
  CHECK(stream.write("") == Flow::taken);
  stream.finish();
  CHECK(client.read_until("\r\n\r\n") == "0\r\n\r\n");
  CHECK(stream.write("late") == Flow::closed);
  producing.drop();
  client.send(kGet);
  CHECK(client.receive_head().status == 200);
  CHECK(producing.closed() == 0);
}

TEST_CASE("a client that does not read fills the buffer, not the memory, and all arrives in order", "[e2e][http]") {
  ServerOptions options;
  options.stream_buffer_bytes_max = 64 * 1024;
  Producing producing;
  Served served(producing.handler(StreamKind::list), options);
  HttpClient client(served.port());
  client.receive_buffer(16 * 1024);
  client.send(kGet);
  auto stream = producing.stream();
  const auto line = [](int i) { return std::to_string(i) + std::string(1000, '.') + "\n"; };
  constexpr int kLines = 20000;  // 20 MB through 64 KiB
  int written = 0;
  int full = 0;
  while (stream.write(line(written)) == Flow::taken) ++written;
  ++full;
  CHECK(written < kLines);  // it did stop us, before the client read a byte
  std::thread producer([&] {
    while (written < kLines) {
      if (stream.write(line(written)) == Flow::taken) {
        ++written;
      } else {
        producing.wait_writable(full++);
      }
    }
    stream.finish();
  });
  const auto answer = client.receive();
  producer.join();
  REQUIRE(answer);
  std::string expected;
  for (int i = 0; i < kLines; ++i) expected += line(i);
  CHECK(answer->body == expected);
  CHECK(producing.closed() == 0);
}

TEST_CASE("when the client goes, on_closed is called once and writes say closed", "[e2e][http]") {
  Producing producing;
  Served served(producing.handler(StreamKind::live));
  {
    HttpClient client(served.port());
    client.send(kGet);
    CHECK(client.receive_head().status == 200);
  }
  producing.wait_closed();
  CHECK(producing.stream().write("x") == Flow::closed);
  CHECK(producing.closed() == 1);
}

TEST_CASE("a client that takes nothing at all is cut after the write time-out", "[e2e][http]") {
  ServerOptions options;
  options.write_timeout = 300ms;
  options.stream_buffer_bytes_max = 64 << 20;
  Producing producing;
  Served served(producing.handler(StreamKind::live), options);
  HttpClient client(served.port());
  client.receive_buffer(4096);
  client.send(kGet);
  CHECK(producing.stream().write(std::string(32 << 20, 'x')) == Flow::taken);
  producing.wait_closed();
  CHECK(producing.closed() == 1);
}

TEST_CASE("a quiet stream gets heartbeats", "[e2e][http]") {
  Producing producing;
  Served served(producing.handler(StreamKind::live, std::string(kSseHeartbeat)));
  HttpClient client(served.port());
  client.send(kGet);
  CHECK(client.receive_head().status == 200);
  CHECK(client.read_until(":\n\n\r\n") == "3\r\n:\n\n\r\n");
  CHECK(client.read_until(":\n\n\r\n") == "3\r\n:\n\n\r\n");
  CHECK(producing.stream().write("x") == Flow::taken);
  CHECK(client.read_until("x\r\n").ends_with("1\r\nx\r\n"));
  CHECK(client.read_until(":\n\n\r\n") == "3\r\n:\n\n\r\n");
}

TEST_CASE("a stream whose last handle goes without finish is cut, not completed", "[e2e][http]") {
  Producing producing;
  Served served(producing.handler(StreamKind::list, {}, "half"));
  HttpClient client(served.port());
  client.send(kGet);
  CHECK(client.receive_head().status == 200);
  producing.stream();
  producing.drop();
  const auto rest = client.read_until("0\r\n\r\n");
  CHECK_FALSE(rest.ends_with("0\r\n\r\n"));
}

TEST_CASE("stop ends live streams cleanly and lets lists finish", "[e2e][http]") {
  Producing live;
  Producing list;
  const auto handle_live = live.handler(StreamKind::live, {}, "event");
  const auto handle_list = list.handler(StreamKind::list, {}, "row 1 ");
  Served served([&](Request& request, Reply reply) {
    (request.path == "/live" ? handle_live : handle_list)(request, std::move(reply));
  });
  HttpClient live_client(served.port());
  live_client.send("GET /live HTTP/1.1\r\nHost: x\r\n\r\n");
  HttpClient list_client(served.port());
  list_client.send("GET /list HTTP/1.1\r\nHost: x\r\n\r\n");
  auto rows = list.stream();
  live.stream();
  std::thread stopping([&] { served.server().stop(); });
  CHECK(live_client.receive().value().body == "event");
  CHECK(live_client.at_end());
  live.wait_closed();
  CHECK(rows.write("row 2") == Flow::taken);
  rows.finish();
  CHECK(list_client.receive().value().body == "row 1 row 2");
  live_client.close();
  list_client.close();
  stopping.join();
  CHECK(list.closed() == 0);
  CHECK(live.closed() == 1);
  CHECK(live.stream().write("after the server") == Flow::closed);
}

TEST_CASE("HEAD of a stream gets its head only", "[e2e][http]") {
  Producing producing;
  Served served(producing.handler(StreamKind::live, {}, "event"));
  HttpClient client(served.port());
  CHECK(client.request("HEAD", "/events").header("content-type") == "text/event-stream");
  producing.wait_closed();
  CHECK(client.request("HEAD", "/events").status == 200);
}

TEST_CASE("problems carry exactly the members that the error's context names", "[e2e][http]") {
  const auto body = [](const Error& error) { return problem_response(error, "id-12345").body; };
  CHECK(body(Error(Errc::denied, "purpose_unknown", "The purpose named in Siegel-Purpose does not exist.")
                 .with("pointer", "/fields/2/type")
                 .with("secret", "canary")) ==
        R"({"type":"urn:siegel:problem:purpose_unknown","title":"Purpose is not registered","status":403,)"
        R"("code":"purpose_unknown","detail":"The purpose named in Siegel-Purpose does not exist.",)"
        R"("hint":"GET /v1/purposes lists them.","pointer":"/fields/2/type","request_id":"id-12345"})");
  CHECK_THAT(body(Error(Errc::conflict, "version_conflict", "Other version.").with("current_version", 7)),
             contains(R"("current_version":7,)"));
  CHECK_THAT(body(Error(Errc::gone, "erased", "Erased.").with("erasure", "er_1").with("hint", "None.")),
             contains(R"("hint":"None.","erasure":"er_1",)"));
  CHECK_THAT(
      body(Error(Errc::unavailable, "read_only", "Behind.").with("epoch_ledger", 42).with("epoch_root_store", 41)),
      contains(R"("epochs":{"ledger":42,"root_store":41})"));
  const auto unknown = problem_response(Error(Errc::corrupt, "no_such_code", "canary").with("pointer", "canary"), "id");
  CHECK(unknown.status == 500);
  CHECK_THAT(unknown.body, contains(R"("code":"internal")"));
  CHECK(unknown.body.find("canary") == std::string::npos);
  for (const auto& problem : kProblems) {
    const auto response = problem_response(Error(Errc::invalid, problem.code.data(), "What."), "id");
    CAPTURE(problem.code);
    CHECK(response.status == problem.status);
    const bool waits = problem.status == 429 || problem.status == 503;
    CHECK(waits == (!response.headers.empty() && response.headers[0].name == "Retry-After"));
  }
}
