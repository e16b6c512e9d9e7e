#include "cli/cmd/policy_files.h"

#include <filesystem>

#include "core/base/text.h"

namespace mlops::cli {

Result<OpenFile> open_file(const std::string& path, const data::RecordOptions& options) {
  OpenFile file;
  MLOPS_ASSIGN(auto source, FileSource::open(path));
  file.source = std::make_unique<FileSource>(std::move(source));
  auto with_path = options;
  with_path.path = path;
  auto reader = data::open_records(*file.source, with_path);
  if (!reader) return fail(at_file(reader.error(), path));
  file.reader = std::move(*reader);
  return file;
}

std::string table_name(const std::string& path) {
  return std::filesystem::path(path).stem().string();
}

Error at_file(Error error, const std::string& path) {
  const bool has_position = !error.message.empty() && error.message[0] >= '0' && error.message[0] <= '9';
  error.message = printable(path) + (has_position ? ":" : ": ") + error.message;
  return error;
}

}  // namespace mlops::cli
