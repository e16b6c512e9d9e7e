// key add, key signers, key revoke: the keys people sign approvals with.
#include <fmt/format.h>

#include "cli/cmd/fields.h"
#include "cli/cmd/query.h"
#include "cli/cmd/rows.h"
#include "cli/cmd/run.h"
#include "cli/cmd/signing.h"
#include "cli/time.h"
#include "core/base/env.h"
#include "core/base/text.h"
#include "core/model/plan.h"

namespace mlops::cli {
namespace {

constexpr const char* kGroup = "Keys";

// Registers somebody else's public key, or one whose private half is elsewhere.
Result<Json> body_for_other(Session& session, const std::string& principal) {
  const auto file = session.option("--public-key").value_or("");
  if (file.empty()) return usage_error("--for needs --public-key: only its owner has the private half");
  MLOPS_ASSIGN(const auto text, read_named_text(file));
  return Json{{"principal", principal}, {"public_key", text.text}};
}

// Makes the pair, keeps the private half, and proves both halves belong together; a key from before vouches.
Result<Json> body_for_own(Session& session, std::string& kept_in) {
  MLOPS_ASSIGN(const Json who, session.api().get("/api/v1/whoami"));
  const auto name = text_of(who, "principal");
  const auto given = session.option("--out").value_or("");
  const auto usual = signing_key_file(session, name);
  kept_in = given.empty() ? usual : given;
  if (kept_in.empty()) return usage_error("there is no place to keep the private key", "name a file: --out FILE");
  MLOPS_ASSIGN(const auto before, find_signer(session));
  MLOPS_ASSIGN(const auto key, crypto::make_signing_key());
  MLOPS_ASSIGN(const auto public_key, crypto::public_key_of(key));
  MLOPS_ASSIGN(const auto id, crypto::key_id_of(public_key));
  const auto statement = model::key_statement(name, id);
  Json body = {{"public_key", public_key}};
  MLOPS_ASSIGN(body["possession"], crypto::sign(key, statement));
  if (before) {
    body["signed_by"] = before->id;
    MLOPS_ASSIGN(body["proof"], crypto::sign(before->key, statement));
  }
  if (session.dry_run()) return body;
  if (given.empty()) {
    const auto dir = kept_in.substr(0, kept_in.rfind('/'));
    MLOPS_TRY(posix_env().make_dir(session.config_dir()));
    MLOPS_TRY(posix_env().make_dir(dir));
  }
  MLOPS_ASSIGN(const auto pem, crypto::to_pem(key));
  // Beside the one in force until the server has taken it.
  MLOPS_TRY(write_file_atomic(kept_in + ".new", {reinterpret_cast<const char*>(pem.view().data()), pem.view().size()}));
  return body;
}

Result<int> key_add(Session& session) {
  const auto principal = session.option("--for").value_or("");
  std::string kept_in;
  MLOPS_ASSIGN(auto body, principal.empty() ? body_for_own(session, kept_in) : body_for_other(session, principal));
  body["name"] = session.option("--name").value_or("");
  if (const auto life = session.option("--expires")) {
    MLOPS_ASSIGN(body["expires_in_s"], parse_duration_s(*life));
  }
  auto added = session.api().post("/api/v1/signing-keys", with_dry_run(session, std::move(body)));
  if (!kept_in.empty() && !session.dry_run()) {
    if (!added) (void)posix_env().remove(kept_in + ".new");
    if (added) MLOPS_TRY(posix_env().rename_replace(kept_in + ".new", kept_in));
  }
  if (!added) return fail(std::move(added.error()));
  session.print_value(
      *added,
      [&] {
        const auto mark = session.dry_run() ? session.paint(Tone::kWarn, "…") + " dry run, nothing was changed: "
                                            : session.paint(Tone::kGood, "✔") + " ";
        session.print_line(mark + fmt::format("{} signs for {}", text_of(*added, "id"), text_of(*added, "principal")));
        if (!kept_in.empty() && !session.dry_run()) {
          session.say("the private key is in " + kept_in + "; who can read it can sign for you");
        }
      },
      [&] { return text_of(*added, "id"); });
  return kExitDone;
}

Result<int> key_signers(Session& session) {
  MLOPS_ASSIGN(const auto items, fetch_list(session.api(), Query("/api/v1/signing-keys"), kNoLimit));
  const std::vector<Column> columns = {
      {"KEY", [](const Json& k) { return text_of(k, "id"); }},
      {"OF", [](const Json& k) { return text_of(k, "principal"); }},
      {"NAME", [](const Json& k) { return text_of(k, "name"); }},
      {"SINCE", [&session](const Json& k) { return show_time(session, text_of(k, "created_at")); }},
      {"UNTIL",
       [&session](const Json& k) {
         const auto revoked = text_of(k, "revoked_at");
         return revoked.empty() ? show_time(session, text_of(k, "expires_at"))
                                : "revoked " + show_time(session, revoked);
       }},
      {"WHY", [](const Json& k) { return text_of(k, "revoked_reason"); }},
      {"PUBLIC KEY", [](const Json& k) { return text_of(k, "public_key"); }, true}};
  session.print_list(
      items, columns, [](const Json& k) { return text_of(k, "id"); }, "nobody has a signing key yet");
  return kExitDone;
}

Result<int> key_revoke(Session& session) {
  const auto reason = session.option("--reason").value_or("");
  if (reason.empty()) return usage_error("revoking a key needs --reason", "it goes into the audit log");
  MLOPS_ASSIGN(const auto key, session.api().del(item_path("signing-keys", session.operand(0)),
                                                 with_dry_run(session, {{"reason", reason}})));
  session.print_value(
      key,
      [&] {
        session.print_line(fmt::format("{} {} signs nothing any more; approvals of open plans signed with it are void",
                                       session.paint(Tone::kGood, "✔"), text_of(key, "id")));
      },
      [&] { return text_of(key, "id"); });
  return kExitDone;
}

}  // namespace

const Command kKeyAddCommand{
    .path = "key add",
    .group = kGroup,
    .summary = "make a signing key for approvals and register its public half",
    .options =
        {{.name = "--name", .value_name = "TEXT", .help = "what it is on: laptop, token 17"},
         {.name = "--expires", .value_name = "TIME", .help = "how long it counts, e.g. 365d (default: for ever)"},
         {.name = "--out", .value_name = "FILE", .help = "where the private key goes", .complete = Complete::kFile},
         {.name = "--for", .value_name = "NAME", .help = "register a key of somebody else (administrators)"},
         {.name = "--public-key",
          .value_name = "FILE",
          .help = "with --for: PEM, or an ssh-ed25519 line",
          .complete = Complete::kFile},
         signing_key_option()},
    .shared = kOutput | kDryRun,
    .description =
        R"(From then on `approve` and `reject` of this person are signed with it, and only signed ones are taken. A second key is
vouched for by the first; after a loss an administrator registers the new one.

Examples:
  mlopsctl key add --name laptop --expires 365d
  mlopsctl key add --for omar --public-key omar.pub)",
    .run = run_body<key_add>};

const Command kKeySignersCommand{.path = "key signers",
                                 .group = kGroup,
                                 .summary = "list the keys people sign approvals with",
                                 .shared = kOutput,
                                 .description = R"(Example:
  mlopsctl key signers)",
                                 .run = run_body<key_signers>};

const Command kKeyRevokeCommand{
    .path = "key revoke",
    .group = kGroup,
    .summary = "revoke a signing key",
    .operands = {{.name = "KEY", .help = "its id: ed25519:…"}},
    .options = {{.name = "--reason", .value_name = "TEXT", .help = "why; it goes into the audit log"}},
    .shared = kOutput | kDryRun,
    .description = R"(Approvals of open plans that it signed do not count any more; what was executed stays as it is.

Example:
  mlopsctl key revoke ed25519:21fe31dfa154a261626bf854046fd227 --reason "laptop stolen")",
    .run = run_body<key_revoke>};

}  // namespace mlops::cli
