// What goes over the wire: CloudEvents in both modes, signatures, filters.
#include "daemon/events/cloud_event.h"
#include "daemon/events/filter.h"
#include "daemon/events/signature.h"
#include "tests/unit/catch.h"

using namespace mlops;
using namespace mlops::events;

namespace {

meta::Event promotion() {
  meta::Event event;
  event.seq = 42;
  event.id = "42-0123456789ab";
  event.at = "2026-11-29T10:00:00.000001Z";
  event.action = "release.promote";
  event.target = "hospital/readmission@v3 → prod";
  event.actor = "dora";
  event.reason = "quarterly";
  event.subject = "hospital/readmission#prod";
  event.environment = "prod";
  event.plan_id = "p1";
  event.plan_digest = "sha256:aa";
  event.deployment_id = "d1";
  event.members = {{"hospital/readmission@v3", "model", "sha256:bb"}};
  return event;
}

}  // namespace

TEST_CASE("a structured event has the required attributes and its data") {
  const auto message = message_of(promotion(), "https://mlops.example.org", Mode::kStructured);
  CHECK(message.content_type == "application/cloudevents+json");
  CHECK(message.headers.empty());
  const auto json = parse_json(message.body).value();
  CHECK(json.at("specversion") == "1.0");
  CHECK(json.at("id") == "42-0123456789ab");
  CHECK(json.at("source") == "https://mlops.example.org");
  CHECK(json.at("type") == "mlops.release.promote.v1");
  CHECK(json.at("subject") == "hospital/readmission#prod");
  CHECK(json.at("sequence") == "00000000000000000042");
  CHECK(json.at("data").at("plan").at("id") == "p1");
  CHECK(json.at("data").at("members").at(0).at("ref") == "hospital/readmission@v3");
  CHECK(message.body == message_of(promotion(), "https://mlops.example.org", Mode::kStructured).body);
}

TEST_CASE("a binary event has its attributes in headers, percent-encoded, and only data in its body") {
  auto event = promotion();
  event.subject = "a b\"%é";
  const auto message = message_of(event, "urn:x", Mode::kBinary);
  CHECK(message.content_type == "application/json");
  CHECK(message.headers.at("ce-type") == "mlops.release.promote.v1");
  CHECK(message.headers.at("ce-subject") == "a%20b%22%25%C3%A9");
  CHECK_FALSE(message.headers.contains("ce-datacontenttype"));
  CHECK_FALSE(message.headers.contains("ce-data"));
  CHECK(parse_json(message.body)->at("actor") == "dora");
}

// Expected: Python's hmac.new(base64.b64decode(secret), b"id.timestamp.body", "sha256").
TEST_CASE("signatures are those of Standard Webhooks") {
  const std::string bytes = {'\x31', '\xf2', '\x94', '\xcb', '\x55', '\x75', '\x2a', '\xe1',
                             '\xa8', '\xef', '\x45', '\x04', '\x9b', '\xd2', '\x62', '\x5f',
                             '\xa4', '\x4f', '\xe9', '\x51', '\x6b', '\x1d', '\x60', '\xe5'};
  const auto secret = crypto::SecretBytes::copy_of(as_bytes(bytes));
  CHECK(secret_text(secret) == "whsec_MfKUy1V1KuGo70UEm9JiX6RP6VFrHWDl");
  const std::string id = "msg_p5jXN8AQM9LWM0D4loKWxJek";
  const std::string body = R"({"test": 2432232314})";
  CHECK(signature_of({secret}, id, 1614265330, body) == "v1,wKUo2Xyh1rGI1GDCazs7YSwL2G+FiFZ9/yZ+2Qq9Ie4=");
  const auto both = signature_of({secret, secret}, id, 1614265330, body);
  CHECK(both == "v1,wKUo2Xyh1rGI1GDCazs7YSwL2G+FiFZ9/yZ+2Qq9Ie4= v1,wKUo2Xyh1rGI1GDCazs7YSwL2G+FiFZ9/yZ+2Qq9Ie4=");
}

TEST_CASE("patterns name one kind, a family or all, as actions or as types") {
  const auto patterns = parse_patterns({"release.*, plan.approve", "mlops.alias.set.v1"});
  REQUIRE(patterns);
  CHECK(*patterns == std::vector<std::string>{"release.*", "plan.approve", "alias.set"});
  const Filter filter{*patterns, {}, {}};
  CHECK(wants_action(filter, "release.promote"));
  CHECK_FALSE(wants_action(filter, "release"));
  CHECK_FALSE(wants_action(filter, "releases.promote"));
  CHECK(wants_action(filter, "plan.approve"));
  CHECK_FALSE(wants_action(filter, "plan.reject"));
  CHECK(wants_action({{"*"}, {}, {}}, "token.create"));
  for (const char* bad : {"", "*.promote", "release.**", "Release.*", "a b", ".x", "x."}) {
    INFO(bad);
    CHECK_FALSE(parse_patterns({bad}));
  }
}

TEST_CASE("subject and environment narrow what matches") {
  const auto event = promotion();
  CHECK(matches({{"release.*"}, {}, "prod"}, event));
  CHECK_FALSE(matches({{"release.*"}, {}, "staging"}, event));
  CHECK(matches({{}, "hospital/readmission#prod", {}}, event));
  CHECK_FALSE(matches({{}, "hospital/readmission", {}}, event));
}

TEST_CASE("readers see what moves, not who holds tokens, keys or whose data went") {
  CHECK(scope_to_see("release.promote") == model::Scope::kRead);
  CHECK(scope_to_see("version.register") == model::Scope::kRead);
  for (const char* action : {"token.create", "key.use", "erasure.plan", "data.reveal", "webhook.add", "unheard.of"}) {
    CHECK(scope_to_see(action) == model::Scope::kAuditRead);
  }
}
