// Works on the parts of a file with as many threads as the machine has processors, and hands the results over in the
// file's order. Private to policies/engine.
//
// One thread reads and hands over, workers do the rest; a handful of parts is in memory at a time. The error of the
// earliest part is the run's error, whatever the others do. A file of one part costs no thread.
#pragma once

#include <cstddef>
#include <functional>
#include <string>

#include "policies/data/record.h"

namespace mlops::policy {

struct PartWork {
  // What becomes of a part; called for one part at a time a worker. `worker`: 0 … part_workers() - 1.
  std::function<Result<std::string>(std::size_t worker, const data::RecordPart& part, data::RecordReader& reader)> run;
  // Takes the results in the order of the parts, on the caller's thread.
  std::function<Status(std::string&& result)> take;
};

std::size_t part_workers();

// Errors: those of the parts, of `work`; kUnavailable "no_thread" when none can be started.
Status run_parts(data::RecordParts& parts, const PartWork& work);

}  // namespace mlops::policy
