// A file that a command is going to write. It is opened before anything is sent, so that no erasure, no import and no
// traced read happens whose result then has no place. Guarantees: (1) a file that is there, or comes before the end, is
// not overwritten unless --force says so; (2) the file of the name is whole or as it was: what is written goes to a
// file beside it, the caller's alone, that takes the name at the end and goes if there is no end; if the name is taken
// by then, it stays, and the error tells where; (3) after write() or finish() the content and its name are on the disk.
// Errors: "no_output", "exists", "same_file".
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"

namespace siegel::ctl {

enum class Overwrite : bool { refuse, force };

class OutputFile {
 public:
  OutputFile() = default;  // standard output, as "" and "-"
  // `input`: a file that the command reads and that this one must not replace, even with --force; empty: none.
  static Result<OutputFile> open(const std::string& file, Overwrite overwrite, const std::string& input = "");
  ~OutputFile();
  OutputFile(OutputFile&& other) noexcept;
  OutputFile& operator=(OutputFile&& other) noexcept;

  Status write(const std::string& content);  // all of it, once
  // The same in pieces: the last of them, then finish(). Standard output has each piece at once.
  Status append(std::string_view piece);
  Status finish();

 private:
  void drop() noexcept;
  Status take_name();

  std::string file_;    // empty: standard output
  std::string beside_;  // what is written until it takes the name; empty: a device or pipe, written as it is
  int descriptor_ = -1;
  Overwrite overwrite_ = Overwrite::refuse;
};

}  // namespace siegel::ctl
