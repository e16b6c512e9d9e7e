// genetic: variant files (VCF), and runs of DNA bases where somebody's genome is spoken of. References of variants
// (rs1801133) are a row of the id table.
//
// A long run of bases alone is a primer or a piece of a reference as often as a person's: it stays below what counts.
#include <array>

#include "policies/detect/family.h"
#include "policies/detect/long_runs.h"
#include "policies/detect/scan.h"
#include "policies/detect/special_ids.h"

namespace mlops::detect {
namespace {

constexpr HeaderRule kHeaders[] = {
    {"genotype", HeaderMatch::kAny, 0.9},     {"genome", HeaderMatch::kAny, 0.9},
    {"dna", HeaderMatch::kExact, 0.8},        {"dna sequence", HeaderMatch::kAny, 0.95},
    {"haplotype", HeaderMatch::kAny, 0.9},    {"allele", HeaderMatch::kAny, 0.8},
    {"alleles", HeaderMatch::kAny, 0.8},      {"vcf", HeaderMatch::kAny, 0.9},
    {"variant hgvs", HeaderMatch::kAny, 0.9}, {"hgvs", HeaderMatch::kAny, 0.9},
    {"genetic", HeaderMatch::kExact, 0.7},    {"genetic variant", HeaderMatch::kAny, 0.9},
};
constexpr std::string_view kWords[] = {"genome",  "dna",     "genotype",   "exome",
                                       "patient", "proband", "sequencing", "allele"};
constexpr std::string_view kVariantFiles[] = {"##fileformat=VCF", "#CHROM\tPOS\tID\tREF\tALT"};
constexpr std::size_t kShortest = 30;

bool is_base(char c) {
  const char low = to_lower(c);
  return low == 'a' || low == 'c' || low == 'g' || low == 't' || low == 'n';
}

bool has_three_kinds(std::string_view run) {
  std::array<bool, 256> seen{};
  for (const char c : run.substr(0, 1000)) seen[static_cast<unsigned char>(to_lower(c))] = true;
  return seen['a'] + seen['c'] + seen['g'] + seen['t'] >= 3;
}

class Genetic : public Family {
 public:
  Genetic() : Family({"genetic", kHeaders, Needs::kNothing, true}) {}

 protected:
  void search(std::string_view text, double column_score, std::vector<Span>& out) const override {
    const bool column = column_score >= kAgrees;
    if (column && !is_masked_already(text)) {
      const Range whole = trimmed(text);
      if (whole.begin < whole.end) out.push_back({whole.begin, whole.end, 0.9});
      return;
    }
    if (text.size() < kVariantFiles[0].size()) return;
    for (const std::string_view head : kVariantFiles) {
      if (const std::size_t at = text.find(head); at != std::string_view::npos) {
        out.push_back({at, text.size(), 0.95});  // the rest of the file is somebody's genome
        return;
      }
    }
    for_each_long_run(text, kShortest, is_base, [&](std::size_t begin, std::size_t end) {
      if (is_word(before_or_nul(text, begin)) || is_word(at_or_nul(text, end))) return;
      if (!has_three_kinds(text.substr(begin, end - begin))) return;
      out.push_back({begin, end, keyword_near(text, begin, end, kWords) ? 0.8 : 0.45});
    });
  }
};

}  // namespace

const Detector& genetic() {
  static const Genetic kDetector;
  return kDetector;
}

}  // namespace mlops::detect
