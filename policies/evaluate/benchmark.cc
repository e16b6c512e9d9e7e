#include "policies/evaluate/benchmark.h"

#include <time.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <set>

#include "core/base/env.h"
#include "core/base/text.h"
#include "policies/evaluate/classes.h"

namespace mlops::evaluate {
namespace {

constexpr int kResamples = 1000;
constexpr std::uint64_t kSeed = 20260101;

double thread_cpu_seconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

// SplitMix64.
std::uint64_t next_random(std::uint64_t& state) {
  std::uint64_t z = (state += 0x9e3779b97f4a7c15u);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

std::set<std::string, std::less<>> labelled_classes(const std::vector<Document>& documents) {
  std::set<std::string, std::less<>> classes;
  for (const auto& document : documents) {
    for (const auto& label : document.gold) {
      if (const auto name = class_of_label(label.type); !name.empty()) classes.emplace(name);
    }
  }
  return classes;
}

Interval interval_of(std::vector<double>& values) {
  std::sort(values.begin(), values.end());
  const auto last = static_cast<double>(values.size() - 1);
  return {values[static_cast<std::size_t>(0.025 * last)], values[static_cast<std::size_t>(0.975 * last + 0.5)]};
}

void bootstrap(Report& report) {
  if (report.by_group.empty()) return;
  std::array<std::vector<double>, 3> drawn;
  std::uint64_t state = kSeed;
  for (int i = 0; i < kResamples; ++i) {
    Tally sum;
    for (std::size_t k = 0; k < report.by_group.size(); ++k)
      sum.add(report.by_group[next_random(state) % report.by_group.size()].tally);
    drawn[0].push_back(sum.recall(sum.iou90));
    drawn[1].push_back(sum.f(2, sum.iou90));
    drawn[2].push_back(sum.leakage());
  }
  report.recall = interval_of(drawn[0]);
  report.f2 = interval_of(drawn[1]);
  report.leakage = interval_of(drawn[2]);
}

std::vector<Row> rows_of(const std::map<std::string, Tally, std::less<>>& tallies) {
  std::vector<Row> rows;
  for (const auto& [name, tally] : tallies) rows.push_back({name, tally});
  return rows;
}

void drop_below(double min_score, std::vector<detect::TypedSpan>& spans) {
  std::erase_if(spans, [&](const detect::TypedSpan& one) { return one.span.score < min_score; });
}

Result<std::vector<std::string>> files_under(const std::string& path) {
  namespace fs = std::filesystem;
  std::error_code error;
  std::vector<std::string> files;
  if (fs::is_regular_file(path, error)) return std::vector<std::string>{path};
  for (fs::recursive_directory_iterator it(path, error), end; !error && it != end; it.increment(error)) {
    if (it->is_regular_file(error)) files.push_back(it->path().string());
  }
  if (error) return fail(ErrorCode::kUnavailable, "io_error", "cannot list " + printable(path));
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace

std::vector<const Document*> documents_of(const std::vector<Document>& documents, Split split) {
  std::vector<const Document*> chosen;
  for (const auto& document : documents) {
    if (is_in(document, split)) chosen.push_back(&document);
  }
  return chosen;
}

Report run_benchmark(const std::vector<Document>& documents, Split split, const detect::TextScanner& scanner,
                     double min_score) {
  Report report;
  const auto labelled = labelled_classes(documents);
  std::map<std::string, Tally, std::less<>> classes, groups;
  std::vector<detect::TypedSpan> spans;
  for (const Document* document : documents_of(documents, split)) {
    spans.clear();
    const double before = thread_cpu_seconds();
    scanner.scan(document->text, spans);
    report.cpu_seconds += thread_cpu_seconds() - before;
    drop_below(min_score, spans);
    auto score = score_document(*document, spans);
    Tally& group = groups[document->group];
    for (const auto& [name, tally] : score.by_class) {
      if (!labelled.contains(name)) {
        report.unlabelled_findings += tally.found;
        continue;
      }
      classes[name].add(tally);
      group.add(tally);
      report.overall.add(tally);
    }
    for (auto& miss : score.misses) {
      if (!labelled.contains(miss.class_name)) continue;
      miss.document = report.documents;
      report.misses.push_back(std::move(miss));
    }
    report.out_of_scope.add(score.out_of_scope);
    report.documents_with_gold += score.has_gold ? 1 : 0;
    report.documents_without_leak += score.has_gold && !score.leaks ? 1 : 0;
    report.size_bytes += document->text.size();
    ++report.documents;
  }
  report.groups = groups.size();
  report.classes = rows_of(classes);
  report.by_group = rows_of(groups);
  bootstrap(report);
  std::stable_sort(report.by_group.begin(), report.by_group.end(),
                   [](const Row& a, const Row& b) { return a.tally.leaked > b.tally.leaked; });
  return report;
}

Result<FalseHits> count_false_hits(const std::string& directory, const detect::TextScanner& scanner, double min_score) {
  MLOPS_ASSIGN(const auto files, files_under(directory));
  FalseHits result;
  std::map<std::string, std::uint64_t> by_detector;
  for (const auto& file : files) {
    MLOPS_ASSIGN(const auto text, read_file(file));
    std::vector<detect::TypedSpan> spans;
    const double before = thread_cpu_seconds();
    scanner.scan(text, spans);
    result.cpu_seconds += thread_cpu_seconds() - before;
    drop_below(min_score, spans);
    for (const auto& [span, detector] : resolve(std::move(spans))) {
      ++by_detector[std::string(detector->id())];
      ++result.hits;
      result.places.push_back({file, span.begin, span.end, std::string(detector->id())});
    }
    result.size_bytes += text.size();
    ++result.files;
  }
  result.by_detector.assign(by_detector.begin(), by_detector.end());
  return result;
}

}  // namespace mlops::evaluate
