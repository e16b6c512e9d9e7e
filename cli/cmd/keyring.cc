// keyring …: the keys of offline masking, in a file that is safe to keep beside other things.
#include <fmt/format.h>

#include "cli/cmd/fields.h"
#include "cli/cmd/key_ring_file.h"
#include "cli/cmd/lines.h"
#include "cli/cmd/rows.h"
#include "cli/cmd/run.h"
#include "cli/time.h"
#include "core/base/clock.h"
#include "core/base/text.h"
#include "core/crypto/key_file.h"
#include "core/crypto/master_key.h"

namespace mlops::cli {
namespace {

std::string master_of(const Session& session) {
  return session.option("--master").value_or(crypto::kDefaultMasterKey);
}

Json to_json(const mask::KeyInfo& info) {
  return {{"id", info.id},
          {"state", mask::to_word(info.state)},
          {"purpose", info.purpose},
          {"created_at", format_rfc3339(info.created_at_us)},
          {"changed_at", format_rfc3339(info.changed_at_us)},
          {"check", info.check}};
}

int tell(Session& session, const std::string& id, std::string_view what) {
  session.print_value(
      {{"id", id}, {"done", what}},
      [&] { session.print_line(session.paint(Tone::kGood, "✔") + fmt::format(" {} {}", what, id)); },
      [&] { return id; });
  return kExitDone;
}

// One change to the ring of the first operand.
Result<int> change(Session& session, std::string_view what,
                   const std::function<Result<std::string>(mask::KeyRing&)>& step) {
  MLOPS_ASSIGN(const auto id, change_key_ring(session.operand(0), master_of(session), step));
  return tell(session, id, what);
}

Result<int> keyring_init(Session& session) {
  const auto path = session.operand(0);
  const auto generate = session.option("--generate-master").value_or("");
  if (!generate.empty()) {
    if (session.option("--master"))
      return usage_error("--generate-master makes the master key that --master would name");
    MLOPS_TRY(crypto::generate_key_file(generate));
    session.say("a new master key is in " + generate + "; keep it apart from the key ring");
  }
  crypto::keep_out_of_core_dumps();
  MLOPS_ASSIGN(auto master, crypto::read_master_key(generate.empty() ? master_of(session) : "file:" + generate));
  MLOPS_ASSIGN(const auto ring, mask::KeyRing::create(std::move(master)));
  MLOPS_TRY(store_new_key_ring(path, ring));
  return tell(session, path, "made the key ring");
}

Result<int> keyring_list(Session& session) {
  MLOPS_ASSIGN(const auto ring, open_key_ring(session.operand(0), master_of(session)));
  Json items = Json::array();
  for (const auto& info : ring.keys()) items.push_back(to_json(info));
  const std::vector<Column> columns = {
      {"KEY", [](const Json& k) { return text_of(k, "id"); }},
      {"STATE", [](const Json& k) { return text_of(k, "state"); }},
      {"CHECK", [](const Json& k) { return text_of(k, "check"); }},
      {"PURPOSE", [](const Json& k) { return printable(text_of(k, "purpose")); }},
      {"CREATED", [&session](const Json& k) { return show_time(session, text_of(k, "created_at")); }},
      {"CHANGED", [&session](const Json& k) { return show_time(session, text_of(k, "changed_at")); }, true}};
  session.print_list(
      items, columns, [](const Json& k) { return text_of(k, "id"); }, "the key ring has no keys");
  return kExitDone;
}

Result<int> keyring_add(Session& session) {
  return change(session, "added", [&](mask::KeyRing& ring) {
    return ring.add(session.operand(1), session.option("--purpose").value_or("masking"), SystemClock().now_us());
  });
}

Result<int> keyring_rotate(Session& session) {
  return change(session, "rotated to",
                [&](mask::KeyRing& ring) { return ring.rotate(session.operand(1), SystemClock().now_us()); });
}

Result<int> keyring_retire(Session& session) {
  return change(session, "retired",
                [&](mask::KeyRing& ring) { return ring.retire(session.operand(1), SystemClock().now_us()); });
}

Result<int> keyring_destroy(Session& session) {
  if (!session.flag("--yes")) {
    return usage_error("what the key has masked can never be revealed or recognised again",
                       "if you mean it, add --yes; copies of the key ring still hold the key");
  }
  return change(session, "destroyed",
                [&](mask::KeyRing& ring) { return ring.destroy(session.operand(1), SystemClock().now_us()); });
}

Result<int> keyring_rewrap(Session& session) {
  const auto to = session.option("--new-master").value_or("");
  if (to.empty()) return usage_error("--new-master names the master key to change to");
  const auto path = session.operand(0);
  const auto rewrap = [&](mask::KeyRing& ring) -> Result<std::string> {
    MLOPS_ASSIGN(auto master, crypto::read_master_key(to));
    ring.change_master(std::move(master));
    return path;
  };
  return change(session, "wrapped anew", rewrap);
}

Operand ring_operand() {
  return {.name = "RING", .help = "the key ring's file", .complete = Complete::kFile};
}
Operand name_operand() {
  return {.name = "NAME", .help = "a key's name: a policy's transforms.keys use it"};
}
Option master_option() {
  return {.name = "--master",
          .value_name = "WHERE",
          .help = "the master key: file:PATH, env:NAME or credential:NAME (default: env:MLOPS_MASTER_KEY)"};
}

constexpr std::string_view kGroup = "Keys";

}  // namespace

const Command kKeyringInitCommand{
    .path = "keyring init",
    .group = kGroup,
    .summary = "make a key ring for offline masking",
    .operands = {ring_operand()},
    .options = {master_option(),
                {.name = "--generate-master",
                 .value_name = "FILE",
                 .help = "make a master key there first; never over a file",
                 .complete = Complete::kFile}},
    .shared = kOutput | kOffline,
    .description =
        R"(Every key in the ring is wrapped under a master key that is kept elsewhere: a file of mode 0600, an
environment variable, or a credential from systemd. The ring's file alone opens nothing and may be backed up.

Examples:
  mlopsctl keyring init ring.json --generate-master master.key
  mlopsctl keyring add ring.json research --master file:master.key)",
    .run = run_body<keyring_init>};

