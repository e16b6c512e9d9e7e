#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <optional>
#include <set>

#include "cli/cmd/fields.h"
#include "cli/cmd/file_stream.h"
#include "cli/cmd/risk_text.h"
#include "cli/cmd/rows.h"
#include "cli/cmd/run.h"
#include "core/base/text.h"
#include "policies/data/format.h"
#include "policies/data/records.h"
#include "policies/risk/assess.h"
#include "policies/risk/frequency.h"
#include "policies/risk/read_version.h"
#include "policies/risk/suggest.h"

namespace mlops::cli {
namespace {

namespace fs = std::filesystem;
using risk::RiskRequirement;

// Options that say something of the classes that --quasi makes.
constexpr std::array<std::string_view, 16> kOfClasses{"--sensitive", "--subject",    "--k",         "--l",
                                                      "--diversity", "--c",          "--t",         "--distance",
                                                      "--against",   "--population", "--hierarchy", "--generalize",
                                                      "--suggest",   "--suppress",   "--out",       "--max-suppressed"};

std::vector<std::string> names_of(const Session& session, std::string_view option) {
  std::vector<std::string> names;
  for (const auto& list : session.option_all(option)) {
    for (const auto name : split(list, ',')) {
      if (!trim(name).empty()) names.emplace_back(trim(name));
    }
  }
  return names;
}

Result<double> number_option(const Session& session, std::string_view name, double fallback, double min, double max) {
  const auto text = session.option(name);
  if (!text) return fallback;
  double value = 0;
  if (risk::is_number(*text, value) && value >= min && value <= max) return value;
  return usage_error(fmt::format("{} is a number from {} to {}", name, min, max));
}

// "column=rest".
Result<std::pair<std::string, std::string>> assignment(const std::string& text, std::string_view option) {
  const auto equals = text.find('=');
  if (equals == std::string::npos || equals == 0 || equals + 1 == text.size())
    return usage_error(fmt::format("{} reads COLUMN=…, not '{}'", option, printable(text)));
  return std::pair(text.substr(0, equals), text.substr(equals + 1));
}

Status read_sensitive_rules(const Session& session, RiskRequirement& requirement) {
  const auto sensitive = names_of(session, "--sensitive");
  const bool asks = session.option("--l") || session.option("--t");
  if (asks && sensitive.empty()) return usage_error("--l and --t need --sensitive COLUMN");
  const auto kind = risk::diversity_from_word(session.option("--diversity").value_or("distinct"));
  const auto distance = risk::distance_from_word(session.option("--distance").value_or("auto"));
  if (!kind || !distance) return usage_error("--diversity or --distance has an unknown word");
  MLOPS_ASSIGN(const double l, number_option(session, "--l", 1, 1, 1e9));
  MLOPS_ASSIGN(const double c, number_option(session, "--c", 3, 0, 1e9));
  MLOPS_ASSIGN(const double t, number_option(session, "--t", 1, 0, 1));
  for (const auto& attr : sensitive) {
    // What is not asked for is still measured, against a bound that everything meets.
    const auto asked = session.option("--l") ? *kind : risk::DiversityRequirement::Kind::kDistinct;
    requirement.l.push_back({attr, asked, l, c});
    requirement.t.push_back({attr, t, *distance});
  }
  return {};
}

// Columns of pseudonyms, which are judged by themselves.
struct TokenRequirement {
  std::vector<std::string> columns;
  std::optional<double> min_entropy_bits;
};

Result<TokenRequirement> token_requirement_of(const Session& session) {
  TokenRequirement requirement;
  std::set<std::string> seen;
  for (auto& name : names_of(session, "--tokens")) {
    if (seen.insert(to_lower_ascii(name)).second) requirement.columns.push_back(std::move(name));
  }
  if (!session.option("--min-entropy")) return requirement;
  if (requirement.columns.empty()) return usage_error("--min-entropy needs --tokens COLUMN");
  MLOPS_ASSIGN(requirement.min_entropy_bits, number_option(session, "--min-entropy", 0, 0, 64));
  return requirement;
}

Result<RiskRequirement> requirement_of(const Session& session, const TokenRequirement& tokens) {
  RiskRequirement requirement;
  requirement.quasi = names_of(session, "--quasi");
  if (requirement.quasi.empty()) {
    const bool asks_of_classes = std::any_of(kOfClasses.begin(), kOfClasses.end(), [&](std::string_view option) {
      return session.flag(option) || session.option(option);
    });
    if (tokens.columns.empty() || asks_of_classes)
      return usage_error("which columns could tell who someone is? --quasi zip3,birth_year,sex");
  }
  requirement.subject = session.option("--subject").value_or("");
  MLOPS_ASSIGN(const double k, number_option(session, "--k", 2, 1, 1e9));
  requirement.k = static_cast<std::uint64_t>(k);
  MLOPS_ASSIGN(requirement.max_suppressed, number_option(session, "--max-suppressed", 0.1, 0, 1));
  if (session.flag("--suppress")) requirement.on_fail = risk::OnFail::kSuppressRecords;
  MLOPS_TRY(read_sensitive_rules(session, requirement));
  for (const auto& text : session.option_all("--hierarchy")) {
    MLOPS_ASSIGN(const auto named, assignment(text, "--hierarchy"));
    MLOPS_ASSIGN(auto source, FileSource::open(named.second));
    MLOPS_ASSIGN(requirement.hierarchies[named.first], risk::read_hierarchy(source));
  }
  for (const auto& text : session.option_all("--generalize")) {
    MLOPS_ASSIGN(const auto named, assignment(text, "--generalize"));
    MLOPS_ASSIGN(requirement.generalize[named.first], risk::generalization_from_word(named.second));
  }
  return requirement;
}

Status read_file(risk::RiskTable& table, const std::string& path) {
  MLOPS_ASSIGN(auto source, FileSource::open(path));
  MLOPS_ASSIGN(const auto reader, data::open_records(source, {.path = path}));
  table.add_version();
  return risk::read_records(table, *reader);
}

struct Tables {
  risk::RiskTable table;
  risk::Versions versions;
};

Result<Tables> read_tables(const Session& session, const RiskRequirement& requirement) {
  Tables tables{risk::RiskTable(requirement.columns()), {}};
  MLOPS_TRY(read_file(tables.table, session.operand(0)));
  if (const auto before = session.option("--against")) {
    MLOPS_TRY(read_file(tables.table, *before));
    tables.versions.before = tables.table.versions() - 1;
  }
  if (const auto population = session.option("--population")) {
    MLOPS_TRY(read_file(tables.table, *population));
    tables.versions.population = tables.table.versions() - 1;
  }
  return tables;
}

// The rows that stay, byte for byte.
Status write_suppressed(const std::string& input, const std::string& output, const std::vector<bool>& suppressed) {
  MLOPS_ASSIGN(auto source, FileSource::open(input));
  MLOPS_ASSIGN(const auto reader, data::open_records(source, {.path = input}));
  if (reader->format() != data::Format::kCsv && reader->format() != data::Format::kTsv) {
    return fail(ErrorCode::kInvalid, "suppress_needs_table",
                fmt::format("records are suppressed in tables only, not in {}", to_word(reader->format())));
  }
  MLOPS_ASSIGN(auto out, AtomicFileSink::create(output));
  MLOPS_ASSIGN(const auto writer, reader->writer(out, {}));
  while (true) {
    MLOPS_ASSIGN(const bool more, reader->next());
    if (!more) break;
    const auto record = reader->records() - 1;
    // The file was judged in a reading before this one: a row that came since is let through by nobody.
    if (record >= suppressed.size()) break;
    if (!suppressed[record]) MLOPS_TRY(writer->write({}));
  }
  if (reader->records() != suppressed.size())
    return fail(ErrorCode::kConflict, "input_changed", "the input changed while it was read", "run it again");
  MLOPS_TRY(writer->finish());
  return out.publish();
}

Status add_advice(const Session& session, const Tables& tables, const RiskRequirement& requirement, Json& report) {
  MLOPS_ASSIGN(const auto contributions, risk::contributions(tables.table, requirement, tables.versions.now));
  Json columns = Json::array();
  for (const auto& one : contributions) {
    columns.push_back({{"column", one.column},
                       {"distinct", one.distinct},
                       {"distinction", one.distinction},
                       {"separation", one.separation},
                       {"unique_without", one.unique_without},
                       {"below_k_without", one.below_k_without}});
  }
  report["contributions"] = std::move(columns);
  if (!session.flag("--suggest")) return {};
  MLOPS_ASSIGN(const auto suggestion, risk::suggest(tables.table, requirement, tables.versions.now));
  if (!suggestion) {
    report["suggestion"] = Json();
    return {};
  }
  Json generalize = Json::object();
  for (const auto& [column, how] : suggestion->columns) {
    if (how.kind != risk::Generalization::Kind::kNone) generalize[column] = to_word(how);
  }
  report["suggestion"] = {{"generalize", std::move(generalize)},
                          {"loss", suggestion->loss},
                          {"classes", suggestion->classes},
                          {"suppress_records", suggestion->suppress_records}};
  return {};
}

Status check_output(const Session& session, const RiskRequirement& requirement) {
  const auto output = session.option("--out").value_or("");
  const bool suppresses = requirement.on_fail == risk::OnFail::kSuppressRecords;
  if (suppresses != !output.empty())
    return usage_error("--suppress and -O FILE go together", "-O names the table without the records that must go");
  if (suppresses && !requirement.generalize.empty())
    return usage_error("--suppress writes cells as they are, so it cannot go with --generalize",
                       "generalise with a policy (`policy mask`) first");
  std::error_code ignored;
  if (suppresses && fs::equivalent(session.operand(0), output, ignored))
    return usage_error("the output is the input itself", "name another file");
  return {};
}

// What frequencies tell of the columns of pseudonyms; false: more than is allowed.
Result<bool> add_tokens(const Session& session, const TokenRequirement& requirement, const std::vector<bool>& left_out,
                        Json& report) {
  if (requirement.columns.empty()) return true;
  risk::RiskTable table({{}, requirement.columns, {}});  // of its own: versions are compared without pseudonyms
  MLOPS_TRY(read_file(table, session.operand(0)));
  if (requirement.min_entropy_bits) report["min_entropy_bits"] = *requirement.min_entropy_bits;
  bool is_met = true;
  for (const auto& name : requirement.columns) {
    const auto found = risk::frequencies(table, name, left_out);
    report["tokens"].push_back(risk::to_json(found));
    const double need = requirement.min_entropy_bits.value_or(0);
    if (risk::leaves(found, need)) continue;
    is_met = false;
    report["shortfalls"].push_back(
        {{"rule", "min_entropy"}, {"attr", name}, {"need", need}, {"have", found.min_entropy_bits}});
  }
  return is_met;
}

Result<int> policy_risk(Session& session) {
  MLOPS_ASSIGN(const auto tokens, token_requirement_of(session));
  MLOPS_ASSIGN(const auto requirement, requirement_of(session, tokens));
  MLOPS_TRY(check_output(session, requirement));
  Json report = {{"is_met", true}, {"shortfalls", Json::array()}};
  std::vector<bool> left_out;
  if (!requirement.quasi.empty()) {
    MLOPS_ASSIGN(const auto tables, read_tables(session, requirement));
    MLOPS_ASSIGN(const auto assessed, risk::assess(tables.table, requirement, tables.versions));
    report = risk::to_json(assessed);
    MLOPS_TRY(add_advice(session, tables, requirement, report));
    if (assessed.is_suppressed) {
      MLOPS_ASSIGN(left_out, risk::suppression(tables.table, requirement, tables.versions));
    }
  }
  MLOPS_ASSIGN(const bool hides_tokens, add_tokens(session, tokens, left_out, report));
  const bool is_met = bool_of(report, "is_met") && hides_tokens;
  report["is_met"] = is_met;
  if (const auto output = session.option("--out"); output && is_met) {
    MLOPS_TRY(write_suppressed(session.operand(0), *output, left_out));
  }
  session.print_value(
      report, [&] { print_risk(session, report); }, [&] { return session.operand(0); });
  return is_met ? kExitDone : kExitRefused;
}

}  // namespace

const Command kPolicyRiskCommand{
    .path = "policy risk",
    .group = "Environments and policies",
    .summary = "how well a table hides who is in it, offline",
    .operands = {{.name = "FILE", .help = "the table to judge", .complete = Complete::kFile}},
    .options = {{.name = "--quasi",
                 .value_name = "COLUMNS",
                 .help = "columns that together could tell who someone is",
                 .repeated = true},
                {.name = "--sensitive",
                 .value_name = "COLUMNS",
                 .help = "columns that must not be learnt about a person",
                 .repeated = true},
                {.name = "--subject", .value_name = "COLUMN", .help = "who a record is about: k counts these"},
                {.name = "--k", .value_name = "N", .help = "the smallest class allowed (default: 2)"},
                {.name = "--l", .value_name = "N", .help = "the least diversity of a sensitive column in a class"},
                {.name = "--diversity",
                 .value_name = "KIND",
                 .help = "what --l counts",
                 .complete = Complete::kChoice,
                 .choices = {"distinct", "entropy", "recursive"}},
                {.name = "--c", .value_name = "X", .help = "of recursive (c,l)-diversity (default: 3)"},
                {.name = "--t", .value_name = "X", .help = "the furthest a class may be from the whole table, 0 to 1"},
                {.name = "--distance",
                 .value_name = "KIND",
                 .help = "how --t measures",
                 .complete = Complete::kChoice,
                 .choices = {"auto", "equal", "ordered", "hierarchical"}},
                {.name = "--tokens",
                 .value_name = "COLUMNS",
                 .help = "columns of pseudonyms: what do their frequencies tell?",
                 .repeated = true},
                {.name = "--min-entropy",
                 .value_name = "BITS",
                 .help = "what the commonest pseudonym of a column must leave to guess"},
                {.name = "--against",
                 .value_name = "FILE",
                 .help = "the version that is out already: also judge both together and what differs",
                 .complete = Complete::kFile},
                {.name = "--population",
                 .value_name = "FILE",
                 .help = "a larger table the people are from, for the journalist's risk",
                 .complete = Complete::kFile},
                {.name = "--hierarchy",
                 .value_name = "COLUMN=FILE",
                 .help = "coarser values of a column: value;coarser;coarsest",
                 .repeated = true,
                 .complete = Complete::kFile},
                {.name = "--generalize",
                 .value_name = "COLUMN=HOW",
                 .help = "judge as if: bucket:10, prefix:3, level:2, drop",
                 .repeated = true},
                {.name = "--suggest", .help = "search for the least generalisation that is enough"},
                {.name = "--suppress", .help = "write the table without the records that break the requirement"},
                {.name = "-O,--out",
                 .value_name = "FILE",
                 .help = "that table; rows that stay are byte for byte the input's",
                 .complete = Complete::kFile},
                {.name = "--max-suppressed",
                 .value_name = "SHARE",
                 .help = "the largest share of records that may go (default: 0.1)"}},
    .shared = kOutput | kOffline,
    .description =
        R"(Puts records that are equal in every --quasi column into classes and measures k-anonymity, l-diversity, t-closeness
and the risk that a prosecutor, journalist or marketer finds someone. Exit code 3 when k, l, t or --min-entropy is not
met, or when the difference to --against isolates fewer than k. Shows column names and counts, never a value.

Equal values have equal pseudonyms, so who knows how often a value occurs may tell it by its count. Of --tokens the
min-entropy is what the best single guess leaves open, and TOLD BY COUNT the records whose pseudonym stands in as many
records as no other.

Examples:
  mlopsctl policy risk masked.csv --quasi zip3,birth_year,sex --sensitive diagnosis --k 11 --l 3 --t 0.3
  mlopsctl policy risk v2.csv --quasi zip3,sex --k 11 --against v1.csv
  mlopsctl policy risk masked.csv --tokens mrn,surname --min-entropy 6
  mlopsctl policy risk masked.csv --quasi zip3,sex --k 11 --suppress -O release.csv)",
    .run = run_body<policy_risk>};

}  // namespace mlops::cli
