// Private to policies/detect: the grammar of postal addresses in running text, over one line or several.
//
//   address  = street [unit] tail | unit tail | box tail | corner
//   street   = number [number] words [number]      "12 Elm Street", "56 ul. Karpacka 69", "81 1991 Dikbas Road"
//            | words number                        "Grolmanstrasse 25", "Via Giberti 75"
//            | words suffix                        "Union Street"
//   corner   = "the corner of" street "and" street
//   unit     = "Apt" | "Suite" …  number
//   box      = "P.O. Box" number | "PSC" number "Box" number | "Unit" number "Box" number | ship
//   tail     = up to six of: place, state, postcode, country, each behind a blank, a comma or a line end
// What is there adds up; a house number with capitalised words alone is no address. Scores: 0.35 a street without
// anything else, 0.5 and more with two kinds of evidence. Linear in the text. Thread-safety: free function.
#pragma once

#include <vector>

#include "policies/detect/detector.h"
#include "policies/detect/reading.h"

namespace mlops::detect {

void find_addresses(const Reading& reading, std::vector<Span>& out);

}  // namespace mlops::detect
