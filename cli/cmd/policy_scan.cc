#include <fmt/format.h>

#include <filesystem>

#include "cli/cmd/fields.h"
#include "cli/cmd/lines.h"
#include "cli/cmd/policy_files.h"
#include "cli/cmd/query.h"
#include "cli/cmd/rows.h"
#include "cli/cmd/run.h"
#include "core/base/text.h"
#include "policies/data/file_place.h"
#include "policies/engine/policy.h"
#include "policies/engine/scan_dataset.h"

namespace mlops::cli {
namespace {

constexpr double kLookTwice = 0.6;

Result<std::vector<policy::FileProfile>> scan_all(const Walk& walk, const data::RecordOptions& options) {
  std::vector<policy::FileProfile> profiles;
  for (const auto& file : walk.files) {
    const auto path = source_of(walk, file);
    MLOPS_ASSIGN(const auto open, open_file(path, options));
    auto profile = policy::scan_file(data::table_name(path), *open.reader);
    if (!profile) return fail(data::at_file(profile.error(), path));
    profiles.push_back(std::move(*profile));
  }
  policy::reconcile(profiles);
  return profiles;
}

std::string shown_evidence(const Json& column) {
  std::vector<std::string> words;
  for (const auto& one : array_of(column, "evidence")) {
    if (words.size() == 3) break;
    words.push_back(fmt::format("{} {}", text_of(one, "detector"), grouped(int_of(one, "cells"))));
  }
  return join(words, ", ");
}

void print_profile(Session& session, const Json& file) {
  const auto style = style_of(session);
  session.print_line(style.paint(Tone::kBold, text_of(file, "table")) +
                     fmt::format("  {}", counted(int_of(file, "records"), "record", "records")));
  std::vector<std::vector<std::string>> rows;
  for (const auto& column : array_of(file, "columns")) {
    const double confidence = column["confidence"].get<double>();
    rows.push_back({text_of(column, "column"), text_of(column, "class"), fmt::format("{:.2f}", confidence),
                    text_of(column, "because") + (confidence < kLookTwice ? "  (look here)" : ""),
                    grouped(int_of(column, "filled")), shown_evidence(column)});
  }
  print_lines(session,
              aligned({"COLUMN", "CLASS", "SURE", "BECAUSE", "FILLED", "FOUND IN CELLS"}, rows, {2, 4}, style, 2));
}

// Never over a file that is there: a draft somebody has corrected must not be lost to a second scan.
Status write_draft(const std::string& path, const std::string& text) {
  std::error_code ignored;
  if (std::filesystem::exists(path, ignored)) {
    return fail(ErrorCode::kAlreadyExists, "file_exists", fmt::format("{} is there already", printable(path)),
                "name another file for --draft, or remove it");
  }
  MLOPS_ASSIGN(auto sink, AtomicFileSink::create(path));
  MLOPS_TRY(sink.write(text));
  return sink.publish();
}

Result<std::string> pack_of(const Session& session) {
  const auto pack = session.option("--pack").value_or("hipaa-safe-harbor");
  if (pack == "none") return std::string{};
  std::vector<std::string> names;
  for (const auto& one : policy::packs()) names.emplace_back(one.name);
  if (std::find(names.begin(), names.end(), pack) != names.end()) return pack;
  const auto near = nearest_word(pack, names);
  return usage_error(fmt::format("there is no pack '{}'", printable(pack)),
                     near ? "did you mean " + *near + "?" : "mlopsctl policy packs lists them");
}

// What a policy may be called, made of the draft's file name when nobody says.
Result<std::string> draft_name(const Session& session, const std::string& draft_path) {
  const auto given = session.option("--name");
  auto name = given.value_or(to_lower_ascii(data::table_name(draft_path)));
  const auto is_plain = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'; };
  if (given) {
    const auto is_good = [&](char c) { return is_plain(c) || c == '.' || c == '_' || c == '/'; };
    if (!name.empty() && std::all_of(name.begin(), name.end(), is_good)) return name;
    return usage_error("a policy cannot be called '" + printable(name) + "'", "a-z, 0-9, '-', '.', '_' and '/'");
  }
  std::replace_if(
      name.begin(), name.end(), [&](char c) { return !is_plain(c); }, '-');
  return name.find_first_of("abcdefghijklmnopqrstuvwxyz") == std::string::npos ? "policy-" + name : name;
}

Result<int> policy_scan(Session& session) {
  const auto path = session.operand(0);
  MLOPS_ASSIGN(const auto pack, pack_of(session));
  MLOPS_ASSIGN(const auto walk, walk_artifact(path));
  MLOPS_ASSIGN(const auto options, record_options(session));
  MLOPS_ASSIGN(const auto profiles, scan_all(walk, options));
  const auto draft_path = session.option("--draft").value_or("");
  if (!draft_path.empty()) {
    MLOPS_ASSIGN(const auto name, draft_name(session, draft_path));
    MLOPS_TRY(write_draft(draft_path, policy::draft_policy(name, pack, profiles)));
  }
  Json report = Json::array();
  for (const auto& profile : profiles) report.push_back(policy::to_json(profile));
  session.print_value(
      report,
      [&] {
        for (const auto& file : report) print_profile(session, file);
        if (!draft_path.empty()) {
          session.say("a draft policy is in " + draft_path + "; read every line, then: mlopsctl policy lint " +
                      draft_path);
        }
      },
      [&] { return draft_path; });
  return kExitDone;
}

}  // namespace

const Command kPolicyScanCommand{
    .path = "policy scan",
    .group = "Environments and policies",
    .summary = "find what personal data files hold, and draft a policy, offline",
    .operands = {{.name = "PATH", .help = "a file, or a directory of them", .complete = Complete::kFile}},
    .options =
        with_record_options({{.name = "--draft",
                              .value_name = "FILE",
                              .help = "write a policy that declares every column as found; never over a file",
                              .complete = Complete::kFile},
                             {.name = "--name", .value_name = "NAME", .help = "the draft's name (default: its file's)"},
                             {.name = "--pack",
                              .value_name = "PACK",
                              .help = "the pack the draft extends (default hipaa-safe-harbor), or none"}}),
    .shared = kOutput | kOffline,
    .description =
        R"(Reads every cell of CSV, JSON, JSON Lines, FHIR and text files and says for each column what it probably is, how
sure that is, and on which counts. Output holds names and counts, never a value.

Examples:
  mlopsctl policy scan raw/ --draft clinical.yaml
  mlopsctl policy scan bundle.json -o json)",
    .run = run_body<policy_scan>};

}  // namespace mlops::cli
