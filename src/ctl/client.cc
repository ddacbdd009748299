#include "ctl/client.h"

#include <curl/curl.h>

#include <algorithm>
#include <optional>
#include <string_view>

#include "sheet/cells.h"

namespace siegel::ctl {
namespace {

constexpr long kConnectMsMax = 10'000;
constexpr long kStallSecondsMax = 120;  // a server that sends nothing for so long is away
constexpr std::size_t kAnswerBytesMax = 512 * 1024 * 1024;

struct EndList {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using List = std::unique_ptr<curl_slist, EndList>;

struct EndHandle {
  void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
};

bool add(List& list, const std::string& line) {
  curl_slist* longer = curl_slist_append(list.get(), line.c_str());
  if (longer == nullptr) return false;
  list.release();
  list.reset(longer);
  return true;
}

// The body of one answer on its way.
struct Body {
  CURL* handle;
  std::string& text;
  const Sink* sink;
  std::optional<Error> failed{};  // of the sink

  [[nodiscard]] bool goes_to_sink() const {
    long status = 0;
    curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &status);
    return sink != nullptr && status >= 200 && status < 300;
  }
};

std::size_t take_body(char* data, std::size_t size, std::size_t count, void* to) {
  auto& body = *static_cast<Body*>(to);
  const std::string_view piece(data, size * count);
  if (body.goes_to_sink()) {
    auto taken = body.sink->take(piece);
    if (!taken) body.failed = std::move(taken).error();
    return taken ? piece.size() : 0;
  }
  if (body.text.size() + piece.size() > kAnswerBytesMax) return 0;
  body.text.append(piece);
  return piece.size();
}

// Other than 0 ends the request.
int look_around(void* to, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  const auto& body = *static_cast<const Body*>(to);
  return body.sink->is_stopped && body.sink->is_stopped() ? 1 : 0;
}

std::size_t take_header(char* data, std::size_t size, std::size_t count, void* to) {
  auto& headers = *static_cast<std::map<std::string, std::string>*>(to);
  std::string_view line(data, size * count);
  while (line.ends_with('\n') || line.ends_with('\r')) line.remove_suffix(1);
  if (line.starts_with("HTTP/")) headers.clear();  // those of an interim answer
  if (const auto colon = line.find(':'); colon != std::string_view::npos) {
    std::string name(line.substr(0, colon));
    std::transform(name.begin(), name.end(), name.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
    headers[name] = sheet::trimmed(line.substr(colon + 1));
  }
  return size * count;
}

bool is_loopback(std::string_view server) {
  const auto host =
      server.substr(std::min(server.size(), server.find("://") == std::string_view::npos ? 0 : server.find("://") + 3));
  return host.starts_with("127.") || host.starts_with("localhost") || host.starts_with("[::1]");
}

// Why there was no answer; nothing of the address, which stands beside it.
const char* cause_of(CURLcode code) {
  switch (code) {
    case CURLE_COULDNT_CONNECT:
      return "nobody answers at this address";
    case CURLE_COULDNT_RESOLVE_HOST:
      return "the name of the host is not known";
    case CURLE_OPERATION_TIMEDOUT:
      return "no answer in time";
    case CURLE_SSL_CONNECT_ERROR:
      return "no secure connection";
    default:
      return "the connection broke off";
  }
}

bool has_line_break(std::string_view text) { return text.find_first_of("\r\n") != std::string_view::npos; }

}  // namespace

struct Client::Impl {
  std::unique_ptr<CURL, EndHandle> handle{curl_easy_init()};
  std::string server;
  std::string cacert;
  std::string token_file;            // that gave no token
  std::vector<std::string> headers;  // of every request
};

Client::Client(const Global& global) : impl_(std::make_unique<Impl>()) {
  impl_->server = global.server;
  impl_->cacert = global.cacert;
  while (impl_->server.ends_with('/')) impl_->server.pop_back();
  if (global.token.starts_with('@')) impl_->token_file = global.token.substr(1);
  if (!global.token.empty()) impl_->headers.push_back("Authorization: Bearer " + global.token);
  if (!global.purpose.empty()) impl_->headers.push_back("Siegel-Purpose: " + global.purpose);
}

Client::~Client() = default;
Client::Client(Client&&) noexcept = default;
Client& Client::operator=(Client&&) noexcept = default;

Result<Answer> Client::send(const Request& request, const Sink* sink) {
  CURL* handle = impl_->handle.get();
  const Error away(Errc::unavailable, "server_away", "The server cannot be reached.");
  if (!impl_->token_file.empty())
    return Error(Errc::invalid, "no_token", "The file of the token cannot be read, or is empty.")
        .with("file", impl_->token_file);
  if (handle == nullptr) return away;
  curl_easy_reset(handle);  // options only; the connection stays
  List headers;
  bool listed = add(headers, "Expect:");
  const std::vector<std::string>* const all[] = {&impl_->headers, &request.headers};
  for (const auto* lines : all)
    for (const auto& line : *lines) {
      if (has_line_break(line))
        return Error(Errc::invalid, "bad_header", "A token, purpose or version holds a line break.");
      listed = listed && add(headers, line);
    }
  const bool typed = std::any_of(request.headers.begin(), request.headers.end(),
                                 [](const auto& line) { return line.starts_with("Content-Type:"); });
  if (!request.body.empty() && !typed) listed = listed && add(headers, "Content-Type: application/json");
  if (!listed) return away;
  Answer answer;
  Body body{handle, answer.body, sink};
  const std::string url = impl_->server + request.path;
  curl_easy_setopt(handle, CURLOPT_URL, url.c_str());
  curl_easy_setopt(handle, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(handle, CURLOPT_FOLLOWLOCATION, 0L);  // the token goes to this server only
  curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(handle, CURLOPT_TCP_NODELAY, 1L);
  curl_easy_setopt(handle, CURLOPT_CONNECTTIMEOUT_MS, kConnectMsMax);
  curl_easy_setopt(handle, CURLOPT_LOW_SPEED_LIMIT, 1L);
  curl_easy_setopt(handle, CURLOPT_LOW_SPEED_TIME, kStallSecondsMax);
  if (!impl_->cacert.empty()) curl_easy_setopt(handle, CURLOPT_CAINFO, impl_->cacert.c_str());
  if (is_loopback(impl_->server)) curl_easy_setopt(handle, CURLOPT_PROXY, "");
  curl_easy_setopt(handle, CURLOPT_HTTPHEADER, headers.get());
  curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, take_body);
  curl_easy_setopt(handle, CURLOPT_WRITEDATA, &body);
  if (sink != nullptr) {
    curl_easy_setopt(handle, CURLOPT_XFERINFOFUNCTION, look_around);
    curl_easy_setopt(handle, CURLOPT_XFERINFODATA, &body);
    curl_easy_setopt(handle, CURLOPT_NOPROGRESS, 0L);
  }
  curl_easy_setopt(handle, CURLOPT_HEADERFUNCTION, take_header);
  curl_easy_setopt(handle, CURLOPT_HEADERDATA, &answer.headers);
  if (request.method != "GET" && request.method != "DELETE") {
    curl_easy_setopt(handle, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
    curl_easy_setopt(handle, CURLOPT_POSTFIELDS, request.body.c_str());
  }
  curl_easy_setopt(handle, CURLOPT_CUSTOMREQUEST, request.method.c_str());
  const CURLcode code = curl_easy_perform(handle);
  if (body.failed) return std::move(*body.failed);
  if (code == CURLE_ABORTED_BY_CALLBACK)
    return Error(Errc::unavailable, "interrupted", "The export was stopped; what came is not all.");
  if (code != CURLE_OK && body.goes_to_sink())
    return Error(Errc::unavailable, "answer_cut", "The answer broke off before its end; what came is not all.");
  if (code == CURLE_URL_MALFORMAT || code == CURLE_UNSUPPORTED_PROTOCOL)
    return Error(Errc::invalid, "bad_server", "--server is an address like http://127.0.0.1:8480.");
  if (code == CURLE_SSL_CACERT_BADFILE && !impl_->cacert.empty())
    return Error(Errc::invalid, "bad_cacert", "--cacert is no file of certificates (PEM).").with("file", impl_->cacert);
  if (code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_SSL_CACERT_BADFILE)
    return Error(Errc::unavailable, "server_not_trusted",
                 "The server's certificate is not trusted; --cacert names the authority that signed it.")
        .with("server", impl_->server);
  if (code != CURLE_OK) return Error(away).with("server", impl_->server).with("cause", cause_of(code));
  curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &answer.status);
  return answer;
}

std::string Answer::header(const std::string& name) const {
  const auto it = headers.find(name);
  return it == headers.end() ? std::string() : it->second;
}

std::string segment(std::string_view text) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       std::string_view("-_.~").find(c) != std::string_view::npos;
    if (plain) {
      out += c;
    } else {
      out += {'%', kHex[byte >> 4], kHex[byte & 15]};
    }
  }
  return out;
}

}  // namespace siegel::ctl
