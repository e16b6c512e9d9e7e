// The board: what every environment runs of every artifact, as one matrix.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "cli/cmd/fields.h"
#include "cli/cmd/query.h"
#include "cli/cmd/rows.h"
#include "cli/cmd/run.h"
#include "cli/time.h"
#include "core/base/text.h"
#include "core/model/environment.h"

namespace mlops::cli {
namespace {

using model::Environment;

constexpr std::size_t kMostColumns = 8;  // more than that are folded by tenant

struct LabelMark {
  std::string_view label;
  std::string_view mark;
};
constexpr LabelMark kLabelMarks[] = {
    {"none", ""}, {"pseudonymous", "[p]"}, {"personal", "[P]"}, {"special_category", "[S]"}, {"child", "[C]"}};

std::string_view sensitivity_mark(std::string_view label) {
  for (const auto& row : kLabelMarks) {
    if (row.label == label) return row.mark;
  }
  return "[?]";
}

// The highest label among the members.
std::string sensitivity_of(const Json& deployment) {
  auto most = model::Sensitivity::kNone;
  for (const auto& item : array_of(deployment, "members")) {
    most =
        std::max(most, model::sensitivity_from_word(text_of(item, "sensitivity")).value_or(model::Sensitivity::kNone));
  }
  return std::string(to_word(most));
}

std::vector<std::string> digests_of(const Json& cell) {
  std::vector<std::string> digests;
  for (const auto& item : array_of(cell, "members")) digests.push_back(text_of(item, "digest"));
  return digests;
}

// "v3", "v3 + 2".
std::string version_word(const Json& deployment) {
  const auto ref = text_of(deployment, "ref");
  const auto& members = array_of(deployment, "members");
  auto word = ref.substr(ref.rfind('@') + 1);
  if (members.size() > 1) word += fmt::format(" + {}", members.size() - 1);
  return word;
}

std::string age_word(std::int64_t age_us) {
  const auto minutes = std::max<std::int64_t>(0, age_us / 60'000'000);
  if (minutes < 120) return fmt::format("{}m", minutes);
  if (minutes < 48 * 60) return fmt::format("{}h", minutes / 60);
  return fmt::format("{}d", minutes / (24 * 60));
}

// One row an artifact: {"name","kind","environments":{env: {"version","ref","sensitivity","since","age","differs"}}}.
class Board {
 public:
  Board(std::vector<Environment> environments, TimestampUs at_us)
      : environments_(std::move(environments)), at_us_(at_us) {}

  void add(const Json& deployment) {
    auto& row = rows_[{text_of(deployment, "name"), text_of(deployment, "kind")}];
    const auto started = parse_rfc3339(text_of(deployment, "started_at"));
    row[text_of(deployment, "environment")] = {
        {"version", version_word(deployment)},        {"ref", text_of(deployment, "ref")},
        {"members", array_of(deployment, "members")}, {"sensitivity", sensitivity_of(deployment)},
        {"since", text_of(deployment, "started_at")}, {"age", started ? age_word(at_us_ - *started) : std::string()}};
  }

  Json rows() const {
    Json out = Json::array();
    for (const auto& [key, cells] : rows_) {
      Json row = {{"name", key.first}, {"kind", key.second}, {"environments", Json::object()}};
      for (const auto& environment : environments_) {
        const auto found = cells.find(environment.name);
        if (found == cells.end()) continue;
        auto cell = found->second;
        cell["differs"] = differs(environment, cells);
        row["environments"][environment.name] = std::move(cell);
      }
      if (!row["environments"].empty()) out.push_back(std::move(row));
    }
    return out;
  }

  const std::vector<Environment>& environments() const { return environments_; }

 private:
  using Cells = std::map<std::string, Json>;

  // From everything that the environments before it run.
  static bool differs(const Environment& environment, const Cells& cells) {
    if (environment.after.empty()) return false;
    const auto own = digests_of(cells.at(environment.name));
    return std::none_of(environment.after.begin(), environment.after.end(), [&](const std::string& before) {
      const auto found = cells.find(before);
      return found != cells.end() && digests_of(found->second) == own;
    });
  }

