#include <fmt/format.h>

#include <charconv>

#include "cli/cmd/fields.h"
#include "cli/cmd/lines.h"
#include "cli/cmd/rows.h"
#include "cli/cmd/run.h"
#include "core/base/env.h"
#include "core/base/text.h"
#include "policies/evaluate/benchmark.h"

namespace mlops::cli {
namespace {

using evaluate::Report;
using evaluate::Split;
using evaluate::Tally;

constexpr double kTextScore = 0.3;      // where redaction of free text begins
constexpr double kNegativeScore = 0.5;  // where a finding refuses a masked table
constexpr std::size_t kMissContext = 40;

struct SplitWord {
  std::string_view word;
  Split split;
};
constexpr SplitWord kSplits[] = {{"held-out", Split::kHeldOut}, {"dev", Split::kDevelopment}, {"all", Split::kAll}};

Result<double> min_score_of(const Session& session, double otherwise) {
  const auto word = session.option("--min-score");
  if (!word) return otherwise;
  double value = 0;
  const auto [end, error] = std::from_chars(word->data(), word->data() + word->size(), value);
  if (error != std::errc() || end != word->data() + word->size() || !(value >= 0 && value <= 1))
    return usage_error("--min-score is a number from 0 to 1", "--min-score 0.5");
  return value;
}

double rounded(double value) {
  return static_cast<double>(static_cast<std::int64_t>(value * 10000 + 0.5)) / 10000;
}

Json tally_json(const Tally& tally) {
  return {{"labelled", tally.gold},
          {"found", tally.found},
          {"recall_strict", rounded(tally.recall(tally.strict))},
          {"recall", rounded(tally.recall(tally.iou90))},
          {"precision", rounded(tally.precision(tally.iou90))},
          {"f2", rounded(tally.f(2, tally.iou90))},
          {"recall_iou50", rounded(tally.recall(tally.iou50))},
          {"precision_iou50", rounded(tally.precision(tally.iou50))},
          {"f2_iou50", rounded(tally.f(2, tally.iou50))},
          {"covered", rounded(tally.coverage())},
          {"leaked", rounded(tally.leakage())}};
}

Json interval_json(const evaluate::Interval& interval) {
  return {rounded(interval.low), rounded(interval.high)};
}

Json rows_json(const std::vector<evaluate::Row>& rows) {
  Json list = Json::array();
  for (const auto& row : rows) {
    Json item = tally_json(row.tally);
    item["name"] = row.name;
    list.push_back(std::move(item));
  }
  return list;
}

double megabytes_a_second(std::uint64_t size_bytes, double cpu_seconds) {
  return cpu_seconds > 0 ? rounded(static_cast<double>(size_bytes) / 1e6 / cpu_seconds) : 0;
}

Json report_json(const Report& report, bool by_template) {
  Json overall = tally_json(report.overall);
  overall["recall_interval"] = interval_json(report.recall);
  overall["f2_interval"] = interval_json(report.f2);
  overall["leaked_interval"] = interval_json(report.leakage);
  Json json = {{"documents", report.documents},
               {"groups", report.groups},
               {"size_bytes", report.size_bytes},
               {"overall", std::move(overall)},
               {"classes", rows_json(report.classes)},
               {"out_of_scope", tally_json(report.out_of_scope)},
               {"unlabelled_findings", report.unlabelled_findings},
               {"documents_with_labels", report.documents_with_gold},
               {"documents_without_leak", report.documents_without_leak},
               {"megabytes_per_second", megabytes_a_second(report.size_bytes, report.cpu_seconds)}};
  if (by_template) json["templates"] = rows_json(report.by_group);
  return json;
}

Json false_hits_json(const evaluate::FalseHits& hits) {
  Json by_detector = Json::object();
  for (const auto& [id, count] : hits.by_detector) by_detector[id] = count;
  return {{"files", hits.files},
          {"size_bytes", hits.size_bytes},
          {"hits", hits.hits},
          {"hits_per_megabyte", rounded(hits.per_megabyte())},
          {"by_detector", std::move(by_detector)},
          {"megabytes_per_second", megabytes_a_second(hits.size_bytes, hits.cpu_seconds)}};
}

std::string share(const Json& row, const char* key) {
  return fmt::format("{:.3f}", row.value(key, 0.0));
}

std::vector<std::string> table_row(const std::string& name, const Json& row) {
  std::vector<std::string> cells{name, text_of(row, "labelled"), text_of(row, "found")};
  for (const char* key :
       {"recall_strict", "recall", "precision", "f2", "recall_iou50", "precision_iou50", "covered", "leaked"})
    cells.push_back(share(row, key));
  return cells;
}

void print_rows(Session& session, const char* heading, std::vector<std::vector<std::string>> rows) {
  print_lines(session,
              aligned({heading, "LABELLED", "FOUND", "STRICT R", "R", "P", "F2", "R 50", "P 50", "COVERED", "LEAKED"},
                      rows, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10}, style_of(session), 2));
}

void print_report(Session& session, const Json& report) {
  const auto& overall = member(report, "overall");
  std::vector<std::vector<std::string>> rows;
  for (const auto& row : array_of(report, "classes")) rows.push_back(table_row(text_of(row, "name"), row));
  rows.push_back(table_row("all of these", overall));
  print_rows(session, "CLASS", std::move(rows));
  const auto interval = [&](const char* key) {
    const auto& pair = member(overall, key);
    return fmt::format("{:.3f}–{:.3f}", pair.at(0).get<double>(), pair.at(1).get<double>());
  };
  KeyValues lines;
  lines.add("F2 at IoU 0.9", share(overall, "f2") + "  (95 %: " + interval("f2_interval") + ")");
  lines.add("recall at IoU 0.9", share(overall, "recall") + "  (95 %: " + interval("recall_interval") + ")");
  lines.add("characters leaked", share(overall, "leaked") + "  (95 %: " + interval("leaked_interval") + ")");
  lines.add("without a leak", fmt::format("{} of {} labelled texts", text_of(report, "documents_without_leak"),
                                          text_of(report, "documents_with_labels")));
  const auto& outside = member(report, "out_of_scope");
  lines.add("labels out of scope", fmt::format("{}, {} of their characters covered", text_of(outside, "labelled"),
                                               fmt::format("{:.3f}", 1 - outside.value("leaked", 0.0))));
  lines.add("of unlabelled classes", counted(int_of(report, "unlabelled_findings"), "finding", "findings"));
  print_lines(session, lines.lines(style_of(session), 2));
  if (!report.contains("templates")) return;
  rows.clear();
  for (const auto& row : array_of(report, "templates")) rows.push_back(table_row(text_of(row, "name"), row));
  print_rows(session, "TEMPLATE", std::move(rows));
}

void print_false_hits(Session& session, const Json& hits) {
  KeyValues lines;
  lines.add("false hits", fmt::format("{} in {} ({} files): {:.2f} a megabyte", text_of(hits, "hits"),
                                      human_size(hits.value("size_bytes", std::uint64_t{0})), text_of(hits, "files"),
                                      hits.value("hits_per_megabyte", 0.0)));
  for (const auto& [id, count] : member(hits, "by_detector").items()) lines.add("  " + id, count.dump());
  print_lines(session, lines.lines(style_of(session), 2));
}

std::string excerpt(std::string_view text, std::size_t begin, std::size_t end) {
  const std::size_t from = begin > kMissContext ? begin - kMissContext : 0;
  return printable(text.substr(from, begin - from)) + " «" + printable(text.substr(begin, end - begin)) + "» " +
         printable(text.substr(end, kMissContext));
}

void show_misses(Session& session, const Report& report, const std::vector<evaluate::Document>& corpus, Split split) {
  const auto documents = evaluate::documents_of(corpus, split);
  for (const auto& miss : report.misses) {
    const auto& document = *documents[miss.document];
    session.say(fmt::format("{} {} {} {}: {}", document.name, document.group,
                            miss.is_false_hit ? fmt::format("false {:.2f}", miss.score) : "missed", miss.class_name,
                            excerpt(document.text, miss.begin, miss.end)));
  }
}

Status show_false_hits(Session& session, const evaluate::FalseHits& hits) {
  std::string name, text;
  for (const auto& place : hits.places) {
    if (place.file != name) {
      MLOPS_ASSIGN(text, read_file(place.file));
      name = place.file;
    }
    session.say(fmt::format("{} {}: {}", place.file, place.detector, excerpt(text, place.begin, place.end)));
  }
  return {};
}

Status add_corpus(Session& session, const detect::TextScanner& scanner, Json& answer) {
  Split split = Split::kHeldOut;
  for (const auto& row : kSplits) {
    if (row.word == session.option("--split").value_or("held-out")) split = row.split;
  }
  MLOPS_ASSIGN(const double min_score, min_score_of(session, kTextScore));
  MLOPS_ASSIGN(const auto corpus, evaluate::read_corpus(session.operand(0)));
  const auto report = evaluate::run_benchmark(corpus, split, scanner, min_score);
  if (session.flag("--show-misses")) show_misses(session, report, corpus, split);
  answer["corpus"] = report_json(report, session.option("--by").has_value());
  answer["corpus"]["min_score"] = min_score;
  answer["corpus"]["split"] = session.option("--split").value_or("held-out");
  return {};
}

Status add_negatives(Session& session, const detect::TextScanner& scanner, const std::string& path, Json& answer) {
  MLOPS_ASSIGN(const double min_score, min_score_of(session, kNegativeScore));
  MLOPS_ASSIGN(const auto hits, evaluate::count_false_hits(path, scanner, min_score));
  if (session.flag("--show-misses")) MLOPS_TRY(show_false_hits(session, hits));
  answer["negatives"] = false_hits_json(hits);
  answer["negatives"]["min_score"] = min_score;
  return {};
}

Result<int> policy_benchmark(Session& session) {
  const auto negatives = session.option("--negatives");
  if (session.operand(0).empty() && !negatives)
    return usage_error("what to measure on? name a CORPUS, or --negatives DIR",
                       "mlopsctl policy benchmark corpus.json");
  std::vector<const detect::Detector*> detectors = detect::built_in_detectors();
  const auto& optional = detect::optional_detectors();  // corpora label quasi-identifiers too
  detectors.insert(detectors.end(), optional.begin(), optional.end());
  const detect::TextScanner scanner(detectors);
  Json answer = Json::object();
  if (!session.operand(0).empty()) MLOPS_TRY(add_corpus(session, scanner, answer));
  if (negatives) MLOPS_TRY(add_negatives(session, scanner, *negatives, answer));
  session.print_value(
      answer,
      [&] {
        if (answer.contains("corpus")) print_report(session, answer["corpus"]);
        if (answer.contains("negatives")) print_false_hits(session, answer["negatives"]);
      },
      [&] { return session.operand(0); });
  return kExitDone;
}

}  // namespace

