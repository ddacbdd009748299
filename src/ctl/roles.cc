#include "ctl/roles.h"

#include <algorithm>
#include <string_view>

namespace siegel::ctl {
namespace {

struct Roles {
  std::string_view methods;     // of which the request's is one
  std::string_view begin, end;  // of the path, without its query
  const char* roles;
};

// The first that fits.
constexpr Roles kRoles[] = {
    {"GET POST DELETE", "/v1/tokens", "", "admin"},
    {"PUT", "/v1/purposes/", "", "admin, privacy_officer"},
    {"PUT", "/v1/deletion-classes/", "", "admin, privacy_officer"},
    {"PUT", "/v1/record-types/", "", "admin, editor"},
    {"GET", "/v1/record-types/", "/records", "editor, privacy_officer, sender"},
    {"POST", "/v1/record-types/", "/search", "editor, privacy_officer, sender"},
    {"POST", "/v1/record-types/", "/records", "editor"},
    {"GET", "/v1/records/", "/history", "editor, privacy_officer"},
    {"GET", "/v1/records/", "", "editor, privacy_officer, sender"},
    {"PATCH DELETE", "/v1/records/", "", "editor"},
    {"GET POST", "/v1/subjects/", "", "editor, privacy_officer"},
    {"POST", "/v1/exports", "", "editor, privacy_officer"},
    {"GET", "/v1/erasures", "/certificate", "privacy_officer, admin, auditor"},
    {"GET POST", "/v1/erasures", "", "privacy_officer, admin"},
    {"GET", "/v1/imports/", "/rejects", "editor"},
    {"GET DELETE", "/v1/imports", "", "editor, privacy_officer"},
    {"POST", "/v1/imports", "", "editor"},
    {"GET", "/v1/log/proofs/", "", "auditor, privacy_officer"},
};

}  // namespace

std::string roles_for(const Request& request) {
  const auto path = std::string_view(request.path).substr(0, request.path.find('?'));
  const auto fits = [&](const Roles& row) {
    return row.methods.find(request.method) != std::string_view::npos && path.starts_with(row.begin) &&
           path.ends_with(row.end);
  };
  const auto* const at = std::find_if(std::begin(kRoles), std::end(kRoles), fits);
  return at == std::end(kRoles) ? std::string() : at->roles;
}

}  // namespace siegel::ctl
