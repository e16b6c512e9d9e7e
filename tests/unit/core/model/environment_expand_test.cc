// Templates, tenants and times of environments: what they expand to, and where each mistake is found.
#include <string>

#include "core/crypto/digest.h"
#include "core/model/duration.h"
#include "core/model/environment.h"
#include "tests/unit/catch.h"

using namespace mlops;
using namespace mlops::model;

namespace {

const std::string kHead = "apiVersion: mlops/v1\nkind: Environments\n";

std::vector<Environment> parsed(const std::string& yaml) {
  auto result = parse_environments(kHead + yaml, "env.yaml");
  if (!result) FAIL(result.error().message);
  return *result;
}
Error error_of(const std::string& yaml) {
  auto result = parse_environments(kHead + yaml, "env.yaml");
  REQUIRE_FALSE(result);
  return result.error();
}
bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

const std::string kTwoTenants =
    "templates:\n"
    "  base: {clearance: none, owners: [rita], labels: {tier: gold, zone: a}}\n"
    "  prod:\n"
    "    template: base\n"
    "    region: eu-central\n"
    "    protection: {approvals: 1, reason_required: true}\n"
    "    windows: [{days: [mon..fri], from: \"08:00\", to: \"16:00\", time_zone: Europe/Berlin}]\n"
    "environments:\n"
    "  - {name: staging, clearance: none, tenants: [acme, globex]}\n"
    "  - name: prod\n"
    "    template: prod\n"
    "    description: runs for {tenant}\n"
    "    after: [\"staging/{tenant}\"]\n"
    "    soak: 24h\n"
    "    labels: {zone: b}\n"
    "    tenants:\n"
    "      acme: {region: eu-west, owners: [omar], labels: {tier: silver}}\n"
    "      globex: {protection: {approvals: 2}, windows:}\n";

}  // namespace

TEST_CASE("a template and tenants expand to whole environments; the nearest word wins") {
  const auto all = parsed(kTwoTenants);
  REQUIRE(all.size() == 4);
  CHECK(all[0].name == "staging/acme");
  CHECK(all[1].name == "staging/globex");
  const auto& acme = all[2];
  CHECK(acme.name == "prod/acme");
  CHECK(acme.tenant() == "acme");
  CHECK(acme.description == "runs for acme");
  CHECK(acme.after == std::vector<std::string>{"staging/acme"});
  CHECK(acme.region == "eu-west");
  CHECK(acme.owners == std::vector<std::string>{"omar"});
  CHECK(acme.labels == std::map<std::string, std::string>{{"tier", "silver"}, {"zone", "b"}, {"tenant", "acme"}});
  CHECK(acme.approvals_needed == 1);
  CHECK(acme.windows.size() == 1);
  CHECK(acme.soak_s == 86400);
  CHECK(acme.template_name == "prod");
  CHECK(acme.tenants_of == "prod");
  const auto& globex = all[3];
  CHECK(globex.region == "eu-central");
  CHECK(globex.owners == std::vector<std::string>{"rita"});
  CHECK(globex.approvals_needed == 2);
  CHECK(globex.reason_required);
  CHECK(globex.windows.empty());  // an empty value takes away what was inherited
  CHECK(globex.labels.at("tier") == "gold");
}

TEST_CASE("an expanded environment is stored whole and comes back the same") {
  for (const auto& environment : parsed(kTwoTenants)) {
    const auto again = environment_from_json(to_json(environment));
    REQUIRE(again);
    CHECK(canonical_dump(to_json(*again)) == canonical_dump(to_json(environment)));
  }
}

TEST_CASE("an environment without the new words keeps the bytes it always had") {
  const auto plain = parsed("environments:\n  - {name: staging, clearance: none}\n");
  CHECK(canonical_dump(to_json(plain[0])) ==
        R"({"after":[],"approvals_needed":0,"approver_roles":[],"clearance":"none","description":"","labels":{},)"
        R"("name":"staging","owners":[],"policies":[],"reason_required":false,"region":""})");
}

