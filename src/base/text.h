// Text checks that every door needs.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace siegel {

bool is_utf8(std::string_view text) noexcept;  // well-formed (RFC 3629), NUL allowed
bool is_name(std::string_view text) noexcept;  // ^[a-z][a-z0-9-]{0,62}$: types, purposes, classes, fields
std::optional<std::uint64_t> parse_u64(std::string_view text) noexcept;  // decimal, no sign, no leading zero, fits

}  // namespace siegel
