// Backups of a server into a file, and checking such a file.
#include <fmt/format.h>

#include <filesystem>

#include "cli/cmd/backup_run.h"
#include "cli/cmd/backup_verify.h"
#include "cli/cmd/fields.h"
#include "cli/cmd/lines.h"
#include "cli/cmd/query.h"
#include "cli/cmd/rows.h"
#include "cli/cmd/run.h"
#include "cli/problem.h"
#include "cli/progress.h"
#include "cli/terminal_session.h"
#include "core/base/text.h"

namespace mlops::cli {
namespace {

constexpr std::size_t kShownPlaces = 20;

// The server's side over the native API; bytes come over a connection of their own.
Result<BackupSource> source_of(Session& session) {
  auto& terminal = terminal_session(session);
  MLOPS_ASSIGN(const auto connection, terminal.connection());
  MLOPS_ASSIGN(auto opened, terminal.around().connect(connection));
  std::shared_ptr<Transport> transport = std::move(opened);
  BackupSource source;
  source.start = [&session](const Json& request) { return session.api().post("/api/v1/backups", request); };
  source.fetch = [&session, transport](const std::string& id, const std::string& item, std::uint64_t begin,
                                       std::uint64_t end, const std::function<Status(ByteView)>& sink) -> Status {
    Query query(item_path("backups", id, "/items/" + url_encode(item)));
    query.add("offset", std::to_string(begin)).add("end", std::to_string(end));
    MLOPS_ASSIGN(const auto reply, transport->exchange({.path = query.text(), .sink = sink}));
    if (reply.status >= 200 && reply.status < 300) return {};
    return fail(error_of_reply(reply, session.api().server_url()));
  };
  // It ends by itself when this does not arrive.
  source.end = [&session](const std::string& id) { (void)session.api().del(item_path("backups", id), Json()); };
  return source;
}

std::string keys_hint() {
  return "not in the backup: the server's keys (the folder keys in its data directory). Keep a copy of it elsewhere: "
         "without it a restored server knows no token, and new pseudonyms differ from earlier ones";
}

Json plan_json(const std::string& path, const BackupPlan& plan) {
  return {{"dry_run", true}, {"file", path}, {"fetch_bytes", plan.bytes}, {"packs_added", plan.parts.size()}};
}

Json outcome_json(const std::string& path, const BackupOutcome& outcome, std::uint64_t file_bytes,
                  std::size_t snapshots) {
  const auto& snapshot = outcome.snapshot;
  Json damaged = Json::array();
  for (const auto& place : outcome.damaged) {
    damaged.push_back({{"pack", place.pack}, {"offset", place.gap.offset}, {"size_bytes", place.gap.size_bytes}});
  }
  return {{"file", path},
          {"snapshot", snapshot.number},
          {"snapshots", snapshots},
          {"at", snapshot.at},
          {"packs", snapshot.packs.size()},
          {"packs_added", outcome.parts},
          {"pack_bytes", snapshot.pack_bytes()},
          {"database_bytes", snapshot.database_bytes},
          {"fetched_bytes", outcome.fetched_bytes},
          {"added_bytes", outcome.added_bytes},
          {"file_bytes", file_bytes},
          {"audit", {{"entries", snapshot.audit_entries}, {"head", snapshot.audit_head}}},
          {"keys_included", false},
          {"damaged", std::move(damaged)}};
}

void print_outcome(Session& session, const Json& answer) {
  const auto bytes = [&](std::string_view key) { return human_size(static_cast<std::uint64_t>(int_of(answer, key))); };
  const auto style = style_of(session);
  session.print_line(style.paint(Tone::kGood, "✔") +
                     fmt::format(" snapshot {} in {}", text_of(answer, "snapshot"), text_of(answer, "file")));
  KeyValues rows;
  rows.add("state of", style.time(text_of(answer, "at")));
  rows.add("packs", fmt::format("{} ({} new or grown), {}; every frame verified as it came", text_of(answer, "packs"),
                                text_of(answer, "packs_added"), bytes("pack_bytes")));
  rows.add("database", bytes("database_bytes") + "; its SHA-256 verified");
  rows.add("added", fmt::format("{}; the file has {}", bytes("added_bytes"), bytes("file_bytes")));
  rows.add("audit head", fmt::format("{} at entry {}", text_of(member(answer, "audit"), "head"),
                                     text_of(member(answer, "audit"), "entries")));
  print_lines(session, rows.lines(style, 2));
  session.say(keys_hint());
}

int warn_of_damage(Session& session, const BackupOutcome& outcome) {
  if (outcome.damaged.empty()) return kExitDone;
  for (std::size_t i = 0; i < std::min(outcome.damaged.size(), kShownPlaces); ++i) {
    const auto& place = outcome.damaged[i];
    session.warn(fmt::format("pack {}: {} bytes from {} on are damaged on the server", place.pack, place.gap.size_bytes,
                             place.gap.offset));
  }
  session.warn(fmt::format("{} in all; the snapshot is complete but for what lies there: run mlopsctl fsck --read-data",
                           counted(static_cast<std::int64_t>(outcome.damaged.size()), "place", "places")));
  return kExitIntegrity;
}

Json places_json(const std::vector<BackupDamage>& places) {
  Json out = Json::array();
  for (const auto& place : places) out.push_back({{"at", place.at}, {"problem", place.what}});
  return out;
}

void print_verified(Session& session, const BackupFile& file, const BackupReport& report) {
  const auto bad = session.paint(Tone::kBad, "✘");
  for (const auto& place : report.damage) session.print_line(fmt::format("{} byte {}: {}", bad, place.at, place.what));
  for (const auto& place : report.came_damaged) {
    session.warn(fmt::format("byte {}: {}; the server's disk had it so", place.at, place.what));
  }
  if (report.unfinished_bytes > 0) {
    session.print_line(fmt::format("{} the last {} bytes belong to no snapshot: an interrupted run, or damage", bad,
                                   report.unfinished_bytes));
  }
  if (!report.is_whole()) return;
  session.print_line(fmt::format("{} {} in {}, {}: all whole", session.paint(Tone::kGood, "✔"),
                                 counted(static_cast<std::int64_t>(file.snapshots().size()), "snapshot", "snapshots"),
                                 counted(static_cast<std::int64_t>(report.records), "record", "records"),
                                 human_size(file.size_bytes())));
}

Result<int> verify(Session& session, const std::string& path) {
  MLOPS_ASSIGN(const auto file, BackupFile::open(posix_env(), path));
  MLOPS_ASSIGN(const auto report, [&] {
    Progress progress(session, "verifying", file.finished_bytes());
    return verify_backup(file, progress.callback());
  }());
  const Json answer = {{"file", path},
                       {"ok", report.is_whole()},
                       {"snapshots", file.snapshots().size()},
                       {"records", report.records},
                       {"file_bytes", file.size_bytes()},
                       {"unfinished_bytes", report.unfinished_bytes},
                       {"damage", places_json(report.damage)},
                       {"came_damaged", places_json(report.came_damaged)}};
  session.print_value(
      answer, [&] { print_verified(session, file, report); },
      [&] { return std::string(report.is_whole() ? "ok" : "damaged"); });
  return report.is_whole() ? kExitDone : kExitIntegrity;
}

Result<int> dry_run(Session& session, BackupRun& run, const std::string& path) {
  MLOPS_ASSIGN(const auto plan, run.plan());
  session.print_value(
      plan_json(path, plan),
      [&] {
        session.print_line(fmt::format("would fetch {} for {}, and the database", human_size(plan.bytes),
                                       counted(static_cast<std::int64_t>(plan.parts.size()), "pack", "packs")));
      },
      [&] { return std::to_string(plan.bytes); });
  return kExitDone;
}

Result<int> backup(Session& session) {
  const auto path = session.operand(0);
  if (session.flag("--verify")) return verify(session, path);
  MLOPS_ASSIGN(const auto source, source_of(session));
  const bool is_new = !std::filesystem::exists(path);
  MLOPS_ASSIGN(auto writer, BackupWriter::open(posix_env(), path));
  BackupRun run(writer, source);
  if (session.dry_run()) {
    auto planned = dry_run(session, run, path);
    if (is_new) (void)posix_env().remove(path);
    return planned;
  }
  MLOPS_ASSIGN(const auto plan, run.plan());
  MLOPS_ASSIGN(const auto outcome, [&] {
    Progress progress(session, "backing up", plan.bytes);
    return run.execute(progress.callback());
  }());
  const auto answer = outcome_json(path, outcome, writer.size_bytes(), writer.file().snapshots().size() + 1);
  session.print_value(
      answer, [&] { print_outcome(session, answer); }, [&] { return text_of(answer, "snapshot"); });
  return warn_of_damage(session, outcome);
}

}  // namespace

const Command kBackupCommand{
    .path = "backup",
    .group = "Storage",
    .summary = "add a snapshot of the whole server to a file, or check such a file",
    .operands = {{.name = "FILE", .help = "made when absent; snapshots are added to it", .complete = Complete::kFile}},
    .options = {{.name = "--verify", .help = "only read FILE and check every byte of it, without a server"}},
    .shared = kOutput | kDryRun,
    .description =
        R"(A snapshot is a consistent copy of the database and the packs with every blob it refers to; people go on
working meanwhile. The first one brings everything, later ones what is new. Each frame is verified while it arrives. A
run that is interrupted leaves the earlier snapshots as they were; the next one goes on where it was.

The server's keys are not in it: whoever has a backup cannot make tokens or undo pseudonyms. Keep a copy of the folder
`keys` of its data directory elsewhere; it never changes, and a restored server needs it. What a collection set aside
(the trash) is not in it either.

--verify ends with exit code 8 when anything is damaged or unfinished. A backup that finds bytes damaged on the server
is completed, names them and ends with 8 too. FILE belongs to one server: when its data was set back in time, or FILE is
of another server, exit code 6.

Examples:
  mlopsctl backup /mnt/backup/mlops.bak
  mlopsctl backup /mnt/backup/mlops.bak --verify)",
    .run = run_body<backup>};

}  // namespace mlops::cli
