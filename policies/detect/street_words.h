// Private to policies/detect: the words that make a row of words a street: before its name in Romance and Slavic
// countries ("Rue Vernet 87"), behind it in English ones ("Vernet Street"), at its end in Germanic ones ("Vernetstrasse").
// Thread-safety: free functions.
#pragma once

#include <string_view>

namespace mlops::detect {

enum StreetWord : unsigned {
  kStreetSuffix = 1,  // Hill, Park …
  kSureSuffix = 2,    // Street, Avenue …: also of words in small letters
  kStreetPrefix = 4,  // Rue, Via, Calle …
  kWeakPrefix = 8,    // also an everyday word or a letter: only before a name and a number
  kUnitWord = 16,     // Apt, Suite …
};

// `word` in any case, without accents; 0 for any other word.
unsigned street_word(std::string_view word);
// Grolmanstrasse, Holmevej, Storgatan, Schaarsteinweg.
bool ends_like_street(std::string_view word);

}  // namespace mlops::detect
