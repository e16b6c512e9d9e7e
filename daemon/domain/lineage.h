// Lineage: what a version was made from and what was made from it, through masking runs, code and deployments.
//
// Errors: those of meta; kExhausted "lineage_too_large" beyond kNodeLimit nodes. Thread-safety: thread-safe.
#pragma once

#include <string>
#include <vector>

#include "core/model/facts.h"
#include "core/model/views.h"
#include "storage/meta/lineage.h"
#include "storage/meta/store.h"

namespace mlops::domain {

struct LineageQuestion {
  std::string ref;
  meta::Direction direction = meta::Direction::kUp;
  std::size_t depth = 64;  // versions away from the root
  TimestampUs as_of_us = 0;
};

class Lineage {
 public:
  explicit Lineage(meta::Store& store) : store_(store) {}
  Result<model::LineageView> walk(const LineageQuestion& question);

 private:
  meta::Store& store_;
};

// The shortest path from a version up to the nearest source whose own label is the version's effective label; empty
// when the label is none. Masking edges do not carry labels.
Result<std::vector<model::TaintStep>> taint_path(sql::Connection& connection, const model::Version& version);

}  // namespace mlops::domain
