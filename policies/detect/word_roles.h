// Private to policies/detect: what a word does in a sentence or an address, where dictionary.h says what it is.
//
// Thread-safety: free functions.
#pragma once

#include <cstdint>
#include <string_view>

namespace mlops::detect {

namespace role {

inline constexpr std::uint32_t kStreetSuffix = 1u << 0;  // Hill, Park …: behind a street's name
inline constexpr std::uint32_t kSureSuffix = 1u << 1;    // Street, Avenue …: also of words in small letters
inline constexpr std::uint32_t kStreetPrefix = 1u << 2;  // Rue, Via, Calle …
inline constexpr std::uint32_t kWeakPrefix =
    1u << 3;                                     // also an everyday word or a letter: only before a name and a number
inline constexpr std::uint32_t kUnit = 1u << 4;  // Apt, Suite …
inline constexpr std::uint32_t kWeakUnit = 1u << 5;         // … that are more than parts of addresses
inline constexpr std::uint32_t kIntroduces = 1u << 6;       // a name follows: "said Ann", "Dear Ann", "I'm Ann"
inline constexpr std::uint32_t kBeforeIs = 1u << 7;         // … after "is": "my name is"
inline constexpr std::uint32_t kSpeaks = 1u << 8;           // a name went before: "Ann said"
inline constexpr std::uint32_t kInPlace = 1u << 9;          // no name of a person follows, as a rule
inline constexpr std::uint32_t kDirection = 1u << 10;       // … as often as not
inline constexpr std::uint32_t kPlaceFollows = 1u << 11;    // a place follows, as a rule
inline constexpr std::uint32_t kPlaceMayFollow = 1u << 12;  // … as often as not
inline constexpr std::uint32_t kTown = 1u << 13;            // "the city Perugia", "born in Leeds"
inline constexpr std::uint32_t kFirm = 1u << 14;            // ends the name of an organisation
inline constexpr std::uint32_t kNotPeople = 1u
                                            << 15;  // makes the words before it an organisation, a street or a disease
inline constexpr std::uint32_t kOrganisation = 1u << 16;  // makes a place before it an organisation
inline constexpr std::uint32_t kNever =
    1u << 17;  // an abbreviation that is somebody's name somewhere, or an empty field of an export
inline constexpr std::uint32_t kEmptyField = 1u << 18;    // what an export writes where there is nothing
inline constexpr std::uint32_t kShip = 1u << 19;          // of the United States navy and coast guard
inline constexpr std::uint32_t kBox = 1u << 20;           // a box or a ship may begin
inline constexpr std::uint32_t kCorner = 1u << 21;        // a street corner may begin
inline constexpr std::uint32_t kConjunction = 1u << 22;   // joins the last two of a row
inline constexpr std::uint32_t kYearFollows = 1u << 23;   // "in 1999", "since 1999"
inline constexpr std::uint32_t kCountryForm = 1u << 24;   // "People's Republic of", "the"
inline constexpr std::uint32_t kSpelledAge = 1u << 25;    // begins an age in words
inline constexpr std::uint32_t kStreetEnding = 1u << 26;  // Grolmanstrasse, Holmevej, Storgatan
inline constexpr std::uint32_t kSpanish = 1u << 27;       // no word of an English text, and in every Spanish one

}  // namespace role

// The roles of `word` in small letters, without accents; 0 for a word without one.
std::uint32_t roles_of(std::string_view lower);

}  // namespace mlops::detect
