// Declared environments: what YAML gives, and where each mistake is found.
#include "core/model/environment.h"

#include <string>

#include "tests/unit/catch.h"

using namespace mlops;
using namespace mlops::model;

namespace {

const std::string kHead = "apiVersion: mlops/v1\nkind: Environments\nenvironments:\n";

Error error_of(const std::string& yaml) {
  auto parsed = parse_environments(yaml, "env.yaml");
  REQUIRE_FALSE(parsed);
  return parsed.error();
}

}  // namespace

TEST_CASE("an environment carries everything its YAML says") {
  const auto parsed =
      parse_environments(kHead +
                             "  - name: staging\n"
                             "    clearance: none\n"
                             "  - name: eu/prod\n"
                             "    description: Answers clinicians\n"
                             "    after: [staging]\n"
                             "    clearance: special_category\n"
                             "    region: eu-west\n"
                             "    policies: [gates]\n"
                             "    protection: {approvals: 2, approver_roles: [approver], reason_required: true}\n"
                             "    owners: [rita, omar]\n"
                             "    labels: {tenant: x}\n",
                         "env.yaml");
  REQUIRE(parsed);
  REQUIRE(parsed->size() == 2);
  const auto& plain = parsed->front();
  CHECK(plain.clearance == Sensitivity::kNone);
  CHECK(plain.approvals_needed == 0);
  CHECK_FALSE(plain.reason_required);
  const auto& prod = parsed->back();
  CHECK(prod.name == "eu/prod");
  CHECK(prod.after == std::vector<std::string>{"staging"});
  CHECK(prod.clearance == Sensitivity::kSpecialCategory);
  CHECK(prod.approvals_needed == 2);
  CHECK(prod.approver_roles == std::vector<std::string>{"approver"});
  CHECK(prod.reason_required);
  CHECK(prod.labels.at("tenant") == "x");
  const auto again = environment_from_json(to_json(prod));
  REQUIRE(again);
  CHECK(to_json(*again) == to_json(prod));
}

TEST_CASE("every mistake is found at its line and column") {
  struct Row {
    std::string yaml;
    std::string where;
    std::string says;
  };
  const Row rows[] = {
      {"a: 1\n", "env.yaml:1:1", ""},
      {"- 1\n", "env.yaml:1:1", "not a map"},
      {"apiVersion: mlops/v2\nkind: Environments\nenvironments: [{name: a, clearance: none}]\n", "env.yaml:1:13",
       "mlops/v1"},
      {"apiVersion: mlops/v1\nkind: Policy\nenvironments: [{name: a, clearance: none}]\n", "env.yaml:2:7",
       "Environments"},
      {"apiVersion: mlops/v1\nkind: Environments\nenvironments: []\n", "env.yaml:3:15", "at least one"},
      {kHead + "  - clearance: none\n", "env.yaml:4:5", "`name` is missing"},
      {kHead + "  - name: a\n", "env.yaml:4:5", "`clearance` is missing"},
      {kHead + "  - {name: ../a, clearance: none}\n", "env.yaml:4:12", "../a"},
      {kHead + "  - {name: a, clearance: secret}\n", "env.yaml:4:26", "secret"},
      {kHead + "  - {name: a, clearance: none, clearence: none}\n", "env.yaml:4:32", "clearence"},
      {kHead + "  - {name: a, clearance: none, after: [a]}\n", "env.yaml:4:39", "itself"},
      {kHead + "  - {name: a, clearance: none, after: [b, b]}\n", "env.yaml:4:43", "twice"},
      {kHead + "  - {name: a, clearance: none, owners: [Rita]}\n", "env.yaml:4:41", "Rita"},
      {kHead + "  - {name: a, clearance: none, protection: {approvals: 21}}\n", "env.yaml:4:56", "approvals"},
      {kHead + "  - {name: a, clearance: none, protection: {approvals: -1}}\n", "env.yaml:4:56", "approvals"},
      {kHead + "  - {name: a, clearance: none, protection: {reason_required: maybe}}\n", "env.yaml:4:62",
       "reason_required"},
      {kHead + "  - {name: a, clearance: none, protection: {approver_roles: [boss]}}\n", "env.yaml:4:61", "boss"},
      {kHead + "  - {name: a, clearance: none, labels: {\"a b\": x}}\n", "env.yaml:4:41", "a b"},
      {kHead + "  - {name: a, clearance: none}\n  - {name: a, clearance: none}\n", "env.yaml:5:5", "stands twice"},
      {kHead + "  - {name: a, name: b, clearance: none}\n", "env.yaml:4:15", "twice"},
  };
  for (const auto& row : rows) {
    INFO(row.yaml);
    const auto error = error_of(row.yaml);
    CHECK(error.code == ErrorCode::kInvalid);
    CHECK_THAT(error.message, Catch::Matchers::StartsWith(row.where));
    CHECK(error.message.find(row.says) != std::string::npos);
  }
}

TEST_CASE("a cycle in the promotion order is shown as the way round") {
  const auto error = error_of(kHead +
                              "  - {name: a, clearance: none, after: [c]}\n"
                              "  - {name: b, clearance: none, after: [a]}\n"
                              "  - {name: c, clearance: none, after: [b]}\n");
  CHECK(error.slug == "environment_invalid");
  CHECK(error.message.find("a → c → b → a") != std::string::npos);
  // Two ways to one place are no cycle.
  CHECK(parse_environments(kHead + "  - {name: a, clearance: none}\n"
                                   "  - {name: b, clearance: none, after: [a]}\n"
                                   "  - {name: c, clearance: none, after: [a]}\n"
                                   "  - {name: d, clearance: none, after: [b, c]}\n",
                           "env.yaml"));
}

TEST_CASE("a stored environment that cannot be read is corrupt") {
  auto json = to_json(Environment{});
  json["clearance"] = "secret";
  CHECK(environment_from_json(json).error().slug == "bad_environment");
  json = to_json(Environment{});
  json.erase("after");
  CHECK(environment_from_json(json).error().code == ErrorCode::kCorrupt);
}

TEST_CASE("gitops names a repository, a folder and a renderer, and is left out of the JSON when it is not there") {
  const auto parsed = parse_environments(kHead +
                                             "  - name: prod\n"
                                             "    clearance: none\n"
                                             "    labels: {storage_uri_template: 'oci://h/{name}@{digest}'}\n"
                                             "    gitops: {repository: clusters, path: a/b/, renderer: kserve}\n"
                                             "  - {name: plain, clearance: none}\n",
                                         "env.yaml");
  REQUIRE(parsed);
  const auto& gitops = parsed->front().gitops;
  REQUIRE(gitops);
  CHECK(gitops->repository == "clusters");
  CHECK(gitops->path == "a/b");
  CHECK(gitops->renderer == "kserve");
  const auto again = environment_from_json(to_json(parsed->front()));
  REQUIRE(again);
  CHECK(to_json(*again) == to_json(parsed->front()));
  CHECK_FALSE(to_json(parsed->back()).contains("gitops"));
  for (const char* wrong : {"{path: a}", "{repository: r, path: ../a}", "{repository: r, renderer: helm}",
                            "{repository: r, renderer: kserve}", "{repository: r, branch: x}"}) {
    INFO(wrong);
    CHECK(error_of(kHead + "  - {name: x, clearance: none, gitops: " + wrong + "}\n").code == ErrorCode::kInvalid);
  }
}
