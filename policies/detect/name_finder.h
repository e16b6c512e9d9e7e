// Private to policies/detect: the grammar of names of people in running text.
//
// Words that could belong to a name stand in a row (capitals, initials, particles, also all small letters); what they
// are known as adds up to the evidence, and so does what stands around: a title, a label, "my name is", a verb of
// saying, a preposition of place. Scores: 0.2–0.25 a lone word of which nothing is known but that it is written like a
// name, or a title that goes with one; from 0.3 on known names; from 0.5 on first name and surname together, or a name
// after a title or label. Linear in the text. Thread-safety: free function.
#pragma once

#include <vector>

#include "policies/detect/detector.h"
#include "policies/detect/reading.h"

namespace mlops::detect {

// Appends the names of `reading`, and every repeat of a part of one ("Ms Roe" … "ROE's").
void find_names(const Reading& reading, std::vector<Span>& out);

}  // namespace mlops::detect
