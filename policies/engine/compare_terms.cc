// Gates and terms of two policies.
#include <map>
#include <set>

#include "core/base/text.h"
#include "policies/engine/comparison.h"
#include "policies/engine/evidence_gate.h"
#include "policies/engine/wording.h"

namespace mlops::policy {
namespace {

const GateRule* find_gate(const Policy::Body& body, const std::string& id) {
  const auto found =
      std::find_if(body.gates.begin(), body.gates.end(), [&](const GateRule& gate) { return gate.id == id; });
  return found == body.gates.end() ? nullptr : &*found;
}

// Every number the gate names, with the direction of more; what else differs is unclear.
void compare_bodies(const std::string& subject, const MetricGate& a, const MetricGate& b, Comparison& out) {
  out.text(subject + " metric", a.name, b.name, Change::kUnclear);
  out.limit(subject + " min", a.min, b.min, MoreIs::kStricter);
  out.limit(subject + " max", a.max, b.max, MoreIs::kLooser);
  out.limit(subject + " not_below_current_by", a.not_below_current_by, b.not_below_current_by, MoreIs::kLooser);
  compare_subgroups(subject, a.subgroups, b.subgroups, out);
}

void compare_bodies(const std::string& subject, const LineageGate& a, const LineageGate& b, Comparison& out) {
  const auto asks = [](bool value) { return value ? std::optional(1) : std::nullopt; };
  const auto yes = [](int) { return std::string("asked for"); };
  out.limit(subject + " complete", asks(a.is_complete), asks(b.is_complete), MoreIs::kStricter, yes);
  out.limit(subject + " git", asks(a.git_clean), asks(b.git_clean), MoreIs::kStricter, yes);
  out.set(subject + " roles", a.roles, b.roles, MoreIs::kStricter);
}

void compare_bodies(const std::string& subject, const ApprovalsGate& a, const ApprovalsGate& b, Comparison& out) {
  out.limit(subject + " count", std::optional(a.count), std::optional(b.count), MoreIs::kStricter);
  const auto asks = [](bool value) { return value ? std::optional(1) : std::nullopt; };
  const auto yes = [](int) { return std::string("asked for"); };
  out.limit(subject + " signed", asks(a.are_signed), asks(b.are_signed), MoreIs::kStricter, yes);
  out.limit(subject + " meaning", asks(a.need_meaning), asks(b.need_meaning), MoreIs::kStricter, yes);
  const auto age = [](const ApprovalsGate& gate) {
    return gate.max_age_us == 0 ? std::nullopt : std::optional(gate.max_age_us);
  };
  out.limit(subject + " max_age", age(a), age(b), MoreIs::kLooser,
            [](std::int64_t us) { return fmt::format("{} hours", us / 3'600'000'000); });
  const bool limited = !a.roles.empty() && !b.roles.empty();
  if (limited) return out.set(subject + " roles", a.roles, b.roles, MoreIs::kLooser);
  if (a.roles != b.roles) {
    out.add(b.roles.empty() ? Change::kLoosened : Change::kTightened, subject + " roles", join(a.roles, ", "),
            join(b.roles, ", "));
  }
}

void compare_bodies(const std::string& subject, const ClearanceGate& a, const ClearanceGate& b, Comparison& out) {
  out.limit(subject + " max", std::optional(a.max), std::optional(b.max), MoreIs::kLooser,
            [](model::Sensitivity label) { return std::string(to_word(label)); });
}

void compare_bodies(const std::string& subject, const AssertGate& a, const AssertGate& b, Comparison& out) {
  if (a.program.source() != b.program.source()) {
    out.add(Change::kUnclear, subject + " assert", a.program.source(), b.program.source());
  }
}

void compare_bodies(const std::string& subject, const ProvenanceGate& a, const ProvenanceGate& b, Comparison& out) {
  const auto asks = [](bool value) { return value ? std::optional(1) : std::nullopt; };
  const auto yes = [](int) { return std::string("asked for"); };
  out.limit(subject + " clean", asks(a.clean), asks(b.clean), MoreIs::kStricter, yes);
  const auto list = [&](const std::string& name, const std::vector<std::string>& before,
                        const std::vector<std::string>& after) {
    if (!before.empty() && !after.empty()) return out.set(subject + name, before, after, MoreIs::kLooser);
    if (before == after) return;
    out.add(after.empty() ? Change::kLoosened : Change::kTightened, subject + name, join(before, ", "),
            join(after, ", "));
  };
  list(" repositories", a.repositories, b.repositories);
  list(" branches", a.branches, b.branches);
}

void compare_bodies(const std::string&, const std::monostate&, const std::monostate&, Comparison&) {}

void compare_gate(const std::string& subject, const GateRule& a, const GateRule& b, Comparison& out) {
  if (a.body.index() != b.body.index()) return out.add(Change::kUnclear, subject, gate_text(a), gate_text(b));
  std::visit(
      [&](const auto& body) {
        using Body = std::decay_t<decltype(body)>;
        compare_bodies(subject, body, std::get<Body>(b.body), out);
      },
      a.body);
  const auto kinds = [](const GateRule& gate) {
    std::vector<std::string> words;
    for (const auto kind : {model::ArtifactKind::kModel, model::ArtifactKind::kDataset}) {
      const bool listed =
          gate.kinds.empty() || std::find(gate.kinds.begin(), gate.kinds.end(), kind) != gate.kinds.end();
      if (listed) words.emplace_back(to_word(kind));
    }
    return words;
  };
  out.set(subject + " kinds", kinds(a), kinds(b), MoreIs::kStricter);
}

std::vector<std::string> texts_of(const std::vector<Marked<std::string>>& list) {
  std::vector<std::string> texts;
  for (const auto& one : list) texts.push_back(one.value);
  return texts;
}

std::string show_period(const Period& period) {
  return period.to_string();
}

template <class Enum>
std::string show_word(Enum word) {
  return std::string(to_word(word));
}

void compare_risk(const Risk& a, const Risk& b, Comparison& out) {
  out.limit("risk k", a.k, b.k, MoreIs::kStricter);
  const auto columns = [](const Risk& risk) {
    std::vector<std::string> names;
    for (const auto& one : risk.quasi_identifiers) names.push_back(fold_column(one.value));
    return names;
  };
  out.set("risk quasi_identifiers", columns(a), columns(b), MoreIs::kStricter);
  std::map<std::string, std::array<const LDiversity*, 2>> l;
  for (const auto& row : a.l) l[fold_column(row.attribute.value)][0] = &row;
  for (const auto& row : b.l) l[fold_column(row.attribute.value)][1] = &row;
  for (const auto& [name, rows] : l) {
    const auto distinct = [](const LDiversity* row) { return row ? row->distinct : std::nullopt; };
    const auto entropy = [](const LDiversity* row) { return row ? row->entropy : std::nullopt; };
    out.limit("risk l distinct of " + name, distinct(rows[0]), distinct(rows[1]), MoreIs::kStricter);
    out.limit("risk l entropy of " + name, entropy(rows[0]), entropy(rows[1]), MoreIs::kStricter);
  }
  std::map<std::string, std::array<std::optional<double>, 2>> t;
  for (const auto& row : a.t) t[fold_column(row.attribute.value)][0] = row.max;
  for (const auto& row : b.t) t[fold_column(row.attribute.value)][1] = row.max;
  for (const auto& [name, max] : t) out.limit("risk t of " + name, max[0], max[1], MoreIs::kLooser);
  const auto on_fail = [](const Risk& risk) { return std::optional(risk.on_fail.value_or(OnRisk::kDeny)); };
  out.limit("risk on_fail", on_fail(a), on_fail(b), MoreIs::kStricter, show_word<OnRisk>);
}

void compare_residency(const Residency& a, const Residency& b, Comparison& out) {
  if (a.allowed.has_value() != b.allowed.has_value()) {
    const auto list = [](const Residency& one) { return one.allowed ? "[" + join(*one.allowed, ", ") + "]" : ""; };
    out.add(b.allowed ? Change::kTightened : Change::kLoosened, "residency allowed", list(a), list(b));
  } else if (a.allowed) {
    out.set("residency allowed", *a.allowed, *b.allowed, MoreIs::kLooser);
  }
  const auto transfers = [](const Residency& one) {
    std::vector<std::string> texts;
    for (const auto& row : one.transfers) {
      texts.push_back(fmt::format("{} by {} {}", row.region.value, to_word(row.basis), row.id));
    }
    return texts;
  };
  out.set("residency transfer", transfers(a), transfers(b), MoreIs::kLooser);
}

void compare_purpose(const Purpose& a, const Purpose& b, Comparison& out) {
  out.set("purpose declared", a.declared, b.declared, MoreIs::kLooser);
  out.text("purpose lawful_basis.default", a.lawful_basis, b.lawful_basis);
  out.text("purpose lawful_basis.special", a.lawful_basis_special, b.lawful_basis_special);
  out.text("purpose special_category_condition", a.special_category_condition, b.special_category_condition);
  out.text("purpose dpia", a.dpia, b.dpia);
  out.text("purpose controller", a.controller, b.controller);
  out.text("purpose audience", a.audience, b.audience, Change::kUnclear);
  const Consent none;
  const auto& was = a.consent ? *a.consent : none;
  const auto& is = b.consent ? *b.consent : none;
  if (a.consent.has_value() != b.consent.has_value()) {
    out.add(b.consent ? Change::kTightened : Change::kLoosened, "purpose consent", was.field.value, is.field.value);
    return;
  }
  out.text("purpose consent.field", was.field.value, is.field.value, Change::kUnclear);
  out.text("purpose consent.age_field", was.age_field.value, is.age_field.value, Change::kUnclear);
  out.set("purpose consent.required_for", was.required_for, is.required_for, MoreIs::kStricter);
  out.set("purpose consent.separate", was.separate, is.separate, MoreIs::kStricter);
  out.limit("purpose consent.min_age", was.min_age, is.min_age, MoreIs::kStricter);
  out.limit("purpose consent.on_missing", std::optional(was.on_missing), std::optional(is.on_missing),
            MoreIs::kStricter, show_word<OnMissingConsent>);
}

void compare_retention(const Retention& a, const Retention& b, Comparison& out) {
  out.limit("retention max", a.max, b.max, MoreIs::kLooser, show_period);
  out.limit("retention from", a.from, b.from, MoreIs::kStricter, show_word<RetentionFrom>);
  out.limit("retention action", a.action, b.action, MoreIs::kStricter, show_word<RetentionAction>);
  out.limit("retention audit_log_min", a.audit_log_min, b.audit_log_min, MoreIs::kStricter, show_period);
  out.text("retention policy_document", a.policy_document, b.policy_document);
}

void compare_erasure(const Erasure& a, const Erasure& b, Comparison& out) {
  out.text("erasure subject_key", a.subject_key.value, b.subject_key.value, Change::kUnclear);
  out.limit("erasure sla", a.sla, b.sla, MoreIs::kLooser, show_period);
  out.limit("erasure retrain_within", a.retrain_within, b.retrain_within, MoreIs::kLooser, show_period);
  out.text("erasure datasets", a.datasets, b.datasets, Change::kUnclear);
  out.text("erasure models", a.models_action, b.models_action, Change::kUnclear);
  out.text("erasure backups", a.backups, b.backups, Change::kUnclear);
}

void compare_written(const Terms& a, const Terms& b, Comparison& out) {
  const auto exceptions = [](const Terms& terms) {
    std::vector<std::string> texts;
    for (const auto& row : terms.exceptions) {
      texts.push_back(fmt::format("{} for {} of {} until {}", row.id.value, row.gate.value, row.scope, row.expires));
    }
    return texts;
  };
  out.set("exception", exceptions(a), exceptions(b), MoreIs::kLooser);
  const auto statements = [](const std::vector<Statement>& list) {
    std::map<std::string, std::string> map;
    for (const auto& row : list) map[row.name.value] = row.ref;
    return map;
  };
  const auto compare = [&](std::string_view what, const std::vector<Statement>& was, const std::vector<Statement>& is) {
    auto before = statements(was);
    auto after = statements(is);
    for (const auto& [name, ref] : after) before.emplace(name, "");
    for (const auto& [name, ref] : before) out.text(fmt::format("{} {}", what, name), ref, after[name]);
  };
  compare("attestation", a.attestations, b.attestations);
  compare("evidence", a.evidence, b.evidence);
  const auto expert = [](const Terms& terms) {
    return terms.expert
               ? fmt::format("{}, {}, until {}", terms.expert->name, terms.expert->method, terms.expert->expires)
               : std::string{};
  };
  out.text("expert", expert(a), expert(b), Change::kUnclear);
  const auto requirements = [](const Terms& terms) {
    std::vector<std::string> texts;
    for (const auto& row : terms.requirements) texts.push_back(row.path.value + " of " + row.pack);
    return texts;
  };
  out.set("required evidence", requirements(a), requirements(b), MoreIs::kStricter);
}

void compare_scan(const Terms& a, const Terms& b, Comparison& out) {
  out.limit("setting enforcement.mode", std::optional(a.enforcement.mode), std::optional(b.enforcement.mode),
            MoreIs::kStricter, show_word<EnforcementMode>);
  const auto& before = a.enforcement.shadow;
  const auto& after = b.enforcement.shadow;
  out.text("setting enforcement.shadow.policy", before.policy.value, after.policy.value);
  out.set("setting enforcement.shadow.gates", texts_of(before.gates), texts_of(after.gates), MoreIs::kLooser);
  const bool any_gates = !before.gates.empty() || !after.gates.empty();
  out.text("setting enforcement.shadow.until", before.until, after.until,
           any_gates ? Change::kUnclear : Change::kNeutral);
  out.limit("setting scan.nested_depth", std::optional(a.scan.nested_depth), std::optional(b.scan.nested_depth),
            MoreIs::kStricter);
  out.limit("setting scan.free_text", std::optional(a.scan.free_text), std::optional(b.scan.free_text),
            MoreIs::kStricter);
  out.limit("setting scan.max_decode_ratio", std::optional(a.scan.max_decode_ratio),
            std::optional(b.scan.max_decode_ratio), MoreIs::kLooser);
  out.set("setting scan.decode", a.scan.decode, b.scan.decode, MoreIs::kStricter);
}

}  // namespace

void compare_gates(const Policy::Body& before, const Policy::Body& after, Comparison& out) {
  std::vector<std::string> ids;
  for (const auto* body : {&before, &after}) {
    for (const auto& gate : body->gates) {
      if (std::find(ids.begin(), ids.end(), gate.id) == ids.end()) ids.push_back(gate.id);
    }
  }
  for (const auto& id : ids) {
    const auto* a = find_gate(before, id);
    const auto* b = find_gate(after, id);
    const auto subject = "gate " + id;
    if (a && b) {
      compare_gate(subject, *a, *b, out);
    } else {
      out.add(b ? Change::kTightened : Change::kLoosened, subject, a ? gate_text(*a) : "", b ? gate_text(*b) : "");
    }
  }
}

void compare_terms(const Policy::Body& before, const Policy::Body& after, Comparison& out) {
  compare_scan(before.terms, after.terms, out);
  compare_risk(before.terms.risk, after.terms.risk, out);
  compare_retention(before.terms.retention, after.terms.retention, out);
  compare_residency(before.terms.residency, after.terms.residency, out);
  compare_purpose(before.terms.purpose, after.terms.purpose, out);
  compare_erasure(before.terms.erasure, after.terms.erasure, out);
  compare_written(before.terms, after.terms, out);
}

}  // namespace mlops::policy
