// A row's own identifiers, looked for in the row's other cells: the patient's name in her note, her record number in a
// column nobody thought of. Private to policies/engine. Thread-safety: belongs to one thread.
//
// Matching ignores ASCII case and stands on word boundaries. Names also match by their parts; numbers also match
// digit by digit with other separators in between.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "policies/engine/classes.h"

namespace mlops::policy {

class RowValues {
 public:
  void clear() { needles_.clear(); }
  // Adds what identifies in `cell` of a column of class `row`; `placeholder` is what is written in its place.
  void add(std::string_view cell, const ClassRow& row, std::string_view placeholder);
  bool empty() const { return needles_.empty(); }

  // `text` with every occurrence replaced by its placeholder.
  std::string cut_from(std::string_view text) const;
  // Does a value that spreads everywhere stand in the cell of a kept column?
  bool stand_in(std::string_view cell) const;

 private:
  struct Needle {
    std::string text;  // lower case; of digits only when `is_number`
    bool is_number = false;
    bool is_exact = false;  // two-letter names: only with their capital
    bool is_everywhere = false;
    std::string placeholder;
  };
  void add_needle(std::string_view text, std::string_view placeholder, bool everywhere);
  void add_name(std::string_view cell, std::string_view placeholder);
  void add_number(std::string_view cell, std::string_view placeholder, Spread spread);

  std::vector<Needle> needles_;
};

}  // namespace mlops::policy
