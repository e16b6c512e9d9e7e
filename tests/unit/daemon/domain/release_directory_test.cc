// One visible name under every fault: whatever step fails, and wherever a crash comes, it shows a whole release.
#include "daemon/domain/release_directory.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "tests/unit/catch.h"
#include "tests/unit/storage/sql/temp_dir.h"

using namespace mlops;
using namespace mlops::domain;
using model::DeliverySwitch;
namespace fs = std::filesystem;

namespace {

const std::string kFirst = "019384a2-7b1c-7e02-8000-000000000001";
const std::string kSecond = "019384a2-7b1c-7e02-8000-000000000002";

class Bytes : public blob::BlobReader {
 public:
  explicit Bytes(std::string text) : text_(std::move(text)) {}
  std::uint64_t size_bytes() const override { return text_.size(); }
  Result<std::size_t> read_at(std::uint64_t offset, std::span<std::uint8_t> into) const override {
    const auto count = std::min<std::size_t>(into.size(), text_.size() - offset);
    std::copy_n(text_.begin() + static_cast<std::ptrdiff_t>(offset), count, into.begin());
    return count;
  }

 private:
  std::string text_;
};

struct Fixture {
  test::TempDir dir;
  std::map<std::string, std::string> blobs;  // digest → bytes
  ReleaseDirectoryOptions options;

  explicit Fixture(DeliverySwitch how) {
    options.root_dir = dir / "root";
    options.root_name = "models";
    options.path = "prod/a";
    options.name = "ns.m";
    options.how = how;
    fs::create_directory(options.root_dir);
  }

  fs::path visible() const { return fs::path(options.root_dir) / "prod/a/ns.m"; }
  fs::path releases() const { return fs::path(options.root_dir) / ".mlops-releases/prod/a/ns.m"; }

  Placement placement(const std::string& id, const std::string& content) {
    DeliveredRelease release;
    release.deployment.id = id;
    release.deployment.name = "ns/m";
    DeliveredMember member;
    member.version.name = "ns/m";
    for (const auto* path : {"a.bin", "d/b.bin", "d/e/c.bin"}) {
      const auto bytes = content + path;
      const auto digest = crypto::sha256(bytes);
      blobs[digest.to_string()] = bytes;
      member.files.push_back({path, digest, bytes.size()});
    }
    release.members.push_back(std::move(member));
    return place_release(release, model::DeliveryLayout::kPlain).value();
  }

  Status deliver(const Placement& placement) {
    auto opened = ReleaseDirectory::open(options);
    if (!opened) return fail(opened.error());
    return opened->deliver(placement, [&](const crypto::Digest& digest) -> Result<std::unique_ptr<blob::BlobReader>> {
      return std::unique_ptr<blob::BlobReader>(std::make_unique<Bytes>(blobs.at(digest.to_string())));
    });
  }

  Comparison compare(const Placement& placement) {
    return ReleaseDirectory::open(options)->compare(placement, [](std::size_t) { return true; }).value();
  }
  bool shows(const Placement& placement) { return ReleaseDirectory::open(options)->shows(placement).value(); }
  bool is_whole(const Placement& placement) { return shows(placement) && compare(placement).differences == 0; }

  std::size_t entries() const {
    return static_cast<std::size_t>(std::distance(fs::directory_iterator(releases()), fs::directory_iterator()));
  }
};

// From the n-th step on nothing works any more, as after a crash.
StepHook crash_at(int& left) {
  return [&left](std::string_view, const std::string&) -> Status {
    if (left-- > 0) return {};
    return fail(ErrorCode::kUnavailable, "io_error", "made to fail");
  };
}

}  // namespace

TEST_CASE("a release is laid down, readable for others, and replaced as a whole") {
  const auto how = GENERATE(DeliverySwitch::kSymlink, DeliverySwitch::kExchange);
  Fixture f(how);
  const auto mask = ::umask(077);
  const auto first = f.placement(kFirst, "one");
  const auto second = f.placement(kSecond, "two");
  REQUIRE(f.deliver(first));
  ::umask(mask);
  CHECK(f.is_whole(first));
  CHECK(fs::is_symlink(f.visible()) == (how == DeliverySwitch::kSymlink));
  const auto mode = [](const fs::path& path) { return static_cast<unsigned>(fs::status(path).permissions()); };
  CHECK(mode(f.visible() / "d/b.bin") == 0644);
  CHECK(mode(f.visible() / "d/e") == 0755);
  REQUIRE(f.deliver(second));
  CHECK(f.is_whole(second));
  CHECK(fs::exists(f.releases() / kFirst / "d/e/c.bin"));  // whole, for who still reads it
}

