#include "policies/engine/draft.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/base/text.h"
#include "policies/engine/classes.h"
#include "policies/engine/reader.h"

namespace mlops::policy {
namespace {

constexpr std::string_view kPackPrefix = "pack/";

std::vector<std::string> pack_words() {
  std::vector<std::string> words;
  for (const auto& pack : packs()) words.push_back(std::string(kPackPrefix) + std::string(pack.name));
  return words;
}

// "pack/hipaa-safe-harbor@1" names the pack and, after '@', the head of the version that is wanted.
void read_pack(const Marked<std::string>& reference, Draft& draft, Findings& findings) {
  const std::string_view text = reference.value;
  const auto at = text.find('@');
  const auto name = text.substr(0, at);
  const auto wanted = at == std::string_view::npos ? std::string_view{} : text.substr(at + 1);
  const auto& all = packs();
  const auto found = std::find_if(all.begin(), all.end(), [&](const PackInfo& pack) {
    return name == std::string(kPackPrefix) + std::string(pack.name);
  });
  if (found == all.end()) {
    findings.error(reference.mark, "unknown_pack", fmt::format("there is no '{}'", printable(name)),
                   suggestion(name, pack_words()));
    return;
  }
  const bool twice =
      std::any_of(draft.packs.begin(), draft.packs.end(), [&](const Document& pack) { return pack.origin == name; });
  if (twice) {
    findings.error(reference.mark, "duplicate_pack", fmt::format("{} is extended twice", name));
    return;
  }
  Findings pack_findings{std::string(name)};
  draft.packs.push_back(read_document(found->yaml, pack_findings));
  for (const auto& finding : pack_findings.sorted()) {
    findings.error(reference.mark, finding.slug, fmt::format("{}:{}: {}", name, finding.line, finding.message));
  }
  const std::string have = draft.packs.back().version;
  if (!wanted.empty() && have != wanted && !have.starts_with(std::string(wanted) + ".")) {
    findings.error(reference.mark, "pack_version", fmt::format("{} is at version {}", name, have),
                   fmt::format("{}@{}", name, have));
  }
}

void activate(Draft& draft, const detect::Detector* detector, double min_score, const DetectorUse& use) {
  for (auto& active : draft.detectors) {
    if (active.detector != detector) continue;
    active.min_score = std::min(active.min_score, min_score);
    if (!use.level.value.empty()) active.level = use.level.value;
    if (!use.category.empty()) active.category = use.category;
    return;
  }
  draft.detectors.push_back({detector, min_score, use.level.value, use.category});
}

std::vector<std::string> detector_words() {
  std::vector<std::string> words;
  for (const auto* detector : detect::built_in_detectors()) words.emplace_back(detector->id());
  return words;
}

void use_detector(const DetectorUse& use, Draft& draft, Findings& findings) {
  const double min_score = use.min_score ? use.min_score->value : kDefaultMinScore;
  const auto* built_in = detect::find_detector(use.id.value);
  if (built_in) activate(draft, built_in, min_score, use);
  if (use.has_params) {
    auto made = detect::make_pattern_detector(use.id.value, use.column_pattern, use.value_pattern);
    if (!made) {
      findings.add(made.error(), use.id.mark);
      return;
    }
    draft.own_detectors.emplace_back(std::move(*made));
    activate(draft, draft.own_detectors.back().get(), min_score, use);
  } else if (!built_in) {
    findings.error(use.id.mark, "unknown_detector", fmt::format("there is no detector '{}'", printable(use.id.value)),
                   suggestion(use.id.value, detector_words()));
  }
}

// A pack's detectors stay on whatever the policy lists; without a pack the policy's list is the whole of it.
void make_detectors(Draft& draft, Findings& findings) {
  // A pack without a list stands for all, whatever another pack lists.
  const bool all = draft.packs.empty() ? draft.own.detectors.empty()
                                       : std::any_of(draft.packs.begin(), draft.packs.end(),
                                                     [](const Document& pack) { return pack.detectors.empty(); });
  if (all) {
    for (const auto* detector : detect::built_in_detectors()) activate(draft, detector, kDefaultMinScore, {});
  }
  for (const auto& pack : draft.packs) {
    for (const auto& use : pack.detectors) use_detector(use, draft, findings);
  }
  for (std::size_t i = 0; i < draft.own.detectors.size(); ++i) {
    const auto& use = draft.own.detectors[i];
    const auto before = draft.own.detectors.begin();
    const bool twice = std::any_of(before, before + static_cast<std::ptrdiff_t>(i),
                                   [&](const DetectorUse& other) { return other.id.value == use.id.value; });
    if (twice)
      findings.error(use.id.mark, "duplicate_detector",
                     fmt::format("detector '{}' stands twice", printable(use.id.value)));
    use_detector(use, draft, findings);
  }
}

mask::TransformContext transform_context(const Draft& draft, const std::string& origin) {
  mask::TransformContext context;
  context.origin = origin;
  context.clock = draft.clock;
  for (const auto& active : draft.detectors) context.all_detectors.push_back(active.detector);
  context.detector = [own = draft.own_detectors](std::string_view id) -> const detect::Detector* {
    for (const auto& detector : own) {
      if (detector->id() == id) return detector.get();
    }
    return detect::find_detector(id);
  };
  return context;
}

void compile_rules(Document& document, const Draft& draft, Findings& findings, std::optional<YamlMark> fallback) {
  const auto context = transform_context(draft, document.origin);
  for (auto& rule : document.rules) {
    const auto mark = fallback.value_or(rule.transform.mark);
    const auto* row = mask::find_transform(rule.transform.value);
    if (!row) {
      std::vector<std::string> words;
      for (const auto& known : mask::transforms()) words.emplace_back(known.id);
      findings.error(mark, "unknown_transform",
                     fmt::format("there is no transform '{}'", printable(rule.transform.value)),
                     suggestion(rule.transform.value, words));
      continue;
    }
    auto made = row->make(rule.options, context);
    if (made) {
      rule.apply = std::move(*made);
    } else {
      findings.add(made.error(), mark);
    }
  }
}

}  // namespace

std::string target_of(const Rule& rule) {
  return (rule.match == Rule::Match::kClass ? "class:" : "column:") + rule.subject.value;
}

std::vector<const Document*> Draft::binding() const {
  std::vector<const Document*> list;
  for (const auto& pack : packs) list.push_back(&pack);
  if (own.is_pack) list.push_back(&own);
  return list;
}

std::vector<const Document*> Draft::all() const {
  std::vector<const Document*> list{&own};
  for (const auto& pack : packs) list.push_back(&pack);
  return list;
}

bool Draft::has_class(std::string_view name) const {
  if (is_listed_class(name) || detect::find_detector(name)) return true;
  return std::any_of(own_detectors.begin(), own_detectors.end(),
                     [&](const auto& own_one) { return own_one->id() == name; });
}

std::vector<std::string> Draft::class_words() const {
  std::vector<std::string> words;
  for (const auto& row : classes()) words.emplace_back(row.name);
  for (const auto& active : detectors) words.emplace_back(active.detector->id());
  return words;
}

const DeclaredColumn* Draft::declared(std::string_view column) const {
  return find_declared(own.columns, column);
}

std::string Draft::class_of_rule(const Rule& rule) const {
  if (rule.match == Rule::Match::kClass) return rule.subject.value;
  const auto* column = declared(rule.subject.value);
  return column ? column->class_name.value : std::string{};
}

const Rule* Draft::rule_for(std::string_view column, std::string_view class_name) const {
  if (const auto* rule = find_column_rule(own.rules, column)) return rule;
  for (const auto* document : all()) {
    for (const auto& rule : document->rules) {
      if (rule.match == Rule::Match::kClass && rule.subject.value == class_name) return &rule;
    }
  }
  const auto broader = broader_class(class_name);
  return broader.empty() ? nullptr : rule_for({}, broader);
}

const Exception* Draft::exception_for(std::string_view target) const {
  const auto found = std::find_if(own.exceptions.begin(), own.exceptions.end(),
                                  [&](const Exception& one) { return one.gate.value == target; });
  return found == own.exceptions.end() ? nullptr : &*found;
}

bool Draft::masks() const {
  if (!own.rules.empty()) return true;
  return std::any_of(packs.begin(), packs.end(), [](const Document& pack) { return !pack.rules.empty(); });
}

std::vector<model::ArtifactKind> Draft::kinds() const {
  if (own.kinds) return *own.kinds;
  for (const auto& pack : packs) {
    if (pack.kinds) return *pack.kinds;
  }
  return {model::ArtifactKind::kModel, model::ArtifactKind::kDataset};
}

Draft make_draft(std::string_view yaml, Findings& findings, const Clock* clock) {
  Draft draft;
  draft.clock = clock;
  draft.own = read_document(yaml, findings);
  for (const auto& reference : draft.own.extends) read_pack(reference, draft, findings);
  make_detectors(draft, findings);
  compile_rules(draft.own, draft, findings, std::nullopt);
  for (auto& rule : draft.own.rules) {
    const auto* exception = draft.exception_for(target_of(rule));
    if (exception) rule.exception = exception->id.value;
  }
  for (auto& pack : draft.packs) compile_rules(pack, draft, findings, draft.own.extends.front().mark);
  return draft;
}

}  // namespace mlops::policy
