// Releases in the directories of their environments: how far they are, whether they are still whole, once more.
#include <fmt/format.h>

#include <algorithm>

#include "cli/cmd/fields.h"
#include "cli/cmd/lines.h"
#include "cli/cmd/query.h"
#include "cli/cmd/rows.h"
#include "cli/cmd/run.h"
#include "cli/time.h"

namespace mlops::cli {
namespace {

std::string error_text(const Json& delivery) {
  const auto message = text_of(delivery, "message");
  const auto attempts = int_of(delivery, "attempts");
  return attempts > 1 ? fmt::format("{} ({})", message, counted(attempts, "attempt", "attempts")) : message;
}

std::vector<Column> columns_of(const Session& session) {
  const auto time = [&session](std::string_view key) {
    return [&session, key](const Json& d) { return show_time(session, text_of(d, key)); };
  };
  return {{"ENVIRONMENT", [](const Json& d) { return text_of(d, "environment"); }},
          {"RELEASE", [](const Json& d) { return text_of(d, "ref"); }},
          {"PLACE", [](const Json& d) { return text_of(d, "place"); }},
          {"STATE", [](const Json& d) { return text_of(d, "state"); }},
          {"SINCE", time("since")},
          {"ERROR", error_text},
          {"LAYOUT", [](const Json& d) { return text_of(d, "layout"); }, true},
          {"DELIVERED", time("delivered_at"), true},
          {"VERIFIED", time("verified_at"), true},
          {"NEXT ATTEMPT", time("next_attempt_at"), true},
          {"DEPLOYMENT", [](const Json& d) { return text_of(d, "deployment"); }, true}};
}

void print_deliveries(Session& session, const Json& items, const std::string& nothing) {
  session.print_list(
      items, columns_of(session), [](const Json& d) { return text_of(d, "place"); }, nothing);
}

bool any_in_state(const Json& items, std::string_view state) {
  return std::any_of(items.begin(), items.end(), [&](const Json& d) { return text_of(d, "state") == state; });
}

Result<int> delivery_list(Session& session) {
  Query query("/api/v1/deliveries");
  query.add("environment", session.option("--env").value_or(""));
  MLOPS_ASSIGN(const auto items, fetch_list(session.api(), query, kNoLimit));
  print_deliveries(session, items, "nothing is delivered to a directory");
  return kExitDone;
}

Result<int> delivery_verify(Session& session) {
  MLOPS_ASSIGN(const auto answer,
               session.api().post(item_path("deliveries", session.operand(0), "/verify"), Json::object()));
  const auto& items = array_of(answer, "items");
  print_deliveries(session, items, "nothing runs there");
  if (!any_in_state(items, "drifted")) return kExitDone;
  session.warn("what differs is delivered again");
  return kExitIntegrity;
}

Result<int> delivery_retry(Session& session) {
  MLOPS_ASSIGN(const auto answer,
               session.api().post(item_path("deliveries", session.operand(0), "/retry"), Json::object()));
  print_deliveries(session, array_of(answer, "items"), "nothing runs there");
  return kExitDone;
}

const Operand kEnvOperand{.name = "ENV", .help = "the environment", .complete = Complete::kEnvironment};

}  // namespace

const Command kDeliveryListCommand{
    .path = "delivery list",
    .group = "Deliveries",
    .summary = "how far running releases have come to the directories of their environments",
    .options =
        {{.name = "--env", .value_name = "ENV", .help = "only this environment", .complete = Complete::kEnvironment}},
    .shared = kOutput,
    .description =
        R"(An environment with `target: {directory: ROOT}` has its releases laid down as files on mlopsd's host. States: pending,
staging, delivered; failed (the release before stays, and it is tried again); drifted (files were changed; it is delivered again).

Example:
  mlopsctl delivery list --env prod -o wide)",
    .run = run_body<delivery_list>};

const Command kDeliveryVerifyCommand{.path = "delivery verify",
                                     .group = "Deliveries",
                                     .summary = "read delivered files back and compare them with the release",
                                     .operands = {kEnvOperand},
                                     .shared = kOutput,
                                     .description = R"(Exits 8 when something differs; it is then delivered again.

Example:
  mlopsctl delivery verify prod)",
                                     .run = run_body<delivery_verify>};

const Command kDeliveryRetryCommand{
    .path = "delivery retry",
    .group = "Deliveries",
    .summary = "try what could not be delivered at once",
    .operands = {kEnvOperand},
    .shared = kOutput,
    .description = R"(Without it the next attempt comes after a pause that grows from a second to five minutes.

Example:
  mlopsctl delivery retry prod)",
    .run = run_body<delivery_retry>};

}  // namespace mlops::cli
