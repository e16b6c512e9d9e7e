#include "cli/commands.h"

#include <algorithm>

#include "core/base/text.h"

namespace mlops::cli {
namespace {

bool is_prefix(const std::vector<std::string_view>& path, const std::vector<std::string>& words) {
  return path.size() <= words.size() && std::equal(path.begin(), path.end(), words.begin());
}

std::vector<std::string> first_words(const std::vector<std::string>& words, std::size_t count) {
  return {words.begin(), words.begin() + static_cast<std::ptrdiff_t>(std::min(count, words.size()))};
}

}  // namespace

std::vector<std::string> option_spellings(const Option& option) {
  std::vector<std::string> spellings;
  for (const auto part : split(option.name, ',')) spellings.emplace_back(trim(part));
  return spellings;
}

std::string option_key(const Option& option) {
  const auto spellings = option_spellings(option);
  for (const auto& spelling : spellings) {
    if (spelling.starts_with("--")) return spelling;
  }
  return spellings.front();
}

CommandTable::CommandTable(const std::vector<const Command*>& verbs, const std::vector<const Command*>& tools)
    : rows_(verbs) {
  rows_.insert(rows_.end(), tools.begin(), tools.end());
}

const Command* CommandTable::find(std::string_view path) const {
  const auto found = std::find_if(rows_.begin(), rows_.end(), [&](const Command* row) { return row->path == path; });
  return found == rows_.end() ? nullptr : *found;
}

const Command* CommandTable::find_longest(const std::vector<std::string>& words) const {
  const Command* best = nullptr;
  std::size_t best_words = 0;
  for (const auto* row : rows_) {
    const auto path = split(row->path, ' ');
    if (path.size() > best_words && is_prefix(path, words)) {
      best = row;
      best_words = path.size();
    }
  }
  return best;
}

std::vector<const Command*> CommandTable::below(std::string_view prefix) const {
  std::vector<const Command*> found;
  const std::string start = std::string(prefix) + " ";
  std::copy_if(rows_.begin(), rows_.end(), std::back_inserter(found),
               [&](const Command* row) { return row->path.starts_with(start); });
  return found;
}

std::vector<std::string_view> CommandTable::groups() const {
  std::vector<std::string_view> groups;
  for (const auto* row : rows_) {
    if (std::find(groups.begin(), groups.end(), row->group) == groups.end()) groups.push_back(row->group);
  }
  return groups;
}

std::string CommandTable::suggestion(const std::vector<std::string>& words) const {
  // A whole path may be mistyped in any of its words, so as many words are compared as the path has.
  for (std::size_t count = std::min<std::size_t>(words.size(), 3); count > 0; --count) {
    std::vector<std::string> paths;
    for (const auto* row : rows_) {
      if (split(row->path, ' ').size() == count) paths.emplace_back(row->path);
    }
    if (const auto near = nearest_word(join(first_words(words, count), " "), paths)) return *near;
  }
  std::vector<std::string> heads;
  for (const auto* row : rows_) heads.emplace_back(split(row->path, ' ').front());
  return words.empty() ? std::string() : nearest_word(words.front(), heads).value_or("");
}

}  // namespace mlops::cli
