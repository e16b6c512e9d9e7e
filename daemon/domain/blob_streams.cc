#include "daemon/domain/blob_streams.h"

#include <fmt/format.h>

#include "core/base/text.h"

namespace mlops::domain {

Result<std::size_t> BlobSource::read(std::span<char> into) {
  const std::span<std::uint8_t> bytes(reinterpret_cast<std::uint8_t*>(into.data()), into.size());
  MLOPS_ASSIGN(const std::size_t count, reader_.read_at(offset_, bytes));
  hasher_.update(ByteView(bytes.data(), count));
  offset_ += count;
  return count;
}

Status BlobSource::check_digest() {
  if (hasher_.finish() == file_.digest) return {};
  return fail(ErrorCode::kCorrupt, "blob_damaged",
              fmt::format("the stored bytes of {} do not match their digest", printable(file_.path)),
              "register the dataset again from its source to heal it");
}

}  // namespace mlops::domain
