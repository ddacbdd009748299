// Private to codec: the frame of every body's codec, and what several bodies have in common. Each body has
//   write(const Body&, Builder)   sets pointers in the order of their places, which is the canonical order
//   read(Reader, Body&) -> bool   false: lengths, numbers or kinds that write would not give
// Empty texts and lists are null pointers, so that one value has one encoding.
#pragma once

#include <schemas/body.capnp.h>

#include <cstring>
#include <string>
#include <vector>

#include "base/error.h"
#include "codec/bodies_codec.h"
#include "codec/canonical.h"

namespace siegel::codec {

using TextList = capnp::List<capnp::Text>;

inline capnp::Text::Reader text_of(const std::string& text) { return {text.c_str(), text.size()}; }
inline std::string string_of(capnp::Text::Reader text) { return {text.begin(), text.size()}; }
inline unsigned count_of(std::size_t size) { return static_cast<unsigned>(size); }

template <std::size_t N>
[[nodiscard]] bool take(capnp::Data::Reader data, ByteArray<N>& to) {
  if (data.size() != N) return false;
  std::memcpy(to.data(), data.begin(), N);
  return true;
}

void write(const std::vector<std::string>& texts, TextList::Builder to);
std::vector<std::string> texts_of(TextList::Reader from);

void write(const ActorBody& body, schema::Actor::Builder to);
void write(const RecordBody& body, schema::RecordEvent::Builder to);
void write(const SubjectBody& body, schema::SubjectEvent::Builder to);
void write(const RegistryBody& body, schema::RegistryEvent::Builder to);
void write(const ErasureNotice& body, schema::ErasureNotice::Builder to);
void write(const ExportBody& body, schema::ExportEvent::Builder to);
void write(const LedgerBody& body, schema::LedgerEvent::Builder to);
void write(const IdempotencyBody& body, schema::IdempotencyEntry::Builder to);
void write(const Values& body, schema::RecordValues::Builder to);

[[nodiscard]] bool read(schema::Actor::Reader from, ActorBody& to);
[[nodiscard]] bool read(schema::RecordEvent::Reader from, RecordBody& to);
[[nodiscard]] bool read(schema::SubjectEvent::Reader from, SubjectBody& to);
[[nodiscard]] bool read(schema::RegistryEvent::Reader from, RegistryBody& to);
[[nodiscard]] bool read(schema::ErasureNotice::Reader from, ErasureNotice& to);
[[nodiscard]] bool read(schema::ExportEvent::Reader from, ExportBody& to);
[[nodiscard]] bool read(schema::LedgerEvent::Reader from, LedgerBody& to);
[[nodiscard]] bool read(schema::IdempotencyEntry::Reader from, IdempotencyBody& to);
[[nodiscard]] bool read(schema::RecordValues::Reader from, Values& to);

template <class Schema, class T>
Bytes encode_body(const T& body) {
  Draft draft;
  write(body, draft.root<Schema>());
  return to_bytes(draft.finish());
}

// What decodes is written again and compared, as with headers: damage that still parses does not get through.
template <class Schema, class T>
Result<T> decode_body(ByteView bytes) {
  const auto damaged = [] { return Error(Errc::corrupt, "body_damaged", "The content of a part is damaged."); };
  if (bytes.size() < 8 || bytes.size() % 8 != 0 || bytes.size() > kBodyBytesMax) return damaged();
  return guarded(
      [&]() -> Result<T> {
        Result<T> body{T{}};
        Opened opened(bytes);
        if (!read(opened.root<Schema>(), *body)) return damaged();
        Draft draft;
        write(*body, draft.root<Schema>());
        if (!equal(draft.finish(), bytes)) return damaged();
        return body;
      },
      damaged);
}

// The door for upcasters: each older version decodes by its own reader here, once there is one.
template <class Schema, class T>
Result<T> decode_body(ByteView bytes, std::uint16_t version) {
  if (version != kSchemaVersion) {
    return Error(Errc::corrupt, "body_schema_unknown",
                 "The content of a part has a schema that this version does not know.")
        .with("schema", version);
  }
  return decode_body<Schema, T>(bytes);
}

}  // namespace siegel::codec
