#include "daemon/app/convert_blobs.h"

#include <vector>

#include "core/base/log.h"
#include "storage/blob/loose_store.h"

namespace mlops::app {
namespace {

constexpr std::size_t kPieceBytes = 1u << 20;

struct Converted {
  std::int64_t files = 0;
  std::int64_t bytes = 0;
  std::int64_t damaged = 0;
};

Status convert_one(const ReadableFile& file, const crypto::Digest& digest, cas::ContentStore& content) {
  MLOPS_ASSIGN(auto upload, content.start_upload());
  std::vector<std::uint8_t> piece(kPieceBytes);
  std::uint64_t offset = 0;
  while (true) {
    MLOPS_ASSIGN(const auto got, file.read_at(offset, piece));
    if (got == 0) break;
    MLOPS_TRY(upload.append(ByteView(piece).first(got)));
    offset += got;
  }
  MLOPS_TRY(upload.finish(digest));
  return {};
}

}  // namespace

Status convert_loose_blobs(const std::string& blob_dir, cas::ContentStore& content, Env& env) {
  blob::LooseStore loose(blob_dir, env);
  MLOPS_ASSIGN(const bool exists, loose.exists());
  if (!exists) return {};
  log::info("converting_store", {{"from", "one file a blob"}, {"to", "packs"}});
  Converted converted;
  const auto convert = [&](const crypto::Digest& digest, std::uint64_t size_bytes) -> Status {
    MLOPS_ASSIGN(const auto file, loose.open(digest));
    auto done = convert_one(*file, digest, content);
    if (!done && done.error().slug == "digest_mismatch") {
      ++converted.damaged;
      log::error("blob_damaged", {{"digest", std::string_view(digest.to_string())}, {"kept_in", "blobs/damaged"}});
      return loose.set_aside(digest);
    }
    MLOPS_TRY(std::move(done));
    ++converted.files;
    converted.bytes += static_cast<std::int64_t>(size_bytes);
    return loose.remove(digest);
  };
  MLOPS_TRY(loose.for_each(convert));
  MLOPS_TRY(loose.remove_directories());
  log::info("store_converted",
            {{"files", converted.files}, {"bytes", converted.bytes}, {"damaged", converted.damaged}});
  return {};
}

}  // namespace mlops::app
