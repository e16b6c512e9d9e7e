#include "cli/cmd/gate_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "cli/cmd/fields.h"
#include "core/base/text.h"

namespace mlops::cli {
namespace {

struct VerdictRow {
  std::string_view verdict;
  std::string_view mark;
  Tone tone;
  std::string_view counted_as;
};

constexpr std::array<VerdictRow, 3> kVerdicts{{
    {"pass", "✔", Tone::kGood, "passed"},
    {"fail", "✘", Tone::kBad, "failed"},
    {"pending", "…", Tone::kWarn, "pending"},
}};

constexpr std::size_t kDetailIndent = 13;
constexpr std::size_t kMostItems = 20;  // a fact may list every file of a version

bool is_lineage_path(const Json& value) {
  return value.is_array() && !value.empty() && std::all_of(value.begin(), value.end(), [](const Json& step) {
           return step.is_object() && step.contains("ref") && step.contains("sensitivity");
         });
}

std::string path_line(const Json& steps) {
  std::string line;
  for (const auto& step : steps) {
    const auto role = text_of(step, "role");
    if (!line.empty()) line += role.empty() ? " ← " : " ← " + role + ": ";
    line += text_of(step, "ref") + " (" + text_of(step, "sensitivity") + ")";
  }
  return line;
}

bool has_objects(const Json& value) {
  return value.is_array() &&
         std::any_of(value.begin(), value.end(), [](const Json& item) { return item.is_object() || item.is_array(); });
}

std::string words_of(std::string key) {
  std::replace(key.begin(), key.end(), '_', ' ');
  return key;
}

Lines gate_block(const Json& gate, const Style& style, std::size_t id_width) {
  const auto verdict = text_of(gate, "verdict");
  const auto sign = verdict_mark(verdict);
  Lines lines{"  " + style.paint(sign.tone, sign.mark + " " + pad(verdict, 7)) + "  " +
              style.paint(Tone::kBold, pad(text_of(gate, "id"), id_width)) + "  " + text_of(gate, "reason")};
  KeyValues details;
  details.add("rule", text_of(gate, "rule"));
  details.add("passes if", verdict == "pass" ? "" : text_of(gate, "would_pass_if"), Tone::kBold);
  auto more = details.lines(style, kDetailIndent);
  auto facts = fact_lines(member(gate, "facts"), style, kDetailIndent);
  // What to do stands last, where the eye ends.
  if (!more.empty()) lines.push_back(std::move(more.front()));
  append(lines, std::move(facts));
  if (more.size() > 1) lines.push_back(std::move(more.back()));
  return lines;
}

}  // namespace

VerdictMark verdict_mark(std::string_view verdict) {
  for (const auto& row : kVerdicts) {
    if (row.verdict == verdict) return {std::string(row.mark), row.tone};
  }
  return {"?", Tone::kWarn};
}

Lines gate_lines(const Json& gates, const Style& style, GateDetail detail) {
  std::size_t id_width = 0;
  for (const auto& gate : gates) id_width = std::max(id_width, text_of(gate, "id").size());
  Lines lines;
  for (const auto& gate : gates) {
    if (detail == GateDetail::kOnlyOpen && text_of(gate, "verdict") == "pass") continue;
    append(lines, gate_block(gate, style, id_width));
  }
  return lines;
}

std::string gate_summary(const Json& gates) {
  std::vector<std::string> parts;
  for (const auto& row : kVerdicts) {
    const auto count = std::count_if(gates.begin(), gates.end(),
                                     [&](const Json& gate) { return text_of(gate, "verdict") == row.verdict; });
    if (count > 0) parts.push_back(std::to_string(count) + " " + std::string(row.counted_as));
  }
  return parts.empty() ? "no gates" : join(parts, ", ");
}

Lines shadow_lines(const Json& shadows, const Style& style) {
  Lines lines;
  for (const auto& shadow : shadows) {
    const auto head = fmt::format("shadow {} beside {}: ", text_of(shadow, "policy"), text_of(shadow, "beside"));
    if (const auto problem = text_of(shadow, "problem"); !problem.empty()) {
      lines.push_back(head + "not evaluated (" + problem + ")");
      continue;
    }
    const auto verdict = text_of(shadow, "verdict");
    const bool flips = bool_of(shadow, "flips");
    lines.push_back(head +
                    style.paint(flips ? Tone::kWarn : Tone::kDim,
                                "would be " + verdict + (flips ? ", another verdict" : ", as decided")) +
                    "  " + gate_summary(array_of(shadow, "gates")));
    append(lines, gate_lines(array_of(shadow, "gates"), style, GateDetail::kOnlyOpen));
  }
  return lines;
}

Lines fact_lines(const Json& facts, const Style& style, std::size_t indent) {
  KeyValues rows;
  if (!facts.is_object()) return {};
  for (const auto& [key, value] : facts.items()) {
    if (value.is_null() || (value.is_structured() && value.empty())) continue;
    if (is_lineage_path(value)) {
      rows.add(words_of(key), path_line(value));
    } else if (has_objects(value)) {
      std::size_t shown = 0;
      for (const auto& item : value) {
        if (shown++ == kMostItems) {
          rows.add(words_of(key), "… and " + std::to_string(value.size() - kMostItems) + " more");
          break;
        }
        rows.add(words_of(key), is_lineage_path(item) ? path_line(item) : brief(item));
      }
    } else {
      rows.add(words_of(key), brief(value));
    }
  }
  return rows.lines(style, indent);
}

}  // namespace mlops::cli
