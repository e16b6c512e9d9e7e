// reveal: columns of a masked version as they were before, from the server.
#include <fmt/format.h>

#include "cli/cmd/fields.h"
#include "cli/cmd/file_stream.h"
#include "cli/cmd/lines.h"
#include "cli/cmd/rows.h"
#include "cli/cmd/run.h"
#include "cli/problem.h"
#include "core/base/text.h"

namespace mlops::cli {
namespace {

struct Answer {
  Json head;
  std::string bytes;
};

// One line of JSON, then the file.
Result<Answer> ask(Session& session, const Json& body) {
  MLOPS_ASSIGN(auto raw, session.api().raw("POST", "/api/v1/reveals", body.dump()));
  if (raw.status < 200 || raw.status > 299) {
    HttpReply reply;
    reply.status = raw.status;
    reply.headers["content-type"] = raw.content_type;
    reply.body = std::move(raw.body);
    return fail(error_of_reply(reply, session.api().server_url()));
  }
  const auto end = raw.body.find('\n');
  auto head = parse_json(std::string_view(raw.body).substr(0, end));
  if (!head || end == std::string::npos) return fail(ErrorCode::kInternal, "bad_answer", "the answer has no head");
  return Answer{std::move(*head), raw.body.substr(end + 1)};
}

std::string summary_of(const Json& head) {
  auto text =
      fmt::format("{} revealed, {} left as they are, under {}", counted(int_of(head, "revealed"), "cell", "cells"),
                  grouped(int_of(head, "left")), join(strings_of(head, "keys"), ", "));
  const auto erased = int_of(head, "erased");
  if (erased > 0) text += fmt::format("; what {} of them stood for was erased", grouped(erased));
  if (const auto destroyed = strings_of(head, "destroyed"); !destroyed.empty()) {
    text += fmt::format("; {} destroyed: what only it opened is lost",
                        join(destroyed, ", ") + (destroyed.size() == 1 ? " is" : " are"));
  }
  return text;
}

Result<int> reveal(Session& session) {
  const auto output = session.option("--out").value_or("");
  const auto columns = session.option_all("--column");
  const auto reason = session.option("--reason").value_or("");
  if (columns.empty() || reason.empty()) {
    return usage_error("which column, and why?", "--column NAME, and --reason \"…\"; it goes into the audit log");
  }
  if (output.empty() && !session.flag("--yes")) {
    return usage_error("revealed values are people's data: they are not shown unasked",
                       "-O FILE writes them to a file of mode 0600; --yes prints them");
  }
  const Json body = {{"ref", session.operand(0)},
                     {"path", session.option("--file").value_or("")},
                     {"columns", columns},
                     {"reason", reason}};
  if (output.empty()) {
    MLOPS_ASSIGN(const auto answer, ask(session, body));
    std::fwrite(answer.bytes.data(), 1, answer.bytes.size(), stdout);
    std::fflush(stdout);
    session.say(summary_of(answer.head));
    return kExitDone;
  }
  // Before anything is asked: what cannot be kept need not be revealed.
  MLOPS_ASSIGN(auto sink, AtomicFileSink::create(output));
  MLOPS_ASSIGN(const auto answer, ask(session, body));
  MLOPS_TRY(sink.write(answer.bytes));
  MLOPS_TRY(sink.publish());
  session.print_value(
      answer.head,
      [&] { session.print_line(session.paint(Tone::kGood, "✔") + " " + summary_of(answer.head) + " → " + output); },
      [&] { return output; });
  return kExitDone;
}

}  // namespace

const Command kRevealCommand{
    .path = "reveal",
    .group = "Keys",
    .summary = "show what a masked version's columns stand for",
    .operands = {{.name = "REF", .help = "a version that the server masked", .complete = Complete::kReference}},
    .options = {{.name = "--column",
                 .value_name = "COLUMN",
                 .help = "a column to reveal; COLUMN=CLASS where the policy does not declare it",
                 .repeated = true},
                {.name = "--file", .value_name = "PATH", .help = "which of the version's files, when it has several"},
                {.name = "--reason", .value_name = "TEXT", .help = "why; it goes into the audit log"},
                {.name = "-O,--out",
                 .value_name = "FILE",
                 .help = "where the revealed file goes (mode 0600)",
                 .complete = Complete::kFile},
                {.name = "--yes", .help = "print it instead"}},
    .shared = kOutput,
    .description =
        R"(Columns under encrypt, encrypt_deterministic, fpe and tokenize come back, for a token with data:reveal whose
clearance covers what the version was masked from. Who asked, why, for what, and which versions of keys were opened is on record
before anything is shown; so are refusals. Cells whose key was destroyed, or whose person was erased, stay as they are.

Example:
  mlopsctl reveal hospital/patients-deid@v1 --column mrn -O clear.csv --reason "recall of 2026-11-20")",
    .run = run_body<reveal>};

}  // namespace mlops::cli
