#include "policies/engine/explain_terms.h"

#include <fmt/format.h>

#include "core/base/text.h"

namespace mlops::policy {
namespace {

constexpr std::string_view kDeclared;  // evidence: shown, asked for by packs, enforced by nobody here

struct TermRow {
  std::string_view term;
  std::string_view enforced_by;
  std::string (*value)(const Terms& terms);  // empty: nothing said
};

template <class T>
std::string number_text(const std::optional<T>& value) {
  return value ? fmt::format("{}", *value) : std::string{};
}
std::string period_text(const std::optional<Period>& period) {
  return period ? period->to_string() : std::string{};
}
template <class Enum>
std::string word_text(const std::optional<Enum>& word) {
  return word ? std::string(to_word(*word)) : std::string{};
}

std::string columns_text(const std::vector<Marked<std::string>>& columns) {
  std::vector<std::string> names;
  for (const auto& one : columns) names.push_back(one.value);
  return join(names, ", ");
}

std::string shadow_text(const Terms& terms) {
  const auto& shadow = terms.enforcement.shadow;
  if (!shadow.is_set()) return {};
  std::vector<std::string> parts;
  if (!shadow.policy.value.empty()) parts.push_back("policy " + shadow.policy.value);
  if (!shadow.gates.empty()) parts.push_back("gates " + columns_text(shadow.gates));
  return join(parts, ", ") + (shadow.until.empty() ? ", without an end" : ", until " + shadow.until);
}

std::string l_text(const Terms& terms) {
  std::vector<std::string> parts;
  for (const auto& row : terms.risk.l) {
    parts.push_back(row.distinct ? fmt::format("{} distinct values of {}", *row.distinct, row.attribute.value)
                                 : fmt::format("entropy l of {} for {}", *row.entropy, row.attribute.value));
  }
  return join(parts, ", ");
}

std::string t_text(const Terms& terms) {
  std::vector<std::string> parts;
  for (const auto& row : terms.risk.t) parts.push_back(fmt::format("{} within {}", row.attribute.value, row.max));
  return join(parts, ", ");
}

std::string transfer_text(const Terms& terms) {
  std::vector<std::string> parts;
  for (const auto& row : terms.residency.transfers) {
    parts.push_back(fmt::format("{} by {} {}", row.region.value, to_word(row.basis), row.id));
  }
  return join(parts, ", ");
}

std::string consent_text(const Terms& terms) {
  const auto& consent = terms.purpose.consent;
  if (!consent) return {};
  auto text = fmt::format("id in column {}, without it {}", consent->field.value, to_word(consent->on_missing));
  if (consent->min_age) text += fmt::format(", below the age of {}", *consent->min_age);
  if (!consent->age_field.value.empty()) text += fmt::format(" in column {}", consent->age_field.value);
  if (!consent->required_for.empty()) text += ", for " + join(consent->required_for, ", ");
  if (!consent->separate.empty()) text += ", apart for " + join(consent->separate, ", ");
  return text;
}

std::string expert_text(const Terms& terms) {
  if (!terms.expert) return {};
  const auto& expert = *terms.expert;
  return fmt::format("{} by {}, threshold {}, scope {}, until {}, document {}", expert.name, expert.method,
                     number_text(expert.risk_threshold), expert.scope, expert.expires, expert.document_digest);
}

// clang-format off
constexpr TermRow kTerms[] = {
    {"enforcement.mode", "gates", [](const Terms& t) { return std::string(to_word(t.enforcement.mode)); }},
    {"enforcement.shadow", "recorded with each decision, refuses nothing", shadow_text},
    {"classification.levels", kDeclared, [](const Terms& t) { return join(t.levels, ", "); }},
    {"classification.scan.nested_depth", kDeclared, [](const Terms& t) { return fmt::format("{}", t.scan.nested_depth); }},
    {"classification.scan.free_text", kDeclared, [](const Terms& t) { return fmt::format("{}", t.scan.free_text); }},
    {"classification.scan.decode", kDeclared, [](const Terms& t) { return join(t.scan.decode, ", "); }},
    {"classification.scan.max_decode_ratio", kDeclared, [](const Terms& t) { return fmt::format("{}", t.scan.max_decode_ratio); }},
    {"risk.quasi_identifiers", "masking", [](const Terms& t) { return columns_text(t.risk.quasi_identifiers); }},
    {"risk.require.k", "masking", [](const Terms& t) { return number_text(t.risk.k); }},
    {"risk.require.l", "masking", l_text},
    {"risk.require.t", "masking", t_text},
    {"risk.on_fail", "masking", [](const Terms& t) { return word_text(t.risk.on_fail); }},
    {"retention.max", kDeclared, [](const Terms& t) { return period_text(t.retention.max); }},
    {"retention.from", kDeclared, [](const Terms& t) { return word_text(t.retention.from); }},
    {"retention.action", kDeclared, [](const Terms& t) { return word_text(t.retention.action); }},
    {"retention.legal_hold", "store", [](const Terms& t) { return t.retention.legal_hold; }},
    {"retention.audit_log_min", "audit log, never shortened", [](const Terms& t) { return period_text(t.retention.audit_log_min); }},
    {"retention.policy_document", kDeclared, [](const Terms& t) { return t.retention.policy_document; }},
    {"residency.allowed", "gates", [](const Terms& t) { return t.residency.allowed ? join(*t.residency.allowed, ", ") : std::string{}; }},
    {"residency.transfer", "gates", transfer_text},
    {"purpose.declared", "gates", [](const Terms& t) { return join(t.purpose.declared, ", "); }},
    {"purpose.lawful_basis.default", kDeclared, [](const Terms& t) { return t.purpose.lawful_basis; }},
    {"purpose.lawful_basis.special", kDeclared, [](const Terms& t) { return t.purpose.lawful_basis_special; }},
    {"purpose.special_category_condition", kDeclared, [](const Terms& t) { return t.purpose.special_category_condition; }},
    {"purpose.dpia", kDeclared, [](const Terms& t) { return t.purpose.dpia; }},
    {"purpose.controller", kDeclared, [](const Terms& t) { return t.purpose.controller; }},
    {"purpose.audience", kDeclared, [](const Terms& t) { return t.purpose.audience; }},
    {"purpose.consent", "masking", consent_text},
    {"erasure.subject_key", kDeclared, [](const Terms& t) { return t.erasure.subject_key.value; }},
    {"erasure.sla", kDeclared, [](const Terms& t) { return period_text(t.erasure.sla); }},
    {"erasure.datasets", kDeclared, [](const Terms& t) { return t.erasure.datasets; }},
    {"erasure.models.action", kDeclared, [](const Terms& t) { return t.erasure.models_action; }},
    {"erasure.models.retrain_within", kDeclared, [](const Terms& t) { return period_text(t.erasure.retrain_within); }},
    {"erasure.backups", kDeclared, [](const Terms& t) { return t.erasure.backups; }},
    {"expert", "expiry at use", expert_text},
};
// clang-format on

Json statements_json(const std::vector<Statement>& list) {
  Json out = Json::array();
  for (const auto& row : list) {
    out.push_back({{"name", row.name.value},
                   {"ref", row.ref},
                   {"by", row.by},
                   {"at", row.at},
                   {"digest", row.digest},
                   {"expires", row.expires}});
  }
  return out;
}

Json terms_json(const Terms& terms) {
  Json out = Json::array();
  for (const auto& row : kTerms) {
    const auto value = row.value(terms);
    if (!value.empty()) out.push_back({{"term", row.term}, {"value", value}, {"enforced_by", row.enforced_by}});
  }
  return out;
}

Json requirement_json(const Requirement& row) {
  return {{"path", row.path.value}, {"pack", row.pack},  {"cite", row.cite},
          {"why", row.why},         {"met", row.is_met}, {"before", row.before_promotion ? "promotion" : "use"}};
}

// Of a pack itself: what it asks of others; whether that is met is not asked of the pack.
Json requirements_json(const Policy::Body& body) {
  Json out = Json::array();
  for (const auto& row : body.terms.requirements) out.push_back(requirement_json(row));
  for (const auto& pack : packs()) {
    if (body.origin != "pack/" + std::string(pack.name)) continue;
    Findings findings(body.origin);
    for (const auto& row : read_document(pack.yaml, findings).requirements) {
      out.push_back(requirement_json(row));
      out.back()["met"] = Json();
    }
  }
  return out;
}

Json exceptions_json(const Terms& terms) {
  Json out = Json::array();
  for (const auto& row : terms.exceptions) {
    out.push_back({{"id", row.id.value},
                   {"gate", row.gate.value},
                   {"scope", row.scope},
                   {"reason", row.reason},
                   {"approver", row.approver},
                   {"expires", row.expires}});
  }
  return out;
}

}  // namespace

void add_terms(const Policy::Body& body, Json& out) {
  const auto& terms = body.terms;
  out["terms"] = terms_json(terms);
  out["requirements"] = requirements_json(body);
  out["exceptions"] = exceptions_json(terms);
  out["attestations"] = statements_json(terms.attestations);
  out["evidence"] = statements_json(terms.evidence);
  out["effective"] = Json::array();
  for (const auto& one : terms.effective) {
    out["effective"].push_back({{"origin", one.origin}, {"from", format_rfc3339(one.from_us).substr(0, 10)}});
  }
  out["keys"] = Json::array();
  for (const auto& key : body.keys) {
    Json one = {{"name", key.name.value}, {"purpose", key.purpose}, {"ref", key.ref}};
    one["rotate_days"] = key.rotate_days ? Json(*key.rotate_days) : Json();
    out["keys"].push_back(std::move(one));
  }
  out["categories"] = Json::array();
  for (const auto& row : body.categories) {
    out["categories"].push_back(
        {{"name", row.name.value}, {"title", row.title}, {"classes", row.classes}, {"cite", row.cite}});
  }
  out["notes"] = Json::array();
  for (const auto& note : body.notes) out["notes"].push_back({{"text", note.text}, {"cite", note.cite}});
  out["labels"] = Json::object();
  for (const auto& [key, value] : body.labels) out["labels"][key] = value;
}

}  // namespace mlops::policy
