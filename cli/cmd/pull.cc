#include <fmt/format.h>

#include "cli/cmd/fields.h"
#include "cli/cmd/lines.h"
#include "cli/cmd/query.h"
#include "cli/cmd/restore.h"
#include "cli/cmd/rows.h"
#include "cli/cmd/run.h"
#include "core/base/text.h"
#include "core/model/reference.h"

namespace mlops::cli {
namespace {

Result<std::vector<model::FileEntry>> files_of(Session& session, const Json& version, const std::string& ref) {
  if (bool_of(version, "files_truncated")) return proven_tree(session, version);
  MLOPS_ASSIGN(const Json listed, session.api().get(item_path("versions", ref, "/files")));
  return proven_files(version, listed);
}

Result<int> pull(Session& session) {
  const auto directory = session.operand(1);
  MLOPS_ASSIGN([[maybe_unused]] const auto parsed, model::parse_version_reference(session.operand(0)));
  MLOPS_TRY(check_target(directory, session.flag("--force") ? Overwrite::kYes : Overwrite::kNo));
  MLOPS_ASSIGN(const Json version, session.api().get(item_path("versions", session.operand(0))));
  // From here on the exact version is named: an alias may move between two requests.
  const auto ref = text_of(version, "kind") + ":" + text_of(version, "ref");
  MLOPS_ASSIGN(const auto files, files_of(session, version, ref));
  if (const auto reason = text_of(version, "deprecated"); !reason.empty()) {
    session.warn(text_of(version, "ref") + " is deprecated: " + reason);
  }
  const auto fetched = restore_files(session, version, files, directory,
                                     session.flag("--sync") ? Durability::kDisk : Durability::kSystem);
  if (!fetched && fetched.error().slug == "blob_not_found") {
    return fail(
        ErrorCode::kCorrupt, "blob_missing", fmt::format("{}: {}", text_of(version, "ref"), fetched.error().message),
        "mlopsctl fsck names everything that is missing; register it again from its source, or restore a backup");
  }
  if (!fetched) return fail(fetched.error());
  std::uint64_t size_bytes = 0;
  for (const auto& file : files) size_bytes += file.size_bytes;
  const Json answer = {{"ref", text_of(version, "ref")},
                       {"kind", text_of(version, "kind")},
                       {"digest", text_of(version, "digest")},
                       {"directory", directory},
                       {"files", files.size()},
                       {"size_bytes", size_bytes},
                       {"received_bytes", fetched->received_bytes},
                       {"known_bytes", fetched->local_bytes}};
  session.print_value(
      answer,
      [&] {
        const auto style = style_of(session);
        session.print_line(style.paint(Tone::kGood, "✔") + " restored " +
                           style.paint(Tone::kBold, text_of(version, "ref")) + " to " + directory);
        KeyValues rows;
        rows.add("digest", text_of(version, "digest"));
        rows.add("content", fmt::format("{}, {}; the SHA-256 of every file verified",
                                        counted(static_cast<std::int64_t>(files.size()), "file", "files"),
                                        human_size(size_bytes)));
        rows.add("transfer", fmt::format("{} received, {} were here", human_size(fetched->received_bytes),
                                         human_size(fetched->local_bytes)));
        rows.add("sensitivity", text_of(version, "sensitivity"));
        print_lines(session, rows.lines(style, 2));
      },
      [&] { return text_of(version, "ref"); });
  return kExitDone;
}

}  // namespace

const Command kPullCommand{
    .path = "pull",
    .group = "Registry",
    .summary = "restore a version's files, verifying every hash",
    .operands = {{.name = "REF", .help = "the version", .complete = Complete::kReference},
                 {.name = "DIR", .help = "where to; made when absent", .complete = Complete::kDirectory}},
    .options = {{.name = "--force",
                 .help =
                     "restore into a directory that is not empty: files of the same names are replaced, others stay"},
                {.name = "--sync", .help = "return only when everything is on the disk: a power cut cannot undo it"}},
    .shared = kOutput,
    .description =
        R"(Checks that the files listed make up the version's digest, fetches each, verifies its SHA-256 while writing, and shows
the directory only when all are complete. A byte that differs ends with exit code 8 and leaves nothing behind. With --force
into a directory that holds an older version, only what differs is fetched. A lost connection is tried again where it
stopped. As with cp, the system writes the files to the disk soon after; --sync waits for it.

Examples:
  mlopsctl pull hospital/readmission@v3 ./model
  mlopsctl pull hospital/readmission#prod /srv/model --force)",
    .run = run_body<pull>};

}  // namespace mlops::cli
