// Backups back into a data directory.
#include <fmt/format.h>

#include "cli/cmd/backup_restore.h"
#include "cli/cmd/fields.h"
#include "cli/cmd/lines.h"
#include "cli/cmd/rows.h"
#include "cli/cmd/run.h"
#include "cli/progress.h"
#include "cli/time.h"
#include "core/base/text.h"

namespace mlops::cli {
namespace {

Json places_json(const std::vector<BackupDamage>& places) {
  Json out = Json::array();
  for (const auto& place : places) out.push_back({{"at", place.at}, {"problem", place.what}});
  return out;
}

int list_snapshots(Session& session, const BackupFile& file) {
  Json items = Json::array();
  for (const auto& snapshot : file.snapshots()) {
    items.push_back({{"number", snapshot.number},
                     {"at", snapshot.at},
                     {"server", snapshot.server_version},
                     {"packs", snapshot.packs.size()},
                     {"size_bytes", snapshot.pack_bytes() + snapshot.database_bytes},
                     {"audit", {{"entries", snapshot.audit_entries}, {"head", snapshot.audit_head}}}});
  }
  session.print_list(
      items,
      {{"SNAPSHOT", [](const Json& s) { return text_of(s, "number"); }, false, true},
       {"STATE OF", [&session](const Json& s) { return show_time(session, text_of(s, "at")); }},
       {"PACKS", [](const Json& s) { return text_of(s, "packs"); }, false, true},
       {"SIZE", [](const Json& s) { return human_size(static_cast<std::uint64_t>(int_of(s, "size_bytes"))); }, false,
        true},
       {"SERVER", [](const Json& s) { return text_of(s, "server"); }},
       {"AUDIT HEAD", [](const Json& s) { return text_of(member(s, "audit"), "head").substr(0, 16); }, true}},
      [](const Json& s) { return text_of(s, "number"); }, "the file holds no whole snapshot");
  return kExitDone;
}

Result<const BackupSnapshot*> chosen_snapshot(const Session& session, const BackupFile& file) {
  const auto text = session.option("--snapshot");
  if (!text && !file.snapshots().empty()) return &file.snapshots().back();
  const auto number = text ? parse_int(*text) : std::nullopt;
  const bool is_number = number && *number > 0 && *number <= std::int64_t{~std::uint32_t{0}};
  const auto* found = is_number ? file.find(static_cast<std::uint32_t>(*number)) : nullptr;
  if (found != nullptr) return found;
  return fail(ErrorCode::kNotFound, "snapshot_not_found",
              text ? fmt::format("there is no whole snapshot {} in {}", printable(*text), printable(file.path()))
                   : fmt::format("there is no whole snapshot in {}", printable(file.path())),
              "mlopsctl restore FILE --list shows those there are");
}

Json report_json(const RestoreOptions& options, const BackupFile& file, const BackupSnapshot& snapshot,
                 const RestoreReport& report) {
  Json out = {{"file", file.path()},
              {"directory", options.directory},
              {"snapshot", snapshot.number},
              {"at", snapshot.at},
              {"packs", snapshot.packs.size()},
              {"objects", report.objects},
              {"size_bytes", report.bytes},
              {"keys", report.keys},
              {"damage", places_json(report.damage)},
              {"came_damaged", places_json(report.came_damaged)}};
  if (options.writes == RestoreWrites::kNo) out["dry_run"] = true;
  return out;
}

void say_next(Session& session, const RestoreOptions& options, const RestoreReport& report) {
  if (options.writes == RestoreWrites::kNo) return;
  session.say("next:");
  if (report.keys.empty()) {
    session.say(
        fmt::format("  cp -a KEYS/. {}/keys/      the folder keys that is kept beside the backup; without it: mlopsd "
                    "--replace-keys",
                    options.directory));
  }
  session.say(fmt::format("  MLOPSD_DATA_DIR={} mlopsd   as the user that shall own it (chown -R when that is not you)",
                          options.directory));
  session.say("  mlopsctl fsck --read-data");
}

void print_report(Session& session, const RestoreOptions& options, const BackupSnapshot& snapshot,
                  const RestoreReport& report) {
  const auto style = style_of(session);
  const bool is_dry = options.writes == RestoreWrites::kNo;
  session.print_line(style.paint(Tone::kGood, "✔") + fmt::format(" snapshot {} {} {}", snapshot.number,
                                                                 is_dry ? "can be restored to" : "restored to",
                                                                 options.directory));
  KeyValues rows;
  rows.add("state of", style.time(snapshot.at));
  rows.add("content", fmt::format("{}, {}, {}; every SHA-256 and every frame verified", human_size(report.bytes),
                                  counted(static_cast<std::int64_t>(snapshot.packs.size()), "pack", "packs"),
                                  counted(static_cast<std::int64_t>(report.objects), "object", "objects")));
  rows.add("keys", report.keys.empty() ? "none" : join(report.keys, ", "));
  print_lines(session, rows.lines(style, 2));
  say_next(session, options, report);
}

Result<int> restore(Session& session) {
  MLOPS_ASSIGN(const auto file, BackupFile::open(posix_env(), session.operand(0)));
  if (session.flag("--list")) return list_snapshots(session, file);
  RestoreOptions options;
  options.directory = session.operand(1);
  if (options.directory.empty()) return usage_error("restore needs the directory to make", "or --list");
  options.keys = session.option("--keys").value_or("");
  if (session.flag("--salvage")) options.mode = RestoreMode::kSalvage;
  if (session.dry_run()) options.writes = RestoreWrites::kNo;
  MLOPS_ASSIGN(const auto* snapshot, chosen_snapshot(session, file));
  MLOPS_ASSIGN(const auto report, [&] {
    Progress progress(session, "restoring", snapshot->pack_bytes() + snapshot->database_bytes);
    return restore_backup(file, *snapshot, options, progress.callback());
  }());
  session.print_value(
      report_json(options, file, *snapshot, report), [&] { print_report(session, options, *snapshot, report); },
      [&] { return options.directory; });
  for (const auto& place : report.came_damaged) session.warn(place.what + "; the server's disk had it so");
  for (const auto& place : report.damage) session.warn(fmt::format("byte {} of the file: {}", place.at, place.what));
  return report.damage.empty() ? kExitDone : kExitIntegrity;
}

}  // namespace

const Command kRestoreCommand{
    .path = "restore",
    .group = "Storage",
    .summary = "make a data directory from a backup file, verifying everything",
    .operands = {{.name = "FILE", .help = "a backup file", .complete = Complete::kFile},
                 {.name = "DIR",
                  .help = "the data directory to make; absent or empty",
                  .required = false,
                  .complete = Complete::kDirectory}},
    .options = {{.name = "--snapshot", .value_name = "N", .help = "not the newest one but this"},
                {.name = "--list", .help = "only list the snapshots in FILE"},
                {.name = "--keys",
                 .value_name = "KEYS",
                 .help = "copy the server's keys from this folder along",
                 .complete = Complete::kDirectory},
                {.name = "--salvage", .help = "from a damaged FILE: restore whatever is whole, name the rest"}},
    .shared = kOutput | kDryRun | kOffline,
    .description =
        R"(Works without a server. Every record's SHA-256 and every frame's checksum is verified while DIR is written;
DIR appears with one rename when all of it is durable, and nothing is left behind otherwise. Then start mlopsd on it.

The server's keys are not in a backup. With the folder that was kept, tokens and pseudonyms go on as before. When it is
lost, `mlopsd --replace-keys` makes new ones: every token is void then, and a new one for the administrator is in
DIR/admin-token.

--dry-run verifies the snapshot and writes nothing. Exit code 8 when FILE is damaged; --salvage then restores what is
whole.

Examples:
  mlopsctl restore /mnt/backup/mlops.bak /srv/mlops --keys /mnt/safe/keys
  mlopsctl restore /mnt/backup/mlops.bak --list)",
    .run = run_body<restore>};

}  // namespace mlops::cli
