// Masking a table while it is read for its plan: by the plan that its declarations alone make, which the plan decided
// from all of it mostly comes to. Then one pass is enough.
//
// An early mask is a guess: its output may be published only when conclude() says so. Whatever stands in the way (a key
// that cannot be had, a broken row, a file that cannot be cut, a full disk) is told by nullopt alone; the two passes of
// mask_dataset.h then tell it as they always do. Thread-safety: belongs to one thread. Ownership: the policy outlives
// the object, as the keys do; reader and sink are borrowed for the call.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "policies/engine/mask_dataset.h"

namespace mlops::policy {

class EarlyMask {
 public:
  // What mask_file() is told besides the plan. `published`: as in FilePlan.
  struct Run {
    std::string table;
    std::string published;
    const mask::RunSecrets& secrets;
    std::string context;
  };

  // Reads all of a fresh reader and writes the masked file to `out`. nullopt: it cannot be done in one pass.
  static std::optional<EarlyMask> try_run(const Policy& policy, const Run& run, data::RecordReader& reader,
                                          data::Sink& out);

  EarlyMask(EarlyMask&&) noexcept;
  EarlyMask& operator=(EarlyMask&&) noexcept;
  ~EarlyMask();

  // By which it was masked, and what DatasetPlanner::plan() decides from.
  const FilePlan& assumed() const;
  const FileColumns& columns() const;
  // What mask_file() says of the file by this plan. nullopt: the plan is another one, and what was written must be
  // thrown away. REQUIRES: `plan` was decided from columns(); once.
  std::optional<Result<MaskEvidence>> conclude(const FilePlan& plan);

 private:
  struct State;
  explicit EarlyMask(std::unique_ptr<State> state);

  std::unique_ptr<State> state_;
};

}  // namespace mlops::policy
