// What earlier versions of an artifact had under a path: a guess at what a file on this machine holds, or will mostly
// hold. Asked of the server once, when the first guess is wanted; what cannot be had is no guess.
//
// Thread-safety: main thread.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cli/session.h"
#include "core/crypto/digest.h"
#include "storage/cas/recipe.h"

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
  // Asks for the chunks of the newest file of that path; {} when there is none of `least_bytes`. What it gives may be
  // called in another thread, one at a time: it has a connection of its own. No chunks: they cannot be had, or are not
  // cut by the rule.
  std::function<std::vector<cas::RecipeEntry>()> chunks_later(const std::string& path, std::uint64_t least_bytes);

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
  std::shared_ptr<ApiClient> recipes_;  // the connection of chunks_later()
};

}  // namespace mlops::cli
