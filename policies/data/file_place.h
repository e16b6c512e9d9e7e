// Files by name: how policies call a file's table, and where in which file an error is. Thread-safety: free functions.
#pragma once

#include <string>
#include <string_view>

#include "core/base/error.h"

namespace mlops::data {

// "patients" of "raw/patients.csv".
std::string table_name(std::string_view path);
// "raw/patients.csv:3:1: …" from "3:1: …", "raw/patients.csv: …" from an error without a position.
Error at_file(Error error, std::string_view path);

}  // namespace mlops::data
