#include "store/batch.h"

#include "base/assert.h"

namespace siegel {

void Batch::add(Op op, Family family, ByteView key, std::size_t value_bytes) {
  SIEGEL_ASSERT(key.size() <= UINT32_MAX && value_bytes <= UINT32_MAX);
  places_.push_back({.at = bytes_.size(),
                     .key_bytes = static_cast<std::uint32_t>(key.size()),
                     .value_bytes = static_cast<std::uint32_t>(value_bytes),
                     .family = family,
                     .op = op});
  siegel::append(bytes_, key);
}

std::size_t Batch::put(Family family, ByteView key, ByteView value) {
  add(Op::put, family, key, value.size());
  siegel::append(bytes_, value);
  return places_.size() - 1;
}

std::size_t Batch::put(Family family, ByteView key, std::span<const ByteView> value_parts) {
  std::size_t value_bytes = 0;
  for (const auto part : value_parts) value_bytes += part.size();
  add(Op::put, family, key, value_bytes);
  for (const auto part : value_parts) siegel::append(bytes_, part);
  return places_.size() - 1;
}

std::size_t Batch::erase(Family family, ByteView key) {
  add(Op::erase, family, key, 0);
  return places_.size() - 1;
}

MutableBytes Batch::put_space(Family family, ByteView key, std::size_t value_bytes) {
  add(Op::put, family, key, value_bytes);
  bytes_.resize(bytes_.size() + value_bytes);
  return MutableBytes(bytes_).last(value_bytes);
}

void Batch::append(const Batch& other) {
  const auto shift = bytes_.size();
  siegel::append(bytes_, other.bytes_);
  places_.reserve(places_.size() + other.places_.size());
  for (auto place : other.places_) {
    place.at += shift;
    places_.push_back(place);
  }
}

void Batch::clear() noexcept {
  bytes_.clear();
  places_.clear();
}

Batch Batch::copy() const {
  Batch out;
  out.bytes_ = bytes_;
  out.places_ = places_;
  return out;
}

Batch::Entry Batch::entry(std::size_t index) const noexcept {
  SIEGEL_ASSERT(index < places_.size());
  const auto& place = places_[index];
  const ByteView all(bytes_);
  return {.op = place.op,
          .family = place.family,
          .key = all.subspan(place.at, place.key_bytes),
          .value = all.subspan(place.at + place.key_bytes, place.value_bytes)};
}

}  // namespace siegel
