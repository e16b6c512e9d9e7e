// The words of weekdays in environments. Private to core/model.
#pragma once

#include <array>
#include <string_view>

namespace mlops::model {

inline constexpr std::array<std::string_view, 7> kWeekdays{"mon", "tue", "wed", "thu", "fri", "sat", "sun"};

}  // namespace mlops::model
