// Assertions that stay on in release: for programmer errors, never for input. A ledger in doubt stops.
#pragma once

namespace siegel {

// Writes the literal and the place to stderr and aborts. No value is printed: it could be personal.
[[noreturn]] void assertion_failed(const char* what, const char* file, int line) noexcept;

}  // namespace siegel

#define SIEGEL_ASSERT(condition) \
  (static_cast<bool>(condition) ? void(0) : ::siegel::assertion_failed(#condition, __FILE__, __LINE__))
