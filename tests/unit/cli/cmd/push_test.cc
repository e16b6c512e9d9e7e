// Pushes into a real store: every digest is that of the content, only what is missing travels, and a push goes on where
// it stopped.
#include <unistd.h>

#include <filesystem>
#include <map>

#include "cli/cmd/blob_push.h"
#include "core/crypto/digest.h"
#include "tests/unit/catch.h"
#include "tests/unit/cli/cmd/fake_session.h"

using namespace mlops;
using namespace mlops::cli;

namespace {

constexpr std::size_t kMiB = 1u << 20;

PushInput input_in_memory(const std::string& name, std::string bytes) {
  const auto size_bytes = bytes.size();
  return {name, {}, std::make_shared<const std::string>(std::move(bytes)), size_bytes};
}

PushInput input_on_disk(const TemporaryDirectory& directory, const std::string& name, std::string_view bytes) {
  return {name, directory.write(name, bytes), nullptr, bytes.size()};
}

// The digests that came back are those of the contents, and the store gives them out again.
void check_pushed(FakeSession& session, const Result<PushResult>& pushed, const std::vector<std::string>& contents) {
  REQUIRE(pushed);
  REQUIRE(pushed->digests.size() == contents.size());
  for (std::size_t i = 0; i < contents.size(); ++i) {
    INFO("file " << i);
    CHECK(pushed->digests[i] == crypto::sha256(contents[i]));
    CHECK((session.fake.store().read(pushed->digests[i]) == contents[i]));
  }
}

std::vector<PushInput> inputs_of(const std::vector<std::string>& contents) {
  std::vector<PushInput> inputs;
  for (const auto& content : contents) inputs.push_back(input_in_memory("f" + std::to_string(inputs.size()), content));
  return inputs;
}

}  // namespace

TEST_CASE("nothing to push is no question and no stream") {
  FakeSession session;
  const auto pushed = push_files(session, {});
  REQUIRE(pushed);
  CHECK(pushed->digests.empty());
  CHECK(session.fake.store().counts().questions == 0);
  CHECK(session.fake.store().counts().pushes == 0);
}

TEST_CASE("files of every size arrive in one stream, whether from disk or from memory") {
  TemporaryDirectory dir;
  const std::vector<std::string> contents = {"",
                                             "x",
                                             random_bytes(1, 5000),
                                             random_bytes(2, kMiB),
                                             random_bytes(3, kMiB + 1),
                                             std::string(3 * kMiB, 'a'),
                                             random_bytes(4, 4 * kMiB + 1),
                                             "",
                                             random_bytes(5, 9 * kMiB + 4321),
                                             "last"};
  std::vector<PushInput> inputs;
  for (std::size_t i = 0; i < contents.size(); ++i) {
    const auto name = "f" + std::to_string(i);
    inputs.push_back(i % 3 == 0 ? input_in_memory(name, contents[i]) : input_on_disk(dir, name, contents[i]));
  }
  FakeSession session;
  const auto pushed = push_files(session, inputs);
  check_pushed(session, pushed, contents);
  CHECK(session.fake.store().counts().pushes == 1);
  CHECK(pushed->sent_files == 9);  // the empty file once
  CHECK(pushed->sent_bytes == session.fake.store().counts().pushed_bytes);
  CHECK(pushed->sent_bytes < 17 * kMiB);  // the same letters over and over take no room
  CHECK(pushed->stored_bytes > 14 * kMiB);
}

