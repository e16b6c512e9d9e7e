// Measures what gates ask about datasets by reading their bytes: quality, and what train and test data have in common.
// Runs outside of the writer. People are compared by the keyed fingerprints that erasure keeps of declared columns;
// what leaves is counts. Errors: those of the store. Thread-safety: thread-safe.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "core/base/json.h"
#include "core/model/manifest.h"
#include "daemon/domain/evidence_asks.h"
#include "storage/cas/content_store.h"
#include "storage/meta/store.h"

namespace mlops::domain {

struct MeasurerOptions {
  std::string index_dir;                        // of subject fingerprints, shared with erasure
  std::uint64_t plan_bytes_max = 256ull << 20;  // of one dataset, while a plan waits for it
};

// By id of the measurement.
struct Measurements {
  std::map<std::string, Json> results;
  std::map<std::string, std::string> kinds;        // of the results: quality, independence
  std::map<std::string, std::string> version_ids;  // of the results: whose bytes
  std::map<std::string, std::string> failed;       // why there is no result
};

enum class Reach { kPlan, kEverything };  // kPlan: datasets above plan_bytes_max are left out

class Measurer {
 public:
  Measurer(meta::Store& store, cas::ContentStore& content, crypto::SecretBytes key, MeasurerOptions options);

  // What of `asks` is not in `into` yet; a dataset that cannot be read is a failed measurement, not an error.
  Status measure(const EvidenceAsks& asks, Reach reach, Measurements& into) const;

 private:
  struct Side;
  Result<std::vector<model::FileEntry>> files_of(const std::string& version_id) const;
  Result<Json> measure_quality(const QualityAsk& ask) const;
  Result<Json> measure_independence(const IndependenceAsk& ask) const;
  Result<Side> read_side(const std::vector<AskedDataset>& datasets) const;
  Status add_subjects(const AskedDataset& dataset, const std::vector<model::FileEntry>& files, Side& side) const;
  // The file's fingerprints; nullopt: it has no such column, or is of no format with columns.
  Result<std::optional<std::vector<std::uint64_t>>> fingerprints(const model::FileEntry& file,
                                                                 const SubjectColumn& column) const;

  meta::Store& store_;
  cas::ContentStore& content_;
  const MeasurerOptions options_;
  const SubjectIndex index_;
};

}  // namespace mlops::domain
