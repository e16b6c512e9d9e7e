// What each word of a command line is, before anything is parsed: used to choose the row, and to complete words.
// Thread-safety: pure functions.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/commands.h"

namespace mlops::cli {

struct Token {
  enum class Kind { kWord, kOption, kUnknownOption, kEnd };
  Kind kind = Kind::kWord;
  const Option* option = nullptr;    // kOption
  std::optional<std::string> value;  // kOption that takes one; nullopt: it is missing
  bool separate_value = false;       // the value is the next word, which is to be skipped
};

// "-" alone is a word (standard input), "--" is the end of options.
bool looks_like_option(std::string_view word);
// The row with this spelling; nullptr when there is none.
const Option* find_spelling(const std::vector<Option>& options, std::string_view spelling);
// What the word at `index` is, for a reader that knows `options`, which must outlive the token.
Token classify(const std::vector<Option>& options, const std::vector<std::string>& words, std::size_t index);

// The command's words among the arguments: what stands before the first option that is not a global one.
struct Head {
  std::vector<std::string> words;
  std::vector<std::size_t> indices;           // of each word among the arguments
  std::optional<std::string> unknown_option;  // that ended the reading
};
Head read_head(const std::vector<std::string>& arguments);

}  // namespace mlops::cli
