#include "codec/schema_lint.h"

#include <schemas/header.capnp.h>

#include "codec/schema_walk.h"

namespace siegel::codec {

Status lint_header_schema() {
  return guarded([]() -> Status { return lint(capnp::Schema::from<schema::Header>()); }, schema_unreadable);
}

}  // namespace siegel::codec
