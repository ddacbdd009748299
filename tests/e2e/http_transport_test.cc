// The HTTP transport over real sockets: what any client, well-meaning or not, gets before a handler has a say.
#include <cstdlib>
#include <functional>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/guarded.h"
#include "e2e/http_served.h"
#include "http/problem.h"
#include "http/server.h"
#include "support/catch.h"
#include "support/http_client.h"
#include "support/temp_dir.h"

using namespace siegel;
using namespace siegel::http;
using namespace siegel::test;
using namespace std::chrono_literals;

namespace {

bool is_problem(const HttpAnswer& answer, int status, const std::string& code) {
  return answer.status == status && answer.header("content-type") == "application/problem+json" &&
         answer.body.find("\"code\":\"" + code + "\"") != std::string::npos &&
         answer.body.find("\"type\":\"urn:siegel:problem:" + code + "\"") != std::string::npos &&
         answer.body.find("\"status\":" + std::to_string(status)) != std::string::npos &&
         answer.body.find("\"request_id\":\"" + answer.header("siegel-request-id") + "\"") != std::string::npos;
}

HttpAnswer raw(const Served& served, const std::string& text) {
  HttpClient client(served.port());
  client.send(text);
  auto answer = client.receive();
  REQUIRE(answer);
  CHECK(client.at_end());  // after a request that cannot be read nothing more is
  return *answer;
}

}  // namespace

TEST_CASE("a connection serves many requests, and bodies arrive whole", "[e2e][http]") {
  Served served(echo());
  HttpClient client(served.port());
  for (int i = 0; i < 50; ++i) {
    const std::string body(static_cast<std::size_t>(i * 997), static_cast<char>('a' + i % 26));
    const auto answer = client.request("POST", "/echo", {}, body);
    REQUIRE(answer.status == 200);
    CHECK(answer.body == body);
    CHECK(answer.header("cache-control") == "no-store");
    CHECK(answer.header("x-content-type-options") == "nosniff");
    CHECK(answer.header("date").ends_with(" GMT"));
  }
  CHECK(served.server().connections() == 1);
  CHECK(client.request("GET", "/echo", {{"Connection", "close"}}).header("connection") == "close");
}

TEST_CASE("pipelined requests are answered in order, also when they come byte by byte", "[e2e][http]") {
  Served served([](Request& request, Reply reply) {
    const auto send = [&] { reply.send({200, "text/plain", request.path, {}, "r"}); };
    if (request.path.ends_with('7')) return std::thread(send).join();  // some by way of the inbox
    send();
  });
  HttpClient client(served.port());
  std::string all;
  for (int i = 0; i < 200; ++i) all += "GET /n" + std::to_string(i) + " HTTP/1.1\r\nHost: x\r\n\r\n";
  client.send(all);
  for (int i = 0; i < 200; ++i) {
    const auto answer = client.receive();
    REQUIRE(answer);
    CHECK(answer->body == "/n" + std::to_string(i));
  }
  for (const char c : std::string("POST /slow HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc"))
    client.send({&c, 1});
  CHECK(client.receive()->body == "/slow");
}

TEST_CASE("chunked bodies are joined, trailers dropped, the limit holds", "[e2e][http]") {
  ServerOptions options;
  options.body_bytes_max = 1000;
  Served served(echo(), options);
  HttpClient client(served.port());
  const std::string head = "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
  client.send(head + "3\r\nabc\r\n2;ext=1\r\nde\r\n0\r\nX-Trailer: 1\r\n\r\n");
  const auto answer = client.receive();
  REQUIRE(answer);
  CHECK(answer->body == "abcde");
  const auto refused = raw(served, head + "3e0\r\n" + std::string(0x3e0, 'x') + "\r\nff\r\n");
  CHECK(is_problem(refused, 413, "too_large"));
  CHECK(is_problem(raw(served, head + "1;" + std::string(64 * 1024, 'e')), 400, "bad_header"));
}

