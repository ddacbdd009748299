// Records as they are now: a head in clear (numbers and ids) and one sealed section for each deletion class.
// A removal is one event whose parts stand in every class of the record: with the last of them erased, so is the
// removal. What an unfinished import wrote stands apart in both rows, and counts once the import does (views/rows.h).
#pragma once

#include "views/projection.h"

namespace siegel::views {

class Records final : public Projection {
 public:
  static constexpr std::string_view kName = "records";  // in row keys: never changes
  [[nodiscard]] std::string_view name() const override { return kName; }
  [[nodiscard]] std::span<const Rows> rows() const override;
  Status fold(Recorded& event, RowAccess& rows) override;
  Result<Bytes> logical(Rows rows, ByteView key, ByteView value, RowAccess& access) override;
};

}  // namespace siegel::views
