// Private to policies/data: reads one JSON record (RFC 8259) into cells, checking all of its grammar, without a tree.
//
// The cells' texts lie in the record itself, or in the scanner when the string has escapes. Thread-safety: one thread.
#pragma once

#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "policies/data/json_paths.h"
#include "policies/data/record.h"

namespace mlops::data {

// A whole value; or of an object that is read in parts its beginning, up to the bracket of the array that is its last
// member so far, and its end, from the bracket that closes that array.
enum class JsonPart { kValue, kHead, kTail };

class JsonScanner {
 public:
  struct Problem {
    std::size_t offset = 0;
    const char* slug = nullptr;
    const char* message = nullptr;
    const char* hint = "";
  };

  // Whose texts stay: those of the record scanned last, or of all.
  enum class Keeps { kLast, kAll };

  JsonScanner(JsonPaths& paths, std::size_t max_depth, Keeps keeps = Keeps::kLast)
      : paths_(paths), max_depth_(max_depth), keeps_(keeps) {}

  // False: problem() says why.
  bool scan(std::string_view record, PathNode& place, JsonPart part = JsonPart::kValue);
  void clear() { cells_.clear(); }
  const std::vector<Cell>& cells() const { return cells_; }
  const Problem& problem() const { return problem_; }

 private:
  bool scan_part(PathNode& place);
  bool scan_value(PathNode& node);
  bool scan_object(PathNode& node);
  bool scan_members(PathNode& node);
  bool scan_array(PathNode& node);
  bool scan_string(PathNode& node);
  bool scan_number(PathNode& node);
  bool scan_word(PathNode& node);
  bool take_string(std::string_view& inner, bool& escaped);
  bool add_cell(PathNode& node, std::string_view text, const char* begin, CellKind kind);
  bool no_place(const char* at);
  bool wrong(const char* at, const char* slug, const char* message, const char* hint = "");
  bool wrong_syntax(const char* at, const char* message) { return wrong(at, "json_syntax", message); }
  void skip_blanks() {
    while (at_ < end_ && is_blank(*at_)) ++at_;
  }
  static bool is_blank(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }
  bool is_at(char c) const { return at_ < end_ && *at_ == c; }

  JsonPaths& paths_;
  std::size_t max_depth_;
  Keeps keeps_;
  const char* begin_ = nullptr;
  const char* at_ = nullptr;
  const char* end_ = nullptr;
  JsonPart part_ = JsonPart::kValue;
  std::size_t depth_ = 0;
  std::vector<Cell> cells_;
  std::deque<std::string> unescaped_;  // of a record each; none grows while views into it live
  bool has_unescaped_ = false;         // the last of them is of this record
  Problem problem_;
};

}  // namespace mlops::data
