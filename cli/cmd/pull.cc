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

constexpr std::string_view kVerifyFiles = "files";
constexpr std::string_view kVerifyChunks = "chunks";

Result<std::vector<model::FileEntry>> files_of(Session& session, const Json& version, const std::string& ref) {
  if (bool_of(version, "files_truncated")) return proven_tree(session, version);
  MLOPS_ASSIGN(const Json listed, session.api().get(item_path("versions", ref, "/files")));
  return proven_files(version, listed);
}

// Who names a version by its digest need not believe the server which one that is.
Status check_named_digest(const model::Reference& named, const Json& version) {
  const bool is_named = named.selector == model::Reference::Selector::kDigest;
  const auto digest = text_of(version, "digest");
  if (!is_named || digest.starts_with("sha256:" + named.text)) return {};
  return fail(ErrorCode::kCorrupt, "digest_mismatch",
              fmt::format("the server answered with another version than the one named: {}", printable(digest)),
              "nothing was restored; is this the right server?");
}

VerifyBy verify_by(Session& session, const model::Reference& named) {
  const auto word = session.option("--verify");
  if (word) return *word == kVerifyFiles ? VerifyBy::kFiles : VerifyBy::kChunks;
  return named.selector == model::Reference::Selector::kDigest ? VerifyBy::kFiles : VerifyBy::kChunks;
}

Result<int> pull(Session& session) {
  const auto directory = session.operand(1);
  MLOPS_ASSIGN(const auto named, model::parse_version_reference(session.operand(0)));
  MLOPS_TRY(check_target(directory, session.flag("--force") ? Overwrite::kYes : Overwrite::kNo));
  const bool may_be_masked = session.flag("--masked");
  MLOPS_ASSIGN(const Json version,
               session.api().get(item_path("versions", session.operand(0), may_be_masked ? "/view" : "")));
  if (!may_be_masked) MLOPS_TRY(check_named_digest(named, version));
  // From here on the exact version is named: an alias may move between two requests.
  const auto ref = text_of(version, "kind") + ":" + text_of(version, "ref");
  MLOPS_ASSIGN(const auto files, files_of(session, version, ref));
  if (const auto reason = text_of(version, "deprecated"); !reason.empty()) {
    session.warn(text_of(version, "ref") + " is deprecated: " + reason);
  }
  PullOptions options;
  if (session.flag("--sync")) options.durability = Durability::kDisk;
  options.how.verify_by = verify_by(session, named);
  const auto fetched = restore_files(session, version, files, directory, options);
  if (!fetched && fetched.error().slug == "blob_not_found") {
    return fail(
        ErrorCode::kCorrupt, "blob_missing", fmt::format("{}: {}", text_of(version, "ref"), fetched.error().message),
        "mlopsctl fsck names everything that is missing; register it again from its source, or restore a backup");
  }
  if (!fetched) return fail(fetched.error());
  std::uint64_t size_bytes = 0;
  for (const auto& file : files) size_bytes += file.size_bytes;
  const bool is_by_files = fetched->files_by_chunks == 0;
  const Json answer = {{"ref", text_of(version, "ref")},
                       {"kind", text_of(version, "kind")},
                       {"digest", text_of(version, "digest")},
                       {"directory", directory},
                       {"files", files.size()},
                       {"size_bytes", size_bytes},
                       {"received_bytes", fetched->received_bytes},
                       {"known_bytes", fetched->local_bytes},
                       {"verified", is_by_files ? kVerifyFiles : kVerifyChunks}};
  session.print_value(
      answer,
      [&] {
        const auto style = style_of(session);
        session.print_line(style.paint(Tone::kGood, "✔") + " restored " +
                           style.paint(Tone::kBold, text_of(version, "ref")) + " to " + directory);
        KeyValues rows;
        rows.add("digest", text_of(version, "digest"));
        rows.add("content", fmt::format("{}, {}; the SHA-256 of every {} verified",
                                        counted(static_cast<std::int64_t>(files.size()), "file", "files"),
                                        human_size(size_bytes), is_by_files ? "file" : "chunk"));
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
                {.name = "--verify",
                 .value_name = "WHAT",
                 .help = "by what long files are verified; files when REF names a digest, chunks otherwise",
                 .choices = {kVerifyChunks, kVerifyFiles}},
                {.name = "--masked",
                 .help =
                     "where the token's clearance does not reach the version: the newest masked version made of it"},
                {.name = "--sync", .help = "return only when everything is on the disk: a power cut cannot undo it"}},
    .shared = kOutput,
    .description =
        R"(Checks that the files listed make up the version's digest, fetches each, verifies every byte while writing, and shows
the directory only when all are complete. A byte that differs ends with exit code 8 and leaves nothing behind. With --force
into a directory that holds an older version, only what differs is fetched. A lost connection is tried again where it
stopped. As with cp, the system writes the files to the disk soon after; --sync waits for it.

Files of 64 MiB and more are verified by the SHA-256 of their chunks, as the server lists them for a file that it has hashed
whole: that takes half the hashing time, and finds all damage on the way or on a disk. --verify files computes the SHA-256 of every whole
file instead: the version's digest proves each. That is what a REF with a digest (NAME@sha256:...) does by itself, and one with
all 64 digits need not believe the server anything.

Bytes above the token's clearance are refused with exit code 3; --masked gives what masking made of them, when that is within it.

Examples:
  mlopsctl pull hospital/readmission@v3 ./model
  mlopsctl pull hospital/readmission#prod /srv/model --force
  mlopsctl pull hospital/readmission@sha256:1f2e3d4c ./model)",
    .run = run_body<pull>};

}  // namespace mlops::cli
