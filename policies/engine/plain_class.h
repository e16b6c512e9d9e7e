// What a column is when no detector claims it: a key, a code, a measurement, a category, or text that may hold
// anything. Private to policies/engine. Thread-safety: pure functions.
#pragma once

#include <string>
#include <string_view>

#include "policies/data/column_stats.h"

namespace mlops::policy {

struct PlainClass {
  std::string class_name;
  double confidence = 0;
  std::string because;
};

// `column`: the name, or the path of a JSON or FHIR value. `has_findings`: detectors found something in a few of its
// cells, so whatever it is, it is not taken for clean.
PlainClass plain_class(std::string_view column, const data::ColumnStats& stats, bool has_findings);

}  // namespace mlops::policy
