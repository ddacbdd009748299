// A file taken in as a whole (contract, "sheets"): looked at, taken over in one visible step, and taken back.
#pragma once

#include <string>

#include "ctl/output_file.h"
#include "ctl/session.h"

namespace siegel::ctl {

struct SheetWords {
  std::string file, type, create, cls, sheet, match, bad_rows, rejects;
  bool preview = false, yes = false, force = false, ignore_unknown = false;
};

int import_sheet(const Session& session, const SheetWords& words, OutputFile& rejects);
int list_imports(const Session& session);
int undo_import(const Session& session, const std::string& id);

}  // namespace siegel::ctl
