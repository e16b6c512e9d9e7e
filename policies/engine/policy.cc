#include "policies/engine/policy.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/base/text.h"
#include "policies/engine/body.h"
#include "policies/engine/classes.h"
#include "policies/engine/draft.h"
#include "policies/packs/packs.h"

namespace mlops::policy {
namespace {

constexpr std::string_view kDefaultOutputName = "{name}-deid";
constexpr std::string_view kNameField = "{name}";

// The policy's own bytes and, marked off, those of every pack: without packs it is the SHA-256 of the file.
crypto::Digest digest_of(const Draft& draft) {
  crypto::Hasher hasher;
  hasher.update(draft.own.yaml);
  for (const auto& pack : draft.packs) {
    hasher.update(fmt::format("\n--- {}\n", pack.origin));
    hasher.update(pack.yaml);
  }
  return hasher.finish();
}

// Own rules first; of two packs' rules for a class the stronger stays.
std::vector<Rule> merge_rules(Draft& draft) {
  std::vector<Rule> rules = std::move(draft.own.rules);
  const auto first_pack_rule = static_cast<std::ptrdiff_t>(rules.size());
  for (auto& pack : draft.packs) {
    for (auto& rule : pack.rules) {
      const auto same = std::find_if(rules.begin() + first_pack_rule, rules.end(), [&](const Rule& other) {
        return other.match == rule.match && other.subject.value == rule.subject.value;
      });
      if (same == rules.end()) {
        rules.push_back(std::move(rule));
      } else if (transform_strength(rule.transform.value) > transform_strength(same->transform.value)) {
        *same = std::move(rule);
      }
    }
  }
  return rules;
}

// The strictest of what the policy and its packs say; `fallback` when nobody says anything.
template <class T, class Field, class Stricter>
T strictest(const Draft& draft, Field field, T fallback, Stricter stricter) {
  std::optional<T> best;
  const auto take = [&](const Document& document) {
    const auto& value = field(document);
    if (value && (!best || stricter(value->value, *best))) best = value->value;
  };
  take(draft.own);
  for (const auto& pack : draft.packs) take(pack);
  return best.value_or(fallback);
}

void merge_settings(Policy::Body& body, const Draft& draft) {
  body.unknown_column = strictest<UnknownColumn>(
      draft, [](const Document& d) -> const auto& { return d.unknown_column; }, UnknownColumn::kQuarantine,
      std::greater<>{});
  body.residual_min_score = strictest<double>(
      draft, [](const Document& d) -> const auto& { return d.residual_min_score; }, kDefaultMinScore, std::less<>{});
  body.residual_max_findings = strictest<std::int64_t>(
      draft, [](const Document& d) -> const auto& { return d.residual_max_findings; }, 0, std::less<>{});
  body.output_sensitivity = strictest<model::Sensitivity>(
      draft, [](const Document& d) -> const auto& { return d.output_sensitivity; }, model::Sensitivity::kPseudonymous,
      std::greater<>{});
  for (const auto& column : draft.own.optional_columns) body.optional_columns.insert(fold_column(column.value));
  for (const auto& column : draft.own.residual_ignore_columns) {
    body.residual_ignore_columns.insert(fold_column(column.value));
  }
  body.output_name = draft.own.output_name.empty() ? std::string(kDefaultOutputName) : draft.own.output_name;
}

}  // namespace

std::string fold_column(std::string_view name) {
  return to_lower_ascii(trim(name));
}

std::shared_ptr<const Policy::Body> merge(Draft draft) {
  auto body = std::make_shared<Policy::Body>();
  body->name = draft.own.name;
  body->version = draft.own.version;
  body->digest = digest_of(draft);
  body->kinds = draft.kinds();
  body->masks = draft.masks();
  merge_settings(*body, draft);
  body->gates = draft.own.gates;
  for (const auto& pack : draft.packs) body->gates.insert(body->gates.end(), pack.gates.begin(), pack.gates.end());
  body->columns = draft.own.columns;
  body->rules = merge_rules(draft);
  body->own_detectors = std::move(draft.own_detectors);
  body->detectors = std::move(draft.detectors);
  return body;
}

const DeclaredColumn* Policy::Body::declared(std::string_view column) const {
  const auto folded = fold_column(column);
  for (const auto& one : columns) {
    if (fold_column(one.name.value) == folded) return &one;
  }
  return nullptr;
}

const Rule* Policy::Body::rule_for_class(std::string_view class_name) const {
  for (const auto& rule : rules) {
    if (rule.match == Rule::Match::kClass && rule.subject.value == class_name) return &rule;
  }
  return nullptr;
}

const Rule* Policy::Body::rule_for(std::string_view column, std::string_view class_name) const {
  const auto folded = fold_column(column);
  for (const auto& rule : rules) {
    if (rule.match == Rule::Match::kColumn && fold_column(rule.subject.value) == folded) return &rule;
  }
  return rule_for_class(class_name);
}

const Rule* Policy::Body::rule_for_treated(std::string_view column, std::string_view class_name) const {
  const auto* as = declared(column);
  return as && as->class_name.value == class_name ? rule_for(column, class_name) : rule_for_class(class_name);
}

Policy::Policy(std::shared_ptr<const Body> body) : body_(std::move(body)) {}

const std::string& Policy::name() const {
  return body_->name;
}
const std::string& Policy::version() const {
  return body_->version;
}
const crypto::Digest& Policy::digest() const {
  return body_->digest;
}
bool Policy::masks() const {
  return body_->masks;
}
model::Sensitivity Policy::output_sensitivity() const {
  return body_->output_sensitivity;
}

bool Policy::selects(model::ArtifactKind kind) const {
  return std::find(body_->kinds.begin(), body_->kinds.end(), kind) != body_->kinds.end();
}

std::vector<std::string> Policy::gate_ids() const {
  std::vector<std::string> ids;
  for (const auto& gate : body_->gates) ids.push_back(gate.id);
  return ids;
}

std::string Policy::output_name(const std::string& name) const {
  std::string text = body_->output_name;
  text.replace(text.find(kNameField), kNameField.size(), name);
  return text;
}

Result<Policy> load_policy(std::string_view yaml, const std::string& origin) {
  Findings findings(origin);
  auto draft = make_draft(yaml, findings);
  check_draft(draft, findings);
  if (findings.has_errors()) return fail(to_error(findings.sorted(), origin));
  return Policy(merge(std::move(draft)));
}

std::vector<LintFinding> lint_policy(std::string_view yaml, const std::string& origin) {
  Findings findings(origin);
  const auto draft = make_draft(yaml, findings);
  check_draft(draft, findings);
  return findings.sorted();
}

const std::vector<PackInfo>& packs() {
  static const std::vector<PackInfo> list = [] {
    std::vector<PackInfo> made;
    for (const auto& file : packs::files()) made.push_back({file.name.substr(0, file.name.rfind('.')), file.content});
    return made;
  }();
  return list;
}

const std::vector<GateRule>& gate_rules(const Policy& policy) {
  return policy.body().gates;
}

bool applies_to(const Policy& policy, const GateRule& gate, model::ArtifactKind kind) {
  if (!policy.selects(kind)) return false;
  return gate.kinds.empty() || std::find(gate.kinds.begin(), gate.kinds.end(), kind) != gate.kinds.end();
}

}  // namespace mlops::policy
