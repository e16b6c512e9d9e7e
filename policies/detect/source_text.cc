#include "policies/detect/source_text.h"

#include <algorithm>
#include <bit>
#include <cstdint>

#include "policies/detect/source_lines.h"

namespace mlops::detect {
namespace {

// A document of fewer lines of code, or with fewer kinds of program words, is none: a note may hold a few such lines.
constexpr unsigned kLeastCode = 8;
constexpr int kLeastWordKinds = 3;

struct Totals {
  std::uint64_t words = 0;  // bits of the program words seen
  unsigned statements = 0;
  unsigned log = 0;
  unsigned prose = 0;
  unsigned data = 0;
};

TextKind kind_of(const Totals& totals) {
  const unsigned plain = totals.prose + totals.data;
  if (totals.log >= kLeastCode && totals.log > plain) return TextKind::kLog;
  const bool enough = totals.statements >= kLeastCode && std::popcount(totals.words) >= kLeastWordKinds;
  return enough && totals.statements >= totals.data && totals.statements * 2 >= plain ? TextKind::kSource
                                                                                      : TextKind::kPlain;
}

void count(const Line& line, Totals& totals) {
  totals.words |= line.words;
  switch (line.kind) {
    case LineKind::kStatement:
      ++totals.statements;
      break;
    case LineKind::kLog:
      ++totals.log;
      break;
    case LineKind::kProse:
      ++totals.prose;
      break;
    case LineKind::kData:
      ++totals.data;
      break;
    case LineKind::kComment:
    case LineKind::kOther:
    case LineKind::kBlank:
      break;
  }
}

}  // namespace

SourceText::SourceText(std::string_view text) {
  Totals totals;
  LineReader reader(text);
  bool after_blank = true;
  while (const auto line = reader.next()) {
    if (line->kind == LineKind::kBlank) {
      after_blank = true;
      continue;
    }
    if (after_blank) paragraphs_.push_back({.begin = line->begin});
    after_blank = false;
    count(*line, totals);
    Paragraph& paragraph = paragraphs_.back();
    paragraph.code += line->kind == LineKind::kStatement || line->kind == LineKind::kComment ? 1 : 0;
    paragraph.log += line->kind == LineKind::kLog ? 1 : 0;
    paragraph.against += line->kind == LineKind::kProse || line->kind == LineKind::kData ? 1 : 0;
  }
  document_ = kind_of(totals);
  if (document_ == TextKind::kPlain) paragraphs_.clear();
}

TextKind SourceText::kind_at(std::size_t at) const {
  if (document_ == TextKind::kPlain) return document_;
  const auto next = std::upper_bound(paragraphs_.begin(), paragraphs_.end(), at,
                                     [](std::size_t place, const Paragraph& one) { return place < one.begin; });
  if (next == paragraphs_.begin()) return TextKind::kPlain;
  const Paragraph& paragraph = *std::prev(next);
  const unsigned evidence = document_ == TextKind::kLog ? paragraph.log : paragraph.code;
  return evidence > 0 && evidence >= paragraph.against ? document_ : TextKind::kPlain;
}

}  // namespace mlops::detect
