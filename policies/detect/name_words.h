// Private to policies/detect: a modest dictionary of words that are names in the United States, and of words that are
// not although they are written with a capital. Thread-safety: free function.
#pragma once

#include <string_view>

namespace mlops::detect {

enum NameWord : unsigned {
  kFirstName = 1,
  kSurname = 2,
  kOrdinaryWord = 4,  // also a common word ("Will", "May", "Young"): not enough alone
  kNoName = 8,        // begins sentences, titles, places, months
  kParticle = 16,     // de, van, bin …
  kTitle = 32,        // Mr, Dr …: a name follows
  kLabel = 64,        // Patient, Name …: a name follows when a colon does
};

// The bits of a lower-case word without accents; 0 for an unknown one.
unsigned name_word(std::string_view lower);

}  // namespace mlops::detect
