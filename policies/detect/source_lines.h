// Private to policies/detect: the lines of a document, each with what it looks like, for source_text.h.
//
// Programs of the C family, Python, Perl, shells, JavaScript, Rust, Go, Ruby and Java are known by the words their
// lines begin with and by statements; comments by their marks, and block comments, doc strings and Perl's documentation
// from their beginning to their end. Linear in the text: of a line only its first kLookBytes and its end are looked at.
// Thread-safety: a LineReader belongs to one thread. Ownership: the text must outlive the reader.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace mlops::detect {

enum class LineKind : std::uint8_t {
  kBlank,
  kStatement,
  kComment,
  kLog,    // a time, and a level or a request
  kProse,  // several words in a row
  kData,   // JSON members, markup, SQL that carries rows
  kOther,  // says nothing: braces, "key = value", numbers, short lines
};

struct Line {
  std::size_t begin = 0;
  LineKind kind = LineKind::kBlank;
  std::uint64_t words = 0;  // of the program word it begins with, one bit a word; 0: none
};

class LineReader {
 public:
  explicit LineReader(std::string_view text) : text_(text) {}
  // nullopt behind the last line.
  std::optional<Line> next();

 private:
  Line classify(std::size_t begin, std::string_view line);
  bool inside_comment(std::string_view line);

  std::string_view text_;
  std::size_t at_ = 0;
  std::string_view comment_end_;  // of the block comment the reader is in; empty: in none
};

}  // namespace mlops::detect
