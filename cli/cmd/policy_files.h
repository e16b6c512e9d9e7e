// The files of a dataset on this machine, opened for a policy: one file, or every file below a directory.
// Errors: those of walk_artifact, of files and of data::open_records, the file's name before its position.
// Thread-safety: an OpenFile belongs to one thread.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "cli/cmd/file_stream.h"
#include "cli/cmd/file_walk.h"
#include "cli/command.h"
#include "cli/session.h"
#include "policies/data/records.h"

namespace mlops::cli {

struct OpenFile {
  std::unique_ptr<FileSource> source;
  std::unique_ptr<data::RecordReader> reader;
};
Result<OpenFile> open_file(const std::string& path, const data::RecordOptions& options = {});

// `own` and --format, --encoding, --ragged: what to know of files that do not tell it themselves.
std::vector<Option> with_record_options(std::vector<Option> own);
// What these say. Errors: kInvalid "usage". REQUIRES: the command has them among its options.
Result<data::RecordOptions> record_options(const Session& session);

// Refuses an output that is the policy, a key, a ring, a vault or a master key the command reads.
// Errors: kInvalid "usage".
Status check_output_is_none_of_inputs(const Session& session, const std::string& output);

}  // namespace mlops::cli
