// What a check of files found, in the forms other tools read: SARIF 2.1.0 for code review, JUnit XML for CI.
//
// Sources: OASIS SARIF 2.1.0; the JUnit XML that Surefire writes and CI systems read. Thread-safety: pure functions.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/base/json.h"

namespace mlops::cli {

struct ReportFinding {
  std::string file;
  int line = 0;    // from 1; 0: the file as a whole
  int column = 0;  // from 1, in code points; 0: the line as a whole
  bool is_error = true;
  std::string rule;  // "unknown_key"
  std::string message;
};

// One test or one checked file; it failed when there are problems.
struct ReportCase {
  std::string name;
  std::string file;
  int line = 0;
  std::vector<std::string> problems;
};

Json sarif_report(const std::vector<ReportFinding>& findings);
// `suite`: "mlopsctl policy lint".
std::string junit_report(std::string_view suite, const std::vector<ReportCase>& cases);

}  // namespace mlops::cli
