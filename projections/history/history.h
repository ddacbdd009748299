// Which events concern a record, and which a person: sequences and part numbers, nothing opened is kept.
// A record's first event stands in its head (projections/records).
#pragma once

#include "views/projection.h"

namespace siegel::views {

class History final : public Projection {
 public:
  [[nodiscard]] std::string_view name() const override { return "history"; }
  [[nodiscard]] std::span<const Rows> rows() const override;
  Status fold(Recorded& event, RowAccess& rows) override;
  Result<Bytes> logical(Rows rows, ByteView key, ByteView value, RowAccess& access) override;
};

}  // namespace siegel::views
