// Private to policies/detect: which parts of a document are program source or a log, where a bare date, a documentation
// address or a lone surname is seldom about a person.
//
// Evidence of source: statements (an ending in ";", "{", "(" … together with a call, an operator or a member), and
// lines that begin with the words of programs; a document is source when it has several kinds of such words and its
// lines of code are not outnumbered by prose. Evidence of a log: lines of a time and a level. Prose, JSON, markup,
// tables and SQL data count against. The document decides first, then each paragraph: prose between code stays prose,
// comments do not. Linear in the text. Thread-safety: immutable. Ownership: the text is not kept.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

namespace mlops::detect {

// A text of fewer bytes has no room for enough lines of code: most cells of a table end here.
inline constexpr std::size_t kLeastSourceBytes = 100;

enum class TextKind { kPlain, kSource, kLog };

class SourceText {
 public:
  explicit SourceText(std::string_view text);
  // Of the paragraph around byte `at`.
  TextKind kind_at(std::size_t at) const;
  // Of the document, prose between the code included.
  TextKind document() const { return document_; }

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

}  // namespace mlops::detect
