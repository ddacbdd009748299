// multipart/form-data (RFC 7578), for files with options beside them. Pure; the views point into the body.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace siegel::http {

struct FormPart {
  std::string name;
  std::string content_type;  // lower case, without parameters; empty: none given
  std::string_view content;
};

// The boundary that a Content-Type names; none: it is no multipart/form-data.
std::optional<std::string> boundary_of(std::string_view content_type);
// bad_value where the parts do not stand as the format says; at most 16 parts.
Result<std::vector<FormPart>> parse_multipart(std::string_view body, std::string_view boundary);

}  // namespace siegel::http
