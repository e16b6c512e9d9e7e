#include "policies/mask/key_ring.h"

#include "policies/mask/vault_text.h"
#include "tests/unit/catch.h"
#include "tests/unit/policies/mask/mask_helpers.h"

using namespace mlops;
using namespace mlops::mask;

namespace {

crypto::SecretBytes master(std::uint8_t fill = 1) {
  return crypto::SecretBytes(std::vector<std::uint8_t>(32, fill));
}

KeyRing reopened(const KeyRing& ring) {
  auto text = ring.to_text();
  REQUIRE(text);
  auto again = KeyRing::open(*text, master());
  if (!again) FAIL(again.error().message);
  return std::move(*again);
}

bool same(const crypto::SecretBytes& a, const crypto::SecretBytes& b) {
  return crypto::constant_time_equal(a.view(), b.view());
}

std::string replaced(std::string text, std::string_view from, std::string_view to) {
  const auto at = text.find(from);
  REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

}  // namespace

TEST_CASE("key ring: what is added, rotated, retired and destroyed is so after it was stored") {
  auto ring = KeyRing::create(master()).value();
  CHECK(ring.add("research", "pseudonymisation", 1'000'000) == "research.1");
  CHECK(ring.add("research", "", 2).error().slug == "key_exists");
  CHECK(ring.add("Bad Name", "", 2).error().slug == "bad_key_name");
  const auto first = ring.current("research").value();
  CHECK(first.id == "research.1");
  CHECK(first.bytes.view().size() == 32);
  CHECK(ring.rotate("research", 3'000'000) == "research.2");
  ring = reopened(ring);
  CHECK(ring.current("research")->id == "research.2");
  CHECK(same(ring.by_id("research.1")->bytes, first.bytes));
  CHECK_FALSE(same(ring.current("research")->bytes, first.bytes));

  CHECK(ring.retire("research", 4'000'000) == "research.2");
  ring = reopened(ring);
  CHECK(ring.current("research").error().slug == "key_retired");
  CHECK(ring.by_id("research.2"));
  CHECK(ring.destroy("research.1", 5'000'000) == "research.1");
  ring = reopened(ring);
  CHECK(ring.by_id("research.1").error().slug == "key_destroyed");
  CHECK(ring.destroy("research.1", 6).error().slug == "key_destroyed");
  CHECK(ring.by_id("research.9").error().slug == "unknown_key_id");
  CHECK(ring.current("other").error().slug == "unknown_key");
  CHECK(ring.rotate("other", 1).error().slug == "unknown_key");
  CHECK(ring.rotate("research", 7'000'000) == "research.3");
  ring = reopened(ring);
  const auto keys = ring.keys();
  REQUIRE(keys.size() == 3);
  CHECK(to_word(keys[0].state) == "destroyed");
  CHECK(keys[0].changed_at_us == 5'000'000);
  CHECK(to_word(keys[1].state) == "retired");
  CHECK(to_word(keys[2].state) == "active");
  CHECK(keys[2].purpose == "pseudonymisation");
  CHECK(keys[0].check.size() == 8);
}

TEST_CASE("key ring: its text holds no key, opens with its master key alone, and cannot be changed") {
  auto ring = KeyRing::create(master()).value();
  REQUIRE(ring.add("research", "p", 1));
  const auto text = ring.to_text().value();
  CHECK(text.find(to_hex(ring.current("research")->bytes.view())) == std::string::npos);
  CHECK(text.find(to_hex(ring.derived("vault").view())) == std::string::npos);
  CHECK(KeyRing::open(text, master(2)).error().slug == "wrong_master_key");
  CHECK(KeyRing::open(replaced(text, "active", "retired"), master()).error().slug == "keyring_damaged");
  CHECK(KeyRing::open(replaced(text, "research.1", "research.2"), master()).error().slug == "keyring_damaged");
  CHECK(KeyRing::open("{}", master()).error().slug == "keyring_damaged");
  CHECK(KeyRing::open("", master()).error().slug == "keyring_damaged");
  CHECK_FALSE(KeyRing::open(text.substr(0, text.size() / 2), master()));
  // A destroyed key is not in the text in any form.
  const auto before = ring.by_id("research.1").value();
  REQUIRE(ring.destroy("research.1", 2));
  CHECK(ring.to_text()->find("\"wrapped\"") == std::string::npos);
}

TEST_CASE("key ring: the same keys under another master key") {
  auto ring = KeyRing::create(master()).value();
  REQUIRE(ring.add("research", "p", 1));
  const auto key = ring.current("research").value();
  const auto vault_key = ring.derived("vault");
  ring.change_master(master(2));
  const auto text = ring.to_text().value();
  CHECK(KeyRing::open(text, master(1)).error().slug == "wrong_master_key");
  const auto again = KeyRing::open(text, master(2));
  REQUIRE(again);
  CHECK(same(again->current("research")->bytes, key.bytes));
  CHECK(same(again->derived("vault"), vault_key));
}

TEST_CASE("key ring: a first version of known bytes") {
  auto ring = KeyRing::create(master()).value();
  REQUIRE(ring.add_known("research", "p", master(7), 1));
  CHECK(same(ring.current("research")->bytes, master(7)));
  CHECK(ring.add_known("short", "p", crypto::SecretBytes(std::vector<std::uint8_t>(16, 1)), 1).error().slug ==
        "key_too_short");
}

TEST_CASE("threat 28: rotation over a ring, and what a destroyed key wrote is neither known nor revealed") {
  auto ring = KeyRing::create(master()).value();
  REQUIRE(ring.add("k", "p", 1));
  const auto encrypt = make("encrypt", "{key: k}").value();
  const auto pseudonymize = make("pseudonymize", "{key: k}").value();
  const Row row;
  const auto run = [&](const Transform& transform, std::string_view cell) {
    const auto key = column_key(ring, "k", {"d", "c"}).value();
    return transform.apply(cell, {row, key, "d", "c", 1}).value();
  };
  const auto sealed = run(*encrypt, "Jane Roe");
  const auto token = run(*pseudonymize, "00412345");
  REQUIRE(ring.rotate("k", 2));
  CHECK(run(*encrypt, sealed) == sealed);
  CHECK(run(*pseudonymize, token) == token);
  REQUIRE(ring.destroy("k.1", 3));
  const auto key = column_key(ring, "k", {"d", "c"}).value();
  CHECK(key.former.empty());
  CHECK_FALSE(encrypt->reveal(sealed, {row, key, "d", "c", 1}));
  CHECK(run(*pseudonymize, token) != token);
}

TEST_CASE("vault text: comes back whole, only with its key, and shows nothing") {
  MemoryVault vault;
  const auto tokenize = make("tokenize", "{vault: v}").value();
  const auto token = run(*tokenize, "00412345", {}, {.dataset = "clinic-42", .vault = &vault});
  const auto key = master(5);
  const auto text = vault_to_text(vault, key.view()).value();
  CHECK(text.find("clinic-42") == std::string::npos);
  CHECK(text.find(token) == std::string::npos);
  MemoryVault again;
  REQUIRE(read_vault_text(text, key.view(), again));
  CHECK(run(*tokenize, "00412345", {}, {.dataset = "clinic-42", .vault = &again}) == token);
  CHECK(reveal(*tokenize, token, {.dataset = "clinic-42", .vault = &again}) == "00412345");
  MemoryVault none;
  CHECK(read_vault_text(text, master(6).view(), none).error().slug == "wrong_vault_key");
  CHECK(read_vault_text("x" + text, key.view(), none).error().slug == "vault_damaged");
  auto changed = text;
  changed[changed.size() / 2] ^= 1;
  CHECK(read_vault_text(changed, key.view(), none).error().slug == "wrong_vault_key");
}

TEST_CASE("key ids") {
  CHECK(parse_key_id("research.12")->version == 12);
  CHECK(parse_key_id("a.b.2")->name == "a.b");
  for (const auto* text : {"research", "research.", ".1", "research.0", "research.01", "research.+1", "research.-1",
                           "research.99999999999"}) {
    INFO(text);
    CHECK_FALSE(parse_key_id(text));
  }
}
