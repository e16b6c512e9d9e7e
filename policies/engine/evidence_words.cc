// Gates on evidence in words, and how two of a kind differ.
#include <fmt/format.h>

#include "core/base/text.h"
#include "policies/engine/evidence_gate.h"

namespace mlops::policy {

std::string words_of(const Subgroups& gate) {
  std::vector<std::string> parts;
  if (gate.min) parts.push_back(fmt::format("is at least {}", *gate.min));
  if (gate.max) parts.push_back(fmt::format("is at most {}", *gate.max));
  if (gate.max_gap) parts.push_back(fmt::format("differs by at most {}", *gate.max_gap));
  if (gate.not_below_current_by) {
    parts.push_back(fmt::format("is not more than {} below what runs now", *gate.not_below_current_by));
  }
  if (!gate.require.empty()) parts.push_back("is recorded for " + join(gate.require, ", "));
  return fmt::format("in every group by {} it {}", gate.by, join(parts, " and "));
}

std::string words_of(const IndependenceGate& gate) {
  return fmt::format(
      "its inputs {} share no file and {}", join(gate.roles, " and "),
      gate.max_overlap == 0 ? "nobody's records" : fmt::format("the records of at most {} people", gate.max_overlap));
}

std::string words_of(const QualityGate& gate) {
  const auto whose = gate.role.empty() ? std::string("of the dataset") : fmt::format("of the {} data", gate.role);
  return fmt::format("{}: {}", whose, join(quality_texts(gate), "; "));
}

std::string words_of(const ResidualGate& gate) {
  return fmt::format("a scan left at most {} finding{} in {}", gate.max_findings, gate.max_findings == 1 ? "" : "s",
                     join(gate.of, ", "));
}

std::string words_of(const SignaturesGate& gate) {
  auto text =
      fmt::format("{} {} signed it with their keys", gate.count, gate.count == 1 ? "person has" : "people have");
  if (!gate.roles.empty()) text += " as " + join(gate.roles, " or ");
  return text;
}

std::string words_of(const ExternalGate& gate) {
  return fmt::format("the server {} allows it within {} ms", gate.name, gate.timeout_ms);
}

std::string words_of(const CompatGate&) {
  return "the members of the release declare their schemas, and each gives what the next one takes";
}

void compare_subgroups(const std::string& subject, const std::optional<Subgroups>& a, const std::optional<Subgroups>& b,
                       Comparison& out) {
  if (a.has_value() != b.has_value()) {
    out.add(b ? Change::kTightened : Change::kLoosened, subject + " subgroups", a ? words_of(*a) : "",
            b ? words_of(*b) : "");
    return;
  }
  if (!a) return;
  out.text(subject + " subgroups by", a->by, b->by, Change::kUnclear);
  out.limit(subject + " subgroups min", a->min, b->min, MoreIs::kStricter);
  out.limit(subject + " subgroups max", a->max, b->max, MoreIs::kLooser);
  out.limit(subject + " subgroups max_gap", a->max_gap, b->max_gap, MoreIs::kLooser);
  out.limit(subject + " subgroups not_below_current_by", a->not_below_current_by, b->not_below_current_by,
            MoreIs::kLooser);
  out.set(subject + " subgroups require", a->require, b->require, MoreIs::kStricter);
}

void compare_bodies(const std::string& subject, const IndependenceGate& a, const IndependenceGate& b, Comparison& out) {
  out.set(subject + " roles", a.roles, b.roles, MoreIs::kStricter);
  out.limit(subject + " max_overlap", std::optional(a.max_overlap), std::optional(b.max_overlap), MoreIs::kLooser);
}

void compare_bodies(const std::string& subject, const QualityGate& a, const QualityGate& b, Comparison& out) {
  out.text(subject + " of", a.role, b.role, Change::kUnclear);
  out.set(subject + " check", quality_texts(a), quality_texts(b), MoreIs::kStricter);
}

void compare_bodies(const std::string& subject, const ResidualGate& a, const ResidualGate& b, Comparison& out) {
  out.limit(subject + " max_findings", std::optional(a.max_findings), std::optional(b.max_findings), MoreIs::kLooser);
  out.set(subject + " of", a.of, b.of, MoreIs::kStricter);
}

void compare_bodies(const std::string& subject, const SignaturesGate& a, const SignaturesGate& b, Comparison& out) {
  out.limit(subject + " count", std::optional(a.count), std::optional(b.count), MoreIs::kStricter);
  const bool limited = !a.roles.empty() && !b.roles.empty();
  if (limited) return out.set(subject + " roles", a.roles, b.roles, MoreIs::kLooser);
  if (a.roles != b.roles) {
    out.add(b.roles.empty() ? Change::kLoosened : Change::kTightened, subject + " roles", join(a.roles, ", "),
            join(b.roles, ", "));
  }
}

void compare_bodies(const std::string& subject, const ExternalGate& a, const ExternalGate& b, Comparison& out) {
  out.text(subject + " name", a.name, b.name, Change::kUnclear);
  out.limit(subject + " timeout_ms", std::optional(a.timeout_ms), std::optional(b.timeout_ms), MoreIs::kLooser);
}

void compare_bodies(const std::string&, const CompatGate&, const CompatGate&, Comparison&) {}

}  // namespace mlops::policy
