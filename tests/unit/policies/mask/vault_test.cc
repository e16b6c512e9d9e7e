#include <set>
#include <thread>

#include "policies/mask/memory_vault.h"
#include "tests/unit/policies/mask/mask_helpers.h"

using namespace mlops;
using namespace mlops::mask;

TEST_CASE("tokenize: a random token for each value, which only vault and key lead back from") {
  MemoryVault vault;
  const auto transform = make("tokenize", "{vault: v}").value();
  const Place place{.vault = &vault};
  const auto one = run(*transform, "00412345", {}, place);
  CHECK(one.rfind("tok-", 0) == 0);
  CHECK(one.size() == 36);
  CHECK(one == run(*transform, " 00412345", {}, place));
  CHECK(one != run(*transform, "00412346", {}, place));
  CHECK(run(*transform, one, {}, place) == one);
  CHECK(run(*transform, "", {}, place) == "");
  CHECK(reveal(*transform, one, place) == "00412345");
  CHECK(reveal(*transform, "tok-00112233445566778899aabbccddeeff", place).error().slug == "cannot_reveal");
  CHECK(vault.size() == 2);
  MemoryVault other;
  CHECK(one != run(*transform, "00412345", {}, {.vault = &other}));  // nothing follows from the value
  vault.for_each([](const std::string&, const VaultEntry& entry) {
    const std::string sealed(entry.sealed.begin(), entry.sealed.end());
    CHECK(sealed.find("0041234") == std::string::npos);
  });
}

TEST_CASE("tokenize: scopes") {
  MemoryVault vault;
  const auto token = [&](std::string_view options, const std::string& dataset, const std::string& column) {
    return apply("tokenize", options, "7", {}, {.dataset = dataset, .column = column, .vault = &vault});
  };
  CHECK(token("{vault: v}", "a", "x") != token("{vault: v}", "a", "y"));
  CHECK(token("{vault: v, scope: dataset}", "a", "x") == token("{vault: v, scope: dataset}", "a", "y"));
  CHECK(token("{vault: v, scope: dataset}", "a", "x") != token("{vault: v, scope: dataset}", "b", "x"));
  CHECK(token("{vault: v, scope: shared}", "a", "x") == token("{vault: v, scope: shared}", "b", "y"));
}

TEST_CASE("tokenize: a value keeps its token when the vault's key is rotated, and without a vault nothing runs") {
  MemoryVault vault;
  const auto transform = make("tokenize", "{vault: v}").value();
  const auto old = run(*transform, "00412345", {}, {.vault = &vault});
  const Place rotated{.key_versions = 2, .vault = &vault};
  CHECK(run(*transform, "00412345", {}, rotated) == old);
  CHECK(reveal(*transform, old, rotated) == "00412345");
  const auto fresh = run(*transform, "new", {}, rotated);
  CHECK(reveal(*transform, fresh, rotated) == "new");
  CHECK(reveal(*transform, fresh, {.vault = &vault}).error().slug == "cannot_reveal");
  const Row row;
  const auto key = key_for(*transform, {});
  CHECK(transform->apply("x", {row, key, "d", "c"}).error().slug == "vault_needed");
  CHECK(make("tokenize", "{}").error().slug == "missing_option");
}

TEST_CASE("threat 25: tokens do not show the order in which they were made") {
  MemoryVault vault;
  const auto transform = make("tokenize", "{vault: v}").value();
  int ascending = 0;
  std::string before = run(*transform, "start", {}, {.vault = &vault});
  for (int i = 0; i < 1000; ++i) {
    const auto token = run(*transform, std::to_string(i), {}, {.vault = &vault});
    ascending += token > before;
    before = token;
  }
  CHECK(ascending > 400);
  CHECK(ascending < 600);
}

TEST_CASE("threat 44: two workers get one token for a subject") {
  MemoryVault vault;
  const auto transform = make("tokenize", "{vault: v}").value();
  const auto key = key_for(*transform, {});
  constexpr int kWorkers = 8;
  constexpr int kSubjects = 500;
  std::vector<std::vector<std::string>> tokens(kWorkers);
  std::vector<std::thread> workers;
  for (int worker = 0; worker < kWorkers; ++worker) {
    workers.emplace_back([&, worker] {
      const Row row;
      for (int i = 0; i < kSubjects; ++i) {
        const auto out = transform->apply("subject " + std::to_string(i), {row, key, "d", "c", 0, &vault});
        tokens[static_cast<std::size_t>(worker)].push_back(out ? *out : "");
      }
    });
  }
  for (auto& worker : workers) worker.join();
  for (const auto& list : tokens) CHECK(list == tokens[0]);
  CHECK(std::set<std::string>(tokens[0].begin(), tokens[0].end()).size() == kSubjects);
  CHECK(vault.size() == kSubjects);
}
