// Private to policies/detect: days of the week that stand for the day of an event ("on Tuesday", "hasta el viernes",
// "am Montag", "Friday at 9"), which 45 CFR 164.514(b)(2)(i)(C) counts among the elements of dates, told from names
// ("Tuesday Weld", "Black Friday", "the Sunday Times") and from what recurs ("every Monday"). English, Spanish, German
// and French. Thread-safety: free functions.
#pragma once

#include <cstddef>

#include "policies/detect/reading.h"

namespace mlops::detect {

// Does the token at `i` say on which day something happens? Days in a row ("Monday and Tuesday", "Mon-Fri 9 to 5") do.
bool is_day_of_event(const Reading& reading, std::size_t i);

}  // namespace mlops::detect
