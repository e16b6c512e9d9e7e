#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "cli/cmd/artifact_push.h"
#include "cli/cmd/fields.h"
#include "cli/cmd/lines.h"
#include "cli/cmd/query.h"
#include "cli/cmd/register_spec.h"
#include "cli/cmd/rows.h"
#include "cli/cmd/run.h"
#include "cli/cmd/version_text.h"
#include "core/base/env.h"
#include "core/base/text.h"
#include "core/model/names.h"
#include "core/model/schema.h"
#include "storage/git/git_source.h"

namespace mlops::cli {
namespace {

namespace fs = std::filesystem;

struct Described {
  ArtifactManifest manifest;
  std::string git_directory;  // empty: none
};

// Flags and the manifest file, if there is one. A git directory named in the file is relative to the file.
Result<Described> describe(Session& session, const Walk& walk, model::ArtifactKind kind, const std::string& name) {
  const auto path = session.operand(2);
  const auto named = session.option("--manifest");
  const auto manifest_path = named.value_or(manifest_path_for(path, walk.is_directory));
  ArtifactManifest file;
  std::error_code ignored;
  const bool is_artifact_itself = !walk.is_directory && fs::path(path).filename() == kManifestName;
  if (named || (!is_artifact_itself && fs::exists(manifest_path, ignored))) {
    MLOPS_ASSIGN(const auto text, read_file(manifest_path, 1u << 20));
    MLOPS_ASSIGN(file, parse_artifact_manifest(text, manifest_path));
    session.say("metadata from " + manifest_path);
  }
  MLOPS_ASSIGN(auto flags, manifest_of_flags(session));
  Described described;
  const bool git_from_file = flags.git.empty() && !file.git.empty();
  MLOPS_ASSIGN(described.manifest, merge(std::move(file), std::move(flags), kind, name));
  described.git_directory = git_from_file ? (fs::path(manifest_path).parent_path() / described.manifest.git).string()
                                          : described.manifest.git;
  return described;
}

// {"input", "output"} of the files that --input-schema and --output-schema name.
Result<Json> schemas_json(Session& session) {
  Json schemas = Json::object();
  for (const auto side : {model::SchemaSide::kInput, model::SchemaSide::kOutput}) {
    const bool is_input = side == model::SchemaSide::kInput;
    const auto file = session.option(is_input ? "--input-schema" : "--output-schema");
    if (!file) continue;
    MLOPS_ASSIGN(const auto text, read_named_text(*file));
    MLOPS_ASSIGN(const auto json, parse_json(text.text));
    MLOPS_ASSIGN(const auto schema, model::parse_schema(json, side));
    schemas[is_input ? "input" : "output"] = model::to_json(schema);
  }
  return schemas;
}

Result<Json> git_json(const std::string& directory) {
  MLOPS_ASSIGN(const auto source, git::read_git_source(directory.empty() ? "." : directory));
  return Json{{"commit", source.commit}, {"branch", source.branch}, {"remote", source.remote}, {"dirty", source.dirty}};
}

// The manifest describes the artifact; it is not part of it, so mending a description does not make new bytes.
Result<Walk> walk_content(Session& session, const std::string& path) {
  MLOPS_ASSIGN(auto walk, walk_artifact(path));
  if (walk.is_directory) {
    const auto at = std::find_if(walk.files.begin(), walk.files.end(),
                                 [](const WalkedFile& file) { return file.path == kManifestName; });
    if (at != walk.files.end()) {
      walk.size_bytes -= at->size_bytes;
      walk.files.erase(at);
    }
    if (walk.files.empty()) {
      return fail(ErrorCode::kInvalid, "no_files", fmt::format("{} holds no file but its manifest", printable(path)));
    }
  }
  if (!walk.empty_directories.empty()) {
    auto names = walk.empty_directories;
    constexpr std::size_t kShown = 5;
    const auto more = names.size() > kShown ? fmt::format(" and {} more", names.size() - kShown) : std::string();
    names.resize(std::min(names.size(), kShown));
    session.warn(fmt::format("{} not kept, a version holds files only: {}{}",
                             counted(static_cast<std::int64_t>(walk.empty_directories.size()), "empty directory is",
                                     "empty directories are"),
                             join(names, ", "), more));
  }
  return walk;
}

// A dry run has sent no bytes, so a server that looks for them is right to miss them; that is no finding.
bool only_misses_unsent_bytes(const Session& session, const PushResult& pushed, const Error& error) {
  return session.dry_run() && pushed.sent_files > 0 && error.slug == "blobs_missing";
}

Lines result_lines(const Session& session, const Json& answer, const PushResult& pushed) {
  const auto style = style_of(session);
  const auto& version = member(answer, "version");
  const auto ref = text_of(version, "ref");
  const auto kind = text_of(version, "kind");
  const bool is_new = bool_of(answer, "created");
  const std::string_view verb =
      session.dry_run() ? (is_new ? "would register" : "exists already:") : (is_new ? "registered" : "exists already:");
  Lines lines{style.paint(Tone::kGood, "✔") + " " + std::string(verb) + " " +
              style.paint(Tone::kBold, kind + " " + ref)};
  KeyValues rows;
  rows.add("digest", text_of(version, "digest"));
  const auto sent = session.dry_run() ? "to upload" : "uploaded";
  rows.add("content", fmt::format("{}, {}; {} {}", counted(int_of(version, "file_count"), "file", "files"),
                                  human_size(static_cast<std::uint64_t>(int_of(version, "size_bytes"))), sent,
                                  human_size(pushed.sent_bytes)));
  rows.add("sensitivity", sensitivity_text(version));
  for (const auto& input : array_of(version, "inputs")) {
    rows.add("input", text_of(input, "role") + " " + text_of(input, "ref"));
  }
  rows.add("note", text_of(answer, "note"), Tone::kWarn);
  if (!session.dry_run()) rows.add("next", "mlopsctl plan " + ref + " --to ENV", Tone::kBold);
  append(lines, rows.lines(style, 2));
  if (session.dry_run()) lines.push_back(style.paint(Tone::kWarn, "dry run: nothing was kept"));
  return lines;
}

Result<int> register_artifact(Session& session) {
  const auto kind = model::artifact_kind_from_word(session.operand(0));
  if (!kind) return usage_error("what to register is model or dataset", "mlopsctl register model NAME PATH");
  const auto name = session.operand(1);
  MLOPS_TRY(model::check_artifact_name(name));
  MLOPS_ASSIGN(const auto walk, walk_content(session, session.operand(2)));
  MLOPS_ASSIGN(const auto described, describe(session, walk, *kind, name));
  Json body = register_body(described.manifest, *kind, name);
  if (!described.git_directory.empty()) {
    MLOPS_ASSIGN(body["git"], git_json(described.git_directory));
    if (bool_of(body["git"], "dirty")) session.warn("the git work tree has uncommitted changes: recorded as dirty");
  }
  MLOPS_ASSIGN(auto schemas, schemas_json(session));
  if (!schemas.empty()) body["schemas"] = std::move(schemas);
  ArtifactPush push(session, walk, *kind, name);
  const bool is_recognised = push.recognise(session.flag("--rehash") ? Rehash::kYes : Rehash::kNo);
  const auto post = [&]() -> Result<Json> {
    MLOPS_ASSIGN(const auto content, push.described());
    Json all = body;
    all.update(content);
    return session.api().post("/api/v1/versions", with_dry_run(session, std::move(all)));
  };
  // What is unchanged since the last time is most likely there: one question tells.
  Result<Json> answer = Json();
  const bool is_settled = is_recognised && [&] {
    answer = post();
    return answer || answer.error().slug != "blobs_missing";
  }();
  if (!is_settled) {
    MLOPS_TRY(push.push());
    answer = post();
  }
  const auto& pushed = push.result();
  if (!answer && only_misses_unsent_bytes(session, pushed, answer.error())) {
    session.print_line(fmt::format("would upload {}, {}, and register a new version of {} {}",
                                   counted(static_cast<std::int64_t>(pushed.sent_files), "file", "files"),
                                   human_size(pushed.sent_bytes), model::to_word(*kind), name));
    return kExitDone;
  }
  if (!answer) return fail(answer.error());
  if (!session.dry_run() && !is_settled) push.remember();
  if (const auto column = session.option("--subject-key"); column && !session.dry_run()) {
    MLOPS_TRY(session.api().put("/api/v1/subject-keys",
                                {{"name", fmt::format("{}:{}", model::to_word(*kind), name)}, {"column", *column}}));
  }
  (*answer)["sent_bytes"] = pushed.sent_bytes;
  (*answer)["stored_bytes"] = pushed.stored_bytes;
  (*answer)["known_bytes"] = is_settled ? walk.size_bytes : pushed.known_bytes;
  session.print_value(
      *answer, [&] { print_lines(session, result_lines(session, *answer, pushed)); },
      [&] { return text_of(member(*answer, "version"), "ref"); });
  return kExitDone;
}

}  // namespace

const Command kRegisterCommand{
    .path = "register",
    .group = "Daily work",
    .summary = "make a version of a model or dataset from a file or directory",
    .operands =
        {{.name = "KIND", .help = "model or dataset", .complete = Complete::kChoice, .choices = {"model", "dataset"}},
         {.name = "NAME",
          .help = "the artifact, may be namespaced: hospital/readmission",
          .complete = Complete::kArtifact},
         {.name = "PATH", .help = "a file, or a directory with all it holds", .complete = Complete::kFile}},
    .options =
        {{.name = "--input",
          .value_name = "REF",
          .help = "a version it was made from; role=REF says how",
          .repeated = true,
          .complete = Complete::kReference},
         {.name = "--role",
          .value_name = "ROLE",
          .help = "role of the input in the same place, or of all: train, test, base … (default train for a model, "
                  "base for a dataset)",
          .repeated = true},
         {.name = "--param", .value_name = "KEY=VALUE", .help = "a parameter of the making", .repeated = true},
         {.name = "--metric",
          .value_name = "KEY=NUMBER",
          .help = "a measurement, for metric gates; of a group of people: 'auc{sex=F}=0.81'",
          .repeated = true},
         {.name = "--input-schema",
          .value_name = "FILE",
          .help = "what it takes, as JSON: columns with name, type, required; or an MLflow signature",
          .complete = Complete::kFile},
         {.name = "--output-schema",
          .value_name = "FILE",
          .help = "what it gives; of a dataset: what is in it",
          .complete = Complete::kFile},
         {.name = "--label", .value_name = "KEY=VALUE", .help = "a free label", .repeated = true},
         {.name = "--description", .value_name = "TEXT", .help = "what it is"},
         {.name = "--sensitivity",
          .value_name = "LABEL",
          .help = "of its own content; inputs can only raise it",
          .complete = Complete::kChoice,
          .choices = {"none", "pseudonymous", "personal", "special_category", "child"}},
         {.name = "--subject-key",
          .value_name = "COLUMN",
          .help = "this column holds people's ids, in all versions (needs erasure:write; see subject-key set)"},
         {.name = "--git",
          .value_name = "DIR",
          .help = "record commit, branch, remote and dirty state of this work tree",
          .complete = Complete::kDirectory},
         {.name = "--manifest",
          .value_name = "FILE",
          .help = "metadata file instead of the mlops.yaml beside the artifact",
          .complete = Complete::kFile},
         {.name = "--rehash",
          .help = "read every file, also those that have not changed since the last time; heals what the server lost"}},
    .shared = kOutput | kDryRun,
    .description =
        R"(Cuts and hashes (SHA-256) every file with all cores, sends only the chunks that the server lacks, and makes an immutable
version. The same bytes under the same kind and name give the version that exists, with exit code 0. A file whose size,
times and inode are those of the last time is not read again (--rehash reads all). A register that was interrupted goes on
where it stopped when it is run again.

Hidden files count. Symbolic links, sockets and pipes are refused. Empty directories are not kept. A mlops.yaml in the
directory (or beside the file) gives metadata and is not part of the content; options win over it.

Examples:
  mlopsctl register dataset hospital/patients patients.csv --sensitivity special_category
  mlopsctl register model hospital/readmission model/ --input hospital/patients@v1 --metric auc=0.81 --git .
  mlopsctl register model m model.bin --input train=a@v1 --input test=b@v2 --dry-run)",
    .run = run_body<register_artifact>};

}  // namespace mlops::cli
