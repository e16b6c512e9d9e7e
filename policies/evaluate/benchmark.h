// Detectors against a corpus, and against text without personal data.
//
// A class that the corpus never labels counts neither for nor against (the corpus does not say whether those findings
// are right); such findings are counted apart. Intervals are 95 % percentile bootstrap intervals over groups
// (templates, documents), seeded, so a run repeats. Errors: those of corpus.h. Thread-safety: free functions, plain
// values.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "policies/evaluate/score.h"

namespace mlops::evaluate {

struct Interval {
  double low = 0;
  double high = 0;
};

struct Row {
  std::string name;
  Tally tally;
};

struct Report {
  std::size_t documents = 0;
  std::size_t groups = 0;
  std::uint64_t size_bytes = 0;
  Tally overall;              // every class the corpus labels and a detector is meant to find
  Tally out_of_scope;         // the other labels
  std::vector<Row> classes;   // sorted by name
  std::vector<Row> by_group;  // overall a group, sorted by leaked characters, most first
  std::uint64_t unlabelled_findings = 0;
  std::size_t documents_with_gold = 0;
  std::size_t documents_without_leak = 0;
  Interval recall;           // IoU ≥ 0.9
  Interval f2;               // IoU ≥ 0.9
  Interval leakage;          // of characters
  double cpu_seconds = 0;    // in the detectors alone
  std::vector<Miss> misses;  // by document index; Miss holds no text
};

// `documents` are all of one corpus: what it labels at all is asked of all, the rest of `split`.
Report run_benchmark(const std::vector<Document>& documents, Split split, const detect::TextScanner& scanner,
                     double min_score);
// The documents of `split`, in the order that Miss::document counts.
std::vector<const Document*> documents_of(const std::vector<Document>& documents, Split split);

struct FalseHits {
  std::size_t files = 0;
  std::uint64_t size_bytes = 0;
  std::vector<std::pair<std::string, std::uint64_t>> by_detector;  // id → hits, after overlaps are resolved
  std::uint64_t hits = 0;
  double cpu_seconds = 0;
  struct Place {
    std::string file;
    std::size_t begin = 0;
    std::size_t end = 0;
    std::string detector;
  };
  std::vector<Place> places;

  double per_megabyte() const { return size_bytes == 0 ? 0 : static_cast<double>(hits) * 1e6 / double(size_bytes); }
};

// Every regular file under `directory` (or the one file) holds no personal data: whatever is found is wrong.
Result<FalseHits> count_false_hits(const std::string& directory, const detect::TextScanner& scanner, double min_score);

}  // namespace mlops::evaluate
