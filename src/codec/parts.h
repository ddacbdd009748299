// Parts: envelope, hashes, and the record of one event's parts. Format: docs/formats/parts.md. Pure; any thread.
#pragma once

#include <span>

#include "base/error.h"
#include "model/event.h"

namespace siegel::codec {

using EnvelopeBytes = ByteArray<kEnvelopeBytes>;
EnvelopeBytes encode(const Envelope& envelope);
Result<Envelope> decode_envelope(ByteView bytes);  // Errc::corrupt "envelope_damaged": length, format, zero fields

Hash inner_hash(ByteView ciphertext);                              // SHA-256(0x03 | ciphertext): made by workers
Hash part_hash(const EnvelopeBytes& envelope, const Hash& inner);  // SHA-256(0x02 | envelope | inner): 97 bytes
Hash parts_digest(std::span<const Hash> parts);                    // RFC 6962 tree hash over the part hashes

// Associated data of a part's AEAD: "siegel/part/1" | key tree id | event id | part number u16 | class u32 | schema
// u16.
struct PartContext {
  KeyTreeId tree;
  EventId event;
  std::uint16_t part = 0;
  ClassNo cls;
  std::uint16_t schema = 1;
};
ByteArray<13 + 16 + 16 + 2 + 4 + 2> associated_data(const PartContext& context);

// The parts of one event, as the payload row and Kafka's records hold them:
//   u16 number of parts | per part: u32 length and envelope + ciphertext, or u32 0 and the 32 bytes of the part hash
//   (removed)
void append_part(Bytes& record, const EnvelopeBytes& envelope, ByteView ciphertext);
void append_removed_part(Bytes& record, const Hash& hash);
// Views into `record`. Recomputes each part's hash from the bytes. Errc::corrupt "payload_damaged".
Result<std::vector<StoredPart>> decode_parts(ByteView record);
// Hash only what is there and compare with the header: Errc::corrupt "payload_mismatch".
Status check_parts(const Header& header, std::span<const StoredPart> parts);

}  // namespace siegel::codec
