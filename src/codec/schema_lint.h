// EV-05: what can never be removed holds nothing personal. Walks the compiled schema of Header by reflection.
#pragma once

#include "base/error.h"

namespace siegel::codec {

// Errc::corrupt "schema_personal_in_header" if Header reaches a field or struct marked $personal, any Text, or what can
// hold anything; the context names struct and field.
// Called once at start-up and by the tests.
Status lint_header_schema();
// The same over a schema given as text (tests feed it wrong ones); `imports` is the folder of schemas/.
// Errc::corrupt "schema_unreadable" if it does not parse or has no Header.
Status lint_header_schema(const char* schema_path, const char* imports);

}  // namespace siegel::codec
