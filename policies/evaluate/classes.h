// The classes that findings and labels are compared in.
//
// Corpora draw their borders differently: one labels a whole address, another its street, town and postcode apart. What
// stands in one row here is one class: location takes in street, town, country and postcode, date a birth date, phone a
// fax, record_id every number that a registry issued. Thread-safety: free functions.
#pragma once

#include <string_view>

namespace mlops::evaluate {

// "" for a type that no detector is meant to find (a job title, an organisation's name, a sex).
std::string_view class_of_label(std::string_view type);
// The detector's own id when the table does not name it.
std::string_view class_of_detector(std::string_view id);

}  // namespace mlops::evaluate
