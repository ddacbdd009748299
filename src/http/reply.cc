#include "http/reply.h"

#include "http/problem.h"

namespace siegel::http {

void Reply::fail(const Error& error, std::string_view route) const {
  auto response = problem_response(error, request_id(), language());
  response.route = route;
  send(std::move(response));
}

std::string sse_event(std::string_view id, std::string_view event, std::string_view data) {
  std::string out;
  out.reserve(id.size() + event.size() + data.size() + 32);
  if (!id.empty()) ((out += "id: ") += id) += '\n';
  if (!event.empty()) ((out += "event: ") += event) += '\n';
  for (std::size_t from = 0;;) {
    const auto end = data.find('\n', from);
    ((out += "data: ") += data.substr(from, end == data.npos ? data.npos : end - from)) += '\n';
    if (end == data.npos) break;
    from = end + 1;
  }
  return out += '\n';
}

}  // namespace siegel::http
