// Tokens: their text, their life, and that a revocation is felt by the next request.
#include "daemon/domain/identity.h"

#include <set>

#include "daemon/domain/token_text.h"
#include "tests/unit/daemon/domain/domain_fixture.h"

using namespace mlops;
using namespace mlops::domain;
using namespace mlops::test;

TEST_CASE("a token's text carries a checksum that finds every single typo") {
  const auto secret = new_token_secret().value();
  CHECK(secret.starts_with("mlo_"));
  CHECK(secret.size() == 40);
  CHECK(looks_like_token(secret));
  for (std::size_t i = 0; i < secret.size(); ++i) {
    auto typo = secret;
    typo[i] = typo[i] == 'a' ? 'b' : 'a';
    INFO(i);
    CHECK_FALSE(looks_like_token(typo));
  }
  CHECK_FALSE(looks_like_token(""));
  CHECK_FALSE(looks_like_token(secret.substr(1)));
  CHECK_FALSE(looks_like_token(secret + "a"));
  CHECK_FALSE(looks_like_token("mlo_" + std::string(30, '-') + "000000"));
  std::set<std::string> many;
  for (int i = 0; i < 100; ++i) many.insert(new_token_secret().value());
  CHECK(many.size() == 100);
}

namespace {

struct Fixture : DomainFixture {
  IssuedToken issue(const NewToken& wanted) {
    auto issued = identity->create_token(daemon_actor(), wanted, Commit::kKeep);
    if (!issued) FAIL(issued.error().message);
    return *issued;
  }
  std::string refusal(const std::string& authorization) {
    const auto principal = identity->authenticate(authorization);
    REQUIRE_FALSE(principal);
    CHECK(principal.error().code == ErrorCode::kUnauthenticated);
    return principal.error().slug;
  }
};

const NewToken kRita{.principal = "rita", .role = model::Role::kCi, .expires_in_s = 60};

}  // namespace

TEST_CASE("a token is who it was made for, with the scopes of its role") {
  Fixture f;
  CHECK(f.identity->is_fresh());
  const auto issued = f.issue(kRita);
  CHECK_FALSE(f.identity->is_fresh());
  for (const std::string scheme : {"Bearer ", "bearer ", "BEARER  "}) {
    const auto principal = f.identity->authenticate(scheme + issued.secret);
    REQUIRE(principal);
    CHECK(principal->name == "rita");
    CHECK(principal->is_human);
    CHECK(principal->token_id == issued.row.id);
    CHECK(principal->has(model::Scope::kArtifactWrite));
    CHECK_FALSE(principal->has(model::Scope::kReleasePromote));
  }
  f.verified();
}

TEST_CASE("what is not a token opens nothing") {
  Fixture f;
  const auto issued = f.issue(kRita);
  CHECK(f.refusal("") == "no_token");
  CHECK(f.refusal("Bearer ") == "bad_token");
  CHECK(f.refusal("Basic " + issued.secret) == "bad_token");
  CHECK(f.refusal(issued.secret) == "bad_token");
  CHECK(f.refusal("Bearer " + new_token_secret().value()) == "bad_token");
  CHECK(f.refusal("Bearer " + issued.secret + "x") == "bad_token");
  CHECK(f.refusal("Bearer " + issued.row.mac) == "bad_token");
}

TEST_CASE("the secret is kept nowhere") {
  Fixture f;
  const auto issued = f.issue(kRita);
  CHECK(issued.row.mac.find(issued.secret) == std::string::npos);
  f.store.reset();
  for (const auto& entry : std::filesystem::directory_iterator(f.dir.path())) {
    if (!entry.is_regular_file()) continue;
    CHECK(read_file(entry.path()).value().find(issued.secret.substr(4)) == std::string::npos);
  }
}

TEST_CASE("a token ends with its time, to the microsecond") {
  Fixture f;
  const auto issued = f.issue(kRita);
  f.clock.set_us(issued.row.expires_at_us - 1);
  CHECK(f.identity->authenticate("Bearer " + issued.secret));
  f.clock.advance_us(1);
  CHECK(f.refusal("Bearer " + issued.secret) == "token_expired");
}

