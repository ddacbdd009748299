// Bodies <-> canonical Cap'n Proto bytes (schemas/body.capnp), one segment without framing. Pure; any thread.
// Decoding bounds depth and size, refuses what is not canonical or damaged (Errc::corrupt "body_damaged"), and runs the
// upcaster where `schema` is older than the current version; a newer one is Errc::corrupt "body_schema_unknown".
// Encoding cannot fail: limits stand at the doors, far below what Cap'n Proto can hold.
#pragma once

#include "base/error.h"
#include "model/bodies.h"

namespace siegel::codec {

inline constexpr std::uint16_t kSchemaVersion = 1;  // of every family, until one of them moves on

inline constexpr std::size_t kBodyBytesMax = 16 * 1024 * 1024;  // refused above; far beyond every door's limit

Bytes encode(const ActorBody& body);
Bytes encode(const RecordBody& body);
Bytes encode(const SubjectBody& body);
Bytes encode(const RegistryBody& body);
Bytes encode(const ErasureNotice& body);
Bytes encode(const ExportBody& body);
Bytes encode(const LedgerBody& body);
Bytes encode(const IdempotencyBody& body);

Result<ActorBody> decode_actor(ByteView bytes, std::uint16_t schema);
Result<RecordBody> decode_record(ByteView bytes, std::uint16_t schema);
Result<SubjectBody> decode_subject(ByteView bytes, std::uint16_t schema);
Result<RegistryBody> decode_registry(ByteView bytes, std::uint16_t schema);
Result<ErasureNotice> decode_notice(ByteView bytes, std::uint16_t schema);
Result<ExportBody> decode_export(ByteView bytes, std::uint16_t schema);
Result<LedgerBody> decode_ledger(ByteView bytes, std::uint16_t schema);
Result<IdempotencyBody> decode_idempotency_body(ByteView bytes);

// Rows of read models reuse the record's encoding: sealed values of one class.
// A view's columns are made anew by a rebuild, so they carry no schema version.
Bytes encode_values(const Values& values);
Result<Values> decode_values(ByteView bytes);

}  // namespace siegel::codec
