// The domain fixture with what tests of collections do over and over: old bytes, noise, runs, holds and rules.
#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "tests/unit/daemon/domain/domain_fixture.h"

namespace mlops::test {

inline constexpr std::int64_t kHourUs = 3600ll * 1'000'000;
inline constexpr std::int64_t kDayS = 86400;

// Bytes that neither compress nor repeat, so that several chunks come of them.
inline std::string noise(std::size_t size_bytes, std::uint64_t seed) {
  std::string bytes(size_bytes, '\0');
  std::uint64_t state = seed * 0x9e3779b97f4a7c15ull + 1;
  for (auto& byte : bytes) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    byte = static_cast<char>(state >> 32);
  }
  return bytes;
}

struct GcFixture : DomainFixture {
  GcFixture() { environments("  - {name: dev, clearance: child}\n  - {name: prod, clearance: child}\n"); }

  // Everything written so far is old enough to be collected.
  void grow_old() { clock.advance_us(25 * kHourUs); }
  void wait_days(std::int64_t days) { clock.advance_us(days * 24 * kHourUs); }
  void remove(const std::string& ref) {
    clock.advance_us(1'000'000);
    const auto removed = registry.remove(dora(), ref, "wrong", Commit::kKeep);
    if (!removed) FAIL(removed.error().message);
  }
  domain::GcPlan plan() {
    auto found = gc.plan(std::nullopt);
    if (!found) FAIL(found.error().message);
    return *found;
  }
  domain::GcOutcome run(std::optional<std::int64_t> grace_s = std::nullopt) {
    auto outcome = gc.run(dora(), {.reason = "tidy", .min_age_s = std::nullopt, .grace_s = grace_s});
    if (!outcome) FAIL(outcome.error().message);
    return *outcome;
  }
  domain::HoldView hold(const std::string& ref, const std::string& case_id) {
    auto held = retention.hold(dora(), {ref, case_id, "because"}, Commit::kKeep);
    if (!held) FAIL(held.error().message);
    return *held;
  }
  void rule(const std::string& subject, std::int64_t keep_s) {
    const auto set = retention.set_rule(dora(), subject, keep_s, "law", Commit::kKeep);
    if (!set) FAIL(set.error().message);
  }
  bool has(const std::string& bytes) { return content.has(crypto::sha256(bytes), bytes.size()); }
  std::vector<std::string> actions() {
    std::vector<std::string> words;
    const auto entries = integrity.audit_entries({.limit = 1000});
    REQUIRE(entries);
    for (const auto& entry : *entries) words.push_back(entry.at("action"));
    return words;
  }
  bool says(const std::string& action) {
    const auto all = actions();
    return std::find(all.begin(), all.end(), action) != all.end();
  }
};

}  // namespace mlops::test