TEST_CASE("a body over the limit is refused before it is read, and the limit is named", "[e2e][http]") {
  ServerOptions options;
  options.body_bytes_max = 1000;
  Served served(echo(), options, [](const Request& head, BodyLimit normal) -> Result<BodyLimit> {
    if (head.path == "/denied") return Error(Errc::denied, "role_denied", "Editors only.");
    if (head.path == "/upload") return BodyLimit{3 << 20, "upload_bytes_max"};
    return normal;
  });
  HttpClient client(served.port());
  CHECK(client.request("POST", "/", {}, std::string(1000, 'x')).status == 200);
  const auto refused = client.request("POST", "/", {}, std::string(1001, 'x'));
  CHECK(is_problem(refused, 413, "too_large"));
  CHECK_THAT(refused.body, contains(R"("limit":{"name":"body_bytes_max","value":1000})"));
  CHECK(refused.header("connection") == "close");
  const std::string upload(3 << 20, 'u');
  CHECK(client.request("POST", "/upload", {}, upload).body == upload);
  const auto large = client.request("POST", "/upload", {}, upload + "x");  // all of it sent: no reset eats the answer
  CHECK_THAT(large.body, contains(R"("name":"upload_bytes_max","value":3145728)"));
  CHECK(is_problem(client.request("POST", "/denied", {}, "abc"), 403, "role_denied"));
}

TEST_CASE("a header over the limit gets 431, whole or in pieces", "[e2e][http]") {
  Served served(echo());
  HttpClient fits(served.port());
  CHECK(fits.request("GET", "/", {{"X-Pad", std::string(7000, 'x')}}).status == 200);
  const auto refused = raw(served, "GET / HTTP/1.1\r\nHost: x\r\nX-Pad: " + std::string(9000, 'x') + "\r\n\r\n");
  CHECK(is_problem(refused, 431, "header_too_large"));
  CHECK_THAT(refused.body, contains(R"("limit":{"name":"header_bytes_max","value":8192})"));
  HttpClient pieces(served.port());
  pieces.send("GET / HTTP/1.1\r\nHost: x\r\n");
  for (int i = 0; i < 100; ++i) {
    pieces.send("X-Pad-" + std::to_string(i) + ": " + std::string(80, 'x') + "\r\n");
    std::this_thread::sleep_for(1ms);  // so that the pieces arrive as such
  }
  CHECK(is_problem(pieces.receive().value(), 431, "header_too_large"));
  CHECK(is_problem(raw(served, "GET /" + std::string(9000, 'x')), 431, "header_too_large"));
}

TEST_CASE("requests that can be read in two ways are refused", "[e2e][http]") {
  Served served(echo());
  const auto bad =
      GENERATE(as<std::string>{}, "GET / HTTP/1.1\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
               "GET / HTTP/1.0\r\nHost: a\r\n\r\n", "GET / HTTP/2.0\r\nHost: a\r\n\r\n",
               "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\nabc",
               "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabc",
               "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3, 3\r\n\r\nabc",
               "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +3\r\n\r\nabc",
               "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\nabc",
               "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999999\r\n\r\nabc",
               "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
               "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n",
               "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
               "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
               "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
               "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
               "GET / HTTP/1.1\r\nHost : a\r\n\r\n", "GET / HTTP/1.1\nHost: a\n\n", "\x16\x03\x01 hello\r\n\r\n",
               "GET  / HTTP/1.1\r\nHost: a\r\n\r\n", "POST / HTTP/1.1\r\nHost: a\r\nExpect: tea\r\n\r\n");
  CAPTURE(bad);
  const auto answer = raw(served, bad);
  CHECK(is_problem(answer, 400, "bad_header"));
  CHECK(served.requests() == 0);
}

TEST_CASE("path and query are decoded strictly and bad ones get 400 and are not echoed", "[e2e][http]") {
  Served served([](Request& request, Reply reply) {
    std::string text = request.path;
    for (const auto& [name, value] : request.query) text += "|" + name + "=" + value;
    reply.send({200, "text/plain", std::move(text), {}, "r"});
  });
  HttpClient client(served.port());
  CHECK(client.request("GET", "/a%20b/%C3%A4?x=1&y=%2B+%26&z").body == "/a b/\xC3\xA4|x=1|y=+ &|z=");
  CHECK(client.request("GET", "http://example.org/p?q=1").body == "/p|q=1");
  CHECK(client.request("OPTIONS", "*").body == "*");
  for (const std::string bad : {"/%", "/%4", "/%zz", "/%00", "/%0d%0a", "/%ff", "/a%2Fb", "/?a=%zz", "/?a=1&a=2",
                                "/?a=%00", "/?%c0%80=1", "*", "a", "/?canary%=1"}) {
    CAPTURE(bad);
    const auto answer = client.request("GET", bad);
    CHECK(is_problem(answer, 400, "bad_value"));
    CHECK(answer.body.find("canary") == std::string::npos);
  }
}

