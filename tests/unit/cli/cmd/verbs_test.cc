// Small verbs against scripted answers: what they ask, what they refuse, how they exit.
#include <sys/stat.h>

#include <filesystem>
#include <set>

#include "cli/cmd/query.h"
#include "cli/cmd/ran_text.h"
#include "cli/cmd/rows.h"
#include "cli/cmd/version_text.h"
#include "cli/commands.h"
#include "core/base/env.h"
#include "core/crypto/key_file.h"
#include "tests/unit/catch.h"
#include "tests/unit/cli/cmd/fake_session.h"

using namespace mlops;
using namespace mlops::cli;

TEST_CASE("every row is listed once, has help with an example, and its options have help") {
  std::set<std::string_view> paths;
  for (const auto* row : all_commands()) {
    INFO(row->path);
    CHECK(paths.insert(row->path).second);
    CHECK(row->description.find("mlopsctl " + std::string(row->path)) != std::string_view::npos);
    CHECK(row->run != nullptr);
    CHECK_FALSE(row->summary.ends_with('.'));
    for (const auto& option : row->options) CHECK_FALSE(option.help.empty());
    for (const auto& operand : row->operands) CHECK_FALSE(operand.help.empty());
  }
  CHECK(paths.size() == 130);
}

TEST_CASE("a query encodes values and leaves out empty ones") {
  Query query("/x");
  query.add("a", "").add("b", "k=v w").add("c", "1");
  CHECK(query.text() == "/x?b=k%3Dv%20w&c=1");
  CHECK(item_path("versions", "a/b@v1", "/files") == "/api/v1/versions/a%2Fb%40v1/files");
}

TEST_CASE("lists are followed page by page up to the limit, and a repeated cursor ends them") {
  FakeApi api;
  api.answer("GET /l", Json{{"items", {1, 2}}, {"next", "c"}});
  api.answer("GET /l?limit=1000&after=c", Json{{"items", {3}}, {"next", "c"}});
  CHECK(*fetch_list(api, Query("/l"), kNoLimit) == Json({1, 2, 3}));
  CHECK(api.calls[0].path == "/l");  // short lists take no limit
  CHECK(*fetch_tail(api, Query("/l"), 2) == Json({2, 3}));
  FakeApi short_list;
  short_list.answer("GET /l?limit=2", Json{{"items", {1, 2}}, {"next", "c"}});
  CHECK(*fetch_list(short_list, Query("/l"), 2) == Json({1, 2}));
  CHECK(short_list.calls.size() == 1);
}

TEST_CASE("label sets and removes") {
  FakeSession session({"m@v1", "team=cardio", "ticket-", "empty="});
  session.fake.answer("POST /api/v1/versions/m%40v1/labels", Json{{"ref", "m@v1"}, {"labels", Json::object()}});
  REQUIRE(kLabelCommand.run(session) == kExitDone);
  CHECK(session.fake.calls[0].body == Json{{"set", {{"team", "cardio"}, {"empty", ""}}}, {"remove", {"ticket"}}});
  FakeSession wrong({"m@v1", "word"});
  CHECK(kLabelCommand.run(wrong) == kExitUsage);
}

TEST_CASE("alias sets by PUT and removes by DELETE, dry when asked") {
  FakeSession set({"m@v3", "champion"});
  set.fake.answer("PUT /api/v1/aliases", Json{{"alias", "champion"}, {"ref", "m@v3"}, {"previous", "m@v2"}});
  REQUIRE(kAliasCommand.run(set) == kExitDone);
  CHECK(set.out == "✔ champion → m@v3 (was m@v2)\n");
  FakeSession remove({"m", "champion"});
  remove.options = {{"--remove", {"true"}}, {"--dry-run", {"true"}}};
  remove.fake.answer("DELETE /api/v1/aliases", Json{{"alias", "champion"}, {"ref", nullptr}, {"previous", "m@v3"}});
  REQUIRE(kAliasCommand.run(remove) == kExitDone);
  CHECK(remove.fake.calls[0].body == Json{{"name", "m"}, {"alias", "champion"}, {"dry_run", true}});
  CHECK(remove.out.find("nothing was changed") != std::string::npos);
}

