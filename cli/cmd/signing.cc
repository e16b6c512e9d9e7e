#include "cli/cmd/signing.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include "cli/cmd/fields.h"
#include "cli/cmd/query.h"
#include "core/base/env.h"
#include "core/base/text.h"
#include "core/crypto/digest.h"
#include "core/model/plan.h"

namespace mlops::cli {
namespace {

constexpr std::size_t kKeyFileLimitBytes = 4096;

bool exists(const std::string& file) {
  struct stat info {};
  return ::stat(file.c_str(), &info) == 0;
}

// Others of this machine must not be able to read it.
Status check_private(const std::string& file) {
  struct stat info {};
  if (::stat(file.c_str(), &info) == 0 && (info.st_mode & 077) != 0) {
    return fail(ErrorCode::kInvalid, "key_file_exposed",
                fmt::format("{} can be read by others; a private key must be its owner's alone", printable(file)),
                "chmod 600 on it; if others could have read it, revoke it: mlopsctl key revoke");
  }
  return {};
}

// What is signed must be what is shown: the digest is computed again from the pins the server told.
Status check_digest(const Json& plan) {
  const auto& pins = member(plan, "pins");
  if (pins.is_object() && crypto::sha256(canonical_dump(pins)).to_string() == text_of(plan, "digest")) return {};
  return fail(ErrorCode::kCorrupt, "plan_digest_differs",
              "the plan the server shows does not hash to the digest it gives; nothing was signed",
              "ask the server's administrator: mlopsctl audit verify");
}

}  // namespace

Option signing_key_option() {
  return {.name = "--signing-key",
          .value_name = "FILE",
          .help = "the private key to sign with (default: the one `key add` made)",
          .complete = Complete::kFile};
}

std::string signing_key_file(const Session& session, const std::string& principal) {
  const auto dir = session.config_dir();
  return dir.empty() ? std::string() : dir + "/signing/" + url_encode(principal) + ".pem";
}

Result<Signer> read_signer(const std::string& file) {
  MLOPS_TRY(check_private(file));
  MLOPS_ASSIGN(auto pem, read_file(file, kKeyFileLimitBytes));
  auto key = crypto::signing_key_from_pem(pem);
  crypto::wipe(pem);
  if (!key) return fail(std::move(key.error()));
  Signer signer{std::move(*key), {}, {}};
  MLOPS_ASSIGN(signer.public_key, crypto::public_key_of(signer.key));
  MLOPS_ASSIGN(signer.id, crypto::key_id_of(signer.public_key));
  return signer;
}

Result<std::optional<Signer>> find_signer(Session& session) {
  auto file = session.option("--signing-key").value_or("");
  if (file == "none") return std::optional<Signer>();
  if (file.empty()) {
    if (session.config_dir().empty()) return std::optional<Signer>();
    MLOPS_ASSIGN(const Json who, session.api().get("/api/v1/whoami"));
    file = signing_key_file(session, text_of(who, "principal"));
    if (!exists(file)) return std::optional<Signer>();
  }
  MLOPS_ASSIGN(auto signer, read_signer(file));
  return std::optional(std::move(signer));
}

Result<Json> sign_decision(Session& session, const Signer& signer, const std::string& decision, Json body) {
  MLOPS_ASSIGN(const Json plan, session.api().get(item_path("plans", session.operand(0))));
  MLOPS_TRY(check_digest(plan));
  MLOPS_ASSIGN(const Json who, session.api().get("/api/v1/whoami"));
  model::ApprovalStatement statement;
  statement.plan_id = text_of(plan, "id");
  statement.plan_digest = text_of(plan, "digest");
  statement.kind = text_of(plan, "kind");
  statement.environment = text_of(plan, "environment");
  for (const auto& item : array_of(member(plan, "release"), "members")) {
    statement.members.push_back(text_of(item, "ref") + " " + text_of(item, "digest"));
  }
  statement.expires_at = text_of(plan, "expires_at");
  statement.decision = decision;
  statement.meaning = text_of(body, "meaning");
  statement.reason = text_of(body, "reason");
  statement.by = text_of(who, "principal");
  const auto text = model::statement_text(statement);
  session.say(fmt::format("signing with {}:", signer.id));
  session.say("  " + text);
  MLOPS_ASSIGN(body["signature"], crypto::sign(signer.key, text));
  body["key"] = signer.id;
  return body;
}

}  // namespace mlops::cli