TEST_CASE("threat 35: a clock that is set back does not revive a token") {
  Fixture f;
  const auto issued = f.issue(kRita);
  f.clock.set_us(issued.row.expires_at_us);
  f.issue({.principal = "rita", .role = model::Role::kCi, .name = "later", .expires_in_s = 60});
  CHECK(f.refusal("Bearer " + issued.secret) == "token_expired");
  f.clock.set_us(issued.row.expires_at_us - 1'000'000);
  CHECK(f.refusal("Bearer " + issued.secret) == "token_expired");
}

TEST_CASE("a revoked token is refused at once, and after a restart") {
  Fixture f;
  const auto kept = f.issue(kRita);
  const auto issued = f.issue({.principal = "rita", .role = model::Role::kCi, .name = "other", .expires_in_s = 60});
  REQUIRE(f.identity->revoke_token(daemon_actor(), "other"));
  CHECK(f.refusal("Bearer " + issued.secret) == "token_revoked");
  CHECK(f.identity->authenticate("Bearer " + kept.secret));
  const auto entries = f.verified().entries;
  CHECK(f.identity->revoke_token(daemon_actor(), issued.row.id));  // twice is success, and no news
  CHECK(f.verified().entries == entries);
  CHECK(f.identity->revoke_token(daemon_actor(), "absent").error().slug == "token_not_found");
  f.identity = Identity::open(*f.store, {key_of(2)}).value();
  CHECK(f.refusal("Bearer " + issued.secret) == "token_revoked");
  CHECK(f.identity->authenticate("Bearer " + kept.secret)->token_id == kept.row.id);
}

TEST_CASE("under another server key no old token is valid") {
  Fixture f;
  const auto issued = f.issue(kRita);
  f.identity = Identity::open(*f.store, {key_of(3)}).value();
  CHECK(f.refusal("Bearer " + issued.secret) == "bad_token");
}

TEST_CASE("a name that two live tokens have revokes neither") {
  Fixture f;
  const auto first = f.issue(kRita);
  f.issue(kRita);
  CHECK(f.identity->revoke_token(daemon_actor(), first.row.name).error().slug == "token_ambiguous");
  CHECK(f.identity->authenticate("Bearer " + first.secret));
}

TEST_CASE("a token never gives more than its role, lives not for ever, and a name stays what it is") {
  Fixture f;
  const auto refused = [&](NewToken wanted) {
    const auto issued = f.identity->create_token(daemon_actor(), wanted, Commit::kKeep);
    return issued ? std::string("issued") : issued.error().slug;
  };
  auto wanted = kRita;
  wanted.scopes = {model::Scope::kTokenAdmin};
  CHECK(refused(wanted) == "scope_outside_role");
  wanted = kRita;
  wanted.principal = "../rita";
  CHECK(refused(wanted) == "bad_name");
  for (const std::int64_t life : {std::int64_t{0}, std::int64_t{-1}, std::int64_t{365 * 24 * 3600 + 1}, INT64_MAX}) {
    wanted = kRita;
    wanted.expires_in_s = life;
    CHECK(refused(wanted) == "bad_expiry");
  }
  f.issue(kRita);
  wanted = kRita;
  wanted.is_human = false;
  CHECK(refused(wanted) == "principal_kind");
  wanted = kRita;
  wanted.scopes = {model::Scope::kRead};
  const auto narrow = f.issue(wanted);
  CHECK_FALSE(f.identity->authenticate("Bearer " + narrow.secret)->has(model::Scope::kArtifactWrite));
  CHECK(f.identity->tokens().size() == 2);
}

TEST_CASE("a token made dry does not exist") {
  Fixture f;
  const auto dry = f.identity->create_token(daemon_actor(), kRita, Commit::kDryRun);
  REQUIRE(dry);
  CHECK(f.refusal("Bearer " + dry->secret) == "bad_token");
  CHECK(f.identity->is_fresh());
  CHECK(f.count("tokens") == 0);
}
