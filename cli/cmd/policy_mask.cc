#include <fmt/format.h>

#include <filesystem>
#include <optional>

#include "cli/cmd/fields.h"
#include "cli/cmd/file_stream.h"
#include "cli/cmd/gate_text.h"
#include "cli/cmd/lines.h"
#include "cli/cmd/mask_keys.h"
#include "cli/cmd/policy_files.h"
#include "cli/cmd/query.h"
#include "cli/cmd/release_text.h"
#include "cli/cmd/rows.h"
#include "cli/cmd/run.h"
#include "cli/cmd/staging.h"
#include "core/base/text.h"
#include "core/crypto/key_file.h"
#include "policies/data/file_place.h"
#include "policies/engine/early_mask.h"
#include "policies/engine/exception_scope.h"
#include "policies/engine/mask_dataset.h"
#include "policies/engine/release_risk.h"

namespace mlops::cli {
namespace {

namespace fs = std::filesystem;

struct Request {
  std::string input;
  std::string output;
  std::string context;
  data::RecordOptions records;
};

Result<Request> request_of(const Session& session) {
  Request request{
      session.operand(1), session.option("--out").value_or(""), session.option("--dataset").value_or(""), {}};
  if (request.output.empty())
    return usage_error("where to write? -O names the masked file",
                       "mlopsctl policy mask POLICY.yaml IN.csv -O OUT.csv");
  MLOPS_ASSIGN(request.records, record_options(session));
  MLOPS_TRY(check_output_is_none_of_inputs(session, request.output));
  std::error_code ignored;
  const bool is_directory = fs::is_directory(request.input, ignored);
  while (is_directory && request.output.size() > 1 && request.output.ends_with('/')) request.output.pop_back();
  if (!is_directory && (request.output.ends_with('/') || fs::is_directory(request.output, ignored))) {
    return usage_error("the output is a directory, the input a file", "name the masked file, not its folder");
  }
  if (fs::equivalent(request.input, request.output, ignored)) {
    return usage_error("the output is the input itself", "masking never overwrites what it reads; name another file");
  }
  if (is_directory && fs::exists(request.output, ignored)) {
    return usage_error("the output directory is there already", "name one that is not");
  }
  if (request.context.empty()) request.context = fs::path(request.input).stem().string();
  return request;
}

// The dataset's files, planned one after the other, before any is published.
struct Planned {
  Walk walk;
  std::vector<policy::FilePlan> files;  // as walk.files
  std::optional<policy::EarlyMask> early;
  std::optional<AtomicFileSink> early_output;
};

// The path of a masked file as others will see it.
std::string published_path(const Walk& walk, const WalkedFile& file, const Request& request) {
  return walk.is_directory ? file.path : data::table_name(request.output);
}

// A lone file is masked while it is planned, where that can be. Into what no other knows of: nothing tells yet whether
// it may be published.
void try_early(const policy::Policy& policy, const Request& request, const mask::RunSecrets& secrets,
               std::optional<Staging>& staging, Planned& planned) {
  const auto& walk = planned.walk;
  const auto folder = fs::path(request.output).parent_path();
  std::error_code ignored;
  if (walk.is_directory || !fs::is_directory(folder.empty() ? "." : folder, ignored)) return;
  auto place = Staging::create(request.output);
  if (!place) return;
  staging.emplace(std::move(*place));
  const auto& file = walk.files.front();
  const auto path = source_of(walk, file);
  const auto open = open_file(path, request.records);
  auto sink = AtomicFileSink::create(staging->path_of(file.path));
  if (!open || !sink) return;
  planned.early_output.emplace(std::move(*sink));
  planned.early = policy::EarlyMask::try_run(
      policy, {data::table_name(path), published_path(walk, file, request), secrets, request.context}, *open->reader,
      *planned.early_output);
  if (!planned.early) planned.early_output.reset();
}

Result<policy::FilePlan> plan_one(policy::DatasetPlanner& planner, const std::string& path, const Request& request,
                                  const std::optional<policy::EarlyMask>& early) {
  OpenFile open;
  if (!early) {
    MLOPS_ASSIGN(open, open_file(path, request.records));
  }
  auto plan = early ? planner.plan(*early) : planner.plan(data::table_name(path), *open.reader);
  if (!plan) return fail(data::at_file(plan.error(), path));
  return plan;
}

Result<Planned> plan_all(const policy::Policy& policy, const Request& request, const mask::RunSecrets& secrets,
                         std::optional<Staging>& staging) {
  Planned planned;
  MLOPS_ASSIGN(planned.walk, walk_artifact(request.input));
  try_early(policy, request, secrets, staging, planned);
  policy::DatasetPlanner planner(policy);
  for (const auto& file : planned.walk.files) {
    const auto path = source_of(planned.walk, file);
    MLOPS_ASSIGN(auto plan, plan_one(planner, path, request, planned.early));
    plan.published = published_path(planned.walk, file, request);
    planned.files.push_back(std::move(plan));
  }
  MLOPS_TRY(planner.finish());
  return planned;
}

Json columns_json(const Planned& planned) {
  Json columns = Json::array();
  for (const auto& file : planned.files) {
    for (const auto& column : file.columns) {
      columns.push_back({{"table", file.table},
                         {"column", printable(column.column)},
                         {"class", column.class_name},
                         {"decided_by", column.decided_by},
                         {"transform", column.transform},
                         {"rule", column.rule}});
    }
  }
  return columns;
}

// The evidence of the early mask, whose output becomes `out`; nullopt: there is none, or the plan is another one.
std::optional<Result<policy::MaskEvidence>> take_early(Planned& planned, const std::string& in) {
  if (!planned.early) return std::nullopt;
  auto evidence = planned.early->conclude(planned.files.front());
  if (!evidence) {
    planned.early_output.reset();
    return std::nullopt;
  }
  if (!*evidence) return fail(data::at_file(evidence->error(), in));
  if (const auto published = planned.early_output->publish(); !published) return fail(published.error());
  return evidence;
}

Result<policy::MaskEvidence> mask_one(const policy::Policy& policy, const policy::FilePlan& plan, const std::string& in,
                                      const std::string& out, const mask::RunSecrets& secrets, const Request& request) {
  MLOPS_ASSIGN(const auto open, open_file(in, request.records));
  std::error_code ignored;
  fs::create_directories(fs::path(out).parent_path(), ignored);
  MLOPS_ASSIGN(auto sink, AtomicFileSink::create(out));
  auto evidence = policy::mask_file(policy, plan, *open.reader, sink, secrets, request.context);
  if (!evidence) return fail(data::at_file(evidence.error(), in));
  MLOPS_TRY(sink.publish());
  return evidence;
}

// Measures the risk of the masked files, and takes out the records that policy and risk tell to.
Status limit_risk(const policy::Policy& policy, const Planned& planned, const std::vector<std::string>& masked,
                  const Request& request, policy::MaskEvidence& evidence) {
  policy::ReleaseRisk risk(policy);
  if (!risk.is_asked()) return {};
  for (std::size_t i = 0; i < masked.size(); ++i) {
    MLOPS_ASSIGN(const auto open, open_file(masked[i], request.records));
    MLOPS_TRY(risk.read(planned.files[i], *open.reader));
  }
  MLOPS_TRY(risk.judge(evidence));
  for (std::size_t i = 0; i < masked.size(); ++i) {
    if (!risk.suppresses_in(i)) continue;
    MLOPS_ASSIGN(const auto open, open_file(masked[i], request.records));
    MLOPS_ASSIGN(auto sink, AtomicFileSink::create(masked[i]));
    MLOPS_TRY(risk.write_kept(i, *open.reader, sink));
    MLOPS_TRY(sink.publish());
  }
  return {};
}

Result<policy::MaskEvidence> mask(const policy::Policy& policy, const Request& request, MaskKeys& keys, Json& columns) {
  const auto secrets = keys.secrets();
  MLOPS_TRY(policy::check_exception_scope(policy, "dataset:" + request.context, {}));
  std::optional<Staging> staging;
  MLOPS_ASSIGN(auto planned, plan_all(policy, request, secrets, staging));
  columns = columns_json(planned);
  const auto& walk = planned.walk;
  if (!staging) {
    MLOPS_ASSIGN(auto made, Staging::create(request.output));
    staging.emplace(std::move(made));
  }
  policy::MaskEvidence evidence;
  std::vector<std::string> masked;
  for (std::size_t i = 0; i < walk.files.size(); ++i) {
    const auto in = source_of(walk, walk.files[i]);
    masked.push_back(staging->path_of(walk.files[i].path));
    auto one = take_early(planned, in);
    if (!one) one = mask_one(policy, planned.files[i], in, masked.back(), secrets, request);
    if (!*one) return fail(one->error());
    policy::merge_evidence(evidence, **one);
  }
  MLOPS_TRY(limit_risk(policy, planned, masked, request, evidence));
  MLOPS_TRY(keys.store_vault());  // tokens must be on disk before the masked data that hold them are
  MLOPS_TRY(walk.is_directory ? staging->publish() : staging->publish_file(masked.front()));
  return evidence;
}

void print_evidence(Session& session, const Json& report, const Request& request) {
  const auto style = style_of(session);
  session.print_line(style.paint(Tone::kGood, "✔") + " masked " + request.input + " → " +
                     style.paint(Tone::kBold, request.output));
  KeyValues head;
  head.add("policy", text_of(report, "policy") + "  " + short_digest(text_of(report, "policy_digest")));
  const auto& evidence = member(report, "evidence");
  head.add("rows", grouped(int_of(evidence, "rows")));
  const auto& residual = member(evidence, "residual");
  head.add("residual scan",
           fmt::format("{} scanned, {}", counted(int_of(residual, "scanned_cells"), "cell", "cells"),
                       counted(int_of(residual, "findings"), "finding", "findings")),
           int_of(residual, "findings") == 0 ? Tone::kGood : Tone::kWarn);
  if (const auto without = int_of(evidence, "rows_without_consent"); without > 0)
    head.add("without consent", counted(without, "row left out", "rows left out"));
  for (const auto& table : array_of(evidence, "risk")) {
    head.add("risk",
             fmt::format("k {} where {} is asked, {}, {}", int_of(member(table, "k"), "have"),
                         int_of(member(table, "k"), "need"), counted(int_of(table, "classes"), "class", "classes"),
                         counted(int_of(table, "suppressed"), "record left out", "records left out")));
  }
  print_lines(session, head.lines(style, 2));
  std::vector<std::vector<std::string>> rows;
  const auto& plan = array_of(report, "columns");
  for (const auto& column : array_of(evidence, "columns")) {
    std::string decided;
    std::string rule;
    for (const auto& planned : plan) {
      const bool same = text_of(planned, "column") == text_of(column, "column") &&
                        text_of(planned, "class") == text_of(column, "class") &&
                        text_of(planned, "transform") == text_of(column, "transform");
      if (!same) continue;
      decided = text_of(planned, "decided_by");
      rule = text_of(planned, "rule");
    }
    rows.push_back({text_of(column, "column"), text_of(column, "class"), decided, text_of(column, "transform"), rule,
                    grouped(int_of(column, "changed"))});
  }
  print_lines(session, aligned({"COLUMN", "CLASS", "DECIDED BY", "TRANSFORM", "RULE", "CHANGED"}, rows, {5}, style, 2));
}

int refuse(Session& session, const Error& error) {
  if (!session.wants_json()) say_lines(session, fact_lines(facts_of(error), style_of(session), 2));
  return session.fail(error);
}

Result<int> policy_mask(Session& session) {
  MLOPS_ASSIGN(const auto request, request_of(session));
  MLOPS_ASSIGN(const auto file, read_named_text(session.operand(0)));
  MLOPS_ASSIGN(const auto policy, policy::load_policy(file.text, file.origin));
  if (!policy.masks()) {
    return fail(ErrorCode::kInvalid, "policy_without_transforms",
                fmt::format("policy {} has gates but no transforms", policy.name()), "name a policy that masks");
  }
  const auto key_file = session.option("--key-file").value_or("");
  if (session.flag("--generate-key")) {
    if (key_file.empty()) return usage_error("--generate-key needs --key-file FILE", "the new key is written there");
    MLOPS_TRY(crypto::generate_key_file(key_file));
    session.say("a new key is in " + key_file + "; keep it apart from the masked data");
  }
  if (const auto left = Staging::remove_left_behind(request.output); left > 0) {
    session.say(fmt::format("removed what {} of {} that did not end had left behind",
                            counted(static_cast<std::int64_t>(left), "run", "runs"), request.output));
  }
  Json columns = Json::array();
  MLOPS_ASSIGN(auto keys, MaskKeys::open(session));
  const auto evidence = mask(policy, request, keys, columns);
  if (!evidence)
    return evidence.error().code == ErrorCode::kRefused ? Result<int>(refuse(session, evidence.error()))
                                                        : Result<int>(fail(evidence.error()));
  const Json report = {{"policy", policy.name()},
                       {"policy_digest", policy.digest().to_string()},
                       {"dataset", request.context},
                       {"columns", std::move(columns)},
                       {"evidence", policy::to_json(*evidence)}};
  if (session.option("--report").value_or("") == "json" && !session.wants_json()) {
    const auto text = report.dump(2);
    for (const auto line : split(text, '\n')) session.print_line(line);
    return kExitDone;
  }
  session.print_value(
      report, [&] { print_evidence(session, report, request); }, [&] { return request.output; });
  return kExitDone;
}

}  // namespace

const Command kPolicyMaskCommand{
    .path = "policy mask",
    .group = "Environments and policies",
    .summary = "mask files by a policy, offline",
    .operands = {{.name = "POLICY", .help = "a policy file", .complete = Complete::kFile},
                 {.name = "IN", .help = "a file, or a directory: one dataset", .complete = Complete::kFile}},
    .options = with_record_options(
        {{.name = "-O,--out",
          .value_name = "FILE",
          .help = "the masked file or directory; appears only when complete and clean",
          .complete = Complete::kFile},
         {.name = "--key-file",
          .value_name = "FILE",
          .help = "key for pseudonyms: mode 0600, at least 32 random bytes, hex or raw",
          .complete = Complete::kFile},
         {.name = "--generate-key", .help = "make the key file first; never replaces one"},
         {.name = "--keyring",
          .value_name = "RING",
          .help = "a key ring instead: keys with versions (mlopsctl keyring)",
          .complete = Complete::kFile},
         {.name = "--master",
          .value_name = "WHERE",
          .help = "its master key: file:PATH, env:NAME or credential:NAME (default: env:MLOPS_MASTER_KEY)"},
         {.name = "--vault",
          .value_name = "FILE",
          .help = "where tokens of `tokenize` are kept, sealed; made when it is not there",
          .complete = Complete::kFile},
         {.name = "--dataset",
          .value_name = "NAME",
          .help = "the dataset that pseudonyms are bound to (default: the input's name without its ending)"},
         {.name = "--report",
          .value_name = "FORMAT",
          .help = "form of the evidence on standard output",
          .complete = Complete::kChoice,
          .choices = {"table", "json"}}}),
    .shared = kOutput | kOffline,
    .description =
        R"(Classifies the columns, masks, and scans the result. A declared column that is missing, a column nobody knows, or
anything found in the result refuses with exit code 3 and leaves no output. Reports hold names and counts, never a value.

Examples:
  mlopsctl policy mask clinical-deid.yaml patients.csv -O masked.csv --key-file key --generate-key
  mlopsctl policy mask clinical-deid.yaml patients.csv -O masked.csv --key-file key --report json > evidence.json)",
    .run = run_body<policy_mask>};

}  // namespace mlops::cli
