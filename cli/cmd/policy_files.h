// The files of a dataset on this machine, opened for a policy: one file, or every file below a directory.
// Errors: those of walk_artifact, of files and of data::open_records, the file's name before its position.
// Thread-safety: an OpenFile belongs to one thread.
#pragma once

#include <memory>
#include <string>

#include "cli/cmd/file_stream.h"
#include "cli/cmd/file_walk.h"
#include "policies/data/records.h"

namespace mlops::cli {

struct OpenFile {
  std::unique_ptr<FileSource> source;
  std::unique_ptr<data::RecordReader> reader;
};
Result<OpenFile> open_file(const std::string& path, const data::RecordOptions& options = {});

}  // namespace mlops::cli
