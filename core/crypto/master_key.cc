#include "core/crypto/master_key.h"

#include <fmt/format.h>

#include <cstdlib>
#include <cstring>

#include "core/base/bytes.h"
#include "core/base/text.h"
#include "core/crypto/key_file.h"

namespace mlops::crypto {
namespace {

constexpr std::string_view kFile = "file:";
constexpr std::string_view kEnv = "env:";
constexpr std::string_view kCredential = "credential:";
constexpr std::size_t kKeyBytes = 32;

Failure missing(std::string message) {
  return fail(ErrorCode::kNotFound, "master_key_missing", std::move(message),
              "it is named as file:PATH, env:NAME or credential:NAME");
}

Result<SecretBytes> from_environment(const std::string& name) {
  char* const value = std::getenv(name.c_str());
  if (!value || !*value)
    return missing(fmt::format("the environment variable {} holds no master key", printable(name)));
  auto bytes = from_hex(to_lower_ascii(trim(value)));
  // The text lies where other processes of this user read a process's environment; programs started later inherit it.
  ::explicit_bzero(value, std::strlen(value));
  ::unsetenv(name.c_str());
  if (!bytes || bytes->size() < kKeyBytes) {
    return fail(ErrorCode::kInvalid, "bad_master_key",
                fmt::format("the environment variable {} is no key", printable(name)),
                fmt::format("at least {} hex digits: openssl rand -hex 32", 2 * kKeyBytes));
  }
  return SecretBytes(std::move(*bytes));
}

Result<SecretBytes> from_credential(const std::string& name) {
  const char* const directory = std::getenv("CREDENTIALS_DIRECTORY");
  if (!directory || !*directory) return missing("there is no $CREDENTIALS_DIRECTORY: systemd has handed over nothing");
  if (name.empty() || name.find('/') != std::string::npos) {
    return fail(ErrorCode::kInvalid, "bad_master_key", fmt::format("'{}' is no credential's name", printable(name)));
  }
  return read_key_file(std::string(directory) + "/" + name);
}

}  // namespace

Result<SecretBytes> read_master_key(const std::string& words) {
  if (words.starts_with(kEnv)) return from_environment(words.substr(kEnv.size()));
  if (words.starts_with(kCredential)) return from_credential(words.substr(kCredential.size()));
  if (words.size() >= 2 * kKeyBytes && from_hex(to_lower_ascii(words))) {
    return fail(ErrorCode::kInvalid, "bad_master_key", "the master key itself was given where its place belongs",
                "say file:PATH, env:NAME or credential:NAME, and use another key: this one has been shown");
  }
  return read_key_file(words.starts_with(kFile) ? words.substr(kFile.size()) : words);
}

}  // namespace mlops::crypto
