#include "policies/engine/classify.h"

#include <fmt/format.h>

#include <optional>

#include "policies/engine/classes.h"

namespace mlops::policy {
namespace {

struct Evidence {
  std::size_t detector = 0;
  double share = 0;
};

double share_of(const CellScanner& cells, std::size_t detector) {
  if (cells.filled() == 0) return 0;
  return static_cast<double>(cells.hits(detector)) / static_cast<double>(cells.filled());
}

// The detector most of the column belongs to; the column's name decides between several.
std::optional<Evidence> densest(const CellScanner& cells, double least_name_score) {
  std::optional<Evidence> best;
  double best_weight = 0;
  for (std::size_t i = 0; i < cells.detectors().size(); ++i) {
    const auto& one = cells.detectors()[i];
    const double share = share_of(cells, i);
    if (!one.detector->identifies()) continue;
    const bool may_decide =
        one.detector->decides_by_value() || decides_when_dense(*one.detector) || one.name_score >= least_name_score;
    const double weight = share + one.name_score;
    if (share < kDense || !may_decide || weight <= best_weight) continue;
    best = {i, share};
    best_weight = weight;
  }
  return best;
}

// Detectors that decide by value and found something in a few cells: the one with the most.
std::optional<std::size_t> sparsest(const CellScanner& cells) {
  std::optional<std::size_t> best;
  for (std::size_t i = 0; i < cells.detectors().size(); ++i) {
    const auto& detector = *cells.detectors()[i].detector;
    if (!detector.decides_by_value() || !detector.identifies() || cells.hits(i) == 0) continue;
    if (!best || cells.hits(i) > cells.hits(*best)) best = i;
  }
  return best;
}

std::string id_of(const CellScanner& cells, std::size_t detector) {
  return std::string(cells.detectors()[detector].detector->id());
}

std::string class_found(const CellScanner& cells, std::size_t detector) {
  return std::string(detect::class_of_detector(cells.detectors()[detector].detector->id()));
}

std::string sparse_words(const CellScanner& cells, std::size_t detector) {
  return fmt::format("detector {} in {} of {} cells", id_of(cells, detector), cells.hits(detector), cells.cells());
}

}  // namespace

Classification classify_declared(const Policy::Body& body, const DeclaredColumn& declared, const CellScanner& cells) {
  const auto& name = declared.class_name.value;
  const Classification as_declared{name, "declared"};
  const auto* rule = body.rule_for(declared.name.value, name);
  // A transform is total: what it rewrites needs no second opinion, and the residual scan reads its output.
  const bool rewritten = rule && rule->transform.value != "keep";
  if (rewritten || class_of(name).kind != ClassKind::kPlain) return as_declared;
  const auto against = fmt::format("(declared {})", name);
  if (const auto dense = densest(cells, kNameIsSure)) {
    const auto id = id_of(cells, dense->detector);
    return {class_found(cells, dense->detector), fmt::format("detector {} {:.2f} {}", id, dense->share, against)};
  }
  const auto sparse = sparsest(cells);
  // Without a rule for free text the cells stay as they are, and the residual scan refuses the run.
  if (!sparse || !body.rule_for_class(kFreeText)) return as_declared;
  return {std::string(kFreeText), fmt::format("{} {}", sparse_words(cells, *sparse), against)};
}

Classification classify_unknown(const Policy::Body& body, const CellScanner& cells) {
  if (const auto dense = densest(cells, kNameAgrees)) {
    const auto id = id_of(cells, dense->detector);
    return {class_found(cells, dense->detector), fmt::format("detector {} {:.2f}", id, dense->share)};
  }
  std::optional<std::size_t> named;
  for (std::size_t i = 0; i < cells.detectors().size(); ++i) {
    const double score = cells.detectors()[i].name_score;
    if (score >= kNameIsSure && (!named || score > cells.detectors()[*named].name_score)) named = i;
  }
  if (named) return {class_found(cells, *named), "column name"};
  if (cells.is_text()) return {std::string(kFreeText), "cells of several words"};
  if (const auto sparse = sparsest(cells)) {
    const bool as_text = body.rule_for_class(kFreeText) != nullptr;
    return {as_text ? std::string(kFreeText) : class_found(cells, *sparse), sparse_words(cells, *sparse)};
  }
  return {std::string(kUnknownClass), "nothing found"};
}

}  // namespace mlops::policy
