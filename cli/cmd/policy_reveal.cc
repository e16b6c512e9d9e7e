#include <fmt/format.h>

#include <filesystem>

#include "cli/cmd/fields.h"
#include "cli/cmd/file_stream.h"
#include "cli/cmd/lines.h"
#include "cli/cmd/mask_keys.h"
#include "cli/cmd/policy_files.h"
#include "cli/cmd/query.h"
#include "cli/cmd/rows.h"
#include "cli/cmd/run.h"
#include "core/base/text.h"
#include "policies/data/file_place.h"
#include "policies/engine/reveal_dataset.h"

namespace mlops::cli {
namespace {

namespace fs = std::filesystem;

// Values go to standard output only when it was said that this is meant.
class StdoutSink final : public data::Sink {
 public:
  Status write(std::string_view bytes) override {
    if (std::fwrite(bytes.data(), 1, bytes.size(), stdout) == bytes.size()) return {};
    return fail(ErrorCode::kUnavailable, "io_error", "cannot write to standard output");
  }
};

Result<policy::RevealEvidence> reveal(Session& session, const policy::Policy& policy,
                                      const policy::RevealRequest& request, const mask::RunSecrets& secrets) {
  const auto input = session.operand(1);
  const auto output = session.option("--out").value_or("");
  MLOPS_ASSIGN(const auto open, open_file(input));
  if (output.empty()) {
    StdoutSink sink;
    auto evidence = policy::reveal_file(policy, request, *open.reader, sink, secrets);
    std::fflush(stdout);
    return evidence;
  }
  MLOPS_ASSIGN(auto sink, AtomicFileSink::create(output));
  auto evidence = policy::reveal_file(policy, request, *open.reader, sink, secrets);
  if (!evidence) return fail(data::at_file(evidence.error(), input));
  MLOPS_TRY(sink.publish());
  return evidence;
}

Result<int> policy_reveal(Session& session) {
  const auto output = session.option("--out").value_or("");
  policy::RevealRequest request{session.option("--dataset").value_or(""), session.option_all("--column"),
                                session.option("--key-id").value_or("")};
  if (request.columns.empty() || request.dataset.empty()) {
    return usage_error("which column, of which dataset?", "--column NAME, and --dataset NAME as it was masked");
  }
  if (output.empty() && !session.flag("--yes")) {
    return usage_error("revealed values are people's data: they are not shown unasked",
                       "-O FILE writes them to a file of mode 0600; --yes prints them");
  }
  if (!output.empty()) MLOPS_TRY(check_output_is_none_of_inputs(session, output));
  std::error_code ignored;
  if (fs::equivalent(session.operand(1), output, ignored)) return usage_error("the output is the input itself");
  MLOPS_ASSIGN(const auto file, read_named_text(session.operand(0)));
  MLOPS_ASSIGN(const auto policy, policy::load_policy(file.text, file.origin));
  MLOPS_ASSIGN(const auto keys, MaskKeys::open(session));
  MLOPS_ASSIGN(const auto evidence, reveal(session, policy, request, keys.secrets()));
  const Json report = {{"dataset", request.dataset},  {"columns", request.columns},    {"keys", evidence.key_ids},
                       {"records", evidence.records}, {"revealed", evidence.revealed}, {"left", evidence.left}};
  const auto summary =
      fmt::format("{} revealed, {} left as they are, under {}", counted(int_of(report, "revealed"), "cell", "cells"),
                  grouped(int_of(report, "left")), join(evidence.key_ids, ", "));
  if (output.empty()) {
    session.say(summary);
    return kExitDone;
  }
  session.print_value(
      report, [&] { session.print_line(session.paint(Tone::kGood, "✔") + " " + summary + " → " + output); },
      [&] { return output; });
  return kExitDone;
}

}  // namespace

const Command kPolicyRevealCommand{
    .path = "policy reveal",
    .group = "Environments and policies",
    .summary = "undo a policy's encryption or tokens, offline",
    .operands = {{.name = "POLICY", .help = "the policy it was masked by", .complete = Complete::kFile},
                 {.name = "IN", .help = "a masked file", .complete = Complete::kFile}},
    .options =
        {{.name = "--column",
          .value_name = "COLUMN",
          .help = "a column to reveal; COLUMN=CLASS where the policy does not declare it",
          .repeated = true},
         {.name = "--dataset", .value_name = "NAME", .help = "the dataset it was masked as"},
         {.name = "-O,--out",
          .value_name = "FILE",
          .help = "where the revealed file goes (mode 0600)",
          .complete = Complete::kFile},
         {.name = "--yes", .help = "print it instead"},
         {.name = "--keyring", .value_name = "RING", .help = "the key ring", .complete = Complete::kFile},
         {.name = "--master",
          .value_name = "WHERE",
          .help = "its master key: file:PATH, env:NAME or credential:NAME (default: env:MLOPS_MASTER_KEY)"},
         {.name = "--key-file",
          .value_name = "FILE",
          .help = "or the key file it was masked with",
          .complete = Complete::kFile},
         {.name = "--vault", .value_name = "FILE", .help = "the vault of its tokens", .complete = Complete::kFile},
         {.name = "--key-id",
          .value_name = "ID",
          .help = "the version of the key, for fpe, whose cells do not say it (default: the active one)"}},
    .shared = kOutput | kOffline,
    .description =
        R"(Columns under encrypt, encrypt_deterministic, fpe and tokenize come back, for who holds the keys; of other
transforms nothing is left to reveal. Records must stand where they stood when they were masked: a ciphertext that was moved does
not open. Cells that do not open stay as they are and are counted; if none opens, exit code 3 and no output.

Examples:
  mlopsctl policy reveal clinical.yaml masked.csv --column mrn --dataset patients -O clear.csv --keyring ring.json)",
    .run = run_body<policy_reveal>};

}  // namespace mlops::cli
