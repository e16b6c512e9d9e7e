// The rows of mlopsctl, and looking them up.
//
// The verbs are listed in cli/cmd/all.cc, the tool's own commands (help, completion, context …) in cli/builtin.cc; main
// joins both into one CommandTable, from which arguments, help, completion and the man page are made.
// Thread-safety: rows are constants; a CommandTable is immutable.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cli/command.h"

namespace mlops::cli {

// Defined in cli/cmd/all.cc, in the order in which help shows them.
const std::vector<const Command*>& all_commands();
// Defined in cli/builtin.cc.
const std::vector<const Command*>& builtin_commands();

// The spellings of an option: "-o,--output" → {"-o", "--output"}.
std::vector<std::string> option_spellings(const Option& option);
// The long spelling ("--output"), by which its value is asked for; the short one when there is no other.
std::string option_key(const Option& option);
inline bool is_flag(const Option& option) {
  return option.value_name.empty();
}

class CommandTable {
 public:
  CommandTable() = default;
  // REQUIRES: rows outlive the table.
  CommandTable(const std::vector<const Command*>& verbs, const std::vector<const Command*>& tools);

  const std::vector<const Command*>& rows() const { return rows_; }
  // The row of exactly this path; nullptr when there is none.
  const Command* find(std::string_view path) const;
  // The longest row whose path is a prefix of `words`; nullptr when there is none.
  const Command* find_longest(const std::vector<std::string>& words) const;
  // Rows below a first word or words: "env" → "env apply", "env list" ….
  std::vector<const Command*> below(std::string_view prefix) const;
  // Headings in order of first appearance.
  std::vector<std::string_view> groups() const;
  // "promote" for "promtoe", "env show" for "env shw"; empty when nothing is near.
  std::string suggestion(const std::vector<std::string>& words) const;

 private:
  std::vector<const Command*> rows_;
};

}  // namespace mlops::cli
