#include "cli/tokens.h"

#include <algorithm>

#include "cli/args.h"

namespace mlops::cli {

bool looks_like_option(std::string_view word) {
  return word.size() > 1 && word.front() == '-';
}

const Option* find_spelling(const std::vector<Option>& options, std::string_view spelling) {
  for (const auto& option : options) {
    const auto spellings = option_spellings(option);
    if (std::find(spellings.begin(), spellings.end(), spelling) != spellings.end()) return &option;
  }
  return nullptr;
}

Token classify(const std::vector<Option>& options, const std::vector<std::string>& words, std::size_t index) {
  const std::string& word = words[index];
  if (word == "--") return {.kind = Token::Kind::kEnd};
  if (!looks_like_option(word)) return {};
  const bool is_long = word.starts_with("--");
  const std::string spelling = is_long ? word.substr(0, word.find('=')) : word.substr(0, 2);
  const Option* option = find_spelling(options, spelling);
  if (option == nullptr) return {.kind = Token::Kind::kUnknownOption};
  Token token{.kind = Token::Kind::kOption, .option = option};
  if (is_flag(*option)) return token;
  if (word.size() > spelling.size()) {
    const auto rest = word.substr(spelling.size());
    token.value = rest.front() == '=' ? rest.substr(1) : rest;
  } else if (index + 1 < words.size()) {
    token.value = words[index + 1];
    token.separate_value = true;
  }
  return token;
}

Head read_head(const std::vector<std::string>& arguments) {
  Head head;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const auto token = classify(global_options(), arguments, i);
    if (token.kind == Token::Kind::kEnd) break;
    if (token.kind == Token::Kind::kUnknownOption) {
      head.unknown_option = arguments[i];
      break;
    }
    if (token.kind == Token::Kind::kWord) {
      head.words.push_back(arguments[i]);
      head.indices.push_back(i);
    }
    if (token.separate_value) ++i;
  }
  return head;
}

}  // namespace mlops::cli
