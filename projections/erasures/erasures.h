// Erasures and their state, the requests that are open, and who and what is erased while the notice lives.
// The id of an erasure stands in its notices; where the header carries it too (job), its row outlives them.
#pragma once

#include "views/projection.h"

namespace siegel::views {

class Erasures final : public Projection {
 public:
  [[nodiscard]] std::string_view name() const override { return "erasures"; }
  [[nodiscard]] std::span<const Rows> rows() const override;
  // After all others: they ask whether a request was effective before this event.
  Status fold(Recorded& event, RowAccess& rows) override;
  Result<Bytes> logical(Rows rows, ByteView key, ByteView value, RowAccess& access) override;
};

}  // namespace siegel::views
