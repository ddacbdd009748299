// One value of everything that codec writes, each field distinct, and arbitrary ones from a seed. The examples are the
// values behind the fixtures in tests/golden: change none of them, add new ones.
#pragma once

#include "codec/bodies_codec.h"
#include "codec/parts.h"
#include "codec/rows.h"
#include "model/bodies.h"
#include "model/event.h"
#include "support/seeded_random.h"

namespace siegel::test {

Id16 example_id(std::uint8_t first);  // first, first + 1, …
Hash example_hash(std::uint8_t first);

Header example_header();
Envelope example_envelope();
Bytes example_parts();  // sealed, a trace, removed
Bytes example_row();    // of two events, with an idempotency entry
ActorBody example_actor();
RecordBody example_record();
RecordBody example_shared_record();  // with a share of a reason
SubjectBody example_subject();
ExportBody example_export();
PurposeDefinition example_purpose();
ClassDefinition example_class();
TypeDefinition example_type();
TokenCreated example_token();
ErasureNotice example_notice();
LedgerBody example_ledger();
IdempotencyBody example_idempotency();
Values example_values();

Header arbitrary_header(SeededRandom& random);
RecordBody arbitrary_record(SeededRandom& random);
RegistryBody arbitrary_registry(SeededRandom& random);
ErasureNotice arbitrary_notice(SeededRandom& random);
Bytes arbitrary_parts(SeededRandom& random);
Bytes arbitrary_row(SeededRandom& random);

}  // namespace siegel::test
