// redact: {with?: "[NAME]"} for a whole cell, {spans: detected | [ids…], with?: …} for what detectors find in it.
//
// Spans count from a score of 0.3: in free text a miss costs more than a word too many. Removing one identifier can
// bring another to light (the words around it move together), so the text is searched until nothing is found.
#include <map>

#include "policies/detect/text_scanner.h"
#include "policies/mask/makers.h"
#include "policies/mask/spans.h"

namespace mlops::mask {
namespace {

constexpr double kLeastScore = 0.3;
constexpr int kMostPasses = 3;

struct Label {
  std::string_view id;
  std::string_view label;
};
// Others are "[" + the id in capitals + "]".
constexpr Label kLabels[] = {
    {"us_ssn", "[SSN]"},
    {"us_zip", "[ZIP]"},
    {"person_name", "[NAME]"},
    {"street_address", "[ADDRESS]"},
    {"birth_date", "[DATE]"},
    {"ipv4", "[IP]"},
    {"ipv6", "[IP]"},
    {"credit_card", "[CARD]"},
    {"health_plan_id", "[PLAN]"},
    {"iban", "[ACCOUNT]"},
    {"drivers_license", "[LICENCE]"},
    {"city_county", "[PLACE]"},
    {"geo", "[PLACE]"},
};

std::string label_of(std::string_view id) {
  for (const auto& row : kLabels) {
    if (row.id == id) return std::string(row.label);
  }
  std::string label = "[";
  for (const char c : detect::class_of_detector(id))
    label.push_back(c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c);
  return label + "]";
}

class RedactCell : public Transform {
 public:
  explicit RedactCell(std::string with) : with_(std::move(with)) {}
  std::string_view id() const override { return "redact"; }
  // An empty cell stays empty: that a value is missing is no one's identity.
  Result<std::string> apply(std::string_view cell, const CellContext&) const override {
    return cell.empty() ? std::string() : with_;
  }
  Status apply_batch(std::span<const std::string_view> cells, const BatchContext&,
                     std::vector<std::string>& out) const override {
    out.resize(cells.size());
    for (std::size_t i = 0; i < cells.size(); ++i) out[i].assign(cells[i].empty() ? std::string_view{} : with_);
    return {};
  }

 private:
  std::string with_;
};

class RedactSpans : public Transform {
 public:
  RedactSpans(const std::vector<const detect::Detector*>& detectors, const std::string& with) : scanner_(detectors) {
    for (const auto* detector : detectors) labels_.emplace(detector, with.empty() ? label_of(detector->id()) : with);
  }
  std::string_view id() const override { return "redact"; }

  Result<std::string> apply(std::string_view cell, const CellContext&) const override {
    std::string text(cell);
    for (int pass = 0; pass < kMostPasses; ++pass) {
      const auto united = unite_spans(find(text));
      if (united.empty()) break;
      std::string next = replace_spans(text, united);
      if (next == text) break;
      text = std::move(next);
    }
    return text;
  }

 private:
  std::vector<LabelledSpan> find(std::string_view text) const {
    std::vector<detect::TypedSpan> found;
    scanner_.scan(text, found);
    std::vector<LabelledSpan> spans;
    for (const auto& one : found) {
      if (one.span.score >= kLeastScore) spans.push_back({one.span, labels_.at(one.detector)});
    }
    return spans;
  }

  detect::TextScanner scanner_;
  std::map<const detect::Detector*, std::string> labels_;
};

Result<std::vector<const detect::Detector*>> chosen_detectors(const YamlNode& spans, const TransformContext& context) {
  if (spans.is_scalar() && spans.scalar == "detected") {
    std::vector<const detect::Detector*> identifying;
    for (const auto* detector : context.all_detectors) {
      if (detector->identifies()) identifying.push_back(detector);
    }
    return identifying;
  }
  if (!spans.is_sequence()) {
    return fail(
        yaml_error(context.origin, spans.mark, "bad_option", "redact.spans is `detected` or a list of detectors"));
  }
  std::vector<const detect::Detector*> chosen;
  for (const auto& item : spans.items) {
    MLOPS_ASSIGN(const auto id, yaml_string(item, context.origin, "detector"));
    const auto* detector = context.detector ? context.detector(id) : detect::find_detector(id);
    if (!detector) {
      return fail(
          yaml_error(context.origin, item.mark, "unknown_detector", fmt::format("there is no detector {}", id)));
    }
    chosen.push_back(detector);
  }
  return chosen;
}

}  // namespace

Made make_redact(const YamlNode& value, const TransformContext& context) {
  MLOPS_TRY(check_options(value, context, "redact", {"with", "spans"}));
  const YamlNode* spans = value.find("spans");
  MLOPS_ASSIGN(auto with, text_option(value, context, "with", spans ? "" : "[REDACTED]"));
  if (!spans) return std::unique_ptr<Transform>(std::make_unique<RedactCell>(std::move(with)));
  MLOPS_ASSIGN(auto detectors, chosen_detectors(*spans, context));
  if (detectors.empty()) {
    return fail(yaml_error(context.origin, spans->mark, "bad_option", "redact.spans has no detector to look with",
                           "name detectors in classification.detectors"));
  }
  return std::unique_ptr<Transform>(std::make_unique<RedactSpans>(detectors, with));
}

}  // namespace mlops::mask
