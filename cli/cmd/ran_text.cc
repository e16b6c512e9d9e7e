#include "cli/cmd/ran_text.h"

#include <fmt/format.h>

#include <map>
#include <set>

#include "cli/cmd/fields.h"
#include "cli/cmd/lineage_text.h"
#include "cli/cmd/release_text.h"

namespace mlops::cli {
namespace {

struct Reached {
  std::string id;
  std::string role;
};

// Nodes upward of the root in breadth-first order, each with the role of the edge it was reached by.
std::vector<Reached> upward(const Json& lineage) {
  std::map<std::string, std::vector<Reached>> causes;
  for (const auto& edge : array_of(lineage, "edges")) {
    causes[text_of(edge, "to")].push_back({text_of(edge, "from"), text_of(edge, "role")});
  }
  std::vector<Reached> order{{text_of(lineage, "root"), ""}};
  std::set<std::string> seen{order.front().id};
  for (std::size_t i = 0; i < order.size(); ++i) {
    for (const auto& cause : causes[order[i].id]) {
      if (seen.insert(cause.id).second) order.push_back(cause);
    }
  }
  return order;
}

void add_decision(KeyValues& rows, const Json& plan, const Style& style) {
  if (!plan.is_object()) return;
  rows.add("asked by", text_of(plan, "requested_by") + ", " + style.time(text_of(plan, "requested_at")));
  for (const auto& approval : array_of(plan, "approvals")) {
    rows.add(text_of(approval, "decision") == "approve" ? "approved by" : "rejected by",
             fmt::format("{}, {}: {}", text_of(approval, "by"), style.time(text_of(approval, "at")),
                         text_of(approval, "reason")));
  }
  rows.add("gates", gate_summary(array_of(plan, "gates")));
  for (const auto& policy : array_of(plan, "policies")) {
    rows.add("policy", text_of(policy, "name") + "  " + short_digest(text_of(policy, "digest")));
  }
  rows.add("plan", text_of(plan, "id") + "  " + short_digest(text_of(plan, "digest")));
}

Lines member_lines(const Json& item, const Style& style) {
  Lines lines;
  KeyValues rows;
  rows.add("digest", text_of(item, "digest"));
  bool is_first = true;
  for (const auto& data : array_of(item, "trained_on")) {
    const auto role = text_of(data, "role");
    rows.add(is_first ? "data" : " ",
             fmt::format("{}  {}{}{}", text_of(data, "ref"), text_of(data, "sensitivity"),
                         role.empty() ? "" : "  (" + role + ")", bool_of(data, "masked") ? "  masked" : ""));
    is_first = false;
  }
  if (is_first) rows.add("data", "none recorded", Tone::kWarn);
  append(lines, rows.lines(style, 4));
  for (auto& line : lineage_tree(member(item, "lineage"), style)) lines.push_back("    " + line);
  return lines;
}

Lines deployment_lines(const Json& entry, const Style& style) {
  const auto& deployment = member(entry, "deployment");
  const auto ended = text_of(deployment, "ended_at");
  Lines lines{style.paint(Tone::kBold,
                          fmt::format("{} ran {}", text_of(deployment, "environment"), deployment_refs(deployment)))};
  KeyValues rows;
  rows.add("from", style.time(text_of(deployment, "started_at")));
  rows.add("until", ended.empty() ? "now" : style.time(ended));
  rows.add("put there", fmt::format("by {} ({}){}", text_of(deployment, "by"), text_of(deployment, "action"),
                                    text_of(deployment, "reason").empty() ? "" : ": " + text_of(deployment, "reason")));
  add_decision(rows, member(entry, "plan"), style);
  append(lines, rows.lines(style, 2));
  for (const auto& item : array_of(entry, "members")) {
    lines.push_back("  " + style.paint(Tone::kBold, text_of(item, "ref")));
    append(lines, member_lines(item, style));
  }
  return lines;
}

}  // namespace

Json training_data_of(const Json& lineage) {
  std::map<std::string, const Json*> nodes;
  for (const auto& node : array_of(lineage, "nodes")) nodes.emplace(text_of(node, "id"), &node);
  std::set<std::string> masked;
  for (const auto& edge : array_of(lineage, "edges")) {
    const auto from = nodes.find(text_of(edge, "from"));
    if (from != nodes.end() && text_of(*from->second, "type") == "masking") masked.insert(text_of(edge, "to"));
  }
  Json data = Json::array();
  for (const auto& reached : upward(lineage)) {
    const auto found = nodes.find(reached.id);
    if (found == nodes.end() || text_of(*found->second, "type") != "dataset" || reached.role.empty()) continue;
    const auto ref = text_of(*found->second, "ref");
    data.push_back({{"ref", ref.empty() ? text_of(*found->second, "label") : ref},
                    {"role", reached.role},
                    {"sensitivity", text_of(*found->second, "sensitivity")},
                    {"masked", masked.contains(reached.id)}});
  }
  return data;
}

Lines ran_lines(const Json& ran, const Style& style) {
  Lines lines;
  for (const auto& entry : array_of(ran, "deployments")) {
    if (!lines.empty()) lines.emplace_back();
    append(lines, deployment_lines(entry, style));
  }
  return lines;
}

}  // namespace mlops::cli
