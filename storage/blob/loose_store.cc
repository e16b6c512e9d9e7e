#include "storage/blob/loose_store.h"

#include <fmt/format.h>

namespace mlops::blob {
namespace {

constexpr unsigned kFanOut = 256;

}  // namespace

std::string LooseStore::dir_of(unsigned first_byte) const {
  return fmt::format("{}/sha256/{:02x}", root_, first_byte);
}

std::string LooseStore::path_of(const crypto::Digest& digest) const {
  return dir_of(digest.bytes()[0]) + "/" + digest.hex();
}

Result<bool> LooseStore::exists() const {
  const auto names = env_.list_dir(root_ + "/sha256");
  if (names) return true;
  if (names.error().code == ErrorCode::kNotFound) return false;
  return fail(names.error());
}

Status LooseStore::for_each(const std::function<Status(const crypto::Digest&, std::uint64_t)>& visit) const {
  for (unsigned i = 0; i < kFanOut; ++i) {
    auto names = env_.list_dir(dir_of(i));
    if (!names && names.error().code == ErrorCode::kNotFound) continue;
    if (!names) return fail(std::move(names.error()));
    for (const auto& name : *names) {
      const auto digest = crypto::Digest::parse_hex(name);
      if (!digest) continue;  // not ours
      MLOPS_ASSIGN(const auto size, env_.file_size_bytes(dir_of(i) + "/" + name));
      MLOPS_TRY(visit(*digest, size));
    }
  }
  return {};
}

Result<std::unique_ptr<ReadableFile>> LooseStore::open(const crypto::Digest& digest) const {
  return env_.open_readable(path_of(digest));
}

Status LooseStore::remove(const crypto::Digest& digest) {
  return env_.remove(path_of(digest));
}

Status LooseStore::set_aside(const crypto::Digest& digest) {
  MLOPS_TRY(env_.make_dir(root_ + "/damaged"));
  MLOPS_TRY(env_.rename_replace(path_of(digest), root_ + "/damaged/" + digest.hex()));
  return env_.sync_dir(root_ + "/damaged");
}

Status LooseStore::remove_directories() {
  const auto remove_all = [this](const std::string& dir) -> Status {
    auto names = env_.list_dir(dir);
    if (!names) return {};
    for (const auto& name : *names) (void)env_.remove(dir + "/" + name);
    auto removed = env_.remove_dir(dir);
    // Something of a stranger in it: it stays.
    if (!removed && removed.error().code == ErrorCode::kAlreadyExists) return {};
    return removed;
  };
  MLOPS_TRY(remove_all(root_ + "/tmp"));
  for (unsigned i = 0; i < kFanOut; ++i) {
    auto removed = env_.remove_dir(dir_of(i));
    if (!removed && removed.error().code != ErrorCode::kNotFound) return removed;
  }
  return env_.remove_dir(root_ + "/sha256");
}

}  // namespace mlops::blob
