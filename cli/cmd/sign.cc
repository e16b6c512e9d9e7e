// sign, verify: signatures over versions.
#include "core/crypto/sign.h"

#include <fmt/format.h>

#include "cli/cmd/fields.h"
#include "cli/cmd/query.h"
#include "cli/cmd/rows.h"
#include "cli/cmd/run.h"
#include "cli/cmd/signing.h"
#include "core/model/version_statement.h"

namespace mlops::cli {
namespace {

std::string statement_of(const Json& version) {
  return model::version_statement(text_of(version, "kind"), text_of(version, "ref"), text_of(version, "digest"));
}

Result<int> sign(Session& session) {
  const auto ref = session.operand(0);
  MLOPS_ASSIGN(const auto signer, find_signer(session));
  if (!signer) {
    return fail(ErrorCode::kInvalid, "no_signing_key", "there is no key to sign with",
                "make one with `mlopsctl key add`, or give --signing-key FILE");
  }
  MLOPS_ASSIGN(const Json version, session.api().get(item_path("versions", ref, "/signatures")));
  const auto statement = statement_of(version);
  session.say(fmt::format("signing with {}:", signer->id));
  session.say("  " + statement);
  Json body = {{"key", signer->id}};
  MLOPS_ASSIGN(body["signature"], crypto::sign(signer->key, statement));
  MLOPS_ASSIGN(const Json answer,
               session.api().post(item_path("versions", ref, "/signatures"), with_dry_run(session, std::move(body))));
  session.print_value(
      answer,
      [&] {
        const auto mark = session.dry_run() ? session.paint(Tone::kWarn, "…") + " dry run, nothing was kept: "
                                            : session.paint(Tone::kGood, "✔") + " ";
        session.print_line(
            mark + fmt::format("{} {} is signed by {}", text_of(answer, "kind"), text_of(answer, "ref"), signer->id));
      },
      [&] { return signer->id; });
  return kExitDone;
}

// What this side finds of one signature; empty: it holds.
std::string check(const Json& version, const Json& one, const std::string& expected_key) {
  const auto server = text_of(one, "void_because");
  if (!server.empty()) return server;
  const auto public_key = text_of(one, "public_key");
  if (!expected_key.empty() && public_key != expected_key) return "it is of another key";
  const auto id = crypto::key_id_of(public_key);
  if (!id || *id != text_of(one, "key")) return "the key does not have that id";
  const auto verified = crypto::verify_signature(public_key, statement_of(version), text_of(one, "signature"));
  return verified ? "" : "it does not fit the version";
}

Result<int> verify(Session& session) {
  std::string expected;
  if (const auto file = session.option("--public-key")) {
    MLOPS_ASSIGN(const auto text, read_named_text(*file));
    MLOPS_ASSIGN(expected, crypto::parse_public_key(text.text));
  }
  MLOPS_ASSIGN(Json answer, session.api().get(item_path("versions", session.operand(0), "/signatures")));
  std::int64_t valid = 0;
  std::vector<std::string> lines;
  for (auto& one : answer["signatures"]) {
    const auto why = check(answer, one, expected);
    one["verified"] = why.empty();
    valid += why.empty();
    if (!why.empty()) one["void_because"] = why;
    const auto mark = why.empty() ? session.paint(Tone::kGood, "✔") : session.paint(Tone::kBad, "✘");
    lines.push_back(fmt::format("{} {} by {} on {}{}", mark, text_of(one, "key"), text_of(one, "by"),
                                text_of(one, "at"), why.empty() ? "" : ": " + why));
  }
  answer["valid"] = valid;
  session.print_value(
      answer,
      [&] {
        session.print_line(
            fmt::format("{} {} {}", text_of(answer, "kind"), text_of(answer, "ref"), text_of(answer, "digest")));
        for (const auto& line : lines) session.print_line("  " + line);
        if (lines.empty()) session.print_line("  nobody has signed it");
      },
      [&] { return std::to_string(valid); });
  return valid > 0 ? kExitDone : kExitRefused;
}

}  // namespace

const Command kSignCommand{
    .path = "sign",
    .group = "Registry",
    .summary = "sign a version with your key",
    .operands = {{.name = "REF", .help = "the version", .complete = Complete::kReference}},
    .options = {signing_key_option()},
    .shared = kOutput | kDryRun,
    .description =
        R"(Puts an Ed25519 signature over the version's kind, name and digest beside it. The key is one that `key add` registered for
you; a policy's gate `signatures` counts it as long as the key is neither revoked nor expired.

Examples:
  mlopsctl sign hospital/readmission@v3
  mlopsctl sign model:hospital/readmission@v3 --signing-key ci.pem)",
    .run = run_body<sign>};

const Command kVerifyCommand{
    .path = "verify",
    .group = "Registry",
    .summary = "check the signatures over a version",
    .operands = {{.name = "REF", .help = "the version", .complete = Complete::kReference}},
    .options = {{.name = "--public-key",
                 .value_name = "FILE",
                 .help = "only a signature by this key counts, whatever the server says of keys",
                 .complete = Complete::kFile}},
    .shared = kOutput,
    .description =
        R"(Checks every signature here, on this side, against the version's digest. Exit code 3 when none holds.

Examples:
  mlopsctl verify hospital/readmission@v3
  mlopsctl verify hospital/readmission@v3 --public-key release.pub)",
    .run = run_body<verify>};

}  // namespace mlops::cli