TEST_CASE("delete asks for the name again") {
  FakeSession session({"m@v1"});
  session.options = {{"--reason", {"r"}}};
  CHECK(kDeleteCommand.run(session) == kExitUsage);
  CHECK(session.failed.hint.find("--confirm=m@v1") != std::string::npos);
  CHECK(session.fake.calls.empty());
  session.options["--confirm"] = {"m@v1"};
  session.fake.answer("DELETE", Json{{"ref", "m@v1"}});
  CHECK(kDeleteCommand.run(session) == kExitDone);
}

TEST_CASE("diff exits 3 when the versions differ") {
  FakeSession same({"a@v1", "b@v1"});
  same.fake.answer("GET /api/v1/diff?a=a%40v1&b=b%40v1", Json{{"a", "a@v1"}, {"b", "b@v1"}, {"same", true}});
  CHECK(kDiffCommand.run(same) == kExitDone);
  FakeSession other({"a@v1", "b@v1"});
  other.fake.answer("GET", Json{{"a", "a@v1"},
                                {"b", "b@v1"},
                                {"same", false},
                                {"files", {{"added", {{{"path", "n"}, {"size_bytes", 1}}}}, {"unchanged", 2}}},
                                {"metadata", {{{"field", "metrics.auc"}, {"a", 0.8}, {"b", nullptr}}}}});
  CHECK(kDiffCommand.run(other) == kExitRefused);
  CHECK(other.out.find("+ n  1 B") != std::string::npos);
  CHECK(other.out.find("metrics.auc  0.8  none") != std::string::npos);
}

TEST_CASE("a broken audit log is named and exits 8") {
  FakeSession session;
  session.fake.answer("GET /api/v1/audit/verify", fail(ErrorCode::kCorrupt, "audit_broken", "the audit log is broken",
                                                       "", R"({"problem":"hash differs","seq":7})"));
  CHECK(kAuditVerifyCommand.run(session) == kExitIntegrity);
  CHECK(session.out == "✘ entry 7: hash differs\n");
}

TEST_CASE("can-i answers by its exit code") {
  FakeSession session({"release:promote"});
  session.fake.answer("GET /api/v1/can-i?action=release%3Apromote",
                      Json{{"allowed", false}, {"why", "no role grants it"}});
  CHECK(kCanICommand.run(session) == kExitRefused);
}

TEST_CASE("a token's secret goes to stdout alone, or to a new private file") {
  const Json token = {{"id", "t1"}, {"name", "bob-approver"}, {"principal", "bob"}, {"secret", "mlo_secret"}};
  FakeSession shown({"bob"});
  shown.options = {{"--role", {"approver"}}, {"--expires", {"2d"}}};
  shown.fake.answer("POST /api/v1/tokens", token);
  REQUIRE(kTokenCreateCommand.run(shown) == kExitDone);
  CHECK(shown.out == "mlo_secret\n");
  CHECK(shown.fake.calls[0].body["expires_in_s"] == 172800);
  CHECK(shown.fake.calls[0].body["human"] == true);

  TemporaryDirectory dir;
  const auto path = dir.path("token");
  FakeSession kept({"bob"});
  kept.options = {{"--role", {"approver"}}, {"--out", {path}}};
  kept.fake.answer("POST /api/v1/tokens", token);
  REQUIRE(kTokenCreateCommand.run(kept) == kExitDone);
  CHECK((kept.out + kept.err).find("mlo_secret") == std::string::npos);
  CHECK(*read_file(path) == "mlo_secret\n");
  struct stat status {};
  REQUIRE(::stat(path.c_str(), &status) == 0);
  CHECK((status.st_mode & 07777) == 0600);
  CHECK(kTokenCreateCommand.run(kept) == kExitConflict);  // never over an existing file
}

TEST_CASE("a refused token leaves no file") {
  TemporaryDirectory dir;
  FakeSession session({"bob"});
  session.options = {{"--role", {"approver"}}, {"--out", {dir.path("token")}}};
  session.fake.answer("POST /api/v1/tokens", fail(ErrorCode::kDenied, "denied", "no"));
  CHECK(kTokenCreateCommand.run(session) == kExitAuthentication);
  CHECK_FALSE(std::filesystem::exists(dir.path("token")));
}

