#include "policies/engine/policy.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "core/base/text.h"
#include "policies/engine/body.h"
#include "policies/engine/classes.h"
#include "policies/engine/draft.h"
#include "policies/engine/load_at.h"
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

// The strictest of what the policy and its packs say, unless an exception lets the policy's own word stand; `fallback`
// when nobody says anything.
template <class T, class Field, class Stricter>
T strictest(const Draft& draft, std::string_view target, Field field, T fallback, Stricter stricter) {
  const auto& own = field(draft.own);
  if (own && draft.exception_for(target)) return own->value;
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
      draft, "unknown_column", [](const Document& d) -> const auto& { return d.unknown_column; },
      UnknownColumn::kQuarantine, std::greater<>{});
  body.residual_min_score = strictest<double>(
      draft, "residual.min_score", [](const Document& d) -> const auto& { return d.residual_min_score; },
      kDefaultMinScore, std::less<>{});
  body.residual_max_findings = strictest<std::int64_t>(
      draft, "residual.max_findings", [](const Document& d) -> const auto& { return d.residual_max_findings; }, 0,
      std::less<>{});
  body.output_sensitivity = strictest<model::Sensitivity>(
      draft, "output.sensitivity", [](const Document& d) -> const auto& { return d.output_sensitivity; },
      model::Sensitivity::kPseudonymous, std::greater<>{});
  for (const auto& column : draft.own.optional_columns) body.optional_columns.insert(fold_column(column.value));
  for (const auto& column : draft.own.columns) {
    if (column.is_optional) body.optional_columns.insert(fold_column(column.name.value));
  }
  for (const auto& column : draft.own.residual_ignore_columns) {
    body.residual_ignore_columns.insert(fold_column(column.value));
  }
  body.output_name = draft.own.output_name.empty() ? std::string(kDefaultOutputName) : draft.own.output_name;
}

}  // namespace

std::shared_ptr<const Policy::Body> merge(Draft draft) {
  auto body = std::make_shared<Policy::Body>();
  body->name = draft.own.name;
  body->version = draft.own.version;
  body->digest = digest_of(draft);
  body->kinds = draft.kinds();
  body->select_labels = draft.own.select_labels;
  body->masks = draft.masks();
  merge_settings(*body, draft);
  body->terms = merge_terms(draft);
  body->tests = draft.own.tests;
  for (const auto* document : draft.all()) {
    body->notes.insert(body->notes.end(), document->notes.begin(), document->notes.end());
    body->categories.insert(body->categories.end(), document->categories.begin(), document->categories.end());
    for (const auto& text : document->authority) {
      const bool there = std::find(body->authority.begin(), body->authority.end(), text) != body->authority.end();
      if (!there) body->authority.push_back(text);
    }
    for (const auto& group : document->identifiers) body->groups.emplace_back(document->name, group);
    if (document != &draft.own) body->extends.push_back(document->origin + " " + document->version);
  }
  body->description = draft.own.description;
  body->origin = draft.own.origin;
  body->keys = draft.own.keys;
  body->labels = draft.own.labels;
  body->gates = draft.own.gates;
  for (const auto& pack : draft.packs) body->gates.insert(body->gates.end(), pack.gates.begin(), pack.gates.end());
  body->columns = draft.own.columns;
  body->rules = merge_rules(draft);
  body->own_detectors = std::move(draft.own_detectors);
  body->detectors = std::move(draft.detectors);
  return body;
}

const DeclaredColumn* Policy::Body::declared(std::string_view column) const {
  return find_declared(columns, column);
}

bool Policy::Body::is_optional(const DeclaredColumn& column) const {
  return column.is_optional || optional_columns.count(fold_column(column.name.value)) > 0;
}

std::string Policy::Body::level_of(std::string_view column, std::string_view class_name) const {
  const auto rank = [&](std::string_view level) {
    return std::find(terms.levels.begin(), terms.levels.end(), level) - terms.levels.begin();
  };
  std::string level;
  if (const auto* as = declared(column)) level = as->level.value;
  for (const auto& active : detectors) {
    if (active.detector->id() != class_name || active.level.empty()) continue;
    if (level.empty() || rank(active.level) > rank(level)) level = active.level;
  }
  return level;
}

const Rule* Policy::Body::rule_for_class(std::string_view class_name) const {
  for (const auto& rule : rules) {
    if (rule.match == Rule::Match::kClass && rule.subject.value == class_name) return &rule;
  }
  const auto broader = broader_class(class_name);
  return broader.empty() ? nullptr : rule_for_class(broader);
}

const Rule* Policy::Body::rule_for(std::string_view column, std::string_view class_name) const {
  if (const auto* rule = find_column_rule(rules, column)) return rule;
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

const Terms& Policy::terms() const {
  return body_->terms;
}

bool Policy::selects(model::ArtifactKind kind) const {
  return std::find(body_->kinds.begin(), body_->kinds.end(), kind) != body_->kinds.end();
}

bool Policy::selects(const model::MemberFacts& member) const {
  return selects(member.version.kind) &&
         std::all_of(body_->select_labels.begin(), body_->select_labels.end(), [&](const auto& wanted) {
           const auto found = member.labels.find(wanted.first);
           return found != member.labels.end() && found->second == wanted.second;
         });
}

std::vector<std::string> Policy::gate_ids() const {
  std::vector<std::string> ids;
  for (const auto& gate : body_->gates) ids.push_back(gate.id);
  return ids;
}

std::vector<std::string> Policy::key_names() const {
  std::set<std::string> names;
  for (const auto& rule : body_->rules) {
    if (rule.apply && !rule.apply->key_name().empty()) names.emplace(rule.apply->key_name());
  }
  return {names.begin(), names.end()};
}

std::string Policy::output_name(const std::string& name) const {
  std::string text = body_->output_name;
  text.replace(text.find(kNameField), kNameField.size(), name);
  return text;
}

namespace {

Result<Policy> load(std::string_view yaml, const std::string& origin, const Clock* clock) {
  Findings findings(origin);
  auto draft = make_draft(yaml, findings, clock);
  check_draft(draft, findings);
  if (findings.has_errors()) return fail(to_error(findings.sorted(), origin));
  return Policy(merge(std::move(draft)));
}

}  // namespace

Result<Policy> load_policy(std::string_view yaml, const std::string& origin) {
  return load(yaml, origin, nullptr);
}

Result<Policy> load_policy_at(std::string_view yaml, const std::string& origin, const Clock& clock) {
  return load(yaml, origin, &clock);
}

std::vector<LintFinding> lint_policy(std::string_view yaml, const std::string& origin) {
  Findings findings(origin);
  const auto draft = make_draft(yaml, findings);
  check_draft(draft, findings);
  return findings.sorted();
}

std::vector<LintFinding> lint_policy(std::string_view yaml, const std::string& origin, TimestampUs at) {
  Findings findings(origin);
  const auto draft = make_draft(yaml, findings);
  check_draft(draft, findings);
  check_dates(draft, at, findings);
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

const std::vector<InlineTest>& inline_tests(const Policy& policy) {
  return policy.body().tests;
}

const std::vector<GateRule>& gate_rules(const Policy& policy) {
  return policy.body().gates;
}

bool applies_to(const Policy& policy, const GateRule& gate, const model::MemberFacts& member) {
  if (!policy.selects(member)) return false;
  const auto kind = member.version.kind;
  return gate.kinds.empty() || std::find(gate.kinds.begin(), gate.kinds.end(), kind) != gate.kinds.end();
}

}  // namespace mlops::policy