TEST_CASE("every mistake is found where it was written, also when it was inherited") {
  struct Row {
    std::string yaml;
    std::string where;
    std::string says;
  };
  const Row kRows[] = {
      {"templates: [a]\nenvironments:\n  - {name: a, clearance: none}\n", "env.yaml:3:12", "`templates` is a map"},
      {"templates:\n  p: {clearence: none}\nenvironments:\n  - {name: a, clearance: none}\n", "env.yaml:4:7",
       "clearence"},
      {"templates:\n  p: {name: x}\nenvironments:\n  - {name: a, clearance: none}\n", "env.yaml:4:13", "no `name`"},
      {"templates:\n  p: {template: q}\nenvironments:\n  - {name: a, clearance: none}\n", "env.yaml:4:17",
       "no template \"q\""},
      {"templates:\n  p: {template: q}\n  q: {template: p}\nenvironments:\n  - {name: a, template: p}\n",
       "env.yaml:5:17", "goes back to itself"},
      {"templates:\n  p: {clearance: purple}\nenvironments:\n  - name: a\n    template: p\n", "env.yaml:4:18",
       "\"purple\" is not a sensitivity label (environment a, env.yaml:6)"},
      {"environments:\n  - {name: p, clearance: none, tenants: [acme, acme]}\n", "env.yaml:4:48", "stands twice"},
      {"environments:\n  - {name: p, clearance: none, tenants: []}\n", "env.yaml:4:41", "names nobody"},
      {"environments:\n  - {name: p, clearance: none, tenants: [a/b]}\n", "env.yaml:4:42", "not a tenant's name"},
      {"environments:\n  - {name: p, clearance: none, tenants: {acme: {name: x}}}\n", "env.yaml:4:55",
       "cannot change `name`"},
      {"environments:\n  - {name: p, clearance: none, tenants: {acme: {regoin: x}}}\n", "env.yaml:4:49", "regoin"},
      {"environments:\n  - {name: p, clearance: none, labels: {tenant: x}, tenants: [acme]}\n", "env.yaml:4:49",
       "says \"x\""},
      {"environments:\n  - {name: p, clearance: none, after: [\"s/{tenant}\"]}\n", "env.yaml:4:40", "s/{tenant}"},
      {"environments:\n  - {name: p, clearance: none, soak: 1h}\n", "env.yaml:4:38", "needs `after`"},
      {"environments:\n  - {name: p, clearance: none, after: [s], soak: soon}\n", "env.yaml:4:50", "span of time"},
      {"environments:\n  - {name: p, clearance: none, windows: [{from: \"08:00\", to: \"16:00\", time_zone: "
       "Europe/Berln}]}\n",
       "env.yaml:4:82", "no time zone \"Europe/Berln\""},
      {"environments:\n  - {name: p, clearance: none, windows: [{from: \"8:00\", to: \"16:00\"}]}\n", "env.yaml:4:49",
       "not a time of day"},
      {"environments:\n  - {name: p, clearance: none, windows: [{from: \"08:00\", to: \"08:00\"}]}\n", "env.yaml:4:62",
       "never open"},
      {"environments:\n  - {name: p, clearance: none, windows: [{days: [mon, fry], from: \"08:00\", to: \"09:00\"}]}\n",
       "env.yaml:4:55", "\"fry\" is not a weekday"},
      {"environments:\n  - {name: p, clearance: none, freezes: [{from: 2026-12-20, to: 2026-12-19}]}\n",
       "env.yaml:4:65", "after it begins"},
      {"environments:\n  - {name: p, clearance: none, freezes: [{from: 2026-12-20T00:00Z, to: 2026-12-21}]}\n",
       "env.yaml:4:49", "not a local time"},
      {"environments:\n  - {name: p, clearance: none, freezes: [{to: 2026-12-21}]}\n", "env.yaml:4:42",
       "`from` is missing"},
  };
  for (const auto& row : kRows) {
    const auto error = error_of(row.yaml);
    INFO(row.yaml << "\n" << error.message);
    CHECK(error.code == ErrorCode::kInvalid);
    CHECK(error.message.starts_with(row.where + ":"));
    CHECK(has(error.message, row.says));
  }
}

TEST_CASE("spans of soak time, in words and as ISO 8601") {
  CHECK(*parse_soak_s("24h") == 86400);
  CHECK(*parse_soak_s("3d") == 3 * 86400);
  CHECK(*parse_soak_s("PT24H") == 86400);
  CHECK(*parse_soak_s("P1DT12H") == 129600);
  CHECK(*parse_soak_s("P2W") == 14 * 86400);
  CHECK(*parse_soak_s("PT1H30M5S") == 5405);
  for (const auto* bad :
       {"", "P", "PT", "P1", "P1M", "P1Y", "PT1D", "P1H", "P1DT", "P1D1D", "PT5S1H", "-1h", "400d", "1.5h"}) {
    INFO(bad);
    CHECK_FALSE(parse_soak_s(bad));
  }
  CHECK(duration_text(86400) == "24h");
  CHECK(duration_text(3 * 86400) == "3d");
  CHECK(duration_text(90) == "90s");
}
