#include <set>

#include "tests/unit/policies/mask/mask_helpers.h"

using namespace mlops;
using namespace mlops::mask;

TEST_CASE("encrypt: opens in its place, and no two ciphertexts are alike") {
  const auto encrypt = make("encrypt", "{key: k}").value();
  const auto one = run(*encrypt, "Jane Roe");
  CHECK(one.rfind("enc-k1-", 0) == 0);
  CHECK(one != run(*encrypt, "Jane Roe"));
  CHECK(reveal(*encrypt, one) == "Jane Roe");
  CHECK(run(*encrypt, "").empty());
  CHECK(run(*encrypt, "a").size() == run(*encrypt, "fifteen letters").size());  // the length does not show
  CHECK(reveal(*encrypt, run(*encrypt, std::string(16, 'x'))) == std::string(16, 'x'));
  CHECK(reveal(*encrypt, run(*encrypt, std::string(" \0\x80", 3))) == std::string(" \0\x80", 3));
  CHECK(make("encrypt", "{}").error().slug == "missing_option");
  CHECK(make("encrypt", "{key: k, mode: cbc}").error().slug == "unknown_key");
}

TEST_CASE("threat 30: a ciphertext moved to another record, column or dataset does not open") {
  const auto encrypt = make("encrypt", "{key: k}").value();
  const auto one = run(*encrypt, "Jane Roe");
  CHECK(reveal(*encrypt, one, {.record = 5}).error().slug == "cannot_reveal");
  CHECK(reveal(*encrypt, one, {.column = "x"}).error().slug == "cannot_reveal");
  CHECK(reveal(*encrypt, one, {.dataset = "x"}).error().slug == "cannot_reveal");
  const auto deterministic = make("encrypt_deterministic", "{key: k}").value();
  const auto two = run(*deterministic, "Jane Roe");
  CHECK(reveal(*deterministic, two, {.record = 5}) == "Jane Roe");
  CHECK(reveal(*deterministic, two, {.column = "x"}).error().slug == "cannot_reveal");
  CHECK(reveal(*deterministic, two, {.dataset = "x"}).error().slug == "cannot_reveal");
  auto changed = two;
  changed.back() = changed.back() == '0' ? '1' : '0';
  CHECK(reveal(*deterministic, changed).error().slug == "cannot_reveal");
}

TEST_CASE("threat 30: the place alone keeps it shut, whatever the key") {
  // One key for both columns, as `scope: shared` would give.
  const auto encrypt = make("encrypt", "{key: k}").value();
  const auto key = column_key(FixedKeys(), "k", {"", "", KeyScope::kShared}).value();
  const Row row;
  const auto sealed = encrypt->apply("Jane Roe", {row, key, "d", "c", 1}).value();
  CHECK(encrypt->reveal(sealed, {row, key, "d", "c", 1}) == "Jane Roe");
  CHECK_FALSE(encrypt->reveal(sealed, {row, key, "d", "c", 2}));
  CHECK_FALSE(encrypt->reveal(sealed, {row, key, "d", "b", 1}));
  CHECK_FALSE(encrypt->reveal(sealed, {row, key, "e", "c", 1}));
}

TEST_CASE("threat 28: what is encrypted is not encrypted again, and former keys still open it") {
  for (const std::string_view id : {"encrypt", "encrypt_deterministic"}) {
    const auto transform = make(id, "{key: k}").value();
    const auto old = run(*transform, "Jane Roe");
    const Place rotated{.key_versions = 2};
    CHECK(run(*transform, old) == old);
    CHECK(run(*transform, old, {}, rotated) == old);
    CHECK(reveal(*transform, old, rotated) == "Jane Roe");
    const auto fresh = run(*transform, "Jane Roe", {}, rotated);
    CHECK(fresh.substr(3, 4) == "-k2-");
    CHECK(reveal(*transform, fresh).error().slug == "cannot_reveal");  // this key was not there yet
    // Moved elsewhere, it is a text like any other: it is sealed again, never passed on.
    CHECK(run(*transform, old, {}, {.column = "x"}) != old);
  }
}

TEST_CASE("encrypt_deterministic: equal for equal values of a column") {
  const auto transform = make("encrypt_deterministic", "{key: k}").value();
  CHECK(run(*transform, "a") == run(*transform, "a", {}, {.record = 9}));
  CHECK(run(*transform, "a") != run(*transform, "b"));
  CHECK(run(*transform, "a") != run(*transform, "a", {}, {.column = "x"}));
  CHECK(reveal(*transform, run(*transform, "a")) == "a");
}

TEST_CASE("threat 26: fpe keeps the form, and refuses what can be searched through") {
  const auto digits = make("fpe", "{key: k}").value();
  const auto one = run(*digits, "617-555-0123");
  CHECK(one.size() == 12);
  CHECK(one[3] == '-');
  CHECK(one[7] == '-');
  CHECK(one != "617-555-0123");
  CHECK(reveal(*digits, one) == "617-555-0123");
  CHECK(one != run(*digits, "617-555-0123", {}, {.column = "other"}));  // the tweak is the place
  CHECK(one == run(*digits, "617-555-0123", {}, {.record = 77}));
  // Five digits are a ZIP code; letters cannot be hidden by an alphabet of digits.
  for (const std::string_view cell : {"02155", "12-34", "A1234567", "Jos\xC3\xA9 1234567", "1234567x"}) {
    INFO(cell);
    CHECK(run(*digits, cell) == "[REDACTED]");
  }
  CHECK(run(*digits, "") == "");
  const auto alnum = make("fpe", "{key: k, alphabet: alnum}").value();
  CHECK(reveal(*alnum, run(*alnum, "AB-12 cd.9")) == "AB-12 cd.9");
  CHECK(make("fpe", "{key: k, length: 6}"));
  CHECK(make("fpe", "{key: k, length: 5}").error().slug == "bad_option");
  CHECK(make("fpe", "{key: k, length: 5}").error().message.find("test.yaml:1:") != std::string::npos);
  CHECK(make("fpe", "{key: k, alphabet: alnum, length: 4}"));
  CHECK(make("fpe", "{key: k, alphabet: alnum, length: 3}").error().slug == "bad_option");
  CHECK(make("fpe", "{key: k, alphabet: ff3}").error().slug == "bad_option");
}

TEST_CASE("fpe: cells that could only be redacted are counted, and none comes out as it went in") {
  const auto digits = make("fpe", "{key: k}").value();
  const auto key = key_for(*digits, {});
  const Row row;
  CellCounts counts;
  std::set<std::string> seen;
  for (int i = 0; i < 20000; ++i) {
    const auto cell = std::to_string(100000 + i);
    const auto out = digits->apply(cell, {row, key, "d", "c", 0, nullptr, &counts}).value();
    REQUIRE(out != cell);
    seen.insert(out);
  }
  CHECK(seen.size() >= 20000 - counts.placeholders);
  const auto before = counts.placeholders;
  REQUIRE(digits->apply("123", {row, key, "d", "c", 0, nullptr, &counts}));
  CHECK(counts.placeholders == before + 1);
}

TEST_CASE("reveal: what keeps nothing says so") {
  for (const auto* id : {"redact", "pseudonymize", "mask"}) {
    const auto transform = make(id, std::string_view(id) == "pseudonymize" ? "{key: k}" : "{}").value();
    CHECK_FALSE(transform->is_reversible());
    CHECK(reveal(*transform, "x").error().slug == "not_reversible");
  }
}
