// Private to policies/detect: what the id scanner looks things up in: shapes by their first run, keywords by their
// first word, column names by row. Built once from the rows. Thread-safety: immutable after the first use; a Window
// belongs to one thread.
#pragma once

#include <array>
#include <bitset>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "policies/detect/id_rows.h"
#include "policies/detect/scan.h"

namespace mlops::detect {

inline constexpr std::size_t kMostIdRows = 64;
inline constexpr std::size_t kLongestRun = 36;  // of letters and digits at the beginning of a shape
using RowSet = std::bitset<kMostIdRows>;

struct Shape {
  static constexpr unsigned kDigits = 1;
  static constexpr unsigned kLetters = 2;

  std::string_view pattern;
  std::size_t row = 0;
  // Of its first run and what follows, so that most shapes are passed over without a look.
  unsigned needs = 0;
  unsigned allows = kDigits | kLetters;
  char next = '\0';  // '_': blank, dash or dot; '\0': anything
  Structure structure = Structure::kBareDigits;
  bool separated = false;  // has blanks, dashes or the like inside
};

struct Keyword {
  std::vector<std::string> words;  // lower case, folded
  std::size_t letters = 0;
  std::size_t row = 0;
};

// Words by a hash of their lower-case bytes: most words of a text meet an empty slot.
inline constexpr std::size_t kWordSlots = 4096;
struct WordHash {
  std::uint32_t value = 2166136261u;
  void add(char c) { value = (value ^ static_cast<unsigned char>(to_lower(c))) * 16777619u; }
  std::size_t slot() const { return (value ^ (value >> 15)) % kWordSlots; }
};

struct IdIndex {
  std::vector<const IdRow*> rows;
  std::vector<std::vector<HeaderRule>> headers;            // by row
  std::array<std::vector<Shape>, kLongestRun + 1> by_run;  // [0]: runs without a fixed length
  std::array<std::vector<Keyword>, kWordSlots> keywords;   // by first word
  std::vector<std::size_t> led;                            // rows that have no shape
  std::bitset<kWordSlots> may_govern;                      // last words of keywords of led rows, and fillers
};
const IdIndex& id_index();

// Parts of a list between bars.
std::vector<std::string_view> alternatives(std::string_view list);
// A slot whose character belongs to the compact form.
inline bool is_slot(char c) {
  return c == '9' || c == 'A' || c == 'N';
}

// Rows with a keyword around a place.
struct Nearby {
  RowSet near;     // within kKeywordWindow characters
  RowSet leads;    // shortly before, no digit between
  RowSet governs;  // before, with nothing but words such as "number" or "is" between
};

// Keywords around the places of one text, asked for in rising order: each byte is looked at once.
class Window {
 public:
  explicit Window(std::string_view text) : text_(text) {}
  // Before `begin` and after `end`.
  Nearby look(std::size_t begin, std::size_t end);

 private:
  struct Hit {
    std::size_t begin = 0;
    std::size_t end = 0;
    std::size_t row = 0;
    bool abbreviation = false;
  };
  void read(std::size_t from, std::size_t to);
  std::size_t end_of(const Keyword& keyword, std::size_t at) const;
  bool governs(const Hit& hit, std::size_t begin) const;

  std::string_view text_;
  std::size_t read_ = 0;  // words that begin before this are in hits_
  std::vector<Hit> hits_;
};

}  // namespace mlops::detect
