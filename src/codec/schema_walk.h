// Private to codec: the walk over a header's schema, for the built-in one and for one given as text.
#pragma once

#include <capnp/schema.h>

#include "base/error.h"
#include "codec/canonical.h"

namespace siegel::codec {

Status lint(capnp::StructSchema header);

inline Error schema_unreadable() {
  return Error(Errc::corrupt, "schema_unreadable", "The header's schema cannot be read.");
}

}  // namespace siegel::codec
