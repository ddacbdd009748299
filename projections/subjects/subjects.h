// Owners of leaves (people, tokens, record types, the ledger) with slots and counts, from envelopes alone; and the
// external references of people, sealed; and who was merged into whom.
#pragma once

#include "views/projection.h"

namespace siegel::views {

class Subjects final : public Projection {
 public:
  static constexpr std::string_view kLinks = "subject_links";  // in row keys: never changes
  [[nodiscard]] std::string_view name() const override { return "subjects"; }
  [[nodiscard]] std::span<const Rows> rows() const override;
  Status fold(Recorded& event, RowAccess& rows) override;
  Result<Bytes> logical(Rows rows, ByteView key, ByteView value, RowAccess& access) override;
};

}  // namespace siegel::views
