// key …: the server's keys of masking.
#include <fmt/format.h>

#include "cli/cmd/fields.h"
#include "cli/cmd/lines.h"
#include "cli/cmd/query.h"
#include "cli/cmd/rows.h"
#include "cli/cmd/run.h"
#include "cli/time.h"
#include "core/base/text.h"

namespace mlops::cli {
namespace {

constexpr const char* kGroup = "Keys";

Option reason_option() {
  return {.name = "--reason", .value_name = "TEXT", .help = "why; it goes into the audit log"};
}

Option reseal_option() {
  return {.name = "--reseal", .help = "put the vault's tokens of earlier versions under the active one"};
}

Result<std::string> reason_of(Session& session) {
  auto reason = session.option("--reason").value_or("");
  if (reason.empty())
    return fail(ErrorCode::kInvalid, "usage", "a change of keys needs a reason", "add --reason \"…\"");
  return reason;
}

void tell(Session& session, const Json& key, std::string_view what) {
  session.print_value(
      key,
      [&] {
        const auto mark = session.dry_run() ? session.paint(Tone::kWarn, "…") + " dry run, nothing was changed: "
                                            : session.paint(Tone::kGood, "✔") + " ";
        session.print_line(mark + fmt::format("{} {}", text_of(key, "id"), what));
      },
      [&] { return text_of(key, "id"); });
}

Json change_of(Session& session, const std::string& reason) {
  Json body = {{"reason", reason}};
  if (session.flag("--reseal")) body["reseal"] = true;
  return body;
}

void tell_resealed(Session& session, const Json& key) {
  const auto resealed = int_of(key, "resealed");
  if (resealed > 0) {
    session.say(fmt::format("{} of the vault {} sealed under the active version", counted(resealed, "token", "tokens"),
                            resealed == 1 ? "is" : "are"));
  }
}

Result<int> key_list(Session& session) {
  MLOPS_ASSIGN(const auto items, fetch_list(session.api(), Query("/api/v1/keys"), kNoLimit));
  const std::vector<Column> columns = {
      {"KEY", [](const Json& k) { return text_of(k, "id"); }},
      {"STATE", [](const Json& k) { return text_of(k, "state"); }},
      {"CHECK", [](const Json& k) { return text_of(k, "check"); }},
      {"SINCE", [&session](const Json& k) { return show_time(session, text_of(k, "changed_at")); }},
      {"BY", [](const Json& k) { return text_of(k, "changed_by"); }},
      {"WHY", [](const Json& k) { return text_of(k, "reason"); }},
      {"PURPOSE", [](const Json& k) { return text_of(k, "purpose"); }, true},
      {"ORIGIN", [](const Json& k) { return text_of(k, "origin"); }, true},
      {"CREATED", [&session](const Json& k) { return show_time(session, text_of(k, "created_at")); }, true}};
  session.print_list(
      items, columns, [](const Json& k) { return text_of(k, "id"); }, "no key was used yet");
  return kExitDone;
}

Result<int> key_create(Session& session) {
  MLOPS_ASSIGN(const auto reason, reason_of(session));
  const Json body = {
      {"name", session.operand(0)}, {"purpose", session.option("--purpose").value_or("")}, {"reason", reason}};
  MLOPS_ASSIGN(const auto key, session.api().post("/api/v1/keys", with_dry_run(session, body)));
  tell(session, key, "is made");
  return kExitDone;
}

Result<int> key_rotate(Session& session) {
  MLOPS_ASSIGN(const auto reason, reason_of(session));
  MLOPS_ASSIGN(const auto key, session.api().post(item_path("keys", session.operand(0), "/rotate"),
                                                  with_dry_run(session, change_of(session, reason))));
  tell(session, key, "is the active version now; what earlier ones wrote can still be revealed");
  tell_resealed(session, key);
  return kExitDone;
}

Result<int> key_destroy(Session& session) {
  MLOPS_ASSIGN(const auto reason, reason_of(session));
  if (!session.dry_run() && !session.flag("--yes")) {
    return usage_error("what the key has masked can never be revealed or recognised again",
                       "--dry-run says how many tokens go with it, --reseal keeps them; if you mean it, add --yes");
  }
  MLOPS_ASSIGN(const auto key, session.api().post(item_path("keys", session.operand(0), "/destroy"),
                                                  with_dry_run(session, change_of(session, reason))));
  tell(session, key, "is destroyed");
  tell_resealed(session, key);
  if (const auto tokens = int_of(key, "tokens"); tokens > 0) {
    session.warn(
        fmt::format("{} of the vault {} sealed under it and lead{} nowhere now, also in versions that were "
                    "masked later",
                    counted(tokens, "token", "tokens"), tokens == 1 ? "is" : "are", tokens == 1 ? "s" : ""));
  }
  if (bool_of(key, "derivable")) {
    session.warn(
        "it is older than the key ring and follows from the master key: it is gone for good once mlopsd --rewrap-keys "
        "changed the master key and the old one is destroyed");
  }
  session.say("backups that were made before still hold it, sealed under the master key");
  return kExitDone;
}

}  // namespace

const Command kKeyListCommand{
    .path = "key list",
    .group = kGroup,
    .summary = "list the server's keys of masking, never their bytes",
    .shared = kOutput,
    .description = R"(New values are masked under the active version of a key. A retired one still
reveals what it wrote; of a destroyed one only the row is left.

Example:
  mlopsctl key list -o wide)",
    .run = run_body<key_list>};

const Command kKeyCreateCommand{
    .path = "key create",
    .group = kGroup,
    .summary = "make a key on the server",
    .operands = {{.name = "NAME", .help = "as policies name it in transforms.keys"}},
    .options = {{.name = "--purpose", .value_name = "TEXT", .help = "what it is for"}, reason_option()},
    .shared = kOutput | kDryRun,
    .description = R"(A key that no one made comes into being when a policy first uses it.

Example:
  mlopsctl key create research --purpose pseudonymisation --reason "study 17")",
    .run = run_body<key_create>};

const Command kKeyRotateCommand{
    .path = "key rotate",
    .group = kGroup,
    .summary = "begin a new version of a server's key",
    .operands = {{.name = "NAME", .help = "the key"}},
    .options = {reason_option(), reseal_option()},
    .shared = kOutput | kDryRun,
    .description =
        R"(From now on datasets are masked under the new version: pseudonyms differ from earlier ones, tokens stay. What
the version before wrote can still be revealed.

Example:
  mlopsctl key rotate research --reason "yearly")",
    .run = run_body<key_rotate>};

const Command kKeyDestroyCommand{
    .path = "key destroy",
    .group = kGroup,
    .summary = "destroy a retired version of a server's key, for ever",
    .operands = {{.name = "ID", .help = "a version: research.1"}},
    .options = {reason_option(), reseal_option(), {.name = "--yes", .help = "it is meant: this cannot be undone"}},
    .shared = kOutput | kDryRun,
    .description =
        R"(What the version has encrypted can never be revealed again; what it has tokenized only with --reseal, which seals the
tokens' values anew under the active version, in the same transaction. The active version cannot be destroyed: rotate
first.

Example:
  mlopsctl key destroy research.1 --reason "study 17 is over" --yes)",
    .run = run_body<key_destroy>};

}  // namespace mlops::cli
