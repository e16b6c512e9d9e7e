#include "cli/cmd/release_text.h"

#include <fmt/format.h>

#include <algorithm>

#include "cli/cmd/fields.h"
#include "core/base/text.h"

namespace mlops::cli {
namespace {

std::string member_text(const Json& release_member) {
  std::string text = text_of(release_member, "ref") + "  " + short_digest(text_of(release_member, "digest"));
  const auto sensitivity = text_of(release_member, "sensitivity");
  return sensitivity.empty() ? text : text + "  " + sensitivity;
}

std::string by_at(const Json& object, const char* by, const char* at, const Style& style) {
  const auto who = text_of(object, by);
  const auto when = style.time(text_of(object, at));
  return when.empty() ? who : who + ", " + when;
}

void add_members(KeyValues& rows, const Json& members, std::string_view heading) {
  for (const auto& item : members) rows.add(&item == &members.front() ? std::string(heading) : " ", member_text(item));
}

// As the gates count them: of a person without the role asked for, an approval is given and does not count.
std::int64_t approvals_counted(const Json& plan) {
  auto counted = approvals_given(plan);
  for (const auto& gate : array_of(plan, "gates")) {
    if (text_of(gate, "kind") != "approvals" || text_of(gate, "verdict") != "pending") continue;
    counted = std::min(counted, int_of(member(gate, "facts"), "have"));
  }
  return counted;
}

void add_approvals(KeyValues& rows, const Json& plan, const Style& style) {
  const auto needed = int_of(plan, "approvals_needed");
  if (needed > 0) rows.add("approvals", fmt::format("{} of {}", approvals_counted(plan), needed));
  for (const auto& approval : array_of(plan, "approvals")) {
    const auto decision = text_of(approval, "decision");
    const auto why_void = text_of(approval, "void_because");
    const auto meaning = text_of(approval, "meaning");
    auto text = fmt::format("{} by {}: {}",
                            decision == "approve"  ? "approved"
                            : decision == "reject" ? "rejected"
                                                   : decision,
                            by_at(approval, "by", "at", style), text_of(approval, "reason"));
    if (!meaning.empty()) text += fmt::format(" ({})", meaning);
    if (const auto key = text_of(approval, "key"); !key.empty()) text += ", signed with " + key;
    if (!why_void.empty()) text += " – does not count: " + why_void;
    rows.add(" ", text, decision == "approve" && why_void.empty() ? Tone::kGood : Tone::kBad);
  }
}

std::string plan_title(const Json& plan, const Style& style) {
  const auto verdict = text_of(plan, "verdict");
  const auto sign = verdict_mark(verdict);
  const auto restores = strings_of(plan, "restores");
  const auto what = restores.empty() ? text_of(member(plan, "release"), "name") : join(restores, " and ");
  return style.paint(sign.tone, sign.mark + " " + verdict) + "  " +
         style.paint(Tone::kBold,
                     fmt::format("{} {} to {}", text_of(plan, "kind"), what, text_of(plan, "environment")));
}

// What masking under a policy in shadow would have come to.
std::string shadow_masking_text(const Json& shadow) {
  const auto policy = text_of(shadow, "policy");
  const auto verdict = text_of(shadow, "verdict");
  if (verdict == "none") return policy + " would not mask";
  if (verdict == "fail") return policy + " would refuse: " + text_of(shadow, "refused_by");
  std::int64_t changed = 0;
  for (const auto& column : array_of(shadow, "columns")) changed += int_of(column, "changed");
  return fmt::format("{} would mask {} with {} changed", policy, counted(int_of(shadow, "rows"), "row", "rows"),
                     counted(changed, "cell", "cells"));
}

bool is_open(const Json& plan) {
  return text_of(plan, "state") == "open";
}

}  // namespace

std::int64_t approvals_given(const Json& plan) {
  const auto& approvals = array_of(plan, "approvals");
  return std::count_if(approvals.begin(), approvals.end(), [](const Json& approval) {
    return text_of(approval, "decision") == "approve" && text_of(approval, "void_because").empty();
  });
}

Lines plan_lines(const Json& plan, const Style& style, GateDetail detail) {
  Lines lines{plan_title(plan, style)};
  KeyValues head;
  add_members(head, array_of(member(plan, "release"), "members"), "release");
  if (const auto restores = strings_of(plan, "restores"); !restores.empty()) {
    head.add("brings back", fmt::format("{} releases, each as it ran", restores.size()));
  }
  const auto running = text_of(plan, "running");
  head.add("running now", running.empty() ? "nothing" : running);
  if (const auto& masking = member(plan, "masking"); masking.is_object()) {
    head.add("masking", fmt::format("{} would become a new version of {} by policy {}", text_of(masking, "source"),
                                    text_of(masking, "output"), text_of(masking, "policy")));
  }
  for (const auto& policy : array_of(plan, "policies")) {
    head.add("policy", text_of(policy, "name") + "  " + short_digest(text_of(policy, "digest")));
  }
  if (bool_of(plan, "break_glass")) {
    head.add("break-glass", "procedure is passed over; another person must review it", Tone::kBad);
  }
  if (const auto overrides = strings_of(plan, "overrides"); !overrides.empty()) {
    head.add("passes over", join(overrides, ", "), Tone::kWarn);
  }
  head.add("requested", by_at(plan, "requested_by", "requested_at", style));
  if (is_open(plan)) head.add("open until", style.time(text_of(plan, "expires_at")));
  head.add("reason", text_of(plan, "reason"));
  add_approvals(head, plan, style);
  append(lines, head.lines(style, 2));
  lines.emplace_back();
  lines.push_back(style.paint(Tone::kBold, "gates") + "  " + gate_summary(array_of(plan, "gates")));
  append(lines, gate_lines(array_of(plan, "gates"), style, detail));
  append(lines, shadow_lines(array_of(plan, "shadow"), style));
  lines.emplace_back();
  KeyValues foot;
  foot.add("plan", text_of(plan, "id") + (is_open(plan) ? "" : "  (" + text_of(plan, "state") + ")"));
  foot.add("digest", text_of(plan, "digest"));
  foot.add("next", next_step_of(plan), Tone::kBold);
  append(lines, foot.lines(style));
  return lines;
}

std::string next_step_of(const Json& plan) {
  const auto id = text_of(plan, "id");
  if (!is_open(plan) || id.empty()) return {};  // a dry run's is not kept
  const auto verdict = text_of(plan, "verdict");
  if (verdict == "pass") return "mlopsctl promote --plan " + id;
  if (verdict != "pending") return {};
  const bool for_approvers = approvals_counted(plan) < int_of(plan, "approvals_needed");
  return for_approvers ? fmt::format("mlopsctl approve {} --reason \"…\"   (not {}, who asked)", id,
                                     text_of(plan, "requested_by"))
                       : "mlopsctl promote --plan " + id;
}

Lines masking_lines(const Json& masking, const Style& style) {
  if (!masking.is_object()) return {};
  const auto& residual = member(masking, "residual");
  KeyValues head;
  head.add("masked", text_of(masking, "source") + " → " + text_of(masking, "output"));
  head.add("policy", text_of(masking, "policy") + "  " + short_digest(text_of(masking, "policy_digest")));
  head.add("rows", grouped(int_of(masking, "rows")));
  head.add("residual scan",
           fmt::format("{} scanned, {}", counted(int_of(residual, "scanned_cells"), "cell", "cells"),
                       counted(int_of(residual, "findings"), "finding", "findings")),
           int_of(residual, "findings") == 0 ? Tone::kGood : Tone::kBad);
  if (const auto& shadow = member(masking, "shadow"); shadow.is_object()) {
    head.add("in shadow", shadow_masking_text(shadow), Tone::kWarn);
  }
  Lines lines = head.lines(style, 2);
  std::vector<std::vector<std::string>> rows;
  for (const auto& column : array_of(masking, "columns")) {
    rows.push_back({text_of(column, "column"), text_of(column, "class"), text_of(column, "transform"),
                    grouped(int_of(column, "cells")), grouped(int_of(column, "changed"))});
  }
  if (!rows.empty())
    append(lines, aligned({"COLUMN", "CLASS", "TRANSFORM", "CELLS", "CHANGED"}, rows, {3, 4}, style, 4));
  return lines;
}

namespace {

// What ran before: under the same name, and under others whose places were taken.
std::string replaced_text(const Json& promotion) {
  auto replaced = strings_of(promotion, "took_places");
  if (const auto before = text_of(promotion, "replaced"); !before.empty()) replaced.insert(replaced.begin(), before);
  return replaced.empty() ? "nothing ran before" : join(replaced, ", ");
}

// All that a rollback brought back, or the one release that moved.
std::string moved_text(const Json& promotion) {
  const auto& restored = array_of(promotion, "restored");
  if (restored.empty()) return deployment_refs(member(promotion, "deployment"));
  std::string refs;
  for (const auto& one : restored) refs += (refs.empty() ? "" : " and ") + deployment_refs(one);
  return refs;
}

}  // namespace

Lines promotion_lines(const Json& promotion, const Style& style) {
  const auto& deployment = member(promotion, "deployment");
  const auto refs = moved_text(promotion);
  const auto environment = text_of(deployment, "environment");
  const bool is_dry = bool_of(promotion, "dry_run");
  const bool is_rollback = text_of(deployment, "action") == "rollback";
  if (bool_of(promotion, "unchanged")) {
    return {style.paint(Tone::kGood, "✔") + fmt::format(" {} already runs {}: nothing changed", environment, refs)};
  }
  const std::string_view verb =
      is_dry ? (is_rollback ? "would roll back" : "would promote") : (is_rollback ? "rolled back" : "promoted");
  Lines lines{style.paint(is_dry ? Tone::kWarn : Tone::kGood, is_dry ? "…" : "✔") + " " +
              style.paint(Tone::kBold, is_rollback ? fmt::format("{} {} to {}", verb, environment, refs)
                                                   : fmt::format("{} {} to {}", verb, refs, environment))};
  KeyValues rows;
  if (const auto number = int_of(deployment, "release"); number > 0) rows.add("release", std::to_string(number));
  if (array_of(deployment, "members").size() > 1) add_members(rows, array_of(deployment, "members"), "members");
  rows.add("replaced", replaced_text(promotion));
  rows.add("by", by_at(deployment, "by", "started_at", style));
  rows.add("reason", text_of(deployment, "reason"));
  rows.add("gates", gate_summary(array_of(member(promotion, "plan"), "gates")));
  rows.add("plan", text_of(deployment, "plan"));
  append(lines, rows.lines(style, 2));
  append(lines, shadow_lines(array_of(member(promotion, "plan"), "shadow"), style));
  append(lines, masking_lines(member(promotion, "masking"), style));
  if (const auto& review = member(deployment, "review"); review.is_object()) {
    append(lines, {"", style.paint(Tone::kBad, "⚠ the glass is broken: ") + "passed over " +
                           join(strings_of(review, "overridden"), ", ")});
    lines.push_back(fmt::format("  nothing else is promoted to {} until another person reviews it, by {}:", environment,
                                style.time(text_of(review, "due_at"))));
    lines.push_back(
        fmt::format("  mlopsctl review close {} --outcome justified --note \"…\"", text_of(review, "deployment")));
  }
  if (bool_of(promotion, "replayed")) {
    lines.push_back(style.paint(Tone::kWarn, "this request had been executed before; nothing was done again"));
  }
  const auto undo = text_of(promotion, "undo");
  if (!undo.empty()) append(lines, {"", style.paint(Tone::kDim, "undo") + "  " + style.paint(Tone::kBold, undo)});
  if (is_dry) lines.push_back(style.paint(Tone::kWarn, "dry run: nothing was changed"));
  return lines;
}

std::string deployment_refs(const Json& deployment) {
  const auto& members = array_of(deployment, "members");
  if (members.size() <= 1 && text_of(deployment, "kind") != "release") {
    const auto ref = text_of(deployment, "ref");
    return !ref.empty() || members.empty() ? ref : text_of(members.front(), "ref");
  }
  std::vector<std::string> refs;
  for (const auto& item : members) refs.push_back(text_of(item, "ref"));
  if (text_of(deployment, "kind") == "release") {
    return fmt::format("release:{}@r{} ({})", text_of(deployment, "name"),
                       text_of(deployment, deployment.contains("release") ? "release" : "number"), join(refs, " + "));
  }
  return join(refs, " + ");
}

}  // namespace mlops::cli
