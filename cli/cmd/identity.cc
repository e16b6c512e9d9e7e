#include <fmt/format.h>

#include "cli/cmd/fields.h"
#include "cli/cmd/lines.h"
#include "cli/cmd/query.h"
#include "cli/cmd/rows.h"
#include "cli/cmd/run.h"
#include "core/base/text.h"

namespace mlops::cli {
namespace {

Result<int> whoami(Session& session) {
  MLOPS_ASSIGN(const Json me, session.api().get("/api/v1/whoami"));
  session.print_value(
      me,
      [&] {
        const auto style = style_of(session);
        const auto& token = member(me, "token");
        session.print_line(style.paint(Tone::kBold, text_of(me, "principal")) +
                           (bool_of(me, "human") ? "" : "  (a service)"));
        KeyValues rows;
        rows.add("roles", join(strings_of(me, "roles"), ", "));
        rows.add("scopes", join(strings_of(me, "scopes"), ", "));
        rows.add("token", text_of(token, "name"));
        rows.add("expires", style.time(text_of(token, "expires_at")));
        rows.add("server", session.api().server_url());
        print_lines(session, rows.lines(style, 2));
      },
      [&] { return text_of(me, "principal"); });
  return kExitDone;
}

Result<int> can_i(Session& session) {
  Query query("/api/v1/can-i");
  query.add("action", session.operand(0));
  MLOPS_ASSIGN(const Json answer, session.api().get(query.text()));
  const bool allowed = bool_of(answer, "allowed");
  session.print_value(
      answer,
      [&] {
        session.print_line(session.paint(allowed ? Tone::kGood : Tone::kBad, allowed ? "✔ yes" : "✘ no") + "  " +
                           text_of(answer, "why"));
      },
      [&] { return std::string(allowed ? "yes" : "no"); });
  return allowed ? kExitDone : kExitRefused;
}

}  // namespace

const Command kWhoamiCommand{.path = "whoami",
                             .group = "Administration",
                             .summary = "who the server takes you for, and what you may do",
                             .shared = kOutput,
                             .description = R"(Example:
  mlopsctl whoami)",
                             .run = run_body<whoami>};

const Command kCanICommand{
    .path = "can-i",
    .group = "Administration",
    .summary = "may this token do something? exit code 3 when not",
    .operands = {{.name = "SCOPE",
                  .help = "the right",
                  .complete = Complete::kChoice,
                  .choices = {"read", "metrics:read", "artifact:write", "artifact:delete", "release:plan",
                              "release:promote", "release:approve", "policy:write", "environment:write", "audit:read",
                              "token:admin", "store:admin", "hold:write", "erasure:write", "erasure:approve",
                              "key:admin", "data:reveal"}}},
    .shared = kOutput,
    .description = R"(Example:
  mlopsctl can-i release:promote && mlopsctl promote hospital/readmission@v3 --to prod)",
    .run = run_body<can_i>};

}  // namespace mlops::cli
