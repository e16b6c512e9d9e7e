// Gates for people: mark and word, reason, the rule's place, what was looked at, and what would make it pass.
// Thread-safety: pure functions. `gates` is the array of a Plan (docs/format/wire.md).
#pragma once

#include <string>

#include "cli/cmd/lines.h"
#include "core/base/json.h"

namespace mlops::cli {

// What a gate or a plan says in one mark and one word, so that colour is never the only sign.
struct VerdictMark {
  std::string mark;  // "✔", "✘", "…"
  Tone tone = Tone::kPlain;
};
VerdictMark verdict_mark(std::string_view verdict);

enum class GateDetail { kAll, kOnlyOpen };  // kOnlyOpen: failed and pending gates only

Lines gate_lines(const Json& gates, const Style& style, GateDetail detail);
// "7 passed, 1 failed, 1 pending"; words that count nothing are left out.
std::string gate_summary(const Json& gates);
// What policies in shadow would have said: a title, and under it their gates that do not pass. Empty for none.
Lines shadow_lines(const Json& shadows, const Style& style);
// Facts of any shape as indented "key  value" lines; a list of steps with a ref and a sensitivity becomes one line,
// "model@v1 (personal) ← train: patients@v1 (personal)".
Lines fact_lines(const Json& facts, const Style& style, std::size_t indent);

}  // namespace mlops::cli
