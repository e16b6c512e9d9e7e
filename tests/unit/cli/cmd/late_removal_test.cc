// What is held can lose its name like any file, and nothing of it stays open here.
#include "cli/cmd/late_removal.h"

#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "core/base/env.h"
#include "tests/unit/catch.h"
#include "tests/unit/cli/cmd/fake_session.h"

using namespace mlops;
using namespace mlops::cli;
namespace fs = std::filesystem;

namespace {

bool is_open_here(const std::string& name) {
  for (const auto& entry : fs::directory_iterator("/proc/self/fd")) {
    std::error_code ignored;
    if (fs::read_symlink(entry.path(), ignored).string().find(name) != std::string::npos) return true;
  }
  return false;
}

}  // namespace

TEST_CASE("a large file that is held is replaced as ever, and not open any more afterwards") {
  TemporaryDirectory dir;
  const auto large = dir.write("large", "");
  fs::resize_file(large, 65u << 20);  // a hole: no disk
  {
    LateRemoval removal;
    removal.hold(large);
    CHECK(is_open_here("/large"));
    REQUIRE(posix_env().rename_replace(dir.write("new", "new"), large));
  }
  CHECK_FALSE(is_open_here("/large"));
  CHECK(*read_file(large) == "new");
}

TEST_CASE("what is short, absent, a link or a pipe is not held, and nothing waits for it") {
  TemporaryDirectory dir;
  fs::create_symlink("large", dir.path("link"));
  REQUIRE(::mkfifo(dir.path("pipe").c_str(), 0600) == 0);
  dir.write("short", "x");
  LateRemoval removal;
  for (const auto* name : {"short", "absent", "link", "pipe"}) {
    removal.hold(dir.path(name));
    CHECK_FALSE(is_open_here(std::string("/") + name));
  }
}
