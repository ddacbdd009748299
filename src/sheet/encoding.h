// In what encoding a text is, and the same text in UTF-8, chunk by chunk. Found is: a byte order mark; UTF-16 without
// one by its zero bytes; UTF-8; else Windows-1252. A text that is UTF-8 but for some bytes, or that reads as an old DOS
// code page, is refused instead of being read as what it is not. ICU stays in encoding.cc.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/error.h"
#include "sheet/delimited.h"

namespace siegel::sheet {

enum class Encoding : std::uint8_t { utf8, utf16le, utf16be, windows1252 };
std::string_view name_of(Encoding encoding) noexcept;  // "utf-8", "utf-16le", "utf-16be", "windows-1252"

struct FoundEncoding {
  Encoding encoding = Encoding::utf8;
  std::size_t mark_bytes = 0;  // of the byte order mark
};

// bad_encoding: none of these, or `wanted` is no name of one. With `wanted` nothing is guessed.
Result<FoundEncoding> find_encoding(ByteView bytes, const std::optional<std::string>& wanted);

// The text behind the mark. The bytes outlive the source. more() refuses what the encoding does not have.
std::unique_ptr<TextSource> text_source(ByteView bytes, const FoundEncoding& found);

}  // namespace siegel::sheet
