// Garbage collection, holds and retention on the command line: what is asked, what is told, how it exits.
#include <algorithm>

#include "cli/cmd/gc_text.h"
#include "cli/cmd/rows.h"
#include "cli/cmd/span.h"
#include "tests/unit/catch.h"
#include "tests/unit/cli/cmd/fake_session.h"

using namespace mlops;
using namespace mlops::cli;

namespace {

std::string text_of_lines(const Lines& lines) {
  std::string text;
  for (const auto& line : lines) text += line + "\n";
  return text;
}

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

Json amount(std::int64_t objects, std::int64_t bytes) {
  return {{"objects", objects}, {"bytes", bytes}};
}

Json plan_of(std::int64_t dead_objects) {
  return {{"min_age_s", 86400},      {"live", amount(10, 4096)}, {"dead", amount(dead_objects, 2048 * dead_objects)},
          {"young", amount(1, 100)}, {"groups", Json::array()},  {"kept", Json::array()},
          {"damaged", Json::array()}};
}

}  // namespace

TEST_CASE("spans are read with their unit and written in the largest that fits") {
  CHECK(parse_span_s("90d").value() == 90 * 86400);
  CHECK(parse_span_s("2w").value() == 14 * 86400);
  CHECK(parse_span_s("6y").value() == 6ll * 366 * 86400);
  CHECK(parse_span_s("24h").value() == 86400);
  CHECK(parse_span_s("0s").value() == 0);
  for (const std::string bad : {"", "d", "1", "-1d", "1.5d", "1 d", "1mo", "99999999999999999y"}) {
    INFO(bad);
    CHECK(parse_span_s(bad).error().slug == "bad_duration");
  }
  for (const std::string word : {"6y", "90d", "36h", "90s", "15m", "0s"}) {
    INFO(word);
    CHECK(span_text(parse_span_s(word).value()) == word);
  }
  CHECK(span_text(parse_span_s("2w").value()) == "14d");
}

TEST_CASE("a plan is told with its groups, what is kept, and what is damaged") {
  auto plan = plan_of(2);
  plan["groups"] = {{{"why", "deleted"},
                     {"ref", "model:hospital/x@v3"},
                     {"deleted_at", "2026-11-01T00:00:00Z"},
                     {"deleted_reason", "worse"},
                     {"dead", amount(1, 2048)},
                     {"young", amount(0, 0)}},
                    {{"why", "more_deleted"}, {"versions", 7}, {"dead", amount(1, 1)}, {"young", amount(0, 0)}},
                    {{"why", "unregistered"}, {"dead", amount(1, 2048)}, {"young", amount(1, 100)}}};
  plan["kept"] = {{{"ref", "model:m@v1"},
                   {"whole", false},
                   {"amount", amount(1, 1024)},
                   {"protections",
                    {{{"kind", "hold"}, {"what", "2026-17"}, {"until", nullptr}},
                     {{"kind", "retention"}, {"what", "kind:model"}, {"until", "2032-01-01T00:00:00Z"}}}}},
                  {{"versions", 3}, {"amount", amount(1, 1)}}};
  plan["damaged"] = {"model:n@v1"};
  const auto text = text_of_lines(gc_plan_lines(plan, plain_style()));
  CHECK(has(text, "would set 4.0 KiB in 2 objects aside"));
  CHECK(has(text, "deleted version model:hospital/x@v3 (2026-11-01T00:00:00Z: worse)"));
  CHECK(has(text, "7 more deleted versions"));
  CHECK(has(text, "uploaded, never registered"));
  CHECK(
      has(text, "a hold, case 2026-17, the retention of kind:model until 2032-01-01T00:00:00Z; not all of it is here"));
  CHECK(has(text, "3 more deleted versions"));
  CHECK(has(text, "so a run refuses: model:n@v1"));
  CHECK(has(text, "in the last 1d"));
  CHECK(has(text_of_lines(gc_plan_lines(plan_of(0), plain_style())), "nothing to collect"));
  auto sparse = plan_of(2);
  sparse["sparse"] = sparse["dead"];
  const auto told = text_of_lines(gc_plan_lines(sparse, plain_style()));
  CHECK(has(told, "nothing to collect"));
  CHECK(has(told, "4.0 KiB in 2 objects, too little of the packs it is in"));
}

TEST_CASE("why is told as a path, step by step") {
  const Json why = {{"target", "sha256:cc"},
                    {"kinds", {"chunk"}},
                    {"stored", false},
                    {"verdict", "protected"},
                    {"path",
                     {{{"kind", "version"}, {"name", "model:m@v1"}, {"digest", nullptr}},
                      {{"kind", "manifest"}, {"name", nullptr}, {"digest", "sha256:aa"}},
                      {{"kind", "chunk"}, {"name", nullptr}, {"digest", "sha256:cc"}}}},
                    {"deleted",
                     {{"ref", "model:m@v1"},
                      {"deleted_at", "T"},
                      {"deleted_reason", "old"},
                      {"protections", {{{"kind", "plan"}, {"what", "0193"}, {"until", nullptr}}}}}}};
  const auto text = text_of_lines(gc_why_lines(why, plain_style()));
  CHECK(has(text, "  version model:m@v1\n    → manifest sha256:aa\n      → chunk sha256:cc\n"));
  CHECK(has(text, "kept by  the open plan 0193"));
  CHECK(has(text, "some of it is missing"));
  for (const std::string verdict : {"live", "leased", "young", "trash", "gone", "nothing"}) {
    CHECK(gc_why_lines({{"target", "t"}, {"verdict", verdict}}, plain_style()).size() >= 2);
  }
}

