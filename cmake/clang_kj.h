// Put before each file that clang reads (fuzz build, clang-tidy). In C++20 kj before 1.0 leaves "text" == StringPtr to
// the reversed operator, which clang does not take where a class has an operator!= as well (P2468); g++ 12 does.
#pragma once

#include <capnp/common.h>
#include <kj/string.h>

#if defined(__clang__) && CAPNP_VERSION < 1000000
namespace kj {
inline bool operator==(const char* a, const StringPtr& b) { return b == StringPtr(a); }
inline bool operator!=(const char* a, const StringPtr& b) { return !(b == StringPtr(a)); }
}  // namespace kj
#endif
