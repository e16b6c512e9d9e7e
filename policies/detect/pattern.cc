// Detectors from a policy's own RE2 patterns; the one place of RE2 here.
#include <re2/re2.h>

#include "policies/detect/detector.h"
#include "policies/detect/scan.h"

namespace mlops::detect {
namespace {

constexpr std::int64_t kMaxProgramBytes = 8 << 20;

Result<std::unique_ptr<re2::RE2>> compile(const std::string& pattern) {
  if (pattern.empty()) return std::unique_ptr<re2::RE2>();
  re2::RE2::Options options;
  options.set_log_errors(false);
  options.set_max_mem(kMaxProgramBytes);
  auto regex = std::make_unique<re2::RE2>(re2::StringPiece(pattern), options);
  if (!regex->ok()) {
    return fail(ErrorCode::kInvalid, "bad_pattern", "the pattern does not compile: " + regex->error(),
                "patterns are RE2: no look-around, no back-references");
  }
  return regex;
}

class PatternDetector : public Detector {
 public:
  PatternDetector(std::string id, std::unique_ptr<re2::RE2> column, std::unique_ptr<re2::RE2> value)
      : id_(std::move(id)), column_(std::move(column)), value_(std::move(value)) {}

  std::string_view id() const override { return id_; }
  bool decides_by_value() const override { return column_ == nullptr; }

  double column_name_score(std::string_view column) const override {
    return column_ && re2::RE2::PartialMatch(re2::StringPiece(column.data(), column.size()), *column_) ? 0.9 : 0;
  }

  // With a column pattern the column must match; without a value pattern its whole cells are the finding.
  void find(std::string_view cell, const Context& context, std::vector<Span>& out) const override {
    if (column_ && column_name_score(context.column) == 0) return;
    if (!value_) {
      const Range whole = trimmed(cell);
      if (whole.begin < whole.end) out.push_back({whole.begin, whole.end, 0.8});
      return;
    }
    const re2::StringPiece text(cell.data(), cell.size());
    for (std::size_t at = 0; at <= cell.size();) {
      re2::StringPiece match;
      if (!value_->Match(text, at, cell.size(), re2::RE2::UNANCHORED, &match, 1)) return;
      const auto begin = static_cast<std::size_t>(match.data() - cell.data());
      if (match.empty()) {  // an empty match finds nothing
        at = begin + 1;
        continue;
      }
      out.push_back({begin, begin + match.size(), column_ ? 0.9 : 0.7});
      at = begin + match.size();
    }
  }

 private:
  std::string id_;
  std::unique_ptr<re2::RE2> column_;
  std::unique_ptr<re2::RE2> value_;
};

}  // namespace

Result<std::unique_ptr<Detector>> make_pattern_detector(std::string id, const std::string& column_pattern,
                                                        const std::string& value_pattern) {
  if (column_pattern.empty() && value_pattern.empty()) {
    return fail(ErrorCode::kInvalid, "bad_pattern", "a detector needs a column pattern or a value pattern");
  }
  MLOPS_ASSIGN(auto column, compile(column_pattern));
  MLOPS_ASSIGN(auto value, compile(value_pattern));
  return std::unique_ptr<Detector>(
      std::make_unique<PatternDetector>(std::move(id), std::move(column), std::move(value)));
}

}  // namespace mlops::detect
