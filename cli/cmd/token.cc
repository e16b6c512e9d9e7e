#include <fmt/format.h>

#include "cli/cmd/fields.h"
#include "cli/cmd/lines.h"
#include "cli/cmd/query.h"
#include "cli/cmd/rows.h"
#include "cli/cmd/run.h"
#include "cli/time.h"
#include "core/base/env.h"
#include "core/base/text.h"
#include "core/model/names.h"

namespace mlops::cli {
namespace {

constexpr std::string_view kDefaultLife = "90d";

// A new file that is removed again unless the token was written to it.
class SecretFile {
 public:
  static Result<SecretFile> create(const std::string& path) {
    MLOPS_ASSIGN(auto file, posix_env().create_exclusive(path, 0600));
    return SecretFile(path, std::move(file));
  }
  SecretFile(SecretFile&&) noexcept = default;
  SecretFile& operator=(SecretFile&&) = delete;
  ~SecretFile() {
    if (file_) (void)posix_env().remove(path_);
  }

  Status write(const std::string& secret) {
    MLOPS_TRY(file_->append(as_bytes(secret + "\n")));
    MLOPS_TRY(file_->sync());
    MLOPS_TRY(file_->close());
    file_.reset();
    return {};
  }

 private:
  SecretFile(std::string path, std::unique_ptr<WritableFile> file) : path_(std::move(path)), file_(std::move(file)) {}
  std::string path_;
  std::unique_ptr<WritableFile> file_;  // null once written or moved from
};

Result<Json> token_body(const Session& session) {
  const auto principal = session.operand(0);
  MLOPS_TRY(model::check_principal_name(principal));
  const auto role = session.option("--role").value_or("");
  if (role.empty()) return usage_error("--role is needed", "viewer, ci, release, oncall, approver, auditor or admin");
  MLOPS_ASSIGN(const auto life_s, parse_duration_s(session.option("--expires").value_or(std::string(kDefaultLife))));
  Json body = {{"principal", principal},
               {"human", !session.flag("--service")},
               {"role", role},
               {"name", session.option("--name").value_or(principal + "-" + role)},
               {"expires_in_s", life_s}};
  if (const auto scopes = session.option_all("--scope"); !scopes.empty()) body["scopes"] = scopes;
  if (const auto clearance = session.option("--clearance")) body["clearance"] = *clearance;
  return body;
}

Lines token_lines(const Json& token, const Style& style) {
  KeyValues rows;
  rows.add("token", text_of(token, "name") + "  (" + text_of(token, "id") + ")");
  rows.add("for", text_of(token, "principal") + (bool_of(token, "human") ? "" : ", a service") + ", role " +
                      text_of(token, "role"));
  rows.add("scopes", join(strings_of(token, "scopes"), ", "));
  rows.add("clearance", text_of(token, "clearance"));
  rows.add("expires", style.time(text_of(token, "expires_at")));
  return rows.lines(style, 2);
}

Result<int> token_create(Session& session) {
  MLOPS_ASSIGN(const auto body, token_body(session));
  const auto path = session.option("--out").value_or("");
  std::optional<SecretFile> file;
  if (!path.empty()) {
    // Before the token exists: a secret that cannot be kept would only have to be revoked.
    MLOPS_ASSIGN(auto created, SecretFile::create(path));
    file.emplace(std::move(created));
  }
  MLOPS_ASSIGN(Json token, session.api().post("/api/v1/tokens", body));
  const auto secret = text_of(token, "secret");
  if (file) {
    token.erase("secret");
    if (const auto written = file->write(secret); !written) {
      session.warn(fmt::format("the token was made but could not be written; revoke it: mlopsctl token revoke {}",
                               text_of(token, "id")));
      return fail(written.error());
    }
  }
  session.print_value(
      token,
      [&] {
        say_lines(session, token_lines(token, style_of(session)));
        if (file) {
          session.print_line(path);
        } else {
          session.say("this is the only time it is shown:");
          session.print_line(secret);
        }
      },
      [&] { return text_of(token, "id"); });
  return kExitDone;
}

std::string token_state(const Json& token) {
  if (!text_of(token, "revoked_at").empty()) return "revoked";
  const auto expires_us = parse_rfc3339(text_of(token, "expires_at"));
  return expires_us && *expires_us <= SystemClock().now_us() ? "expired" : "valid";
}

Result<int> token_list(Session& session) {
  MLOPS_ASSIGN(const auto items, fetch_list(session.api(), Query("/api/v1/tokens"), kNoLimit));
  const std::vector<Column> columns = {
      {"NAME", [](const Json& t) { return text_of(t, "name"); }},
      {"FOR", [](const Json& t) { return text_of(t, "principal"); }},
      {"KIND", [](const Json& t) { return std::string(bool_of(t, "human") ? "person" : "service"); }},
      {"ROLE", [](const Json& t) { return text_of(t, "role"); }},
      {"CLEARANCE", [](const Json& t) { return text_of(t, "clearance"); }, true},
      {"STATE", token_state},
      {"EXPIRES", [&session](const Json& t) { return show_time(session, text_of(t, "expires_at")); }},
      {"ID", [](const Json& t) { return text_of(t, "id"); }, true},
      {"CREATED", [&session](const Json& t) { return show_time(session, text_of(t, "created_at")); }, true},
      {"SCOPES", [](const Json& t) { return join(strings_of(t, "scopes"), ","); }, true}};
  session.print_list(
      items, columns, [](const Json& t) { return text_of(t, "id"); }, "no tokens");
  return kExitDone;
}

Result<int> token_revoke(Session& session) {
  MLOPS_ASSIGN(const Json token, session.api().del(item_path("tokens", session.operand(0)), Json()));
  session.print_value(
      token,
      [&] {
        session.print_line(session.paint(Tone::kGood, "✔") + fmt::format(" token {} of {} is revoked",
                                                                         text_of(token, "name"),
                                                                         text_of(token, "principal")));
      },
      [&] { return text_of(token, "id"); });
  return kExitDone;
}

}  // namespace

const Command kTokenCreateCommand{
    .path = "token create",
    .group = "Administration",
    .summary = "make a token; its secret is shown once",
    .operands = {{.name = "PRINCIPAL", .help = "the person or service it is for"}},
    .options = {{.name = "--role", .value_name = "ROLE", .help = "what it may do", .complete = Complete::kRole},
                {.name = "--service", .help = "for a program: never counts as a person who approves"},
                {.name = "--name", .value_name = "NAME", .help = "what to call it (default PRINCIPAL-ROLE)"},
                {.name = "--expires", .value_name = "TIME", .help = "how long it lives (default 90d)"},
                {.name = "--scope", .value_name = "SCOPE", .help = "only this of the role's rights", .repeated = true},
                {.name = "--clearance",
                 .value_name = "LABEL",
                 .help = "the highest sensitivity whose bytes it may read (default child: all)",
                 .complete = Complete::kChoice,
                 .choices = {"none", "pseudonymous", "personal", "special_category", "child"}},
                {.name = "--out",
                 .value_name = "FILE",
                 .help = "write the secret to a new file of mode 0600 instead of standard output",
                 .complete = Complete::kFile}},
    .shared = kOutput,
    .description = R"(The secret alone goes to standard output; the server keeps only a keyed hash of it.

Examples:
  mlopsctl token create bob --role approver --out bob.token
  mlopsctl token create github-ci --role ci --service --expires 30d)",
    .run = run_body<token_create>};

const Command kTokenListCommand{.path = "token list",
                                .group = "Administration",
                                .summary = "list tokens, without their secrets",
                                .shared = kOutput,
                                .description = R"(Example:
  mlopsctl token list -o wide)",
                                .run = run_body<token_list>};

const Command kTokenRevokeCommand{.path = "token revoke",
                                  .group = "Administration",
                                  .summary = "revoke a token; it stops working within a second",
                                  .operands = {{.name = "TOKEN", .help = "its id or name"}},
                                  .shared = kOutput,
                                  .description = R"(Example:
  mlopsctl token revoke bob-approver)",
                                  .run = run_body<token_revoke>};

}  // namespace mlops::cli
