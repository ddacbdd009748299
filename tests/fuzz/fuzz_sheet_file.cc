// A whole file, whatever it is.
#include "fuzz/fuzz_sheet.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  siegel::test::check_table({data, size}, siegel::test::small_limits());
  return 0;
}
