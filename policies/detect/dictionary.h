// Private to policies/detect: what a word, or a phrase of up to five words, is known as: a first name, a surname, a
// place, a drug, an everyday word …, with grades from frequencies. Built from public lists by
// tools/build_dictionaries.py; docs/dictionaries.md names them and their licences.
//
// words.bin, little-endian: 504 bytes of text · u32 bucket_bits · u32 entries · u32 offsets[2^bucket_bits + 1] · u32 0
// · u16 rests[entries] · u32 payloads[entries]. A word's 64-bit hash gives its bucket (the highest bits) and a rest
// (the next 16), so about one in 11,000 unknown words is taken for a known one. No word can be read out of it. The file
// is mapped with the program: nothing is built at start-up, a look-up takes no memory. Thread-safety: free functions
// over constant data.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace mlops::detect {

enum WordBit : unsigned {
  kFirstName = 1,
  kSurname = 2,
  kOrdinaryWord = 4,  // written small in English or Spanish; with a name bit: not enough alone ("Will", "May")
  kNoName = 8,        // begins sentences and headings, titles, parts of places and institutions
  kParticle = 16,     // de, van, bin …
  kTitle = 32,        // Mr, Dr, Sra …: a name follows
  kLabel = 64,        // Patient, Name, Paciente …: a name follows when a colon does
  kSuffix = 128,      // MD, PhD, Jr …: a name went before
  kEponym = 256,      // a name of diseases, signs, scales or instruments: Parkinson, Foley
  kDrug = 512,
  kMonth = 1024,  // months and days of the week, also short
  kCity = 2048,
  kRegion = 4096,  // states, provinces, counties ("cook county")
  kCountry = 8192,
  kNationality = 16384,
  kPlaceStart = 32768,  // a longer place may begin with it: "new", "san"
};
inline constexpr unsigned kPlace = kCity | kRegion | kCountry;

// The longest place, in words.
inline constexpr std::size_t kMostPlaceWords = 5;

struct Word {
  std::uint32_t payload = 0;

  bool known() const { return payload != 0; }
  unsigned bits() const { return payload & 0xFFFF; }
  bool has(unsigned bit) const { return (payload & bit) != 0; }
  // log2 of how much likelier a random name is this word than a random word of a text is; -16 … 15, 0: unknown.
  int name_odds() const { return known() ? static_cast<int>(payload >> 16 & 31) - 16 : 0; }
  // The largest city of this name: 0 none or < 1,000 people, 1 ≥ 1,000, 2 ≥ 5,000, 3 ≥ 20,000, 4 ≥ 50,000,
  // 5 ≥ 100,000, 6 ≥ 300,000, 7 ≥ 1,000,000.
  unsigned city_grade() const { return payload >> 21 & 7; }
  // How common the ordinary word is: 0 rare or none, 4 ≥ 20 in a million words ("reading" is 5), 7 ≥ 2,000 ("of").
  unsigned frequency_grade() const { return payload >> 24 & 7; }
};

// `lower`: lower-case, without accents and apostrophes; the words of a phrase separated by one blank.
Word look_up(std::string_view lower);

// The longest place that begins with words[0]: how many words it has (0: none) and what it is.
struct PlaceMatch {
  std::size_t words = 0;
  Word word;
};
PlaceMatch longest_place(std::span<const std::string_view> words);

}  // namespace mlops::detect
