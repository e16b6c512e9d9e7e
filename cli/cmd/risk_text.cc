#include "cli/cmd/risk_text.h"

#include <fmt/format.h>

#include <algorithm>

#include "cli/cmd/fields.h"
#include "cli/cmd/lines.h"
#include "core/base/text.h"

namespace mlops::cli {
namespace {

std::string percent(double share) {
  return fmt::format("{:.2f} %", share * 100);
}

void add_part(KeyValues& head, const Json& part) {
  const auto& classes = member(part, "classes");
  head.add("records", grouped(int_of(part, "records")));
  head.add("classes", fmt::format("{}, smallest {}, {} unique, {} below k", grouped(int_of(classes, "classes")),
                                  grouped(int_of(classes, "smallest")), grouped(int_of(classes, "unique")),
                                  grouped(int_of(classes, "below_k"))));
  const auto& prosecutor = member(member(part, "risk"), "prosecutor");
  head.add("re-identification",
           fmt::format("highest {}, average {}, at risk {}", percent(prosecutor.value("highest", 0.0)),
                       percent(prosecutor.value("average", 0.0)), percent(prosecutor.value("at_risk", 0.0))));
  for (const auto& one : array_of(part, "diversity")) {
    head.add("l of " + text_of(one, "attr"),
             fmt::format("{} distinct, entropy {:.4f}", int_of(one, "distinct"), one.value("entropy", 0.0)));
  }
  for (const auto& one : array_of(part, "closeness"))
    head.add("t of " + text_of(one, "attr"), fmt::format("{:.4f} ({})", one.value("t", 0.0), text_of(one, "distance")));
}

struct ShortfallRow {
  std::string_view rule;
  std::string_view text;
};
constexpr ShortfallRow kShortfalls[] = {{"k", "the smallest class"},
                                        {"l", "the least diverse class"},
                                        {"t", "the class furthest from the whole"},
                                        {"union_l", "the least diverse class of both versions together"},
                                        {"union_t", "the class furthest from both versions together"},
                                        {"shrunk", "classes that fell below k since the earlier version"},
                                        {"isolated", "classes where the difference of the versions isolates a few"},
                                        {"suppression", "the share of records that must go"},
                                        {"min_entropy", "the bits that the commonest pseudonym leaves to guess"}};

std::string shortfall_line(const Json& one) {
  const auto rule = text_of(one, "rule");
  std::string line = rule;
  for (const auto& row : kShortfalls) {
    if (row.rule == rule) line += fmt::format(": {}", row.text);
  }
  const auto attr = text_of(one, "attr");
  if (!attr.empty()) line += " in " + attr;
  const auto number = [&](std::string_view key) {
    const auto& value = member(one, key);
    return value.is_number() ? fmt::format("{:.6g}", value.get<double>()) : std::string("no bound");
  };
  return line + fmt::format(": {} where {} is asked", number("have"), number("need"));
}

void print_columns(Session& session, const Json& report, const Style& style) {
  std::vector<std::vector<std::string>> rows;
  for (const auto& column : array_of(report, "contributions")) {
    rows.push_back({text_of(column, "column"), grouped(int_of(column, "distinct")),
                    percent(column.value("separation", 0.0)), grouped(int_of(column, "unique_without")),
                    grouped(int_of(column, "below_k_without"))});
  }
  if (!rows.empty())
    print_lines(session, aligned({"COLUMN", "VALUES", "SEPARATES", "UNIQUE WITHOUT", "BELOW K WITHOUT"}, rows,
                                 {1, 2, 3, 4}, style, 2));
}

void print_tokens(Session& session, const Json& report, const Style& style) {
  std::vector<std::vector<std::string>> rows;
  for (const auto& one : array_of(report, "tokens")) {
    const auto records = std::max<std::int64_t>(int_of(one, "records"), 1);
    const auto share = [&](std::string_view key) {
      return percent(static_cast<double>(int_of(one, key)) / static_cast<double>(records));
    };
    rows.push_back({text_of(one, "column"), grouped(int_of(one, "distinct")),
                    fmt::format("{:.1f}", one.value("entropy_bits", 0.0)),
                    fmt::format("{:.1f}", one.value("min_entropy_bits", 0.0)), share("commonest"),
                    share("told_by_count")});
  }
  if (!rows.empty())
    print_lines(session,
                aligned({"PSEUDONYMS", "DISTINCT", "ENTROPY BITS", "MIN-ENTROPY", "COMMONEST", "TOLD BY COUNT"}, rows,
                        {1, 2, 3, 4, 5}, style, 2));
}

void print_classes(Session& session, const Json& report, const Style& style) {
  KeyValues head;
  add_part(head, member(report, "table"));
  head.add("to suppress", counted(int_of(report, "suppress_records"), "record", "records"));
  if (const auto& versions = member(report, "versions"); versions.is_object()) {
    head.add("since the earlier version",
             fmt::format("{} added, {} removed, {} shrunk below k, {} isolating",
                         grouped(int_of(member(versions, "added"), "records")),
                         grouped(int_of(member(versions, "removed"), "records")),
                         counted(int_of(versions, "shrunk_classes"), "class", "classes"),
                         counted(int_of(versions, "isolating_classes"), "class", "classes")));
  }
  print_lines(session, head.lines(style, 2));
  print_columns(session, report, style);
  if (const auto& suggestion = member(report, "suggestion"); suggestion.is_object()) {
    std::vector<std::string> words;
    for (const auto& [column, how] : member(suggestion, "generalize").items())
      words.push_back("--generalize " + column + "=" + how.get<std::string>());
    session.print_line(
        "  would do: " + (words.empty() ? std::string("suppression alone") : join(words, " ")) +
        fmt::format(" and suppressing {}", counted(int_of(suggestion, "suppress_records"), "record", "records")));
  }
}

}  // namespace

void print_risk(Session& session, const Json& report) {
  const auto style = style_of(session);
  const bool is_met = bool_of(report, "is_met");
  if (report.contains("table") || report.contains("min_entropy_bits"))
    session.print_line(is_met ? style.paint(Tone::kGood, "✔") + " the requirement is met"
                              : style.paint(Tone::kBad, "✘") + " the requirement is not met");
  if (report.contains("table")) print_classes(session, report, style);
  print_tokens(session, report, style);
  for (const auto& one : array_of(report, "shortfalls"))
    session.print_line("  " + style.paint(Tone::kBad, "✘ ") + shortfall_line(one));
}

}  // namespace mlops::cli
