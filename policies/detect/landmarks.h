// Private to policies/detect: where in a long text a family may find anything, so that it need not read the rest.
//
// One pass notes number clusters (digits with at most three other bytes between), signs (@, "dot") and inner
// punctuation (a.b, a:b, AB-CD-). windows() widens those a family needs by more than a keyword can be away and on to
// the next blank, and unites what overlaps; a family finds in the windows what it finds in the whole text. Linear in
// the text. Thread-safety: a value, belongs to one thread.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "policies/detect/family.h"
#include "policies/detect/scan.h"

namespace mlops::detect {

class Landmarks {
 public:
  // REQUIRES: `text` outlives the use of windows(); shorter than 4 GiB.
  void read(std::string_view text);
  // In order, disjoint. A family that needs letters or nothing gets the whole text.
  void windows(Needs needs, unsigned min_digits, std::vector<Range>& out) const;

 private:
  struct Cluster {
    std::uint32_t begin;
    std::uint32_t end;
    std::uint32_t digits;
  };
  void add(std::size_t begin, std::size_t end, std::size_t margin, std::vector<Range>& out) const;

  std::string_view text_;
  std::vector<Cluster> numbers_;
  std::vector<std::uint32_t> signs_;
  std::vector<std::uint32_t> punctuation_;
};

}  // namespace mlops::detect
