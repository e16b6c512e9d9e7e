// What the masked dataset may be called, given what the rules leave in it; and the gates among themselves.
#include <fmt/format.h>

#include <algorithm>

#include "core/base/text.h"
#include "core/model/principal.h"
#include "policies/engine/classes.h"
#include "policies/engine/draft.h"
#include "policies/engine/reader.h"

namespace mlops::policy {
namespace {

using model::Sensitivity;

Sensitivity output_label(const Document& own) {
  return own.output_sensitivity ? own.output_sensitivity->value : Sensitivity::kPseudonymous;
}

// The clause of a pack that does not take a keyed pseudonym for any record key; empty: no pack minds.
std::string derived_code_clause(const Draft& draft) {
  for (const auto* pack : draft.binding()) {
    for (const auto& row : pack->forbid) {
      if (row.transform == "pseudonymize" && !row.cite.empty()) return row.cite;
    }
  }
  return {};
}

void check_pseudonym(const Draft& draft, const Rule& rule, Findings& findings) {
  if (!rule.apply || !rule.apply->is_pseudonym()) return;
  if (output_label(draft.own) == Sensitivity::kNone) {
    findings.error(
        rule.mark, "pseudonym_sensitivity",
        fmt::format("{} leaves linkable pseudonyms, so output.sensitivity cannot be none", rule.transform.value),
        "output: {sensitivity: pseudonymous}");
  } else if (const auto clause = derived_code_clause(draft); !clause.empty() && !rule.apply->needs_vault()) {
    findings.warning(rule.mark, "pseudonym_derived",
                     fmt::format("{}: a re-identification code must not be derived from information about the person; "
                                 "a keyed pseudonym keeps the output pseudonymous, it does not de-identify",
                                 clause),
                     "redact, suppress or tokenize what nobody needs to link");
  }
}

// The rule keeps what is about people of whom no pack speaks (a clinician's name), and says so by the column's subject.
bool is_outside(const Draft& draft, const Rule& rule) {
  const auto* column = rule.match == Rule::Match::kColumn ? draft.declared(rule.subject.value) : nullptr;
  if (!column || draft.packs.empty()) return false;
  return std::all_of(draft.packs.begin(), draft.packs.end(), [&](const Document& pack) {
    return std::any_of(pack.outside.begin(), pack.outside.end(), [&](const OutsideRow& row) {
      return row.subject.value == column->subject.value &&
             std::find(row.classes.begin(), row.classes.end(), column->class_name.value) != row.classes.end();
    });
  });
}

void check_kept(const Draft& draft, const Rule& rule, Findings& findings) {
  const auto name = draft.class_of_rule(rule);
  if (name.empty() || rule.transform.value != "keep" || class_of(name).kind == ClassKind::kPlain) return;
  if (output_label(draft.own) >= Sensitivity::kPersonal || is_outside(draft, rule)) return;
  findings.error(rule.mark, "identifier_kept",
                 fmt::format("class '{}' is kept, so the output cannot be below personal", printable(name)),
                 "mask it, or output: {sensitivity: personal}");
}

void check_approver_roles(const GateRule& gate, Findings& findings) {
  const auto* approvals = std::get_if<ApprovalsGate>(&gate.body);
  if (!approvals) return;
  for (const auto& role : approvals->roles) {
    if (model::role_from_word(role)) continue;
    findings.error(gate.mark, "unknown_role",
                   fmt::format("gate '{}': there is no role '{}'", printable(gate.id), printable(role)),
                   suggestion(role, model::role_words()));
  }
}

void check_gate_kinds(const Draft& draft, const GateRule& gate, Findings& findings) {
  const auto selected = draft.kinds();
  for (const auto kind : gate.kinds) {
    if (std::find(selected.begin(), selected.end(), kind) != selected.end()) continue;
    findings.error(
        gate.mark, "gate_unreachable",
        fmt::format("gate '{}' is for a {}, which select.kinds leaves out", printable(gate.id), to_word(kind)));
  }
}

// Two metric gates that no value can pass together.
void check_contradiction(const GateRule& gate, const GateRule& other, Findings& findings) {
  const auto* a = std::get_if<MetricGate>(&gate.body);
  const auto* b = std::get_if<MetricGate>(&other.body);
  if (!a || !b || a->name != b->name) return;
  const bool apart = (a->min && b->max && *a->min > *b->max) || (b->min && a->max && *b->min > *a->max);
  if (!apart) return;
  findings.error(gate.mark, "gate_impossible",
                 fmt::format("gates '{}' and '{}' contradict each other about {}: nothing passes both",
                             printable(other.id), printable(gate.id), printable(a->name)));
}

}  // namespace

void check_output(const Draft& draft, Findings& findings) {
  for (const auto& rule : draft.own.rules) {
    check_pseudonym(draft, rule, findings);
    check_kept(draft, rule, findings);
  }
  if (draft.own.output_sensitivity && !draft.masks()) {
    findings.warning(draft.own.output_sensitivity->mark, "output_unused",
                     "the policy masks nothing, so it has no output");
  }
}

void check_gates(const Draft& draft, Findings& findings) {
  const auto& gates = draft.own.gates;
  for (std::size_t i = 0; i < gates.size(); ++i) {
    check_approver_roles(gates[i], findings);
    check_gate_kinds(draft, gates[i], findings);
    for (std::size_t k = 0; k < i; ++k) {
      check_contradiction(gates[i], gates[k], findings);
      if (gates[i].id.empty() || gates[i].id != gates[k].id) continue;
      findings.error(gates[i].mark, "duplicate_gate",
                     fmt::format("gate '{}' stands in line {} already", printable(gates[i].id), gates[k].mark.line));
    }
  }
}

}  // namespace mlops::policy
