#include "cli/cmd/policy_files.h"

#include "policies/data/file_place.h"

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

}  // namespace mlops::cli