const Command kKeyringListCommand{
    .path = "keyring list",
    .group = kGroup,
    .summary = "show the keys of a ring: ids, states, check values",
    .operands = {ring_operand()},
    .options = {master_option()},
    .shared = kOutput | kOffline,
    .description = R"(Two rings hold the same key where the check values are the same. Keys themselves are never shown.

Examples:
  mlopsctl keyring list ring.json --master file:master.key)",
    .run = run_body<keyring_list>};

const Command kKeyringAddCommand{
    .path = "keyring add",
    .group = kGroup,
    .summary = "add a key of random bytes",
    .operands = {ring_operand(), name_operand()},
    .options = {master_option(), {.name = "--purpose", .value_name = "TEXT", .help = "what it is for"}},
    .shared = kOutput | kOffline,
    .description = R"(Examples:
  mlopsctl keyring add ring.json research --purpose pseudonymisation)",
    .run = run_body<keyring_add>};

const Command kKeyringRotateCommand{
    .path = "keyring rotate",
    .group = kGroup,
    .summary = "begin a new version of a key",
    .operands = {ring_operand(), name_operand()},
    .options = {master_option()},
    .shared = kOutput | kOffline,
    .description =
        R"(New values are masked under the new version; the old one is kept for reading, so what it wrote is recognised
and can be revealed.

Examples:
  mlopsctl keyring rotate ring.json research)",
    .run = run_body<keyring_rotate>};

const Command kKeyringRetireCommand{.path = "keyring retire",
                                    .group = kGroup,
                                    .summary = "mask nothing more with a key, but go on reading",
                                    .operands = {ring_operand(), name_operand()},
                                    .options = {master_option()},
                                    .shared = kOutput | kOffline,
                                    .description = R"(Examples:
  mlopsctl keyring retire ring.json research)",
                                    .run = run_body<keyring_retire>};

const Command kKeyringDestroyCommand{
    .path = "keyring destroy",
    .group = kGroup,
    .summary = "take a version of a key out for ever",
    .operands = {ring_operand(), {.name = "ID", .help = "a version: research.1"}},
    .options = {master_option(), {.name = "--yes", .help = "it is meant"}},
    .shared = kOutput | kOffline,
    .description =
        R"(What the version has encrypted or tokenized can never be revealed again: its key is not in the new file in any
form. Copies of the ring that were made before still hold it.

Examples:
  mlopsctl keyring destroy ring.json research.1 --yes)",
    .run = run_body<keyring_destroy>};

const Command kKeyringRewrapCommand{
    .path = "keyring rewrap",
    .group = kGroup,
    .summary = "change the master key of a ring",
    .operands = {ring_operand()},
    .options = {master_option(), {.name = "--new-master", .value_name = "WHERE", .help = "the one to change to"}},
    .shared = kOutput | kOffline,
    .description = R"(The keys stay the same, and so do pseudonyms, ciphertexts and vaults.

Examples:
  mlopsctl keyring rewrap ring.json --master file:old.key --new-master credential:masking)",
    .run = run_body<keyring_rewrap>};

}  // namespace mlops::cli
