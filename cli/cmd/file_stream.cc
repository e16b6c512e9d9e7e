#include "cli/cmd/file_stream.h"

#include <filesystem>

#include "core/base/clock.h"
#include "core/base/id.h"
#include "core/base/text.h"

namespace mlops::cli {

Result<FileSource> FileSource::open(const std::string& path) {
  MLOPS_ASSIGN(auto file, posix_env().open_readable(path));
  return FileSource(std::move(file));
}

Result<std::size_t> FileSource::read(std::span<char> into) {
  MLOPS_ASSIGN(const auto got, file_->read_at(at_, {reinterpret_cast<std::uint8_t*>(into.data()), into.size()}));
  at_ += got;
  return got;
}

AtomicFileSink::AtomicFileSink(std::string target, std::string temporary, std::unique_ptr<WritableFile> file)
    : target_(std::move(target)), temporary_(std::move(temporary)), file_(std::move(file)) {}

AtomicFileSink::~AtomicFileSink() {
  if (file_) (void)posix_env().remove(temporary_);
}

Result<AtomicFileSink> AtomicFileSink::create(const std::string& target) {
  // Renaming over a device, a pipe or a link would put a file in its place.
  std::error_code ignored;
  const auto status = std::filesystem::symlink_status(target, ignored);
  if (std::filesystem::exists(status) && !std::filesystem::is_regular_file(status)) {
    return fail(ErrorCode::kInvalid, "not_a_file", printable(target) + " is there and is no regular file",
                "name a file that may be made or replaced");
  }
  const std::filesystem::path path(target);
  const auto hidden = "." + path.filename().string() + ".part-" + new_id(SystemClock()).substr(0, 18);
  auto temporary = (path.parent_path() / hidden).string();
  MLOPS_ASSIGN(auto file, posix_env().create_exclusive(temporary, 0600));
  return AtomicFileSink(target, std::move(temporary), std::move(file));
}

Status AtomicFileSink::write(std::string_view bytes) {
  return file_->append(as_bytes(bytes));
}

Status AtomicFileSink::publish() {
  MLOPS_TRY(file_->sync());
  MLOPS_TRY(file_->close());
  MLOPS_TRY(posix_env().rename_replace(temporary_, target_));
  file_.reset();
  const auto parent = std::filesystem::path(target_).parent_path();
  return posix_env().sync_dir(parent.empty() ? "." : parent.string());
}

}  // namespace mlops::cli
