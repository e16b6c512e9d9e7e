// Measuring a dataset for its quality gates: every file is read once, a record at a time, however many measures there
// are. Counts are kept, and 64-bit hashes of the keys that must not repeat (at most kMostKeys of each measure); no
// value is.
//
// Tables, JSON and FHIR are read; other files (pictures, text) say nothing. Of JSON a column "age" is the member of
// that name, a pointer names any other. A record in which an array has several values counts once.
// Errors: those of the readers with the file's name before them; kInvalid "bad_pattern"; kExhausted "too_many_keys".
// Thread-safety: belongs to one thread.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/base/json.h"
#include "core/model/evidence.h"
#include "policies/data/stream.h"
#include "policies/engine/quality.h"

namespace mlops::policy {

inline constexpr std::size_t kMostKeys = std::size_t{1} << 24;

struct QualityProfile {
  std::uint64_t records = 0;
  std::uint64_t files = 0;                                  // that were read
  std::map<std::string, model::ProfileFact::Count> counts;  // by measure_key; a column nobody has is absent
  std::map<std::string, std::vector<std::string>> types;    // of the typed columns: every type that all values have
  std::int64_t columns = 0;                                 // different ones, in all
};
Json to_json(const QualityProfile& profile);
// Errors: kCorrupt "bad_profile".
Result<QualityProfile> profile_from_json(const Json& json);

class QualityProfiler {
 public:
  // `typed`: folded names of columns whose types are wanted; of others no name is kept.
  static Result<QualityProfiler> create(const std::vector<QualityMeasure>& measures,
                                        const std::vector<std::string>& typed = {});
  ~QualityProfiler();
  QualityProfiler(QualityProfiler&&) noexcept;
  QualityProfiler& operator=(QualityProfiler&&) noexcept;

  // False: the file is of no format that is measured, and was not read to its end.
  Result<bool> add(data::Source& source, const std::string& path);
  QualityProfile finish();  // REQUIRES: last call

 private:
  struct Work;
  explicit QualityProfiler(std::unique_ptr<Work> work);
  std::unique_ptr<Work> work_;
};

}  // namespace mlops::policy