TEST_CASE("equal files and equal chunks are sent once") {
  const auto small = random_bytes(1, 10'000);
  const auto large = random_bytes(2, 2 * kMiB);
  const std::vector<std::string> contents = {small, small, large, large, large + small, small};
  FakeSession session;
  const auto pushed = push_files(session, inputs_of(contents));
  check_pushed(session, pushed, contents);
  CHECK(pushed->sent_bytes < small.size() + large.size() + 300'000);
  CHECK(pushed->known_bytes > small.size() * 2 + large.size() * 2 - 300'000);
}

TEST_CASE("what the server has is not sent again") {
  const std::vector<std::string> contents = {random_bytes(1, 100), random_bytes(2, kMiB / 2), random_bytes(3, 9 * kMiB),
                                             random_bytes(4, 2 * kMiB)};
  const auto inputs = inputs_of(contents);
  FakeSession session;
  REQUIRE(push_files(session, inputs));
  const auto before = session.fake.store().counts();
  const auto again = push_files(session, inputs);
  check_pushed(session, again, contents);
  const auto after = session.fake.store().counts();
  CHECK(after.pushed_chunks == before.pushed_chunks);
  CHECK(after.pushed_bytes - before.pushed_bytes < 10'000);  // names of nodes and chunks
  CHECK(after.questions - before.questions < 200);
  CHECK(again->sent_files == 0);
  CHECK(again->stored_bytes < 1000);
}

TEST_CASE("an edit in the middle sends the chunks around it only") {
  auto content = random_bytes(1, 9 * kMiB);
  FakeSession session;
  REQUIRE(push_files(session, inputs_of({content})));
  const auto before = session.fake.store().counts();
  content.insert(4 * kMiB + 99, "some words that were not there");
  const auto pushed = push_files(session, inputs_of({content}));
  check_pushed(session, pushed, {content});
  CHECK(pushed->sent_files == 1);
  CHECK(pushed->sent_bytes < 4 * 256 * 1024);
  CHECK(pushed->known_bytes > 8 * kMiB);
  CHECK(session.fake.store().counts().pushed_chunks - before.pushed_chunks <= 4);
}

TEST_CASE("a short file is not sent when it is a chunk that has just gone with a long one") {
  const auto chunk_of_all = std::string(256u << 10, 'a');  // a run of one letter is cut at the largest size
  const std::vector<std::string> contents = {std::string(2 * kMiB, 'a'), chunk_of_all};
  FakeSession session;
  check_pushed(session, push_files(session, inputs_of(contents)), contents);
  CHECK(session.fake.store().counts().pushed_chunks == 1);
}

TEST_CASE("ever so many tiny files pass through the few buffers") {
  std::vector<std::string> contents;
  for (int i = 0; i < 6000; ++i) contents.push_back("file " + std::to_string(i));
  const auto inputs = inputs_of(contents);
  FakeSession session;
  check_pushed(session, push_files(session, inputs), contents);

  // A change here and there: little to send of each buffer.
  for (std::size_t i = 0; i < contents.size(); i += 500) contents[i] += " changed";
  const auto pushed = push_files(session, inputs_of(contents));
  check_pushed(session, pushed, contents);
  CHECK(pushed->sent_files == 12);
}

TEST_CASE("long files between tiny ones pass through the few buffers") {
  std::vector<std::string> contents;
  for (std::uint64_t i = 0; i < 12; ++i) {
    contents.push_back(random_bytes(i, kMiB / 8) + std::string(kMiB, 'z'));
    contents.push_back("{\"shard\": " + std::to_string(i) + "}");
  }
  FakeSession session;
  check_pushed(session, push_files(session, inputs_of(contents)), contents);
}

TEST_CASE("a file that has not the size it was listed with is one that changed") {
  TemporaryDirectory dir;
  FakeSession session;
  const auto content = random_bytes(1, 9 * kMiB);
  for (const std::size_t listed : {std::size_t{3}, content.size() - 1, content.size() + 1}) {
    auto input = input_on_disk(dir, "f", content);
    input.size_bytes = listed;
    const auto pushed = push_files(session, {input_in_memory("before", "x"), input});
    REQUIRE_FALSE(pushed);
    CHECK(pushed.error().slug == "file_changed");
    CHECK(pushed.error().message.find("f changed") != std::string::npos);
  }
}

TEST_CASE("a file that shrinks while it is read is one that changed") {
  TemporaryDirectory dir;
  FakeSession session;
  const auto content = random_bytes(1, 48 * kMiB / 10);
  // The source has at most kUnits of its buffers alive, so a longer file is cut off while some of it is unread.
  std::string all;
  while (all.size() <= (PushSource::kUnits + 1) * PushSource::kUnitBytes) all += content;
  ThreadPool workers(2, 64);
  const std::vector<PushInput> inputs{input_on_disk(dir, "f", all)};
  PushSource source(inputs, workers);
  REQUIRE(source.next());
  REQUIRE(::truncate(inputs[0].source.c_str(), static_cast<off_t>(all.size() - 1)) == 0);
  while (true) {
    const auto unit = source.next();
    if (unit && *unit) continue;
    REQUIRE_FALSE(unit);
    CHECK(unit.error().slug == "file_changed");
    break;
  }
}

TEST_CASE("a push that is broken off goes on and does not send again what arrived") {
  const std::vector<std::string> contents = {random_bytes(1, 1000), random_bytes(2, 9 * kMiB), random_bytes(3, 500)};
  FakeSession session;
  session.fake.store().broken_push = {1, 6 * kMiB};
  const auto pushed = push_files(session, inputs_of(contents));
  check_pushed(session, pushed, contents);
  const auto counts = session.fake.store().counts();
  CHECK(counts.pushes == 2);
  CHECK(pushed->sent_bytes < 4 * kMiB);
  CHECK(counts.pushed_bytes < 10 * kMiB);
  CHECK(session.err.find("going on where it stopped") != std::string::npos);
}

TEST_CASE("what the server said it has and lost is asked for again") {
  const std::vector<std::string> contents = {random_bytes(1, 2 * kMiB), "small"};
  FakeSession session;
  session.fake.store().claims_all_once = true;
  const auto pushed = push_files(session, inputs_of(contents));
  check_pushed(session, pushed, contents);
  CHECK(session.fake.store().counts().pushes == 2);
}

TEST_CASE("a dry run tells what would be sent and sends nothing") {
  TemporaryDirectory dir;
  FakeSession session;
  session.fake.store().put("known");
  const std::vector<PushInput> inputs = {input_on_disk(dir, "a", "known"), input_on_disk(dir, "b", "new"),
                                         input_on_disk(dir, "c", "new"), input_on_disk(dir, "d", "other")};
  const auto would = would_push(session, inputs);
  REQUIRE(would);
  CHECK(would->sent_files == 2);
  CHECK(would->sent_bytes == 8);
  CHECK(would->digests[3] == crypto::sha256("other"));
  CHECK(session.fake.store().counts().pushes == 0);
  CHECK(*missing_files(session, inputs, would->digests) == std::vector<std::size_t>{1, 2, 3});
}

namespace {

// A session whose server knows one earlier version, of one file.
struct WithOlder {
  explicit WithOlder(const std::string& old) {
    const Json version = {{"ref", "m@v1"}, {"kind", "model"}, {"digest", crypto::sha256("v1").to_string()}};
    const Json file = {
        {"path", "weights"}, {"digest", session.fake.store().put(old).to_string()}, {"size_bytes", old.size()}};
    session.fake.answer("GET /api/v1/versions?kind=model&name=m", Json{{"items", Json::array({version})}});
    session.fake.answer("GET /api/v1/versions/model%3Am%40v1/files", Json{{"items", Json::array({file})}});
  }
  Result<PushResult> push(const std::vector<PushInput>& inputs) {
    OlderVersions older(session, "model", "m", 1);
    return push_files(session, inputs, {&older, 4 * kMiB});
  }

  FakeSession session;
  TemporaryDirectory dir;
};

}  // namespace

TEST_CASE("a push of a new version asks for the older one's chunks and sends what differs") {
  const auto old = random_bytes(1, 9 * kMiB);
  WithOlder with(old);
  auto changed = old;
  changed.insert(3 * kMiB, "some words that were not there");
  const auto other = random_bytes(2, 5 * kMiB);
  const auto pushed = with.push({input_on_disk(with.dir, "weights", changed), input_on_disk(with.dir, "other", other)});
  check_pushed(with.session, pushed, {changed, other});
  CHECK(with.session.fake.store().counts().recipes > 0);
  CHECK(pushed->known_bytes > 8 * kMiB);
  CHECK(pushed->sent_bytes < 5 * kMiB + 4 * 256 * 1024);
}

TEST_CASE("an older version that was not cut by the rule, or has nothing in common, changes nothing but the way") {
  const auto old = random_bytes(1, 5 * kMiB);
  WithOlder with(old);
  SECTION("not cut by the rule") {
    with.session.fake.store().tiny_chunks_of = crypto::sha256(old);
    check_pushed(with.session, with.push({input_on_disk(with.dir, "weights", old + "more")}), {old + "more"});
  }
  SECTION("nothing in common, after a while") {
    const auto content = old + random_bytes(2, 24 * kMiB);
    check_pushed(with.session, with.push({input_on_disk(with.dir, "weights", content)}), {content});
  }
}

TEST_CASE("a server that tells nothing of older versions is pushed to without") {
  FakeSession session;
  TemporaryDirectory dir;
  const auto content = random_bytes(1, 5 * kMiB);
  OlderVersions older(session, "model", "m", 1);
  const auto pushed = push_files(session, {input_on_disk(dir, "weights", content)}, {&older, 4 * kMiB});
  REQUIRE(pushed);
  CHECK(pushed->digests[0] == crypto::sha256(content));
  CHECK(session.fake.store().counts().recipes == 0);
}
