// A masking run over texts in memory. Thread-safety: free functions.
#pragma once

#include <string>

#include "policies/data/records.h"
#include "policies/engine/mask_dataset.h"

namespace mlops::policy {

inline Result<FilePlan> plan_text(const Policy& policy, const std::string& text, const std::string& path = "t.csv",
                                  const data::CsvOptions& csv = {}) {
  data::StringSource source(text);
  MLOPS_ASSIGN(const auto reader, data::open_records(source, {.path = path, .csv = csv}));
  DatasetPlanner planner(policy);
  MLOPS_ASSIGN(auto plan, planner.plan(path.substr(0, path.find('.')), *reader));
  MLOPS_TRY(planner.finish());
  return plan;
}

inline Result<MaskEvidence> mask_text(const Policy& policy, const FilePlan& plan, const std::string& text,
                                      std::string& out, const mask::RunSecrets& secrets, const std::string& dataset,
                                      const std::string& path = "t.csv", const data::CsvOptions& csv = {}) {
  data::StringSource source(text);
  data::StringSink sink;
  MLOPS_ASSIGN(const auto reader, data::open_records(source, {.path = path, .csv = csv}));
  auto evidence = mask_file(policy, plan, *reader, sink, secrets, dataset);
  out = sink.text;
  return evidence;
}

}  // namespace mlops::policy
