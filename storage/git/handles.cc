#include "storage/git/handles.h"

#include <fmt/format.h>

#include <array>

#include "core/base/text.h"

namespace mlops::git {
namespace {

constexpr std::size_t kReasonBytes = 300;

}  // namespace

void init_library() {
  static const bool initialised = git_libgit2_init() > 0 && git_libgit2_opts(GIT_OPT_ENABLE_FSYNC_GITDIR, 1) == 0;
  static_cast<void>(initialised);
}

std::string hex_of(const git_oid& id) {
  std::array<char, GIT_OID_HEXSZ + 1> hex{};
  git_oid_tostr(hex.data(), hex.size(), &id);
  return hex.data();
}

bool parse_id(std::string_view hex, git_oid& id) {
  return hex.size() == GIT_OID_HEXSZ && git_oid_fromstrn(&id, hex.data(), hex.size()) == 0;
}

std::string last_reason() {
  const git_error* const last = git_error_last();
  if (!last || !last->message || *last->message == '\0') return "unknown reason";
  return printable(std::string_view(last->message).substr(0, kReasonBytes));
}

Failure fail_last(std::string_view doing, std::string_view where) {
  return fail(ErrorCode::kUnavailable, "git_error", fmt::format("cannot {} of {}: {}", doing, where, last_reason()));
}

}  // namespace mlops::git
