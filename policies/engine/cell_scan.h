// Running a column's detectors over its cells, counting. Private to policies/engine.
//
// Two guards against numbers taken for people: a bare number is evidence only where the column's name agrees with the
// detector or the detector is sure of the whole of it; and what a transform leaves (a year, "021", "90+", "[NAME]") is
// no evidence at all. Columns of few distinct values are scanned once a value. Thread-safety: belongs to one thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "policies/data/record.h"
#include "policies/engine/body.h"

namespace mlops::policy {

// A column's name agrees with a detector from this score on.
inline constexpr double kNameAgrees = 0.5;

struct ColumnDetector {
  const detect::Detector* detector = nullptr;
  double min_score = kDefaultMinScore;
  double name_score = 0;
};

// The detectors worth running on a column: those that decide by value, and those its name agrees with.
std::vector<ColumnDetector> detectors_for(const std::vector<ActiveDetector>& active, std::string_view column);

// The names a reader has come to know since `from` of its columns: a table without a header gives its first row as one,
// and the keys of JSON can be anybody's. Such values must not end up in messages or in the output.
// Errors: kRefused "header_missing", "key_holds_data". REQUIRES: asked after each next(), and before the first.
Status check_names(const std::vector<ActiveDetector>& active, const data::RecordReader& reader, std::size_t from);

// Only "[WORDS]", a year, a ZIP3, "90+", blanks or nothing: what masking leaves.
bool is_placeholder(std::string_view cell);

class CellScanner {
 public:
  // `column`: the name detectors are told; empty for a masked column, whose name says nothing any more.
  CellScanner(std::vector<ColumnDetector> detectors, std::string column)
      : detectors_(std::move(detectors)), column_(std::move(column)) {}

  // Counts one cell; returns how many detectors found something in it.
  std::size_t scan(std::string_view cell);
  // Counts a cell that is known to hold nothing.
  void skip() { ++cells_; }

  const std::vector<ColumnDetector>& detectors() const { return detectors_; }
  // Cells the detector (by index) found something in.
  std::uint64_t hits(std::size_t index) const { return index < hits_.size() ? hits_[index] : 0; }
  std::uint64_t cells() const { return cells_; }
  std::uint64_t filled() const { return filled_; }  // not blank
  // Few values, each in many rows: a coincidence with somebody's name says nothing.
  bool is_coded() const;
  // Cells of several words each: nobody knows what a note holds.
  bool is_text() const { return filled_ > 0 && wordy_ * 2 > filled_; }

 private:
  std::vector<std::uint32_t> find(std::string_view cell) const;

  std::vector<ColumnDetector> detectors_;
  std::string column_;
  std::vector<std::uint64_t> hits_;
  std::uint64_t cells_ = 0;
  std::uint64_t filled_ = 0;
  std::uint64_t wordy_ = 0;
  std::unordered_map<std::string, std::vector<std::uint32_t>> known_;  // value → detectors that find something in it
  bool overflowed_ = false;                                            // more distinct values than are remembered
  mutable std::vector<detect::Span> spans_;
};

}  // namespace mlops::policy
