// For whoever has nothing else to do than to wait for the read models.
#pragma once

#include <chrono>
#include <future>
#include <memory>

#include "views/views.h"

namespace siegel::views {

// Whether they show this size; waits for it on the caller's thread, at most for so long.
inline bool wait_until_shown(Views& views, TreeSize size, std::chrono::milliseconds most) {
  const auto shown = std::make_shared<std::promise<void>>();  // outlives this look: the waiter may come late
  views.when(size, most, [shown](bool) { shown->set_value(); });
  shown->get_future().wait_for(most);
  return views.position() >= size;
}

}  // namespace siegel::views
