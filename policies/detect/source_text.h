// Private to policies/detect: which parts of a document are program source or a log, where a bare date, a documentation
// address or a lone surname is seldom about a person.
//
// Evidence of source: statements (an ending in ";", "{", "(" … together with a call, an operator or a member), and
// lines that begin with the words of programs; a document is source when it has several kinds of such words and its
// lines of code are not outnumbered by prose. Evidence of a log: lines of a time and a level. Prose, JSON, markup,
// tables and SQL data count against. The document decides first, then each paragraph: prose between code stays prose,
// comments do not. Only the score of weak findings moves, to kInSource: they no longer refuse anything, and are
// redacted as before. Linear in the text. Thread-safety: immutable; free functions. Ownership: the text is not kept.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "policies/detect/text_scanner.h"

namespace mlops::detect {

// Below 0.5, where a finding counts; above 0.3, where redaction begins.
inline constexpr double kInSource = 0.4;

enum class TextKind { kPlain, kSource, kLog };

class SourceText {
 public:
  explicit SourceText(std::string_view text);
  // Of the paragraph around byte `at`.
  TextKind kind_at(std::size_t at) const;

 private:
  struct Paragraph {
    std::size_t begin = 0;
    unsigned code = 0;  // statements and comments
    unsigned log = 0;
    unsigned against = 0;  // prose and data
  };

  TextKind document_ = TextKind::kPlain;
  std::vector<Paragraph> paragraphs_;  // by begin; empty in a plain document
};

// Holds the weak findings among spans[from…] of `text` down to kInSource where it is source or a log: dates without
// a word about a person in their line, addresses that name neither a user nor a query, lone names without a title or a
// label. In source also identifiers, parameters and words in capitals that begin with no first name, and sections that
// read like IP addresses.
void weigh_by_kind(std::string_view text, std::size_t from, std::vector<TypedSpan>& spans);

}  // namespace mlops::detect
