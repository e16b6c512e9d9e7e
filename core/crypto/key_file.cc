#include "core/crypto/key_file.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>

#include "core/base/bytes.h"
#include "core/base/env.h"
#include "core/base/text.h"

namespace mlops::crypto {
namespace {

constexpr std::size_t kKeyBytes = 32;
constexpr std::size_t kLargestFileBytes = 4096;
constexpr mode_t kOthers = S_IRWXG | S_IRWXO;

Status check_mode(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) {
    return fail(ErrorCode::kNotFound, "file_not_found", fmt::format("there is no key file {}", printable(path)),
                "--generate-key makes one");
  }
  if (!S_ISREG(status.st_mode)) {
    return fail(ErrorCode::kInvalid, "not_a_file", fmt::format("{} is not a regular file", printable(path)));
  }
  if ((status.st_mode & kOthers) != 0) {
    return fail(
        ErrorCode::kInvalid, "key_file_exposed",
        fmt::format("others than its owner can get at {} (mode {:04o})", printable(path), status.st_mode & 07777),
        "chmod 600 " + printable(path) + ", and make a new key if it may have been read");
  }
  return {};
}

// All one byte, a counted row, a repeated word: nothing random looks like that.
bool is_weak(const std::vector<std::uint8_t>& key) {
  std::vector<std::uint8_t> seen(key);
  std::sort(seen.begin(), seen.end());
  const auto distinct = std::unique(seen.begin(), seen.end()) - seen.begin();
  return distinct < 12;
}

}  // namespace

Result<SecretBytes> read_key_file(const std::string& path) {
  MLOPS_TRY(check_mode(path));
  MLOPS_ASSIGN(const auto text, read_file(path, kLargestFileBytes));
  auto key = from_hex(to_lower_ascii(trim(text))).value_or(std::vector<std::uint8_t>(text.begin(), text.end()));
  if (key.size() < kKeyBytes) {
    return fail(ErrorCode::kInvalid, "key_too_short",
                fmt::format("the key in {} has {} bytes, {} are needed", printable(path), key.size(), kKeyBytes),
                "make one with --generate-key, or: openssl rand -hex 32");
  }
  if (is_weak(key)) {
    return fail(ErrorCode::kInvalid, "key_weak", fmt::format("the key in {} is not random", printable(path)),
                "make one with --generate-key, or: openssl rand -hex 32");
  }
  return SecretBytes(std::move(key));
}

Status generate_key_file(const std::string& path) {
  MLOPS_ASSIGN(const auto bytes, random_bytes(kKeyBytes));
  MLOPS_ASSIGN(auto file, posix_env().create_exclusive(path, 0600));
  MLOPS_TRY(file->append(as_bytes(to_hex(bytes) + "\n")));
  MLOPS_TRY(file->sync());
  return file->close();
}

SecretBytes derive_key(const SecretBytes& master, std::string_view name) {
  std::string message("mlops key");
  message.push_back('\0');
  message += name;
  const auto mac = hmac_sha256(master.view(), message);
  return SecretBytes(std::vector<std::uint8_t>(mac.begin(), mac.end()));
}

}  // namespace mlops::crypto
