// Catch2 v2 (Debian 12) and v3 (Debian 13) under one name.
#pragma once

#ifdef SIEGEL_CATCH2_V2
#include <catch2/catch.hpp>
namespace siegel::test {
inline auto contains(const std::string& text) { return Catch::Matchers::Contains(text); }
}  // namespace siegel::test
#else
#include <catch2/catch_all.hpp>
namespace siegel::test {
inline auto contains(const std::string& text) { return Catch::Matchers::ContainsSubstring(text); }
}  // namespace siegel::test
#endif
