// Private to policies/detect: identifiers that no shape of their own gives away, found from what stands around them:
// labels of forms ("NHC: 4960926", "Apellidos: …", "Geburtsdatum: …"), and the phrases of Spanish clinical prose
// ("varón de 37 años", "Dr. …", "C/ Mayor, 12. 28041 Madrid (España)").
//
// A clue is a span with the field it fills; Family::find and TextScanner give each family the clues of its field, so
// that "person_name" finds a labelled name as well. One pass over a Reading for all fields. Sex, age, kinship,
// profession, country, organization and bare years are quasi-identifiers: their families are optional_detectors().
// Thread-safety: free functions; the memory of the last text is per thread. Linear in the text.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "policies/detect/detector.h"
#include "policies/detect/reading.h"

namespace mlops::detect {

enum class Field : std::uint8_t {
  kName,
  kStreet,
  kCity,
  kPostcode,
  kPhone,
  kDate,
  kMrn,
  kAccount,
  kPlan,
  kLicence,
  kYear,
  kAge,
  kSex,
  kKinship,
  kProfession,
  kCountry,
  kOrganization,
};

struct Clue {
  Field field = Field::kName;
  Span span;
};
using Clues = std::vector<Clue>;

// The field whose clues a detector takes as its own findings; nullopt: none.
std::optional<Field> field_of(std::string_view detector_id);

// Appends every clue of the text; they may overlap.
void find_clues(const Reading& reading, Clues& out);
// The same of a folded text, remembered per thread: each family of a cell asks. The answer lives until the next call.
const Clues& clues_of(std::string_view folded);

// The parts, each appending to `out`. Later ones look at what earlier ones found.
void find_labelled_fields(const Reading& reading, Clues& out);  // labelled_field.cc
void find_spanish_persons(const Reading& reading, Clues& out);  // spanish_persons.cc: age, sex, kin, work, dates
void find_spanish_places(const Reading& reading, Clues& out);   // spanish_places.cc: hospitals, addresses, phones

// The name that begins at token `first`: one behind its last token; `first` when none does. `most`: tokens at most.
std::size_t name_run_end(const Reading& reading, std::size_t first, std::size_t most);

// A word that ends a name in a letterhead: a hospital, a street, a department, "Email".
bool ends_name(std::string_view word);

// The first token at or behind a position.
std::size_t token_at(const Reading& reading, std::size_t position);

// A word written small without accents, for comparing with tables; empty when longer than any word of them.
class LowerWord {
 public:
  explicit LowerWord(std::string_view word);
  std::string_view text() const { return {letters_, size_}; }

 private:
  static constexpr std::size_t kLongest = 24;
  char letters_[kLongest];
  std::size_t size_ = 0;
};

// By the first two letters, which lengths the words of a table have: nearly all words of a text are in no table and end
// here.
class WordGate {
 public:
  constexpr void add(std::string_view word) { lengths_[index_of(word)] |= 1u << word.size(); }
  bool may_be(std::string_view word) const {
    return word.size() < 32 && (lengths_[index_of(word)] >> word.size() & 1) != 0;
  }

 private:
  static constexpr std::size_t index_of(std::string_view word) {
    const auto low = [](char c) { return static_cast<std::size_t>(c) & 31; };
    return low(word[0]) * 32 + (word.size() > 1 ? low(word[1]) : 0);
  }
  std::array<std::uint32_t, 32 * 32> lengths_{};
};

}  // namespace mlops::detect