TEST_CASE("a valid request id is echoed, any other replaced by one of our own", "[e2e][http]") {
  Served served([](Request& request, Reply reply) {
    reply.send({reply.request_id() == request.request_id ? 200 : 500, "text/plain", request.request_id, {}, "r"});
  });
  HttpClient client(served.port());
  const auto echoed = client.request("GET", "/", {{"siegel-request-id", "My_id-0123"}});
  CHECK(echoed.status == 200);
  CHECK(echoed.body == "My_id-0123");
  CHECK(echoed.header("siegel-request-id") == "My_id-0123");
  std::string before;
  for (const auto& bad : {std::string("short"), std::string(65, 'x'), std::string("with space 123"), std::string("")}) {
    const auto answer = client.request("GET", "/", {{"Siegel-Request-Id", bad}});
    CHECK(answer.body == answer.header("siegel-request-id"));
    CHECK(answer.body.size() == 22);
    CHECK(answer.body != before);
    before = answer.body;
  }
}

TEST_CASE("HEAD is GET without the body, and the connection goes on", "[e2e][http]") {
  Served served([](Request& request, Reply reply) {
    reply.send({request.method == Method::get ? 200 : 500, "text/plain", "four", {{"ETag", "\"1\""}}, "r"});
  });
  HttpClient client(served.port());
  const auto head = client.request("HEAD", "/");
  CHECK(head.status == 200);
  CHECK(head.header("content-length") == "4");
  CHECK(head.header("etag") == "\"1\"");
  CHECK(client.request("GET", "/").body == "four");
}

TEST_CASE("Expect: 100-continue is told before the body, a refusal instead of it", "[e2e][http]") {
  ServerOptions options;
  options.body_bytes_max = 10;
  Served served(echo(), options);
  HttpClient client(served.port());
  client.send("POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n");
  CHECK(client.receive().value().status == 100);
  client.send("abc");
  CHECK(client.receive().value().body == "abc");
  client.send("POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 11\r\n\r\n");
  CHECK(client.receive().value().status == 413);
}

TEST_CASE("slow and idle clients lose their place", "[e2e][http]") {
  ServerOptions options;
  options.header_timeout = 300ms;
  options.idle_timeout = 300ms;
  options.body_timeout = 300ms;
  Served served(echo(), options);
  HttpClient idle(served.port());
  CHECK(idle.at_end());
  HttpClient slow(served.port());
  slow.send("GET / HTTP/1.1\r\nHo");
  CHECK(is_problem(slow.receive().value(), 408, "request_timeout"));
  CHECK(slow.at_end());
  HttpClient stuck(served.port());
  stuck.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc");
  CHECK(is_problem(stuck.receive().value(), 408, "request_timeout"));
  CHECK(served.requests() == 0);
}

TEST_CASE("answers come from any thread, in batches too", "[e2e][http]") {
  ServerOptions options;
  options.io_threads = GENERATE(1u, 3u);
  struct Waiting {
    std::vector<Reply> replies;
    bool over = false;
  };
  Guarded<Waiting> waiting;
  Served served(
      [&](Request&, Reply reply) {
        waiting.with([&](Waiting& w) { w.replies.push_back(std::move(reply)); });
        waiting.notify_one();
      },
      options);
  std::thread writer([&] {
    for (bool over = false; !over;) {
      std::vector<Reply> group;
      waiting.when([](const Waiting& w) { return w.over || !w.replies.empty(); },
                   [&](Waiting& w) { group.swap(w.replies), over = w.over; });
      const ReplyBatch batch;
      for (const auto& reply : group) reply.send({201, "text/plain", std::string(reply.request_id()), {}, "r"});
    }
  });
  std::vector<std::thread> clients;
  std::atomic<int> right{0};
  for (int c = 0; c < 8; ++c)
    clients.emplace_back([&, c] {
      HttpClient client(served.port());
      for (int i = 0; i < 100; ++i) {
        const auto id = "client-" + std::to_string(c) + "-" + std::to_string(i);
        right += client.request("POST", "/", {{"Siegel-Request-Id", id}}, "x").body == id;
      }
    });
  for (auto& client : clients) client.join();
  waiting.with([](Waiting& w) { w.over = true; });
  waiting.notify_one();
  writer.join();
  CHECK(right == 800);
}

