// Private to projector: one event on its way to the folds. prepare() does what needs no order (decoding, hashes, keys),
// so that another thread can be ahead of the fold with it.
#pragma once

#include <optional>
#include <vector>

#include "projector/keys.h"
#include "views/projection.h"

namespace siegel::projector {

class Event final : public views::Recorded {
 public:
  // The bytes must outlive the event. Errors: corrupt "header_damaged", "payload_damaged", "payload_mismatch".
  static Result<Event> decode(Seq seq, ByteView header, ByteView parts, Keys& keys);
  // Opens what the folds of this event will ask for.
  Status prepare();

  [[nodiscard]] const Header& header() const override { return header_; }
  [[nodiscard]] std::span<const StoredPart> parts() const override { return parts_; }
  Result<const views::OpenedPart*> open(std::uint16_t part) override;
  Result<const RecordBody*> record(std::uint16_t part) override;

 private:
  explicit Event(Keys& keys) : keys_(&keys) {}

  struct Opened {
    std::optional<views::OpenedPart> part;
    std::optional<RecordBody> record;
    bool decoded = false;
  };
  Keys* keys_;
  Header header_;
  std::vector<StoredPart> parts_;
  std::vector<Opened> opened_;
};

}  // namespace siegel::projector
