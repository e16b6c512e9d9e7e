// The key ring: versions, states, what an installation of before keeps, other master keys, and no key in any file.
#include "daemon/domain/key_ring.h"

#include <algorithm>

#include "core/base/env.h"
#include "storage/meta/vault.h"
#include "tests/unit/catch.h"
#include "tests/unit/storage/meta/store_fixture.h"

using namespace mlops;
using namespace mlops::domain;
using namespace mlops::test;
using meta::Commit;

namespace {

crypto::SecretBytes master_of(std::uint8_t byte) {
  return crypto::SecretBytes(std::vector<std::uint8_t>(32, byte));
}

std::string hex_of(const Result<mask::NamedKey>& key) {
  return key ? to_hex(key->bytes.view()) : key.error().slug;
}

struct Fixture : StoreFixture {
  std::unique_ptr<KeyRing> ring(std::uint8_t master = 1) {
    auto opened = KeyRing::open(*store, master_of(master));
    if (!opened) FAIL(opened.error().message);
    return std::move(*opened);
  }
  std::vector<std::string> states(const KeyRing& ring) {
    std::vector<std::string> list;
    for (const auto& row : ring.keys()) list.push_back(row.id + " " + row.state);
    return list;
  }
  std::vector<std::string> actions() {
    const auto entries = store->read<std::vector<Json>>(
        [](sql::Connection& connection) { return audit::list_entries(connection, {.action = "key."}); });
    REQUIRE(entries);
    std::vector<std::string> list;
    for (const auto& entry : *entries) {
      list.push_back(entry.at("action").get<std::string>() + " " + entry.at("target").get<std::string>() + " by " +
                     entry.at("actor").get<std::string>());
    }
    return list;
  }
};

}  // namespace

TEST_CASE("a key comes into being when it is first used, and stays the same over restarts") {
  Fixture f;
  std::string first;
  {
    const auto ring = f.ring();
    CHECK(ring->keys().empty());
    const auto key = ring->current("research");
    REQUIRE(key);
    CHECK(key->id == "research.1");
    first = hex_of(key);
    CHECK(first.size() == 64);
    CHECK(hex_of(ring->current("research")) == first);
    CHECK(hex_of(ring->current("other")) != first);
  }
  f.reopen();
  const auto ring = f.ring();
  CHECK(hex_of(ring->current("research")) == first);
  CHECK(hex_of(ring->by_id("research.1")) == first);
  CHECK(ring->by_id("research.2").error().slug == "unknown_key_id");
  CHECK(ring->keys().front().origin == "random");
  f.verified();
}

TEST_CASE("rotated, a key goes on with a new version; a retired one is read until it is destroyed, for ever") {
  Fixture f;
  auto ring = f.ring();
  REQUIRE(ring->create(f.actor, {"research", "study 17", "pseudonyms"}, Commit::kKeep));
  const auto first = hex_of(ring->current("research"));
  CHECK(ring->create(f.actor, {"research", "again", ""}, Commit::kKeep).error().slug == "key_exists");
  CHECK(ring->create(f.actor, {"Bad Name", "x", ""}, Commit::kKeep).error().slug == "bad_key_name");
  CHECK(ring->rotate(f.actor, {"research", " ", ""}, Commit::kKeep).error().slug == "reason_needed");
  CHECK(ring->rotate(f.actor, {"none", "x", ""}, Commit::kKeep).error().slug == "unknown_key");
  CHECK(ring->rotate(f.actor, {"research", "yearly", ""}, Commit::kDryRun));
  CHECK(ring->current("research")->id == "research.1");
  const auto rotated = ring->rotate(f.actor, {"research", "yearly", ""}, Commit::kKeep);
  REQUIRE(rotated);
  CHECK(rotated->row.id == "research.2");
  CHECK(rotated->row.purpose == "pseudonyms");
  CHECK(ring->current("research")->id == "research.2");
  CHECK(hex_of(ring->current("research")) != first);
  CHECK(hex_of(ring->by_id("research.1")) == first);

  CHECK(ring->destroy(f.actor, {"research.2", "x", ""}, Commit::kKeep).error().slug == "key_active");
  CHECK(ring->destroy(f.actor, {"research.7", "x", ""}, Commit::kKeep).error().slug == "unknown_key_id");
  REQUIRE(ring->destroy(f.actor, {"research.1", "over", ""}, Commit::kDryRun));
  CHECK(hex_of(ring->by_id("research.1")) == first);
  const auto destroyed = ring->destroy(f.actor, {"research.1", "over", ""}, Commit::kKeep);
  REQUIRE(destroyed);
  CHECK_FALSE(destroyed->is_derivable);
  CHECK(ring->by_id("research.1").error().slug == "key_destroyed");
  CHECK(ring->destroy(f.actor, {"research.1", "x", ""}, Commit::kKeep).error().slug == "key_destroyed");
  ring.reset();
  f.reopen();
  ring = f.ring();
  CHECK(ring->by_id("research.1").error().slug == "key_destroyed");
  CHECK(f.states(*ring) == std::vector<std::string>{"research.1 destroyed", "research.2 active"});
  CHECK(f.actions() == std::vector<std::string>{"key.ring masking by mlopsd", "key.create research.1 by tester",
                                                "key.rotate research.2 by tester", "key.destroy research.1 by tester"});
  f.verified();
}

