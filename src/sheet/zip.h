// The parts of a zip in memory. What is unpacked is counted while it is inflated, whatever the zip says of itself: over
// all parts, each counted once even if it is read twice. A part is good only if its size and checksum are what the
// directory says. minizip stays in zip.cc.
// Errors: Errc::invalid damaged_file, encrypted_file, too_large (sheet_unpacked_bytes_max).
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/error.h"

namespace siegel::sheet {

class Zip {
 public:
  // The bytes outlive the zip.
  static Result<std::unique_ptr<Zip>> open(ByteView bytes, std::uint64_t unpacked_bytes_max);
  virtual ~Zip() = default;

  // Names as in the directory, without regard to case, "\" as "/".
  [[nodiscard]] virtual bool has(std::string_view name) const = 0;
  virtual Status select(std::string_view name) = 0;              // read() gives this part from its beginning
  virtual Result<std::size_t> read(std::span<char> buffer) = 0;  // 0: its end, and it was good
  Result<std::string> read_small(std::string_view name, std::size_t bytes_max);  // what is longer is cut off

 protected:
  Zip() = default;
};

}  // namespace siegel::sheet
