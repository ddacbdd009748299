#include "projector/event.h"

#include "base/assert.h"
#include "codec/bodies_codec.h"
#include "codec/header_codec.h"
#include "codec/parts.h"

namespace siegel::projector {

Result<Event> Event::decode(Seq seq, ByteView header, ByteView parts, Keys& keys) {
  Event event(keys);
  SIEGEL_TRY(decoded, codec::decode_header(header));
  event.header_ = std::move(decoded);
  if (event.header_.seq != seq)
    return Error(Errc::corrupt, "header_damaged", "An event stands in another place than its header says.");
  SIEGEL_TRY(stored, codec::decode_parts(parts));
  event.parts_ = std::move(stored);
  SIEGEL_CHECK(codec::check_parts(event.header_, event.parts_));
  return event;
}

Status Event::prepare() {
  const auto type = header_.type;
  if (type != EventType::record_added && type != EventType::record_changed && type != EventType::record_removed)
    return Done{};
  const auto count = static_cast<std::uint16_t>(parts_.size());  // at most kPartsMax
  for (std::uint16_t i = 1; i < count; ++i)
    if (!parts_[i].removed && !parts_[i].ciphertext.empty()) SIEGEL_CHECK(record(i));
  return Done{};
}

Result<const views::OpenedPart*> Event::open(std::uint16_t part) {
  SIEGEL_ASSERT(part > 0 && part < parts_.size());  // part 0 is the actor's
  if (opened_.empty()) opened_.resize(parts_.size());
  auto& opened = opened_[part];
  if (!opened.part) {
    SIEGEL_TRY(clear, keys_->open(header_, part, parts_[part]));
    opened.part = std::move(clear);
  }
  return &*opened.part;
}

Result<const RecordBody*> Event::record(std::uint16_t part) {
  if (opened_.empty() || !opened_[part].decoded) {
    SIEGEL_TRY(clear, open(part));
    auto& opened = opened_[part];
    if (const auto* bytes = std::get_if<SecretBytes>(clear)) {
      SIEGEL_TRY(body, codec::decode_record(bytes->view(), header_.schema));
      opened.record = std::move(body);
    }
    opened.decoded = true;
  }
  const auto& body = opened_[part].record;
  return body ? &*body : nullptr;
}

}  // namespace siegel::projector
