// The one interface between transport and meaning.
// Threads: both calls come on an I/O thread and must not block; with io_threads > 1 they come from several at once.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "base/error.h"
#include "http/message.h"
#include "http/reply.h"

namespace siegel::http {

// How large this request's body may be. The name stands in the 413 answer's `limit`.
struct BodyLimit {
  std::uint64_t bytes_max = 0;
  std::string_view name = "body_bytes_max";    // static text
  std::shared_ptr<const void> room = nullptr;  // what holds place for the body: the request keeps it
};

class Handler {
 public:
  virtual ~Handler() = default;
  // Before any of the body is read, and only if one is announced. normal is ServerOptions::body_bytes_max; return a
  // larger one for uploads, or an error to refuse at once (it is answered as a problem, and the connection closes).
  virtual Result<BodyLimit> admit(const Request& head, BodyLimit normal) {
    (void)head;
    return normal;
  }
  // A whole request. Exceptions that leave it are answered with 500 internal.
  virtual void handle(std::unique_ptr<Request> request, Reply reply) = 0;
};

}  // namespace siegel::http