const Command kPolicyBenchmarkCommand{
    .path = "policy benchmark",
    .group = "Environments and policies",
    .summary = "measure the detectors on labelled text, offline",
    .operands = {{.name = "CORPUS",
                  .help = "presidio-research .json, a .jsonl of {text, spans}, or a brat directory",
                  .required = false,
                  .complete = Complete::kFile}},
    .options = {{.name = "--split",
                 .value_name = "PART",
                 .help = "held-out (the default) is reported, dev may be tuned on; by template or document",
                 .complete = Complete::kChoice,
                 .choices = {"held-out", "dev", "all"}},
                {.name = "--min-score",
                 .value_name = "N",
                 .help = "findings from this score on count (default: 0.3, of --negatives 0.5)"},
                {.name = "--by",
                 .value_name = "GROUP",
                 .help = "a row for each template or document too",
                 .complete = Complete::kChoice,
                 .choices = {"template"}},
                {.name = "--negatives",
                 .value_name = "DIR",
                 .help = "files without personal data: whatever is found there is wrong",
                 .complete = Complete::kDirectory},
                {.name = "--show-misses",
                 .help = "print what was missed or wrong, with the corpus's text: for public corpora only"}},
    .shared = kOutput | kOffline,
    .description =
        R"(Recall (R), precision (P) and F2 are at IoU 0.9, "50" at IoU 0.5; a hit has the right class. COVERED and LEAKED ask only
whether the labelled text is hidden by a finding of any class. Intervals are a seeded bootstrap over templates or documents.
Without --show-misses no text of the corpus is printed.

Examples:
  mlopsctl policy benchmark generated_large.json
  mlopsctl policy benchmark notes/brat --split dev --by template
  mlopsctl policy benchmark --negatives logs/ -o json)",
    .run = run_body<policy_benchmark>};

}  // namespace mlops::cli