TEST_CASE("a run says what became of it") {
  const auto style = plain_style();
  CHECK(gc_run_state({{"state", "done"}}, style) == "nothing was moved");
  CHECK(gc_run_state({{"state", "running"}}, style) == "running");
  CHECK(gc_run_state({{"state", "done"}, {"restored_at", "T"}}, style) == "restored T");
  CHECK(gc_run_state({{"state", "done"}, {"swept_at", "T"}}, style) == "removed for good T");
  CHECK(gc_run_state({{"state", "done"}, {"trash", {{"swept_after", "T"}}}}, style) == "in the trash until T");
  CHECK(gc_run_state({{"state", "failed"}, {"trash", {{"swept_after", "T"}}}}, style) ==
        "failed, in the trash until T");
  const Json run = {{"id", "0193"},
                    {"state", "done"},
                    {"trash", {{"swept_after", "T"}}},
                    {"receipt",
                     {{"objects", 2},
                      {"packs", 1},
                      {"bytes", 2048},
                      {"copied_bytes", 0},
                      {"digest", "sha256:aa"},
                      {"versions", {{{"id", "i"}, {"ref", "model:m@v1"}}}}}}};
  const auto text = text_of_lines(gc_run_lines(run, style));
  CHECK(has(text, "2 objects set aside"));
  CHECK(has(text, "mlopsctl gc restore 0193"));
  const Json nothing = {{"id", "0193"}, {"state", "done"}, {"receipt", {{"objects", 0}, {"sparse", amount(3, 2048)}}}};
  CHECK(has(text_of_lines(gc_run_lines(nothing, style)), "2.0 KiB in 3 objects, too little"));
  CHECK(has(text, "model:m@v1"));
}

TEST_CASE("gc run wants a reason and a yes; a dry run is the plan") {
  FakeSession no_reason;
  CHECK(kGcRunCommand.run(no_reason) == kExitUsage);
  FakeSession no_yes;
  no_yes.options["--reason"] = {"x"};
  CHECK(kGcRunCommand.run(no_yes) == kExitUsage);
  CHECK(no_yes.failed.slug == "confirm_needed");
  CHECK(no_yes.fake.calls.empty());
  FakeSession dry;
  dry.options["--dry-run"] = {};
  dry.options["--min-age"] = {"2h"};
  dry.fake.answer("GET /api/v1/gc/plan", plan_of(0));
  CHECK(kGcRunCommand.run(dry) == kExitDone);
  CHECK(dry.fake.calls.size() == 1);
  CHECK(dry.fake.calls[0].path == "/api/v1/gc/plan?min_age_s=7200");
  FakeSession run;
  run.options = {
      {"--reason", {"tidy"}}, {"--yes", {}}, {"--min-age", {"0s"}}, {"--grace", {"1d"}}, {"--despite-damage", {}}};
  run.fake.answer("POST /api/v1/gc/runs", Json{{"id", "i"}, {"state", "done"}});
  CHECK(kGcRunCommand.run(run) == kExitDone);
  CHECK(run.fake.calls[0].body ==
        Json{{"reason", "tidy"}, {"min_age_s", 0}, {"grace_s", 86400}, {"despite_damage", true}});
}

TEST_CASE("holds and rules are sent as they are said") {
  FakeSession no_case({"m@v1"});
  no_case.options["--reason"] = {"x"};
  CHECK(kHoldAddCommand.run(no_case) == kExitUsage);
  FakeSession add({"m@v1"});
  add.options = {{"--case", {"2026-17"}}, {"--reason", {"x"}}};
  add.fake.answer("POST /api/v1/holds",
                  Json{{"id", "i"}, {"ref", "model:m@v1"}, {"whole", false}, {"restored_runs", {"r"}}});
  CHECK(kHoldAddCommand.run(add) == kExitDone);
  CHECK(add.fake.calls[0].body == Json{{"ref", "m@v1"}, {"case", "2026-17"}, {"reason", "x"}});
  CHECK(has(add.err, "not all of its bytes are here"));
  FakeSession release({"0193/x"});
  CHECK(kHoldReleaseCommand.run(release) == kExitUsage);
  release.options["--reason"] = {"closed"};
  release.fake.answer("POST /api/v1/holds/0193%2Fx/release", Json{{"id", "i"}});
  CHECK(kHoldReleaseCommand.run(release) == kExitDone);
  FakeSession set({"env:prod", "6y"});
  set.fake.answer("PUT /api/v1/retention", Json{{"subject", "env:prod"}, {"keep_s", 6ll * 366 * 86400}});
  CHECK(kRetentionSetCommand.run(set) == kExitDone);
  CHECK(set.fake.calls[0].body == Json{{"subject", "env:prod"}, {"keep_s", 6ll * 366 * 86400}, {"reason", ""}});
  CHECK(has(set.out, "kept for 6y after the last time it ran there"));
  FakeSession bad({"env:prod", "long"});
  CHECK(kRetentionSetCommand.run(bad) == kExitUsage);
}

TEST_CASE("fsck takes a share and says how much it read") {
  FakeSession session;
  session.options["--sample"] = {"5%"};
  session.fake.answer("GET /api/v1/fsck", Json{{"ok", true},
                                               {"versions", 1},
                                               {"packs", 1},
                                               {"objects", 40},
                                               {"bytes", 1000},
                                               {"read_data", true},
                                               {"sample", 0.05},
                                               {"read_objects", 2},
                                               {"read_bytes", 64}});
  CHECK(kFsckCommand.run(session) == kExitDone);
  CHECK(session.fake.calls[0].path == "/api/v1/fsck?sample=0.050000");
  CHECK(has(session.out, "2 objects verified"));
  for (const std::string bad : {"5", "0%", "101%", "%", "x%"}) {
    FakeSession refused;
    refused.options["--sample"] = {bad};
    CHECK(kFsckCommand.run(refused) == kExitUsage);
  }
}
