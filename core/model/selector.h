// Choosing environments and the waves in which they change.
//
//   selector = term *( "," term )
//   term     = glob over names ("prod/*": one segment; "prod/**": any number) / "label:" key "=" glob over the value
//   waves    = a list of sizes, each cumulative: "1" environments, "50%" of all
// Errors: kInvalid "bad_selector", "bad_waves". Thread-safety: pure functions.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/model/environment.h"

namespace mlops::model {

// Whether the text chooses, rather than names one environment.
bool is_selector(std::string_view text);
// Matches in promotion order: an environment stands behind everything it comes after, names decide the rest.
Result<std::vector<Environment>> select_environments(const std::vector<Environment>& all, std::string_view selector);

// Environments in promotion order; what `after` names beyond them is not looked at.
std::vector<Environment> in_promotion_order(std::vector<Environment> environments);

// Where each wave ends, e.g. {1, 5, 10} of 10; the last end is always `count`. An empty list: one wave.
Result<std::vector<std::size_t>> wave_ends(const std::vector<std::string>& sizes, std::size_t count);

}  // namespace mlops::model
