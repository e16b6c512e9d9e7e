// What a column looks like, in counts only: how full, how varied, of what shape. No value is kept, only 64-bit hashes
// of the first few thousand distinct ones. Thread-safety: belongs to one thread.
#pragma once

#include <cstdint>
#include <string_view>
#include <unordered_set>

namespace mlops::data {

class ColumnStats {
 public:
  void add(std::string_view text);
  // As if both had seen all cells.
  void merge(const ColumnStats& other);

  std::uint64_t cells() const { return cells_; }
  std::uint64_t filled() const { return filled_; }      // not blank
  std::uint64_t numbers() const { return numbers_; }    // 12, -3.5, 1e-3
  std::uint64_t integers() const { return integers_; }  // … without a point
  std::uint64_t truths() const { return truths_; }      // true, false, yes, no, y, n, t, f, 0, 1
  std::uint64_t uuids() const { return uuids_; }
  std::uint64_t codes() const { return codes_; }  // one token of letters and digits, or of upper-case letters
  std::uint64_t texts() const { return texts_; }  // five words and more
  std::uint64_t longest_bytes() const { return longest_bytes_; }
  // Distinct filled values; exact up to kMostDistinct, and no more than that is counted.
  std::uint64_t distinct() const { return hashes_.size(); }
  bool is_distinct_exact() const { return hashes_.size() < kMostDistinct; }
  // Few values, each in many cells.
  bool is_coded() const { return is_distinct_exact() && filled_ >= hashes_.size() * kCellsPerCode; }
  // (Nearly) every cell has a value of its own.
  bool is_unique() const;
  // Is every value of `other` one of these? False where the values were too many to be counted.
  bool has_all_of(const ColumnStats& other) const;

  static constexpr std::size_t kMostDistinct = 4096;

 private:
  static constexpr std::uint64_t kCellsPerCode = 5;

  std::uint64_t cells_ = 0;
  std::uint64_t filled_ = 0;
  std::uint64_t numbers_ = 0;
  std::uint64_t integers_ = 0;
  std::uint64_t truths_ = 0;
  std::uint64_t uuids_ = 0;
  std::uint64_t codes_ = 0;
  std::uint64_t texts_ = 0;
  std::uint64_t longest_bytes_ = 0;
  std::uint64_t hashed_cells_ = 0;  // filled cells seen while distinct values were still counted
  std::unordered_set<std::uint64_t> hashes_;
};

}  // namespace mlops::data
