#include "policies/detect/ids.h"

#include <string>
#include <utility>

#include "policies/detect/fold.h"
#include "policies/detect/id_scanner.h"

namespace mlops::detect {
namespace {

constexpr std::size_t kLongestRemembered = 1 << 20;

// The last cell and its findings. Compared byte by byte: a fingerprint could be made to collide.
struct Memory {
  std::string cell;
  std::string column;
  std::vector<IdSpan> found;
  bool known = false;
};

std::vector<IdSpan> scan(std::string_view cell, std::string_view column) {
  std::vector<IdSpan> found;
  if (is_ascii(cell)) {
    find_ids(cell, column, found);
    return found;
  }
  const Folded folded = fold(cell);
  find_ids(folded.text, column, found);
  for (auto& one : found) {
    const Span original = folded.to_original({one.begin, one.end, one.score});
    one.begin = original.begin;
    one.end = original.end;
  }
  return found;
}

const std::vector<IdSpan>& findings(std::string_view cell, std::string_view column) {
  thread_local Memory last;
  if (last.known && last.cell == cell && last.column == column) return last.found;
  last.found = scan(cell, column);
  last.known = cell.size() <= kLongestRemembered;
  if (last.known) {
    last.cell.assign(cell);
    last.column.assign(column);
  }
  return last.found;
}

class IdDetector : public Detector {
 public:
  explicit IdDetector(std::size_t row) : row_(row) {}
  std::string_view id() const override { return id_rows()[row_]->id; }
  bool decides_by_value() const override { return true; }
  std::size_t row() const { return row_; }
  double column_name_score(std::string_view column) const override {
    const auto scores = id_column_scores(column);
    return scores.empty() ? 0 : scores[row_];
  }
  void find(std::string_view cell, const Context& context, std::vector<Span>& out) const override {
    if (cell.size() < kShortest) return;
    for (const auto& one : findings(cell, context.column)) {
      if (one.row == row_) out.push_back({one.begin, one.end, one.score});
    }
  }

 private:
  static constexpr std::size_t kShortest = 5;  // bytes of the shortest shape
  std::size_t row_;
};

}  // namespace

const std::vector<const Detector*>& id_detectors() {
  static const std::vector<IdDetector> kRows = [] {
    std::vector<IdDetector> rows;
    for (std::size_t i = 0; i < id_rows().size(); ++i) rows.emplace_back(i);
    return rows;
  }();
  static const std::vector<const Detector*> kDetectors = [] {
    std::vector<const Detector*> detectors;
    for (const auto& row : kRows) detectors.push_back(&row);
    return detectors;
  }();
  return kDetectors;
}

std::optional<std::size_t> row_of(const Detector& detector) {
  const auto* one = dynamic_cast<const IdDetector*>(&detector);
  return one ? std::optional(one->row()) : std::nullopt;
}

std::string_view class_of_detector(std::string_view id) {
  constexpr std::pair<std::string_view, std::string_view> kClasses[] = {
      {"udi_gs1", "udi"},
      {"udi_hibc", "udi"},
      {"udi_iccbba", "udi"},
      {"passport_mrz", "passport"},
      {"crypto_wallet", "account"},
      // A licence number of any form behind its label; the row "certificate" knows the forms.
      {"labelled_licence", "certificate"},
  };
  for (const auto& [detector, class_name] : kClasses) {
    if (detector == id) return class_name;
  }
  for (const auto* row : id_rows()) {
    if (row->id == id) return row->class_name;
  }
  return id;
}

}  // namespace mlops::detect
