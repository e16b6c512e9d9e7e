#include "cli/cmd/erase_text.h"

#include <fmt/format.h>

#include "cli/cmd/fields.h"
#include "core/base/text.h"

namespace mlops::cli {
namespace {

std::int64_t count_of(const Json& erasure, std::string_view state) {
  std::int64_t count = 0;
  for (const auto& item : array_of(erasure, "items")) count += text_of(item, "state") == state;
  return count;
}

std::string holds_text(const Json& step) {
  const auto holds = strings_of(step, "holds");
  return holds.empty() ? std::string() : fmt::format(" (case {})", join(holds, ", "));
}

// Plan and outcome of one version in one row; `item` is null before the application.
std::vector<std::string> step_row(const Json& step, const Json& item) {
  auto what = text_of(step, "why") + holds_text(step);
  if (const auto by = text_of(item, "replacement"); !by.empty()) what = "→ " + by;
  return {text_of(step, "action"), text_of(step, "ref"),
          rows_text(step),         join(strings_of(step, "environments"), ", "),
          text_of(item, "state"),  what};
}

const Json& item_of(const Json& erasure, const std::string& ref) {
  for (const auto& item : array_of(erasure, "items")) {
    if (text_of(item, "ref") == ref) return item;
  }
  return member(erasure, "no such member");
}

Lines steps_table(const Json& erasure, const Style& style) {
  std::vector<std::vector<std::string>> rows;
  for (const auto& step : array_of(erasure, "steps")) {
    rows.push_back(step_row(step, item_of(erasure, text_of(step, "ref"))));
  }
  if (rows.empty()) return {};
  return aligned({"ACTION", "VERSION", "ROWS", "RUNS IN", "STATE", "WHY"}, rows, {2}, style, 2);
}

// What the person should know before saying yes.
Lines caveats(const Json& erasure, const Style& style) {
  Lines lines;
  const auto add = [&](const std::string& text) { lines.push_back("  " + style.paint(Tone::kWarn, "!") + " " + text); };
  for (const auto& step : array_of(erasure, "steps")) {
    for (const auto& file : array_of(step, "unsearched")) {
      add(fmt::format("{} {} was not searched: {}", text_of(step, "ref"), text_of(file, "path"), text_of(file, "why")));
    }
  }
  for (const auto& note : strings_of(erasure, "notes")) add(note);
  if (const auto backups = static_cast<std::int64_t>(array_of(erasure, "backups").size()); backups > 0) {
    add(fmt::format("{} made meanwhile may hold the person, and {} out of reach", counted(backups, "backup", "backups"),
                    backups == 1 ? "is" : "are"));
  }
  if (const auto runs = int_of(erasure, "trash_runs"); runs > 0) {
    add(fmt::format("{} can no more be undone afterwards", counted(runs, "collection", "collections")));
  }
  return lines;
}

std::string approvals_text(const Json& erasure) {
  std::vector<std::string> people;
  for (const auto& one : array_of(erasure, "approvals")) {
    people.push_back(text_of(one, "by") + (text_of(one, "decision") == "reject" ? " (rejects)" : ""));
  }
  const auto names = people.empty() ? std::string() : ": " + join(people, ", ");
  return fmt::format("{} of {}{}", int_of(erasure, "approvals_counted"), int_of(erasure, "approvals_needed"), names);
}

}  // namespace

std::string rows_text(const Json& step) {
  const auto rows = int_of(step, "rows");
  if (rows == 0) return {};
  return fmt::format("{} of {}", grouped(rows), grouped(int_of(step, "of_rows")));
}

std::string next_step_of_erasure(const Json& erasure) {
  const auto id = text_of(erasure, "id");
  const auto state = text_of(erasure, "state");
  if (state == "open" && int_of(erasure, "approvals_counted") < int_of(erasure, "approvals_needed")) {
    return fmt::format("mlopsctl erase approve {} --reason \"…\"   (not {}, who asked)", id,
                       text_of(erasure, "requested_by"));
  }
  if (state == "open" || state == "interrupted") return "mlopsctl erase apply " + id + " --yes";
  if (state == "done" && count_of(erasure, "undecided") > 0) {
    return "mlopsctl erase decide MODEL --retrained-as REF";
  }
  return state == "done" ? "mlopsctl erase receipt " + id : std::string();
}

Lines erasure_lines(const Json& erasure, const Style& style) {
  Lines lines;
  KeyValues head;
  head.add("erasure", text_of(erasure, "id") + "  (" + text_of(erasure, "state") + ")");
  head.add("digest", text_of(erasure, "digest"));
  head.add("reason", text_of(erasure, "reason"));
  head.add("asked for", text_of(erasure, "requested_by") + ", " + style.time(text_of(erasure, "requested_at")));
  head.add("approvals", approvals_text(erasure));
  if (text_of(erasure, "state") == "open") head.add("expires", style.time(text_of(erasure, "expires_at")));
  head.add("applied", text_of(erasure, "applied_by"));
  head.add("searched", fmt::format("{} in {}", counted(int_of(erasure, "files_searched"), "file", "files"),
                                   counted(int_of(erasure, "versions_searched"), "version", "versions")));
  if (const auto tokens = int_of(erasure, "vault_tokens"); tokens > 0) {
    head.add("vault", counted(tokens, "token loses its value", "tokens lose their values"));
  }
  append(lines, head.lines(style));
  lines.emplace_back();
  append(lines, steps_table(erasure, style));
  append(lines, caveats(erasure, style));
  KeyValues foot;
  foot.add("next", next_step_of_erasure(erasure), Tone::kBold);
  append(lines, foot.lines(style));
  return lines;
}

Lines receipt_lines(const Json& answer, const Style& style) {
  const auto& receipt = member(answer, "receipt");
  std::vector<std::string> approvals;
  for (const auto& one : array_of(receipt, "approvals")) approvals.push_back(text_of(one, "by"));
  KeyValues head;
  head.add("erasure", text_of(receipt, "erasure"));
  head.add("reason", text_of(receipt, "reason"));
  head.add("asked for", text_of(receipt, "requested_by"));
  head.add("approved", join(approvals, ", "));
  head.add("applied", text_of(receipt, "applied_by"));
  head.add("finished", style.time(text_of(receipt, "finished_at")));
  if (const auto tokens = int_of(receipt, "vault_tokens"); tokens > 0) {
    head.add("vault", counted(tokens, "token lost its value", "tokens lost their values"));
  }
  head.add("receipt", text_of(answer, "digest"));
  const bool sound = bool_of(answer, "sound");
  head.add("seal", sound ? "sound" : "NOT the server's: keep this data directory as evidence",
           sound ? Tone::kGood : Tone::kBad);
  Lines lines = head.lines(style);
  lines.emplace_back();
  std::vector<std::vector<std::string>> rows;
  for (const auto& item : array_of(receipt, "items")) {
    rows.push_back({text_of(item, "action"), text_of(item, "version"), text_of(item, "state"), text_of(item, "rows"),
                    text_of(item, "replacement"), short_digest(text_of(item, "before")),
                    short_digest(text_of(item, "after"))});
  }
  append(lines, aligned({"ACTION", "VERSION", "STATE", "ROWS", "REPLACED BY", "BEFORE", "AFTER"}, rows, {3}, style, 2));
  rows.clear();
  for (const auto& one : array_of(receipt, "not_erased")) rows.push_back({text_of(one, "what"), text_of(one, "why")});
  if (rows.empty()) return lines;
  lines.emplace_back();
  append(lines, aligned({"NOT ERASED", "WHY"}, rows, {}, style, 2));
  return lines;
}

}  // namespace mlops::cli
