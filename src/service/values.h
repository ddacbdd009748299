// Values as a door or an import got them, and as they are kept. Pure.
#pragma once

#include "model/definitions.h"
#include "service/service.h"

namespace siegel::service {

// In the canonical form of their fields, ascending; each field exists. invalid "bad_value" (pointer, reason).
Result<Values> canonical(const TypeDefinition& type, const std::vector<NamedValue>& named);
// all: also the fields that are not named must have a value. "bad_value" with reason "required".
Status check_required(const TypeDefinition& type, const Values& values, bool all);

// A field that `newer` names has its value from there.
void lay_over(Values& values, Values newer);

}  // namespace siegel::service