TEST_CASE("a dropped reply, an exception and a split answer become 500 internal", "[e2e][http]") {
  Served served([](Request& request, Reply reply) {
    if (request.path == "/throw") throw std::runtime_error("canary");
    if (request.path == "/split") return reply.send({200, "text/plain", "", {{"X", "a\r\nSet-Cookie: b"}}, "r"});
    if (request.path == "/thread") return std::thread([reply = std::move(reply)] {}).join();
  });
  HttpClient client(served.port());
  for (const auto* path : {"/drop", "/throw", "/split", "/thread"}) {
    const auto answer = client.request("GET", path);
    CHECK(is_problem(answer, 500, "internal"));
    CHECK(answer.body.find("canary") == std::string::npos);
  }
}

TEST_CASE("a reply may outlive its client and the server", "[e2e][http]") {
  Guarded<std::vector<Reply>> kept;
  {
    ServerOptions options;
    options.drain = 200ms;
    Served served([&](Request&, Reply reply) { kept.with([&](auto& k) { k.push_back(std::move(reply)); }); }, options);
    HttpClient first(served.port());
    first.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    served.wait_for_requests(1);
    first.close();
    HttpClient second(served.port());
    second.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    served.wait_for_requests(2);
    kept.with([](auto& k) { k.front().send({200, "text/plain", "late", {}, "r"}); });
  }
  kept.with([](auto& k) { k.back().send({200, "text/plain", "later", {}, "r"}), k.clear(); });
}

TEST_CASE("over the limit of connections the answer is 503 with Retry-After", "[e2e][http]") {
  ServerOptions options;
  options.connections_max = 2;
  Served served(echo(), options);
  HttpClient first(served.port());
  HttpClient second(served.port());
  CHECK(first.request("GET", "/").status == 200);
  CHECK(second.request("GET", "/").status == 200);
  {
    HttpClient third(served.port());
    const auto answer = third.request("GET", "/");
    CHECK(is_problem(answer, 503, "overloaded"));
    CHECK(answer.header("retry-after") == "1");
    CHECK_THAT(answer.body, contains(R"("limit":{"name":"connections_max","value":2})"));
  }
  CHECK(first.request("GET", "/").status == 200);
  first.close();
  while (served.server().connections() > 1) std::this_thread::yield();
  HttpClient fourth(served.port());
  CHECK(fourth.request("GET", "/").status == 200);
}

TEST_CASE("stop lets a request in flight finish, closes idle connections and takes no more", "[e2e][http]") {
  Guarded<std::optional<Reply>> held;
  Served served([&](Request&, Reply reply) { held.with([&](auto& h) { h = std::move(reply); }); });
  HttpClient idle(served.port());
  HttpClient busy(served.port());
  busy.send("GET /1 HTTP/1.1\r\nHost: x\r\n\r\nGET /2 HTTP/1.1\r\nHost: x\r\n\r\n");
  served.wait_for_requests(1);
  std::thread stopping([&] { served.server().stop(); });
  CHECK(idle.at_end());
  CHECK_THROWS(HttpClient(served.port()).request("GET", "/"));
  held.with([](auto& h) { h->send({200, "text/plain", "done", {}, "r"}), h.reset(); });
  const auto answer = busy.receive();
  REQUIRE(answer);
  CHECK(answer->body == "done");
  CHECK(answer->header("connection") == "close");
  CHECK(busy.at_end());
  busy.close();
  stopping.join();
  CHECK(served.requests() == 1);
}

TEST_CASE("stop waits no longer than drain", "[e2e][http]") {
  ServerOptions options;
  options.drain = 300ms;
  Guarded<std::optional<Reply>> held;
  Served served([&](Request&, Reply reply) { held.with([&](auto& h) { h = std::move(reply); }); }, options);
  HttpClient client(served.port());
  client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  served.wait_for_requests(1);
  const auto began = std::chrono::steady_clock::now();
  served.server().stop();
  const auto took = std::chrono::steady_clock::now() - began;
  CHECK(took >= 300ms);
  CHECK(took < 1300ms);
  CHECK_FALSE(client.receive());
}

