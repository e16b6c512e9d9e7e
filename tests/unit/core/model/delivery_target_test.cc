// Delivery targets: what may be declared, what is stored, which of them get into one another's way.
#include "core/model/environment.h"
#include "tests/unit/catch.h"

using namespace mlops;
using namespace mlops::model;

namespace {

Result<std::vector<Environment>> declared(const std::string& target) {
  return parse_environments(
      "apiVersion: mlops/v1\nkind: Environments\nenvironments:\n  - name: prod\n"
      "    clearance: none\n    target: " +
          target + "\n",
      "e.yaml");
}

}  // namespace

TEST_CASE("a target is read, stored only when it is set, and read back") {
  const auto environments = declared("{directory: models, path: prod/a, layout: triton, switch: exchange}");
  REQUIRE(environments);
  const auto& target = environments->front().target;
  CHECK(target.text() == "models/prod/a");
  CHECK(target.layout == DeliveryLayout::kTriton);
  CHECK(target.how == DeliverySwitch::kExchange);
  const auto json = to_json(environments->front());
  CHECK(json.at("target") ==
        Json{{"directory", "models"}, {"path", "prod/a"}, {"layout", "triton"}, {"switch", "exchange"}});
  const auto again = environment_from_json(json);
  REQUIRE(again);
  CHECK(to_json(*again) == json);
  Environment without;
  without.name = "x";
  CHECK_FALSE(to_json(without).contains("target"));
}

TEST_CASE("no word of a declaration reaches outside of a root") {
  for (const auto* target : {"{directory: /etc}", "{directory: a/b}", "{directory: ..}", "{directory: m, path: ../x}",
                             "{directory: m, path: /x}", "{directory: m, path: a//b}", "{directory: m, path: .hidden}",
                             "{path: x}", "models", "{directory: m, layout: onnx}", "{directory: m, switch: copy}",
                             "{directory: m, extra: 1}", "{directory: m, layout: triton}"}) {
    INFO(target);
    const auto refused = declared(target);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == ErrorCode::kInvalid);
    CHECK(refused.error().message.starts_with("e.yaml:6:"));
  }
}

TEST_CASE("a stored target that was tampered with is damage, not a path") {
  auto json = to_json(declared("{directory: models, path: prod}")->front());
  json["target"]["path"] = "../../etc";
  CHECK(environment_from_json(json).error().code == ErrorCode::kCorrupt);
  json["target"] = "models";
  CHECK(environment_from_json(json).error().code == ErrorCode::kCorrupt);
}

TEST_CASE("targets overlap when one lies in the other") {
  const auto at = [](const std::string& root, const std::string& path) {
    DeliveryTarget target;
    target.root = root;
    target.path = path;
    return target;
  };
  CHECK(at("m", "a").overlaps(at("m", "a")));
  CHECK(at("m", "a").overlaps(at("m", "a/b")));
  CHECK(at("m", "").overlaps(at("m", "x")));
  CHECK_FALSE(at("m", "a").overlaps(at("m", "ab")));
  CHECK_FALSE(at("m", "a").overlaps(at("n", "a")));
  CHECK_FALSE(DeliveryTarget().overlaps(DeliveryTarget()));
}
