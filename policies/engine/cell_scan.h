// Running a column's detectors over its cells, counting. Private to policies/engine.
//
// Two guards against numbers taken for people: a bare number is evidence only where the column's name agrees with the
// detector or the detector is sure of the whole of it; and what a transform leaves (a year, "021", "90+", "[NAME]") is
// no evidence at all. What a cell holds as base64, gzip, JSON … is scanned like the cell. Columns of few distinct
// values are scanned once a value. Thread-safety: belongs to one thread.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "policies/data/record.h"
#include "policies/detect/text_scanner.h"
#include "policies/engine/body.h"
#include "policies/engine/mask_dataset.h"
#include "policies/engine/short_memo.h"

namespace mlops::policy {

// A column's name agrees with a detector from this score on.
inline constexpr double kNameAgrees = 0.5;
// And speaks alone from this one on.
inline constexpr double kNameIsSure = 0.8;
// From this share of the filled cells on, a column is one of the detector's.
inline constexpr double kDense = 0.5;

struct ColumnDetector {
  const detect::Detector* detector = nullptr;
  double min_score = kDefaultMinScore;
  double name_score = 0;
};

// A name found here and there is a guess, but a column of them is a column of people, whatever it is called.
bool decides_when_dense(const detect::Detector& detector);
// The detectors worth running on a column: those that decide by value, alone or when most cells agree, and those its
// name agrees with.
std::vector<ColumnDetector> detectors_for(const std::vector<ActiveDetector>& active, std::string_view column);

class CellScanner;
// The scanner of a column that keeps its name: a standard's name is no evidence, and a code system's address no web
// page.
CellScanner scanner_for(const std::vector<ActiveDetector>& active, const std::string& column, NameKind kind);

// The names a reader has come to know: a table without a header gives its first row as one, and the keys of JSON can be
// anybody's. Such values must not end up in messages or in the output.
class NameCheck {
 public:
  // `declares`: does the policy itself write this name? Then it is no data.
  NameCheck(const std::vector<ActiveDetector>& active, std::function<bool(std::string_view)> declares);
  // Looks at the names since `from` of the reader's columns.
  // Errors: kRefused "header_missing", "key_holds_data". REQUIRES: asked after each next(), and before the first.
  Status check(const data::RecordReader& reader, std::size_t from) const;

 private:
  bool holds_data(std::string_view name, bool is_address = false) const;

  std::vector<ActiveDetector> active_;  // those that decide by value
  std::function<bool(std::string_view)> declares_;
  detect::TextScanner words_;  // people, in the words of a name
};

// Only "[WORDS]", a year, a ZIP3, "90+", blanks or nothing: what masking leaves.
bool is_placeholder(std::string_view cell);

// Every so many cells of a record's after the other: one column of a table.
struct CellRun {
  std::span<const data::Cell> cells;
  std::size_t first = 0;
  std::size_t step = 1;
};

// What a look for the record's own identifiers in a cell may find something in.
enum LookAt : std::uint8_t {
  kNothing = 0,
  kWords = 1,
  kLayers = 2,
  kShortNumber = 4,  // words too, but only for RowValues::has_number_names()
};

class CellScanner {
 public:
  // `column`: the name detectors are told; empty for a masked column, whose name says nothing any more.
  CellScanner(std::vector<ColumnDetector> detectors, std::string column);

  // Counts one cell; returns how many detectors found something in it, or in what it holds in encoded form.
  std::size_t scan(std::string_view cell);
  // The same of each cell of a run, for this scanner and for `also`, which is always the same one or nullptr. Tells by
  // cell what a look at it may find something in (LookAt), and counts what take_rows() tells.
  void scan_run(const CellRun& run, CellScanner* also, std::span<std::uint8_t> looks);
  // Calls take(value, rows) with how often scan_run() has met each value that is not blank, and forgets it. Of a column
  // that has_many_values() nothing is told.
  void take_rows(const std::function<void(const std::string& value, std::uint64_t rows)>& take);
  // Do the detectors that need no column name find anything? Counts nothing.
  bool finds_in(std::string_view text) const;
  // Adds the counts of another scanner with the same detectors.
  void add(const CellScanner& other);
  // Counts a cell that is known to hold nothing.
  void skip() { ++cells_; }

  const std::vector<ColumnDetector>& detectors() const { return detectors_; }
  // Cells the detector (by index) found something in.
  std::uint64_t hits(std::size_t index) const { return index < hits_.size() ? hits_[index] : 0; }
  // Cells with an encoded part that could not be looked into.
  std::uint64_t unreadable() const { return unreadable_; }
  std::uint64_t cells() const { return cells_; }
  std::uint64_t filled() const { return filled_; }  // not blank
  // Few values, each in many rows: a coincidence with somebody's name says nothing.
  bool is_coded() const;
  // More of them than codes are: whatever follows, is_coded() stays false.
  bool has_many_values() const { return overflowed_; }
  // Cells of several words each: nobody knows what a note holds.
  bool is_text() const { return filled_ > 0 && wordy_ * 2 > filled_; }

 private:
  struct Found {
    std::vector<std::uint32_t> detectors;  // indices, each once
    bool is_unreadable = false;
  };
  struct Known {
    Found found;
    std::uint64_t rows = 0;  // of scan_run(), beside those in `clean_`
  };
  struct Clean {
    std::uint64_t is_filled : 1 = 0;
    std::uint64_t is_wordy : 1 = 0;
    std::uint64_t is_clean_also : 1 = 0;  // for the other scanner of scan_run() as well
    std::uint64_t look : 5 = kNothing;    // LookAt
    std::uint64_t rows : 56 = 0;          // of scan_run()
  };
  static constexpr unsigned kCleanBits = 10;
  struct TextHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
  };
  Found find(std::string_view cell) const;
  void find_named(std::string_view cell, Found& found) const;
  void find_others(std::string_view text, double least, Found& found) const;
  std::size_t count(const Found& found);
  std::size_t scan_whole(std::string_view cell);
  std::uint8_t scan_for_both(std::string_view cell, CellScanner* also);
  void add_rows(std::string_view value, std::uint64_t rows);
  // Does find() say nothing of a bare short number, and need it not be among the known values?
  bool skips_numbers() const { return overflowed_ && named_.empty(); }

  std::vector<ColumnDetector> detectors_;
  std::string column_;
  std::vector<std::uint32_t> named_;                         // indices of those the column's name agrees with
  std::map<const detect::Detector*, std::uint32_t> others_;  // the rest, which need no name, by index
  std::optional<detect::TextScanner> scanner_;               // of the rest, in one pass; absent when there are none
  std::vector<std::uint64_t> hits_;
  std::uint64_t cells_ = 0;
  std::uint64_t filled_ = 0;
  std::uint64_t wordy_ = 0;
  std::uint64_t unreadable_ = 0;
  std::unordered_map<std::string, Known, TextHash, std::equal_to<>> known_;  // by value
  bool overflowed_ = false;                                                  // more distinct values than are remembered
  ShortMemo<Clean, kCleanBits> clean_;  // short values met lately in which nothing was found
  mutable std::vector<detect::Span> spans_;
  mutable std::vector<detect::TypedSpan> typed_spans_;
};

}  // namespace mlops::policy