TEST_CASE("key files must be private, long and random; names have keys of their own") {
  TemporaryDirectory dir;
  const auto path = dir.path("key");
  REQUIRE(crypto::generate_key_file(path));
  const auto key = crypto::read_key_file(path);
  REQUIRE(key);
  CHECK(key->view().size() == 32);
  CHECK(crypto::generate_key_file(path).error().code == ErrorCode::kAlreadyExists);
  const auto a = crypto::derive_key(*key, "a");
  const auto b = crypto::derive_key(*key, "b");
  CHECK_FALSE(std::equal(a.view().begin(), a.view().end(), b.view().begin()));

  REQUIRE(::chmod(path.c_str(), 0640) == 0);
  CHECK(crypto::read_key_file(path).error().slug == "key_file_exposed");
  const auto private_file = [&](const char* name, std::string_view content) {
    const auto written = dir.write(name, content);
    ::chmod(written.c_str(), 0600);
    return written;
  };
  CHECK(crypto::read_key_file(private_file("short", "0011")).error().slug == "key_too_short");
  CHECK(crypto::read_key_file(private_file("weak", std::string(64, 'a'))).error().slug == "key_weak");
  CHECK(crypto::read_key_file(dir.path("none")).error().code == ErrorCode::kNotFound);
}

TEST_CASE("ran lists the data behind a model, nearest first, and which of it was masked") {
  const Json lineage = {
      {"root", "m"},
      {"direction", "up"},
      {"nodes",
       {{{"id", "m"}, {"type", "model"}, {"label", "m@v1"}, {"ref", "m@v1"}},
        {{"id", "d"}, {"type", "dataset"}, {"label", "d@v1"}, {"ref", "d-deid@v1"}, {"sensitivity", "none"}},
        {{"id", "k"}, {"type", "masking"}, {"label", "run"}},
        {{"id", "r"}, {"type", "dataset"}, {"label", "r@v1"}, {"ref", "raw@v1"}, {"sensitivity", "personal"}}}},
      {"edges",
       {{{"from", "r"}, {"to", "k"}, {"role", "source"}},
        {{"from", "k"}, {"to", "d"}, {"role", "output"}},
        {{"from", "d"}, {"to", "m"}, {"role", "train"}}}}};
  CHECK(training_data_of(lineage) ==
        Json({{{"ref", "d-deid@v1"}, {"role", "train"}, {"sensitivity", "none"}, {"masked", true}},
              {{"ref", "raw@v1"}, {"role", "source"}, {"sensitivity", "personal"}, {"masked", false}}}));
}

TEST_CASE("ran joins status, plan and lineage by exact digests at one time") {
  FakeSession session({"prod"});
  session.options = {{"--as-of", {"2026-11-01T00:00:00.000000Z"}}};
  session.fake.answer("GET /api/v1/status?environment=prod&as_of=",
                      Json{{"items",
                            {{{"environment", "prod"},
                              {"ref", "m@v1"},
                              {"plan", "p1"},
                              {"action", "promote"},
                              {"by", "alice"},
                              {"members", {{{"ref", "m@v1"}, {"digest", "sha256:ab"}}}}}}},
                           {"next", nullptr}});
  session.fake.answer("GET /api/v1/plans/p1", Json{{"id", "p1"}, {"requested_by", "alice"}, {"gates", Json::array()}});
  session.fake.answer("GET /api/v1/lineage?ref=m%40sha256%3Aab&direction=up&as_of=2026",
                      Json{{"root", "m"},
                           {"direction", "up"},
                           {"nodes", {{{"id", "m"}, {"type", "model"}, {"label", "m@v1"}}}},
                           {"edges", Json::array()}});
  REQUIRE(kRanCommand.run(session) == kExitDone);
  CHECK(session.out.find("prod ran m@v1") != std::string::npos);
  CHECK(session.out.find("none recorded") != std::string::npos);
}

TEST_CASE("ran of an environment that does not exist is not silence") {
  FakeSession session({"prdo"});
  session.fake.answer("GET /api/v1/status", Json{{"items", Json::array()}, {"next", nullptr}});
  session.fake.answer("GET /api/v1/environments/prdo", fail(ErrorCode::kNotFound, "environment_not_found", "no prdo"));
  CHECK(kRanCommand.run(session) == kExitNotFound);
}

TEST_CASE("where a sensitivity comes from is said") {
  CHECK(sensitivity_text({{"sensitivity", "personal"}, {"own_sensitivity", "none"}}) ==
        "personal (inherited from its inputs; its own is none)");
  CHECK(
      sensitivity_text({{"sensitivity", "personal"}, {"own_sensitivity", "personal"}, {"sensitivity_assumed", true}}) ==
      "personal (assumed: nobody declared it)");
  CHECK(sensitivity_text({{"sensitivity", "none"}, {"own_sensitivity", "none"}}) == "none");
}
