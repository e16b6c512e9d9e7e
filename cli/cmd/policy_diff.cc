#include <fmt/format.h>

#include <algorithm>

#include "cli/cmd/fields.h"
#include "cli/cmd/lines.h"
#include "cli/cmd/policy_source.h"
#include "cli/cmd/rows.h"
#include "cli/cmd/run.h"
#include "policies/engine/compare.h"

namespace mlops::cli {
namespace {

using policy::Change;
using policy::Difference;

struct ChangeMark {
  std::string_view mark;
  Tone tone;
};
// In the order of Change.
constexpr ChangeMark kMarks[] = {{"=", Tone::kDim}, {"+", Tone::kGood}, {"?", Tone::kWarn}, {"-", Tone::kBad}};

bool lets_through(const Difference& one) {
  return one.change == Change::kLoosened || one.change == Change::kUnclear;
}

void print_differences(Session& session, std::vector<Difference> list) {
  const auto style = style_of(session);
  std::stable_sort(list.begin(), list.end(),
                   [](const Difference& a, const Difference& b) { return a.change > b.change; });
  for (const auto& one : list) {
    const auto& mark = kMarks[static_cast<std::size_t>(one.change)];
    session.print_line(fmt::format("{} {}: {} → {}",
                                   style.paint(mark.tone, fmt::format("{} {:<9}", mark.mark, to_word(one.change))),
                                   one.subject, one.before, one.after));
  }
}

Json to_json(const std::vector<Difference>& list) {
  Json out = Json::array();
  for (const auto& one : list) {
    out.push_back(
        {{"change", to_word(one.change)}, {"subject", one.subject}, {"before", one.before}, {"after", one.after}});
  }
  return out;
}

std::string summary(const std::vector<Difference>& list) {
  std::vector<std::string> parts;
  for (const auto change : {Change::kLoosened, Change::kUnclear, Change::kTightened, Change::kNeutral}) {
    const auto count =
        std::count_if(list.begin(), list.end(), [&](const Difference& one) { return one.change == change; });
    if (count > 0) parts.push_back(fmt::format("{} {}", count, to_word(change)));
  }
  return fmt::format("{}", fmt::join(parts, ", "));
}

Result<int> policy_diff(Session& session) {
  MLOPS_ASSIGN(const auto before, load_named_policy(session.operand(0)));
  MLOPS_ASSIGN(const auto after, load_named_policy(session.operand(1)));
  auto list = policy::compare_policies(before, after);
  if (session.flag("--loosened")) {
    list.erase(std::remove_if(list.begin(), list.end(), [](const Difference& one) { return !lets_through(one); }),
               list.end());
  }
  const Json report = {{"before", before.name() + "@" + before.version()},
                       {"after", after.name() + "@" + after.version()},
                       {"same", list.empty()},
                       {"loosens", std::any_of(list.begin(), list.end(), lets_through)},
                       {"differences", to_json(list)}};
  session.print_value(
      report,
      [&] {
        print_differences(session, list);
        session.say(list.empty() ? "no difference in meaning" : summary(list));
      },
      [&] { return std::string(list.empty() ? "same" : "different"); });
  return list.empty() ? kExitDone : kExitRefused;
}

}  // namespace

const Command kPolicyDiffCommand{
    .path = "policy diff",
    .group = "Environments and policies",
    .summary = "what a change of a policy means, offline",
    .operands = {{.name = "OLD", .help = "a policy file, or pack/NAME", .complete = Complete::kFile},
                 {.name = "NEW", .help = "another", .complete = Complete::kFile}},
    .options = {{.name = "--loosened", .help = "only what is loosened, or may be"}},
    .shared = kOutput | kOffline,
    .description =
        R"(Compares meaning, not text: per class, column, detector, gate, setting and term, with packs merged. Each difference is
loosened, unclear (it depends on the data: take it for a loosening), tightened or neutral. Exit code 0 when there is none, 3
when there is one; with --loosened only those that loosen count.

Examples:
  mlopsctl policy diff clinical-deid.yaml clinical-deid-next.yaml
  mlopsctl policy diff old.yaml new.yaml --loosened && echo "nothing is loosened")",
    .run = run_body<policy_diff>};

}  // namespace mlops::cli
