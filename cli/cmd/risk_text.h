// What `policy risk` says to people. Thread-safety: as Session.
#pragma once

#include "cli/cmd/run.h"

namespace mlops::cli {

// The report as -o json gives it, in lines; without "table" when only pseudonyms were judged.
void print_risk(Session& session, const Json& report);

}  // namespace mlops::cli
