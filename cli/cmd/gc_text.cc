#include "cli/cmd/gc_text.h"

#include <fmt/format.h>

#include "cli/cmd/fields.h"
#include "cli/cmd/span.h"
#include "core/base/text.h"

namespace mlops::cli {
namespace {

std::string bytes_of(const Json& amount) {
  return human_size(static_cast<std::uint64_t>(int_of(amount, "bytes")));
}

std::string amount_text(const Json& amount) {
  return fmt::format("{} in {}", bytes_of(amount), counted(int_of(amount, "objects"), "object", "objects"));
}

std::string group_text(const Json& group, const Style& style) {
  const auto why = text_of(group, "why");
  if (why == "deleted") {
    return fmt::format("deleted version {} ({}: {})", text_of(group, "ref"), style.time(text_of(group, "deleted_at")),
                       text_of(group, "deleted_reason"));
  }
  if (why == "more_deleted") return counted(int_of(group, "versions"), "more deleted version", "more deleted versions");
  return "uploaded, never registered (or a second copy)";
}

std::string protections_text(const Json& holder, const Style& style) {
  std::vector<std::string> parts;
  for (const auto& one : array_of(holder, "protections")) parts.push_back(protection_text(one, style));
  return join(parts, ", ");
}

Lines groups_table(const Json& plan, const Style& style) {
  std::vector<std::vector<std::string>> rows;
  for (const auto& group : array_of(plan, "groups")) {
    rows.push_back({bytes_of(member(group, "dead")), bytes_of(member(group, "young")), group_text(group, style)});
  }
  if (rows.empty()) return {};
  return aligned({"UNNEEDED", "TOO YOUNG", "WHAT"}, rows, {0, 1}, style, 2);
}

Lines kept_table(const Json& plan, const Style& style) {
  std::vector<std::vector<std::string>> rows;
  for (const auto& kept : array_of(plan, "kept")) {
    const auto more = int_of(kept, "versions");
    const auto what = more > 0 ? counted(more, "more deleted version", "more deleted versions") : text_of(kept, "ref");
    const bool lacks = member(kept, "whole").is_boolean() && !bool_of(kept, "whole");
    rows.push_back({bytes_of(member(kept, "amount")), what,
                    protections_text(kept, style) + (lacks ? "; not all of it is here any more" : "")});
  }
  if (rows.empty()) return {};
  Lines lines{"", "  kept, though deleted:"};
  append(lines, aligned({"HOLDS", "VERSION", "BY"}, rows, {0}, style, 2));
  return lines;
}

std::string sparse_text(const Json& sparse) {
  return amount_text(sparse) + ", too little of the packs it is in to write the rest again; gc run --all does";
}

const char* verdict_sentence(const std::string& verdict) {
  if (verdict == "live") return "kept: a version that is not deleted needs it";
  if (verdict == "protected") return "kept: its version is deleted, but protected";
  if (verdict == "leased") return "nothing keeps it; it stays while a push that used it may still register it";
  if (verdict == "young") return "nothing keeps it; it stays while it is young";
  if (verdict == "trash") return "nothing keeps it: it lies in the trash";
  if (verdict == "gone") return "nothing keeps it, and it is gone";
  return "nothing keeps it: the next collection takes it";
}

}  // namespace

std::string protection_text(const Json& protection, const Style& style) {
  const auto kind = text_of(protection, "kind");
  const auto what = text_of(protection, "what");
  const auto until = text_of(protection, "until");
  const auto end = until.empty() ? std::string() : " until " + style.time(until);
  if (kind == "hold") return "a hold, case " + what;
  if (kind == "retention") return "the retention of " + what + end;
  if (kind == "environment") return "having run in " + what + end;
  if (kind == "deployment") return "running in " + what;
  if (kind == "plan") return "the open plan " + what;
  return kind + " " + what + end;
}

Lines gc_plan_lines(const Json& plan, const Style& style) {
  const auto& dead = member(plan, "dead");
  const auto& sparse = member(plan, "sparse");
  const Json goes = {{"objects", int_of(dead, "objects") - int_of(sparse, "objects")},
                     {"bytes", int_of(dead, "bytes") - int_of(sparse, "bytes")}};
  const bool is_empty = int_of(goes, "objects") == 0;
  Lines lines{is_empty ? style.paint(Tone::kGood, "✔") + " nothing to collect"
                       : fmt::format("a collection would set {} aside", style.paint(Tone::kBold, amount_text(goes)))};
  KeyValues rows;
  rows.add("needed", amount_text(member(plan, "live")));
  if (int_of(sparse, "objects") > 0) rows.add("left for now", sparse_text(sparse));
  const auto min_age_s = int_of(plan, "min_age_s");
  if (min_age_s > 0) {
    rows.add("too young", fmt::format("{}, written or used in the last {}", amount_text(member(plan, "young")),
                                      span_text(min_age_s)));
  }
  append(lines, rows.lines(style, 2));
  if (const auto table = groups_table(plan, style); !table.empty()) {
    lines.emplace_back();
    append(lines, table);
  }
  append(lines, kept_table(plan, style));
  const auto damaged = strings_of(plan, "damaged");
  if (!damaged.empty()) {
    lines.emplace_back();
    lines.push_back(style.paint(Tone::kBad, "✘") + " bytes are missing, so a run refuses: " + join(damaged, ", "));
  }
  return lines;
}

std::string gc_run_state(const Json& run, const Style& style) {
  const auto state = text_of(run, "state");
  const auto& trash = member(run, "trash");
  if (trash.is_object()) {
    const auto in_trash = fmt::format("in the trash until {}", style.time(text_of(trash, "swept_after")));
    return state == "done" ? in_trash : state + ", " + in_trash;
  }
  if (const auto at = text_of(run, "restored_at"); !at.empty()) return "restored " + style.time(at);
  if (const auto at = text_of(run, "swept_at"); !at.empty()) return "removed for good " + style.time(at);
  return state == "done" ? "nothing was moved" : state;
}

Lines gc_run_lines(const Json& run, const Style& style) {
  const auto& receipt = member(run, "receipt");
  const auto objects = int_of(receipt, "objects");
  const bool is_done = text_of(run, "state") == "done";
  Lines lines{(is_done ? style.paint(Tone::kGood, "✔") : style.paint(Tone::kBad, "✘")) + " " +
              (objects == 0 ? std::string("nothing was set aside")
                            : fmt::format("{} set aside", counted(objects, "object", "objects")))};
  KeyValues rows;
  rows.add("run", text_of(run, "id"));
  rows.add("state", gc_run_state(run, style));
  const auto& sparse = member(receipt, "sparse");
  if (objects == 0 && int_of(sparse, "objects") > 0) rows.add("left for now", sparse_text(sparse));
  if (objects > 0) {
    rows.add("packs",
             fmt::format("{}, {}; {} of them still needed and written again", grouped(int_of(receipt, "packs")),
                         bytes_of(receipt), human_size(static_cast<std::uint64_t>(int_of(receipt, "copied_bytes")))));
    rows.add("receipt", text_of(receipt, "digest"));
  }
  std::vector<std::string> refs;
  for (const auto& version : array_of(receipt, "versions")) refs.push_back(text_of(version, "ref"));
  rows.add("of versions", join(refs, ", "));
  for (const auto& swept : array_of(run, "swept")) {
    rows.add("removed for good",
             fmt::format("{}, set aside {}", bytes_of(swept), style.time(text_of(swept, "moved_at"))));
  }
  if (member(run, "trash").is_object()) rows.add("undo", "mlopsctl gc restore " + text_of(run, "id"));
  append(lines, rows.lines(style, 2));
  return lines;
}

Lines gc_why_lines(const Json& why, const Style& style) {
  const auto verdict = text_of(why, "verdict");
  const bool is_kept = verdict == "live" || verdict == "protected";
  Lines lines{text_of(why, "target") + " (" + join(strings_of(why, "kinds"), ", ") + ")",
              "  " + style.paint(is_kept ? Tone::kGood : Tone::kWarn, verdict_sentence(verdict))};
  const auto& deleted = member(why, "deleted");
  KeyValues rows;
  if (deleted.is_object()) {
    rows.add("deleted", style.time(text_of(deleted, "deleted_at")) + ": " + text_of(deleted, "deleted_reason"));
    rows.add("kept by", protections_text(deleted, style));
  }
  if (const auto until = text_of(why, "until"); !until.empty()) rows.add("until", style.time(until));
  if (const auto run = text_of(why, "trash_run"); !run.empty()) rows.add("undo", "mlopsctl gc restore " + run);
  append(lines, rows.lines(style, 2));
  std::size_t depth = 0;
  for (const auto& step : array_of(why, "path")) {
    std::vector<std::string> words{text_of(step, "kind")};
    for (const auto* key : {"name", "digest"}) {
      if (auto word = text_of(step, key); !word.empty()) words.push_back(std::move(word));
    }
    lines.push_back(std::string(2 + 2 * depth, ' ') + (depth == 0 ? "" : "→ ") + join(words, " "));
    ++depth;
  }
  if (member(why, "stored").is_boolean() && !bool_of(why, "stored") && is_kept) {
    lines.push_back(style.paint(Tone::kBad, "✘") + " some of it is missing or damaged: mlopsctl fsck");
  }
  return lines;
}

}  // namespace mlops::cli
