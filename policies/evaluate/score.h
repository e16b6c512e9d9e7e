// How well findings meet labels: the counts behind every figure, and what is derived of them.
//
// Labels and findings of one class are united where they overlap or only blanks lie between (in class location also
// commas); where findings of several classes overlap, the most certain one counts. A label and a finding make one hit.
// IoU counts characters (code points): both, divided by either. Leakage counts the characters of labels, blanks apart,
// that no finding of any class covers: what masking would leave to be read. Thread-safety: plain values.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "policies/detect/text_scanner.h"
#include "policies/evaluate/corpus.h"

namespace mlops::evaluate {

struct Tally {
  std::uint64_t gold = 0;     // labelled spans
  std::uint64_t found = 0;    // findings of the class
  std::uint64_t strict = 0;   // same borders
  std::uint64_t iou90 = 0;    // IoU ≥ 0.9
  std::uint64_t iou50 = 0;    // IoU ≥ 0.5
  std::uint64_t covered = 0;  // labelled spans with ≥ 90 % of their characters under findings of any class
  std::uint64_t characters = 0;
  std::uint64_t leaked = 0;

  void add(const Tally& other);
  // 1 where there is nothing to be had: no label missed, no finding wrong.
  double recall(std::uint64_t hits) const;
  double precision(std::uint64_t hits) const;
  double f(double beta, std::uint64_t hits) const;  // (1+β²)PR / (β²P+R)
  double coverage() const;
  double leakage() const;
};

// A missed label or a finding too many, by position.
struct Miss {
  std::size_t document = 0;  // index into the scored documents
  std::size_t begin = 0;
  std::size_t end = 0;
  std::string class_name;
  bool is_false_hit = false;
  double score = 0;  // of a false hit
};

struct DocumentScore {
  std::map<std::string, Tally, std::less<>>
      by_class;        // classes of labels that detectors are meant to find, of findings
  Tally out_of_scope;  // labels of types without a class: their coverage and leakage
  bool has_gold = false;
  bool leaks = false;        // some labelled character is left
  std::vector<Miss> misses;  // IoU < 0.5
};

// `findings` are those to count, overlapping ones included.
DocumentScore score_document(const Document& document, const std::vector<detect::TypedSpan>& findings);

}  // namespace mlops::evaluate
