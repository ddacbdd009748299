// Private to imports: what comparing, committing and undoing have in common.
#pragma once

#include <functional>
#include <future>
#include <memory>

#include "service/imports.h"

namespace siegel::service {

// Asks, and waits for the answer: for lanes, never for a thread that others wait for.
template <class T>
Result<T> wait_for(const std::function<void(Callback<T>)>& ask) {
  auto promise = std::make_shared<std::promise<Result<T>>>();
  auto future = promise->get_future();
  ask([promise](Result<T> outcome) { promise->set_value(std::move(outcome)); });
  return future.get();
}

inline constexpr std::size_t kExpiredKept = 1'000;
inline constexpr std::string_view kErased = "erased";  // code of a row
Error idempotency_conflict();
ImportFacts facts_of(const ImportCounts& counts);
Error closing();  // the server is being stopped
Error was_cancelled();
// Not the row's fault, and the next one would do no better.
bool is_fatal(const Error& error) noexcept;
// A command of an import. While the service is too busy for it, or the read models do not show what it needs, it is put
// in again, for a while: that is not the import's fault.
void submit_patiently(Impl& s, const std::function<std::shared_ptr<Task>(Callback<Written>)>& make,
                      const std::atomic<bool>& stopping, const Callback<Written>& done);

}  // namespace siegel::service
