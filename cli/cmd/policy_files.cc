#include "cli/cmd/policy_files.h"

#include <filesystem>

#include "cli/cmd/run.h"
#include "core/base/text.h"
#include "policies/data/file_place.h"
#include "policies/data/format.h"

namespace mlops::cli {

Result<OpenFile> open_file(const std::string& path, const data::RecordOptions& options) {
  OpenFile file;
  MLOPS_ASSIGN(auto source, FileSource::open(path));
  file.source = std::make_unique<FileSource>(std::move(source));
  auto with_path = options;
  with_path.path = path;
  auto reader = data::open_records(*file.source, with_path);
  if (!reader) return fail(data::at_file(reader.error(), path));
  file.reader = std::move(*reader);
  return file;
}

std::vector<Option> with_record_options(std::vector<Option> own) {
  own.push_back({.name = "--format",
                 .value_name = "FORMAT",
                 .help = "what the files are, when neither name nor bytes tell",
                 .complete = Complete::kChoice,
                 .choices = {"csv", "tsv", "json", "jsonl", "fhir", "fhir-ndjson", "text"}});
  own.push_back({.name = "--encoding",
                 .value_name = "ENCODING",
                 .help = "utf-8, utf-16le, utf-16be, latin-1 or cp1252 (default: detected)"});
  own.push_back({.name = "--ragged",
                 .value_name = "HOW",
                 .help = "rows of another length than the header: refuse the table, or pad them",
                 .complete = Complete::kChoice,
                 .choices = {"error", "pad"}});
  return own;
}

Result<data::RecordOptions> record_options(const Session& session) {
  data::RecordOptions options;
  if (const auto word = session.option("--format")) options.format = data::format_from_word(*word);
  if (const auto word = session.option("--encoding")) {
    options.encoding = data::encoding_from_word(*word);
    if (!options.encoding) {
      return usage_error("there is no encoding '" + printable(*word) + "'",
                         "one of utf-8, utf-16le, utf-16be, latin-1, cp1252");
    }
  }
  if (session.option("--ragged").value_or("error") == "pad") options.csv.ragged = data::Ragged::kPad;
  return options;
}

Status check_output_is_none_of_inputs(const Session& session, const std::string& output) {
  constexpr std::string_view kFilePrefix = "file:";
  std::vector<std::string> inputs = {session.operand(0)};
  for (const auto* name : {"--key-file", "--keyring", "--vault", "--master"}) {
    auto path = session.option(name).value_or("");
    if (path.starts_with(kFilePrefix)) path.erase(0, kFilePrefix.size());
    inputs.push_back(std::move(path));
  }
  for (const auto& input : inputs) {
    std::error_code ignored;
    const bool same = !input.empty() && (std::filesystem::equivalent(input, output, ignored) ||
                                         std::filesystem::path(input).lexically_normal() ==
                                             std::filesystem::path(output).lexically_normal());
    if (same) {
      return usage_error("the output is a file that the command reads: " + printable(input),
                         "name another file for -O; keys and policies are never written over");
    }
  }
  return {};
}

}  // namespace mlops::cli