TEST_CASE("what was masked before there was a ring keeps its keys") {
  Fixture f;
  REQUIRE(f.write([](meta::WriteTx& tx) {
    tx.begin_entry("vault.grow", "token vault");
    return meta::insert_vault_row(tx, {"patients\nmrn", "tok-1", {1, 2}, "research.1", {3, 4}});
  }));
  auto ring = f.ring();
  const auto derived = crypto::hmac_sha256(master_of(1).view(), std::string_view("masking-key:research"));
  CHECK(hex_of(ring->current("research")) == to_hex(derived));
  CHECK(ring->keys().front().origin == "derived");
  REQUIRE(ring->current("new"));
  CHECK(ring->keys().front().name == "new");
  CHECK(ring->keys().front().origin == "random");
  REQUIRE(ring->rotate(f.actor, {"research", "x", ""}, Commit::kKeep));
  // The master key in use still gives it: not gone for good.
  CHECK(ring->destroy(f.actor, {"research.1", "x", ""}, Commit::kDryRun)->is_derivable);
  REQUIRE(ring->rewrap(f.actor, master_of(2)));
  CHECK_FALSE(ring->destroy(f.actor, {"research.1", "x", ""}, Commit::kDryRun)->is_derivable);
  CHECK(hex_of(ring->by_id("research.1")) == to_hex(derived));
}

TEST_CASE("another master key opens nothing, unless the ring was rewrapped, or all is given up") {
  Fixture f;
  auto ring = f.ring();
  const auto first = hex_of(ring->current("research"));
  ring.reset();
  CHECK(KeyRing::open(*f.store, master_of(2)).error().slug == "wrong_master_key");
  ring = f.ring();
  REQUIRE(ring->rewrap(f.actor, master_of(2)));
  ring.reset();
  CHECK(KeyRing::open(*f.store, master_of(1)).error().slug == "wrong_master_key");
  CHECK(hex_of(f.ring(2)->current("research")) == first);
  const auto given_up = KeyRing::open(*f.store, master_of(3), KeyRing::Unopened::kGiveUp);
  REQUIRE(given_up);
  CHECK(f.states(**given_up) == std::vector<std::string>{"research.1 destroyed", "research.2 active"});
  CHECK((*given_up)->current("research")->id == "research.2");
  CHECK(hex_of(f.ring(3)->current("research")) == hex_of((*given_up)->current("research")));
  f.verified();
}

TEST_CASE("a changed or moved seal does not open") {
  Fixture f;
  const auto ring = f.ring();
  REQUIRE(ring->current("a"));
  REQUIRE(ring->current("b"));
  REQUIRE(f.write([](meta::WriteTx& tx) {
    return tx.sql().execute(
        "UPDATE mask_keys SET sealed = (SELECT sealed FROM mask_keys WHERE id = 'b.1') "
        "WHERE id = 'a.1'");
  }));
  CHECK(KeyRing::open(*f.store, master_of(1)).error().slug == "keyring_damaged");
}

TEST_CASE("no key is in the database, its log or a copy; of a destroyed one not even the seal") {
  Fixture f;
  const auto ring = f.ring();
  std::vector<std::string> secrets;
  const auto add = [&](const mask::NamedKey& key) {
    const auto view = key.bytes.view();
    secrets.emplace_back(view.begin(), view.end());
    secrets.push_back(to_hex(view));
  };
  add(*ring->current("research"));
  const auto seal = ring->keys().front().sealed;
  secrets.push_back(std::string(32, '\1'));
  REQUIRE(ring->rotate(f.actor, {"research", "x", ""}, Commit::kKeep));
  add(*ring->current("research"));
  const auto in_files = [&](const std::string& secret) {
    const auto copy = f.dir / "copy.db";
    (void)posix_env().remove(copy);
    REQUIRE(f.store->copy_into(copy));
    for (const auto& file : {f.dir / "meta.db", f.dir / "meta.db-wal", copy}) {
      const auto text = read_file(file, 64u << 20);
      if (text && text->find(secret) != std::string::npos) return true;
    }
    return false;
  };
  for (const auto& secret : secrets) CHECK_FALSE(in_files(secret));
  const std::string sealed(seal.begin(), seal.end());
  CHECK(in_files(sealed));
  REQUIRE(ring->destroy(f.actor, {"research.1", "x", ""}, Commit::kKeep));
  CHECK_FALSE(in_files(sealed));
}
