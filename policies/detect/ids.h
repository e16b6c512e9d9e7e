// Private to policies/detect: the detectors of the id table's rows, one each, for the table of all detectors.
// Thread-safety: immutable; what was found in the last cell is remembered per thread.
#pragma once

#include <optional>
#include <vector>

#include "policies/detect/detector.h"

namespace mlops::detect {

// In the order of id_rows(). Asking many of them about one cell costs one pass over it.
const std::vector<const Detector*>& id_detectors();
// Which row a detector of id_detectors() is; absent for every other detector.
std::optional<std::size_t> row_of(const Detector& detector);

}  // namespace mlops::detect
