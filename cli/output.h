// Forms of an answer: -o table|wide|json|yaml|name. Thread-safety: pure functions.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/paint.h"
#include "cli/session.h"
#include "core/base/json.h"

namespace mlops::cli {

enum class OutputFormat { kTable, kWide, kJson, kYaml, kName };

std::optional<OutputFormat> output_format_of(std::string_view word);

// Indented JSON, one value, with a final newline. Bytes that a terminal would act on are \u escapes.
std::string json_text(const Json& value);

// Lines of an aligned table without trailing blanks: headings, then a row per item. Cells may carry paint marks and are
// safe for a terminal afterwards. REQUIRES: rows is an array.
std::vector<std::string> table_lines(const Json& rows, const std::vector<Column>& columns, OutputFormat format,
                                     const Palette& palette, Colors colors);

}  // namespace mlops::cli
