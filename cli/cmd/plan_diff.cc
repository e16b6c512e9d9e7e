#include "cli/cmd/plan_diff.h"

#include <fmt/format.h>

#include "cli/cmd/fields.h"
#include "cli/cmd/query.h"

namespace mlops::cli {
namespace {

// The time of a decision differs always, approvals are told by their gate.
constexpr std::string_view kNotCompared[] = {"decided_at_us", "approvals"};

void add(Json& out, std::string what, Json a, Json b) {
  out.push_back({{"what", std::move(what)}, {"a", std::move(a)}, {"b", std::move(b)}});
}

// Leaves that differ, by their path. Lists of other lengths differ as a whole.
void compare(const Json& a, const Json& b, const std::string& path, Json& out) {
  if (a == b) return;
  if (a.is_object() && b.is_object()) {
    for (const auto& [key, value] : a.items()) compare(value, member(b, key), path + "/" + key, out);
    for (const auto& [key, value] : b.items()) {
      if (!a.contains(key)) add(out, path + "/" + key, nullptr, value);
    }
    return;
  }
  if (a.is_array() && b.is_array() && a.size() == b.size()) {
    for (std::size_t i = 0; i < a.size(); ++i) compare(a[i], b[i], fmt::format("{}/{}", path, i), out);
    return;
  }
  add(out, path, a, b);
}

// Results of one gate, joined: it has one for each member.
std::map<std::string, std::string> verdicts_of(const Json& plan) {
  std::map<std::string, std::string> verdicts;
  for (const auto& gate : array_of(plan, "gates")) {
    auto& words = verdicts[text_of(gate, "id")];
    words += (words.empty() ? "" : ", ") + text_of(gate, "verdict");
  }
  return verdicts;
}

Json facts_of_plan(ApiClient& api, const Json& plan) {
  const auto decision = api.get(item_path("plans", text_of(plan, "id"), "/decision"));
  if (!decision) return Json::object();  // of before facts were kept
  Json facts = member(*decision, "facts");
  for (const auto key : kNotCompared) {
    if (facts.is_object()) facts.erase(std::string(key));
  }
  return facts;
}

}  // namespace

Result<Json> plan_differences(ApiClient& api, const Json& a, const Json& b) {
  Json out = Json::array();
  compare(member(a, "pins"), member(b, "pins"), "pins", out);
  compare(facts_of_plan(api, a), facts_of_plan(api, b), "facts", out);
  const auto before = verdicts_of(a);
  const auto after = verdicts_of(b);
  for (const auto& [id, verdict] : before) {
    const auto found = after.find(id);
    if (found == after.end()) add(out, "gate " + id, verdict, nullptr);
    if (found != after.end() && found->second != verdict) add(out, "gate " + id, verdict, found->second);
  }
  for (const auto& [id, verdict] : after) {
    if (!before.contains(id)) add(out, "gate " + id, nullptr, verdict);
  }
  return out;
}

Lines difference_lines(const Json& differences, const Json& a, const Json& b, const Style& style) {
  Lines lines;
  const auto title = fmt::format("{} → {}", text_of(a, "id"), text_of(b, "id"));
  if (differences.empty()) {
    lines.push_back(style.paint(Tone::kGood, "✔ the same") + "  " + title);
    return lines;
  }
  lines.push_back(
      style.paint(Tone::kBold, counted(static_cast<std::int64_t>(differences.size()), "change", "changes")) + "  " +
      title);
  std::vector<std::vector<std::string>> rows;
  const auto shown = [](const Json& value) { return value.is_null() ? std::string("–") : brief(value); };
  for (const auto& one : differences) {
    rows.push_back({text_of(one, "what"), shown(member(one, "a")), shown(member(one, "b"))});
  }
  append(lines, aligned({"WHAT", "BEFORE", "NOW"}, rows, {}, style, 2));
  return lines;
}

}  // namespace mlops::cli