TEST_CASE("each finished request is told with route, status and time", "[e2e][http]") {
  Guarded<std::vector<std::string>> told;
  ServerOptions options;
  options.on_finished = [&](const Finished& f) {
    const bool sane = f.seconds >= 0 && f.seconds < 20 && f.request_id.size() == 22;
    told.with([&](auto& t) {
      t.push_back(std::string(name_of(f.method)) + " " + std::string(f.route) + " " + std::to_string(f.status) +
                  (sane ? "" : " ?"));
    });
    told.notify_all();
  };
  Served served([](Request&, Reply reply) { reply.send({201, "text/plain", "", {}, "/v1/things/{id}"}); }, options);
  HttpClient client(served.port());
  client.request("PUT", "/v1/things/1", {}, "x");
  client.request("GET", "/%");
  told.when([](const auto& t) { return t.size() == 2; },
            [](const auto& t) {
              CHECK(t == std::vector<std::string>{"PUT /v1/things/{id} 201", "GET  400"});
            });
}

TEST_CASE("where to listen is checked before anything is served", "[e2e][http]") {
  FunctionHandler handler(echo(), {});
  const auto code_for = [&](const std::string& listen) {
    ServerOptions options;
    options.listen = listen;
    const auto checked = Server::check(options);
    const auto server = Server::start(options, handler);
    const std::string code = server ? "served" : server.error().code();
    CHECK((checked ? "served" : checked.error().code()) == code);
    return code;
  };
  CHECK(code_for("0.0.0.0:0") == "tls_required");
  CHECK(code_for("192.0.2.1:0") == "tls_required");
  CHECK(code_for("[::]:0") == "tls_required");
  CHECK(code_for("localhost:0") == "served");
  for (const auto* bad : {"", "127.0.0.1", "127.0.0.1:", "127.0.0.1:70000", "127.0.0.1:8x", "example.org:80", "::1:80"})
    CHECK(code_for(bad) == "listen_invalid");
  Served served(echo());
  CHECK(code_for("127.0.0.1:" + std::to_string(served.port())) == "port_in_use");
  CHECK(served.server().url() == "http://127.0.0.1:" + std::to_string(served.port()));
}

TEST_CASE("TLS serves what plain does, and refuses a key that does not fit", "[e2e][http]") {
  TempDir dir;
  const auto path = [&](const char* name) { return (dir.path() / name).string(); };
  for (const std::string name : {"a", "b"}) {
    const auto make =
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost"
        " -addext subjectAltName=IP:127.0.0.1 -keyout " +
        path((name + ".key").c_str()) + " -out " + path((name + ".pem").c_str()) + " 2>/dev/null";
    REQUIRE(std::system(make.c_str()) == 0);
  }
  ServerOptions options;
  options.listen = "0.0.0.0:0";
  options.tls_cert = path("a.pem");
  options.tls_key = path("a.key");
  options.body_bytes_max = 4 << 20;
  options.header_timeout = 500ms;
  Served served(
      [](Request& request, Reply reply) {
        reply.send({request.is_tls ? 200 : 500, "text/plain", std::move(request.body), {}, "r"});
      },
      options);
  const auto curl = [&](const std::string& rest) {
    const auto out = path("out");
    const auto command = "curl -sS --max-time 20 --cacert " + path("a.pem") + " -o " + out + " -w '%{http_code}' " +
                         rest + " https://127.0.0.1:" + std::to_string(served.port()) + "/ > " + path("status") +
                         " 2>/dev/null";
    const bool done = std::system(command.c_str()) == 0;
    return done ? std::pair(read_file(path("status")), read_file(out))
                : std::pair(std::string("failed"), std::string());
  };
  write_file(path("body"), std::string(3 << 20, 't'));
  CHECK(curl("--data-binary @" + path("body")) == std::pair(std::string("200"), std::string(3 << 20, 't')));
  write_file(path("large"), std::string((4 << 20) + 1, 't'));
  CHECK(curl("--data-binary @" + path("large") + " -H Expect:").first == "413");
  CHECK(curl("--tls-max 1.1").first == "failed");
  HttpClient plain(served.port());  // speaks no TLS: gets nothing
  plain.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  CHECK_FALSE(plain.receive());
  HttpClient silent(served.port());  // never says hello
  CHECK(silent.at_end());

  options.tls_key = path("b.key");
  CHECK(Server::start(options, served.handler()).error().is("tls_invalid"));
  options.tls_key = path("none");
  CHECK(Server::start(options, served.handler()).error().is("tls_invalid"));
  options.tls_key.clear();
  CHECK(Server::start(options, served.handler()).error().is("tls_invalid"));
}
