// One row and one file a command: its words, operands, options, help text and function. Parsing, help, completion, the
// man page and the exit-status section all come from the rows. Rows are listed in cli/commands.cc.
//
// Thread-safety: rows are constants; a Session belongs to the main thread.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/json.h"
#include "core/base/result.h"

namespace mlops::cli {

class Session;

// What completes an operand or an option's value.
enum class Complete {
  kNone,
  kFile,
  kDirectory,
  kReference,
  kArtifact,
  kEnvironment,
  kPolicy,
  kPlan,
  kRole,
  kChoice,
  kContext
};

struct Operand {
  std::string_view name;  // "REF"
  std::string_view help;
  bool required = true;
  bool repeated = false;  // only the last
  Complete complete = Complete::kNone;
  std::vector<std::string_view> choices = {};  // kChoice
};

struct Option {
  std::string_view name;        // "--to"; a short form after a comma: "-o,--output"
  std::string_view value_name;  // "ENV"; empty: a flag
  std::string_view help;
  bool repeated = false;
  Complete complete = Complete::kNone;
  std::vector<std::string_view> choices = {};
};

// Which of the shared options a command takes.
enum Shared : unsigned { kOutput = 1, kDryRun = 2, kAsOf = 4, kOffline = 8 /* needs no server */ };

struct Command {
  std::string_view path;     // "promote", "env apply"
  std::string_view group;    // heading in `mlopsctl help`: "Daily work", "Registry", "Audit", "Storage", …
  std::string_view summary;  // one line
  std::vector<Operand> operands;
  std::vector<Option> options;
  unsigned shared = 0;
  std::string_view description;  // prose; examples as indented lines
  int (*run)(Session&);          // returns the exit code (cli/exit_code.h)
};

}  // namespace mlops::cli
