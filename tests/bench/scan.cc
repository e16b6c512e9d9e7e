// Throughput of finding personal data in a text: all detectors, and on a fixed subset of shapes RE2 beside it, with
// what each finds. Figures are CPU time on one thread, the best of kRuns runs, in MB/s (10⁶ bytes). Usage: bench_scan
// FILE → JSON on stdout. REQUIRES of FILE for equal counts: its shapes are valid (scan_data.py notes).
#include <re2/re2.h>
#include <time.h>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "policies/detect/text_scanner.h"

namespace {

using mlops::detect::Detector;
using mlops::detect::TextScanner;
using mlops::detect::TypedSpan;

constexpr int kRuns = 5;
constexpr double kCounts = 0.3;

struct Rule {
  const char* detector;
  const char* pattern;
};
constexpr Rule kRules[] = {
    {"us_ssn", R"(\b\d{3}-\d{2}-\d{4}\b)"},
    {"email", R"([A-Za-z0-9._%+\-]+@[A-Za-z0-9.\-]+\.[A-Za-z]{2,})"},
    {"ipv4", R"(\b\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}\b)"},
    {"url", R"(https?://[^\s"<>]+)"},
    {"credit_card", R"(\b\d{4} \d{4} \d{4} \d{4}\b)"},
    {"phone", R"((?:\(\d{3}\) |\b\d{3}-)\d{3}-\d{4}\b)"},
};

double cpu_seconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

template <class Work>
double megabytes_a_second(std::size_t size_bytes, const Work& work) {
  double best = 1e300;
  for (int run = 0; run < kRuns; ++run) {
    const double before = cpu_seconds();
    work();
    best = std::min(best, cpu_seconds() - before);
  }
  return static_cast<double>(size_bytes) / 1e6 / best;
}

std::size_t count_matches(const re2::RE2& rule, std::string_view text) {
  re2::StringPiece rest(text.data(), text.size());
  re2::StringPiece match;
  std::size_t count = 0;
  std::size_t at = 0;
  while (rule.Match(rest, at, text.size(), re2::RE2::UNANCHORED, &match, 1)) {
    ++count;
    at = static_cast<std::size_t>(match.data() - text.data()) + match.size();
  }
  return count;
}

std::vector<const Detector*> detectors_of_rules() {
  std::vector<const Detector*> detectors;
  for (const Rule& rule : kRules) detectors.push_back(mlops::detect::find_detector(rule.detector));
  return detectors;
}

// Places, not findings: two findings of one detector at one place are one.
std::vector<std::size_t> counts_of(const std::vector<TypedSpan>& spans) {
  std::vector<std::size_t> counts;
  for (const Rule& rule : kRules) {
    std::set<std::size_t> places;
    for (const auto& [span, detector] : spans) {
      if (detector->id() == rule.detector && span.score >= kCounts) places.insert(span.begin);
    }
    counts.push_back(places.size());
  }
  return counts;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: bench_scan FILE\n");
    return 2;
  }
  std::ifstream file(argv[1], std::ios::binary);
  const std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  if (text.empty()) {
    std::fprintf(stderr, "bench_scan: nothing in %s\n", argv[1]);
    return 1;
  }
  const TextScanner all, subset(detectors_of_rules());
  std::vector<TypedSpan> spans;
  const auto scan = [&](const TextScanner& scanner) {
    spans.clear();
    scanner.scan(text, spans);
  };
  const double all_speed = megabytes_a_second(text.size(), [&] { scan(all); });
  const std::size_t findings = spans.size();
  const double subset_speed = megabytes_a_second(text.size(), [&] { scan(subset); });
  const auto ours = counts_of(spans);
  std::vector<std::unique_ptr<re2::RE2>> rules;
  for (const Rule& rule : kRules) rules.push_back(std::make_unique<re2::RE2>(rule.pattern));
  std::vector<std::size_t> theirs(rules.size());
  const double re2_speed = megabytes_a_second(text.size(), [&] {
    for (std::size_t i = 0; i < rules.size(); ++i) theirs[i] = count_matches(*rules[i], text);
  });
  std::printf("{\"size_bytes\": %zu, \"findings\": %zu, \"all_detectors\": %.1f, \"subset\": %.1f, \"re2\": %.1f,\n",
              text.size(), findings, all_speed, subset_speed, re2_speed);
  std::printf(" \"rules\": [");
  for (std::size_t i = 0; i < rules.size(); ++i)
    std::printf("%s{\"id\": \"%s\", \"ours\": %zu, \"re2\": %zu}", i ? ", " : "", kRules[i].detector, ours[i],
                theirs[i]);
  std::printf("]}\n");
  return 0;
}
