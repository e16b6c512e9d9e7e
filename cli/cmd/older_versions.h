// What earlier versions of an artifact had under a path: a guess at what a file on this machine holds, or will mostly
// hold. Asked of the server once, when the first guess is wanted; what cannot be had is no guess.
//
// Thread-safety: main thread.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>

#include "cli/session.h"
#include "core/crypto/digest.h"

namespace mlops::cli {

struct OlderFile {
  crypto::Digest digest;
  std::uint64_t size_bytes = 0;
};

class OlderVersions {
 public:
  // `most`: so many versions are looked at, the newest ones.
  OlderVersions(Session& session, std::string kind, std::string name, int most)
      : session_(session), kind_(std::move(kind)), name_(std::move(name)), most_(most) {}
  // The version of this digest is not looked at.
  void leave_out(std::string digest) { left_out_ = std::move(digest); }

  // The newest file of that path and size.
  std::optional<OlderFile> find(const std::string& path, std::uint64_t size_bytes);
  // The newest one of that path.
  std::optional<OlderFile> find(const std::string& path);

 private:
  void load();
  void load_files(const std::string& ref);

  Session& session_;
  const std::string kind_;
  const std::string name_;
  std::string left_out_;
  const int most_;
  bool is_loaded_ = false;
  std::map<std::pair<std::string, std::uint64_t>, OlderFile> by_size_;
  std::map<std::string, OlderFile> newest_;
};

}  // namespace mlops::cli
