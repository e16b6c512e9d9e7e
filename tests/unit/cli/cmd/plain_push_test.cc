// Long new files to a server on this machine: as they are, and what happens when that goes wrong.
#include "cli/cmd/plain_push.h"

#include <fstream>
#include <utility>

#include "cli/cmd/blob_push.h"
#include "core/crypto/machine.h"
#include "tests/unit/catch.h"
#include "tests/unit/cli/cmd/fake_session.h"

using namespace mlops;
using namespace mlops::cli;

namespace {

constexpr std::size_t kMiB = 1u << 20;

struct Box {
  Box() {
    session.fake.url = "http://127.0.0.1:8451";
    session.fake.answer("GET /api/v1/whoami", Json{{"machine", crypto::machine_word()}});
  }
  PushInput input(const std::string& name, std::string_view bytes) {
    return {name, directory.write(name, bytes), nullptr, bytes.size()};
  }
  FakeStore& store() { return session.fake.store(); }

  TemporaryDirectory directory;
  FakeSession session;
};

}  // namespace

TEST_CASE("a long new file goes to a server on this machine as it is, a short one in chunks") {
  Box box;
  const auto content = random_bytes(1, 17 * kMiB + 123);
  const auto pushed =
      push_files(box.session, {box.input("s", "short"), box.input("a", content), box.input("t", "last")});
  REQUIRE(pushed);
  CHECK(pushed->digests[0] == crypto::sha256("short"));
  CHECK(pushed->digests[1] == crypto::sha256(content));
  CHECK(pushed->digests[2] == crypto::sha256("last"));
  CHECK((box.store().read(pushed->digests[1]) == content));
  CHECK(box.store().counts().uploads == 1);
  CHECK(box.store().counts().pushes == 1);
  CHECK(pushed->sent_files == 3);
  CHECK(pushed->sent_bytes >= content.size());
  CHECK(pushed->stored_bytes >= content.size());
  CHECK(pushed->known_bytes == 0);
}

TEST_CASE("a file that the server has in part goes in chunks, wherever the known part is") {
  Box box;
  const auto old = random_bytes(2, 16 * kMiB);
  box.store().put(old);
  for (const auto& content : {random_bytes(3, 3 * kMiB) + old, old + random_bytes(4, 20 * kMiB)}) {
    REQUIRE(push_files(box.session, {box.input("b" + std::to_string(content.size()), content)}));
    CHECK((box.store().read(crypto::sha256(content)) == content));
  }
  CHECK(box.store().counts().uploads == 0);
  CHECK(box.store().counts().pushed_bytes < 24 * kMiB);
}

TEST_CASE("to a server elsewhere everything goes in chunks") {
  Box box;
  box.session.fake.url = "http://127.example.org";
  REQUIRE(push_files(box.session, {box.input("a", random_bytes(5, 17 * kMiB))}));
  CHECK(box.store().counts().uploads == 0);
}

TEST_CASE("behind a forwarded port there is another machine: everything goes in chunks") {
  REQUIRE(crypto::machine_word().size() == 32);
  const auto content = random_bytes(6, 17 * kMiB);
  for (const auto& machine : {std::string(), std::string(32, '0')}) {
    FakeSession session;
    session.fake.url = "http://127.0.0.1:8451";
    session.fake.answer("GET /api/v1/whoami", Json{{"machine", machine}});
    TemporaryDirectory directory;
    REQUIRE(push_files(session, {{"a", directory.write("a", content), nullptr, content.size()}}));
    CHECK(session.fake.store().counts().uploads == 0);
    CHECK((session.fake.store().read(crypto::sha256(content)) == content));
  }
}

TEST_CASE("a file that is written to while it is sent is told, and is not pushed") {
  Box box;
  const auto input = box.input("a", random_bytes(9, 17 * kMiB));
  PlainRoute route(box.session);
  REQUIRE(route.takes(input));
  bool is_touched = false;
  const auto pushed = route.push(input, [&](std::uint64_t sent_bytes) {
    if (sent_bytes == 0 || std::exchange(is_touched, true)) return;
    std::fstream file(input.source, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(1000);
    file << "other";
  });
  REQUIRE_FALSE(pushed);
  CHECK(pushed.error().slug == "file_changed");
}

TEST_CASE("a plain push that breaks off goes on in chunks with what has arrived") {
  Box box;
  box.store().broken_upload = {1, 12 * kMiB};
  const auto content = random_bytes(7, 18 * kMiB);
  const auto pushed = push_files(box.session, {box.input("a", content)});
  REQUIRE(pushed);
  CHECK((box.store().read(crypto::sha256(content)) == content));
  CHECK(box.store().counts().uploads == 1);
  CHECK(pushed->known_bytes > 10 * kMiB);
  CHECK(pushed->sent_bytes < 8 * kMiB);
}

TEST_CASE("a file that is shorter than it was is told") {
  Box box;
  auto input = box.input("a", random_bytes(8, 17 * kMiB));
  input.size_bytes += 1;
  const auto pushed = push_files(box.session, {input});
  REQUIRE_FALSE(pushed);
  CHECK(pushed.error().slug == "file_changed");
}