  std::vector<Environment> environments_;
  const TimestampUs at_us_;
  std::map<std::pair<std::string, std::string>, Cells> rows_;
};

std::string cell_text(const Json& cell) {
  if (!cell.is_object()) return {};
  auto text = text_of(cell, "version") + (bool_of(cell, "differs") ? "*" : "");
  text += sensitivity_mark(text_of(cell, "sensitivity"));
  const auto age = text_of(cell, "age");
  return age.empty() ? text : text + " " + age;
}

// "v3 ×12, v2* ×1, none ×2": what the tenants run, the most frequent first.
std::string folded_text(const Json& row, const std::vector<std::string>& names) {
  std::map<std::string, int> counts;
  bool any = false;
  for (const auto& name : names) {
    const auto& cell = member(member(row, "environments"), name);
    any = any || cell.is_object();
    const auto text = cell.is_object() ? text_of(cell, "version") + (bool_of(cell, "differs") ? "*" : "") +
                                             std::string(sensitivity_mark(text_of(cell, "sensitivity")))
                                       : std::string("none");
    ++counts[text];
  }
  if (!any) return {};
  std::vector<std::pair<int, std::string>> ordered;
  for (const auto& [text, count] : counts) ordered.emplace_back(-count, text);
  std::sort(ordered.begin(), ordered.end());
  std::vector<std::string> parts;
  for (const auto& [count, text] : ordered) parts.push_back(fmt::format("{} ×{}", text, -count));
  return join(parts, ", ");
}

std::vector<Column> board_columns(const std::vector<Environment>& environments, bool folds) {
  std::vector<Column> columns = {{"NAME", [](const Json& r) { return text_of(r, "name"); }},
                                 {"KIND", [](const Json& r) { return text_of(r, "kind"); }}};
  std::map<std::string, std::vector<std::string>> tenants;
  for (const auto& environment : environments) tenants[environment.tenants_of].push_back(environment.name);
  std::set<std::string> shown;
  for (const auto& environment : environments) {
    const auto& group = environment.tenants_of;
    if (!folds || group.empty() || tenants[group].size() < 2) {
      columns.push_back({environment.name, [name = environment.name](const Json& r) {
                           return cell_text(member(member(r, "environments"), name));
                         }});
    } else if (shown.insert(group).second) {
      columns.push_back({group + "/*", [names = tenants[group]](const Json& r) { return folded_text(r, names); }});
    }
  }
  return columns;
}

// In promotion order.
Result<std::vector<Environment>> board_environments(Session& session) {
  Query query("/api/v1/environments");
  query.add("as_of", session.as_of()).add("match", session.option("--env").value_or("**"));
  MLOPS_ASSIGN(const auto items, fetch_list(session.api(), query, kNoLimit));
  std::vector<Environment> environments;
  for (const auto& item : items) {
    MLOPS_ASSIGN(auto environment, model::environment_from_json(item));
    environments.push_back(std::move(environment));
  }
  return environments;
}

Result<int> board(Session& session) {
  MLOPS_ASSIGN(auto environments, board_environments(session));
  Query query("/api/v1/status");
  query.add("as_of", session.as_of());
  MLOPS_ASSIGN(const auto running, fetch_list(session.api(), query, kNoLimit));
  const auto as_of = parse_rfc3339(session.as_of());
  const auto names = session.operands_from(0);
  Board board(std::move(environments), as_of ? *as_of : SystemClock().now_us());
  for (const auto& deployment : running) {
    const auto name = text_of(deployment, "name");
    if (names.empty() || std::find(names.begin(), names.end(), name) != names.end()) board.add(deployment);
  }
  const bool folds = board.environments().size() > kMostColumns && !session.flag("--tenants");
  session.print_list(
      board.rows(), board_columns(board.environments(), folds), [](const Json& r) { return text_of(r, "name"); },
      "nothing runs");
  if (!session.wants_json() && !session.quiet()) {
    session.say(
        "* differs from the environment before; [p] pseudonymous, [P] personal, [S] special category, [C] child");
  }
  return kExitDone;
}

}  // namespace

const Command kBoardCommand{
    .path = "board",
    .group = "Daily work",
    .summary = "what runs where, as a matrix of artifacts and environments",
    .operands = {{.name = "NAME",
                  .help = "only these artifacts",
                  .required = false,
                  .repeated = true,
                  .complete = Complete::kArtifact}},
    .options = {{.name = "--env",
                 .value_name = "GLOB",
                 .help = "only these environments, e.g. 'prod/*' or label:tenant=acme",
                 .complete = Complete::kEnvironment},
                {.name = "--tenants", .help = "a column for every tenant's environment, however many there are"}},
    .shared = kOutput | kAsOf,
    .description =
        R"(Environments stand in promotion order. A cell says the version, how long it has run, its sensitivity, and * where it
differs from what the environment before runs. More than eight columns are folded by tenant.

Examples:
  mlopsctl board
  mlopsctl board hospital/readmission --env 'prod/*' --as-of 2026-11-01)",
    .run = run_body<board>};

}  // namespace mlops::cli