TEST_CASE("wherever a crash comes, the name shows the old release or the new one, and the next try ends well") {
  const auto how = GENERATE(DeliverySwitch::kSymlink, DeliverySwitch::kExchange);
  int step = 0;
  for (bool finished = false; !finished; ++step) {
    Fixture f(how);
    const auto first = f.placement(kFirst, "one");
    const auto second = f.placement(kSecond, "two");
    REQUIRE(f.deliver(first));
    int left = step;
    f.options.hook = crash_at(left);
    (void)f.deliver(second);
    finished = left >= 0;
    f.options.hook = {};
    INFO("step " << step);
    CHECK((f.is_whole(first) || f.is_whole(second)));
    REQUIRE(f.deliver(second));
    CHECK(f.is_whole(second));
    for (const auto& entry : fs::directory_iterator(f.releases())) {
      CHECK_FALSE(entry.path().filename().string().starts_with(".mlops-"));
    }
  }
  CHECK(step > 15);
}

TEST_CASE("the way of switching may change under a release") {
  Fixture f(DeliverySwitch::kSymlink);
  const auto first = f.placement(kFirst, "one");
  REQUIRE(f.deliver(first));
  f.options.how = DeliverySwitch::kExchange;
  CHECK_FALSE(f.shows(first));
  const auto second = f.placement(kSecond, "two");
  REQUIRE(f.deliver(second));
  CHECK_FALSE(fs::is_symlink(f.visible()));
  CHECK(f.is_whole(second));
  f.options.how = DeliverySwitch::kSymlink;
  REQUIRE(f.deliver(first));
  CHECK(fs::is_symlink(f.visible()));
  CHECK(f.is_whole(first));
}

TEST_CASE("what was changed, added or taken away is found, and delivering again makes it whole") {
  Fixture f(GENERATE(DeliverySwitch::kSymlink, DeliverySwitch::kExchange));
  const auto release = f.placement(kFirst, "one");
  REQUIRE(f.deliver(release));
  SECTION("changed") {
    std::ofstream(f.visible() / "a.bin") << "other";
  }
  SECTION("added") {
    std::ofstream(f.visible() / "d/new") << "x";
  }
  SECTION("removed") {
    fs::remove(f.visible() / "d/b.bin");
  }
  SECTION("a link with the same bytes behind it") {
    fs::rename(f.visible() / "a.bin", f.dir / "elsewhere");
    fs::create_symlink(f.dir / "elsewhere", f.visible() / "a.bin");
  }
  CHECK(f.compare(release).differences == 1);
  REQUIRE(f.deliver(release));
  CHECK(f.is_whole(release));
}

TEST_CASE("what is not ours is neither replaced nor removed") {
  Fixture f(GENERATE(DeliverySwitch::kSymlink, DeliverySwitch::kExchange));
  fs::create_directories(f.visible().parent_path());
  SECTION("a directory") {
    fs::create_directory(f.visible());
    std::ofstream(f.visible() / "precious") << "x";
  }
  SECTION("a file") {
    std::ofstream(f.visible()) << "x";
  }
  SECTION("a link elsewhere") {
    fs::create_symlink(f.dir / "elsewhere", f.visible());
  }
  const auto refused = f.deliver(f.placement(kFirst, "one"));
  REQUIRE_FALSE(refused);
  CHECK(refused.error().slug == "name_taken");
  CHECK(f.entries() == 0);
}

TEST_CASE("replaced releases go when newer ones have replaced them and the grace is over") {
  Fixture f(GENERATE(DeliverySwitch::kSymlink, DeliverySwitch::kExchange));
  const std::size_t visible_one = f.options.how == DeliverySwitch::kSymlink ? 1 : 0;
  f.options.keep = 2;
  f.options.grace_us = 3600'000'000;
  const auto id = [](int n) { return fmt::format("019384a2-7b1c-7e02-8000-{:012}", n); };
  for (int n = 1; n <= 6; ++n) REQUIRE(f.deliver(f.placement(id(n), std::to_string(n))));
  CHECK(f.entries() == 5 + visible_one);
  f.options.grace_us = -1;
  const auto last = f.placement(id(7), "7");
  REQUIRE(f.deliver(last));
  CHECK(f.entries() == 2 + visible_one);
  CHECK(fs::exists(f.releases() / id(6)));
  CHECK(f.is_whole(last));
}

TEST_CASE("bytes that are damaged in the store are not delivered") {
  Fixture f(DeliverySwitch::kSymlink);
  const auto first = f.placement(kFirst, "one");
  REQUIRE(f.deliver(first));
  const auto second = f.placement(kSecond, "two");
  for (auto& [digest, bytes] : f.blobs) bytes += "rot";
  const auto refused = f.deliver(second);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().slug == "blob_damaged");
  CHECK(f.shows(first));
}

TEST_CASE("a missing root is told and not made") {
  Fixture f(DeliverySwitch::kSymlink);
  fs::remove(f.options.root_dir);
  const auto refused = f.deliver(f.placement(kFirst, "one"));
  REQUIRE_FALSE(refused);
  CHECK(refused.error().slug == "root_missing");
  CHECK_FALSE(fs::exists(f.options.root_dir));
}
