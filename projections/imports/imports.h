// Imports: their state, times and counts, from headers alone. What an import wrote is shown or not by its row here, so
// that finishing is one row whatever the size (views/rows.h, settle()).
#pragma once

#include "views/projection.h"

namespace siegel::views {

class Imports final : public Projection {
 public:
  [[nodiscard]] std::string_view name() const override { return "imports"; }
  [[nodiscard]] std::span<const Rows> rows() const override;
  Status fold(Recorded& event, RowAccess& rows) override;
  Result<Bytes> logical(Rows rows, ByteView key, ByteView value, RowAccess& access) override;
};

}  // namespace siegel::views
