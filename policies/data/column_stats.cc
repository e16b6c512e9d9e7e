#include "policies/data/column_stats.h"

#include <algorithm>
#include <functional>
#include <string>

#include "core/base/text.h"
#include "policies/data/cell_shape.h"

namespace mlops::data {
namespace {

constexpr std::string_view kTruthWords[] = {"true", "false", "yes", "no", "y", "n", "t", "f", "0", "1"};
constexpr std::size_t kLongestTruth = 5;
constexpr std::size_t kLongestCode = 24;
constexpr int kWordsOfText = 5;
constexpr double kNearlyAll = 0.95;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_upper(char c) {
  return c >= 'A' && c <= 'Z';
}
bool is_hex(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

bool is_truth(std::string_view text) {
  if (text.size() > kLongestTruth) return false;
  const auto lower = to_lower_ascii(text);
  return std::find(std::begin(kTruthWords), std::end(kTruthWords), lower) != std::end(kTruthWords);
}

bool is_uuid(std::string_view text) {
  constexpr std::size_t kUuidBytes = 36;
  if (text.size() != kUuidBytes) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    if (dash ? text[i] != '-' : !is_hex(text[i])) return false;
  }
  return true;
}

bool is_code(std::string_view text) {
  if (text.size() > kLongestCode) return false;
  bool has_digit = false;
  bool all_upper = true;
  for (const char c : text) {
    const bool joins = c == '.' || c == '-' || c == '_' || c == '/';
    if (!is_digit(c) && !is_upper(c) && !(c >= 'a' && c <= 'z') && !joins) return false;
    has_digit |= is_digit(c);
    all_upper &= is_upper(c) || joins;
  }
  return has_digit || all_upper;
}

}  // namespace

void ColumnStats::add(std::string_view cell) {
  ++cells_;
  const auto text = trim(cell);
  if (text.empty()) return;
  ++filled_;
  longest_bytes_ = std::max<std::uint64_t>(longest_bytes_, text.size());
  const auto shape = number_shape(text);
  numbers_ += shape != NumberShape::kNone;
  integers_ += shape == NumberShape::kInteger;
  truths_ += is_truth(text);
  uuids_ += is_uuid(text);
  codes_ += is_code(text);
  texts_ += count_words(text) >= kWordsOfText;
  if (hashes_.size() >= kMostDistinct) return;
  ++hashed_cells_;
  hashes_.insert(std::hash<std::string_view>{}(text));
}

void ColumnStats::merge(const ColumnStats& other) {
  cells_ += other.cells_;
  filled_ += other.filled_;
  numbers_ += other.numbers_;
  integers_ += other.integers_;
  truths_ += other.truths_;
  uuids_ += other.uuids_;
  codes_ += other.codes_;
  texts_ += other.texts_;
  longest_bytes_ = std::max(longest_bytes_, other.longest_bytes_);
  hashed_cells_ += other.hashed_cells_;
  for (const auto hash : other.hashes_) {
    if (hashes_.size() >= kMostDistinct) break;
    hashes_.insert(hash);
  }
}

bool ColumnStats::is_unique() const {
  return hashed_cells_ > 1 && static_cast<double>(hashes_.size()) >= kNearlyAll * static_cast<double>(hashed_cells_);
}

bool ColumnStats::has_all_of(const ColumnStats& other) const {
  if (!is_distinct_exact() || !other.is_distinct_exact()) return false;
  return std::all_of(other.hashes_.begin(), other.hashes_.end(),
                     [&](std::uint64_t hash) { return hashes_.count(hash) > 0; });
}

}  // namespace mlops::data
