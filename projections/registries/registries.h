// Purposes, deletion classes and tokens as they are now; bodies sealed under the ledger's registry leaf.
#pragma once

#include "views/projection.h"

namespace siegel::views {

class RegistryRows final : public Projection {
 public:
  [[nodiscard]] std::string_view name() const override { return "registries"; }
  [[nodiscard]] std::span<const Rows> rows() const override;
  Status fold(Recorded& event, RowAccess& rows) override;
  Result<Bytes> logical(Rows rows, ByteView key, ByteView value, RowAccess& access) override;
};

}  // namespace siegel::views
