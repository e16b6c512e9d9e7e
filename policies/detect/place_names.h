// Private to policies/detect: towns, counties, states and countries in running text, by the gazetteer of dictionary.h,
// by a preposition before a word written like a name, and by what follows ("Leeds, UK").
//
// Scores: 0.2–0.25 countries, states, and towns whose name says nothing by itself ("Reading", "Jackson"): no identifier
// below 45 CFR 164.514(b)(2)(i)(B), or no more than a guess; from 0.35 on towns in context. Linear in the text.
// Thread-safety: free function.
#pragma once

#include <vector>

#include "policies/detect/detector.h"
#include "policies/detect/reading.h"

namespace mlops::detect {

void find_places(const Reading& reading, std::vector<Span>& out);

}  // namespace mlops::detect
