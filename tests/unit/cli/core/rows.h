// A small command table, independent of the real verbs. Thread-safety: constants.
#pragma once

#include "cli/commands.h"

namespace mlops::cli::testing {

inline const Command kPromote{
    .path = "promote",
    .group = "Daily work",
    .summary = "move a version",
    .operands = {{.name = "REF", .help = "a version", .complete = Complete::kReference}},
    .options = {{.name = "--to", .value_name = "ENV", .help = "where to", .complete = Complete::kEnvironment},
                {.name = "--role",
                 .value_name = "ROLE",
                 .help = "as what",
                 .complete = Complete::kChoice,
                 .choices = {"train", "test"}},
                {.name = "--label", .value_name = "K=V", .help = "a label", .repeated = true},
                {.name = "-f,--force", .help = "without asking"}},
    .shared = kOutput | kDryRun | kAsOf,
    .description = "Moves it.\n\n  mlopsctl promote a@v1 --to prod",
    .run = [](Session&) { return 0; },
};
inline const Command kRollback{
    .path = "rollback", .group = "Daily work", .summary = "move back", .run = [](Session&) { return 0; }};
inline const Command kEnvShow{
    .path = "env show",
    .group = "Environments",
    .summary = "show one",
    .operands = {{.name = "ENV", .help = "an environment", .complete = Complete::kEnvironment}},
    .run = [](Session&) { return 0; }};
inline const Command kEnvApply{
    .path = "env apply",
    .group = "Environments",
    .summary = "declare",
    .operands = {{.name = "FILE", .help = "YAML", .repeated = true, .complete = Complete::kFile}},
    .run = [](Session&) { return 0; }};

inline CommandTable table() {
  return CommandTable({&kPromote, &kRollback, &kEnvShow, &kEnvApply}, {});
}

}  // namespace mlops::cli::testing
