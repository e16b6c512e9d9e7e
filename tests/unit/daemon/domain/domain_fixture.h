// All domain services over a temporary database and content store, with people who hold real tokens.
#pragma once

#include <fmt/format.h>

#include <fstream>
#include <map>

#include "daemon/domain/clearance.h"
#include "daemon/domain/compliance.h"
#include "daemon/domain/decisions.h"
#include "daemon/domain/erasure.h"
#include "daemon/domain/gc.h"
#include "daemon/domain/identity.h"
#include "daemon/domain/integrity.h"
#include "daemon/domain/lineage.h"
#include "daemon/domain/promotion.h"
#include "daemon/domain/registry.h"
#include "daemon/domain/retention.h"
#include "daemon/domain/reveal.h"
#include "daemon/domain/rollouts.h"
#include "daemon/domain/signatures.h"
#include "daemon/domain/signing_keys.h"
#include "tests/unit/storage/meta/store_fixture.h"

namespace mlops::test {

using meta::Commit;
using model::ArtifactKind;
using model::Sensitivity;

inline crypto::SecretBytes key_of(std::uint8_t byte) {
  return crypto::SecretBytes(std::vector<std::uint8_t>(32, byte));
}

struct DomainFixture : StoreFixture {
  static constexpr std::int64_t kLeaseS = 24 * 3600;
  static constexpr std::int64_t kTrashS = 7 * 24 * 3600;

  DomainFixture()
      : packs(open_packs()),
        content(*packs),
        gc(*store, content, {kLeaseS, kTrashS}),
        retention(*store, content, gc),
        registry(*store, content),
        keys(domain::KeyRing::open(*store, key_of(1)).value()),
        compliance(*store, content, *keys),
        clearance(*store, content),
        reveals(*store, content, compliance),
        promotion(*store, content, compliance),
        signatures(*store),
        signing_keys(*store),
        rollouts(*store, promotion),
        decisions(*store, compliance, promotion),
        erasure(*store, content, compliance, gc, key_of(3), {.index_dir = dir / "erasure"}),
        integrity(*store, content),
        lineage(*store),
        identity(domain::Identity::open(*store, {key_of(2)}).value()) {}

  std::unique_ptr<cas::ContentStore> open_packs() {
    cas::ContentStoreOptions options;
    options.packs.root = dir / "blobs";
    options.packs.low_water_percent = 0;
    options.lease_us = kLeaseS * 1'000'000;
    auto opened = cas::ContentStore::open(options, posix_env(), clock);
    REQUIRE(opened);
    return std::move(*opened);
  }
  // Flips a bit of a stored chunk.
  void damage(const crypto::Digest& chunk) {
    const auto at = content.packs().locate({cas::ObjectKind::kChunk, chunk});
    REQUIRE(at);
    std::uint32_t id = 0;
    for (const auto& pack : content.packs().packs()) {
      if (pack.slot == at->first.pack) id = pack.id;
    }
    const auto path = content.packs().packs_dir() + fmt::format("/{:08x}.pack", id);
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    const auto where = static_cast<std::streamoff>(at->second.offset + cas::kFrameHeadBytes);
    file.seekg(where);
    const int byte = file.get();
    REQUIRE(byte >= 0);
    file.seekp(where);
    file.put(static_cast<char>(byte ^ 1));
  }

  // A person (or service) of that role; the same name is always the same principal.
  meta::Actor person(const std::string& name, model::Role role, bool is_human = true) {
    const auto known = people.find(name);
    if (known != people.end()) return known->second;
    const auto issued = identity->create_token(
        domain::daemon_actor(), {.principal = name, .is_human = is_human, .role = role, .expires_in_s = 3600},
        Commit::kKeep);
    if (!issued) FAIL(issued.error().message);
    const auto principal = identity->authenticate("Bearer " + issued->secret);
    REQUIRE(principal);
    return people[name] = meta::Actor{*principal, {"127.0.0.1", "req"}};
  }
  meta::Actor dora() { return person("dora", model::Role::kRelease); }
  meta::Actor omar() { return person("omar", model::Role::kApprover); }

  void environments(const std::string& list) {
    clock.advance_us(1'000'000);
    const auto applied = compliance.apply_environments(
        dora(), "apiVersion: mlops/v1\nkind: Environments\nenvironments:\n" + list, "env.yaml", Commit::kKeep);
    if (!applied) FAIL(applied.error().message);
  }
  void policy(const std::string& yaml) {
    clock.advance_us(1'000'000);
    const auto applied = compliance.apply_policy(dora(), yaml, "policy.yaml", Commit::kKeep);
    if (!applied) FAIL(applied.error().message);
  }

  domain::NewVersion wanted(ArtifactKind kind, const std::string& name, const std::string& bytes,
                            const std::string& path = "f") {
    const auto stored = content.put(bytes);
    REQUIRE(stored);
    domain::NewVersion version;
    version.kind = kind;
    version.name = name;
    version.files = {{path, stored->digest, stored->size_bytes}};
    return version;
  }
  model::VersionView add(const domain::NewVersion& version) {
    clock.advance_us(1'000'000);
    auto registered = registry.register_version(dora(), version, Commit::kKeep);
    if (!registered) FAIL(registered.error().message);
    return registered->view;
  }
  // A model declared to be free of personal data.
  model::VersionView model_version(const std::string& name, const std::string& bytes) {
    auto version = wanted(ArtifactKind::kModel, name, bytes);
    version.sensitivity = Sensitivity::kNone;
    return add(version);
  }

  Result<model::PromotionView> promote(const std::string& ref, const std::string& environment,
                                       Commit commit = Commit::kKeep) {
    clock.advance_us(1'000'000);
    return promotion.promote(dora(), {{ref}, environment, "because"}, commit);
  }
  Result<model::PromotionView> rollback(const std::string& name, const std::string& environment, std::int64_t to = 0) {
    clock.advance_us(1'000'000);
    return promotion.rollback(dora(), {name, environment, to, "because"}, Commit::kKeep);
  }
  // The reference that runs, or the error's slug.
  std::string running(const std::string& name, const std::string& environment) {
    const auto version = resolve(name + "#" + environment);
    return version ? version->ref() : version.error().slug;
  }

  std::unique_ptr<cas::ContentStore> packs;
  cas::ContentStore& content;
  domain::Gc gc;
  domain::Retention retention;
  domain::Registry registry;
  std::unique_ptr<domain::KeyRing> keys;
  domain::Compliance compliance;
  domain::Clearance clearance;
  domain::Reveals reveals;
  domain::Promotion promotion;
  domain::Signatures signatures;
  domain::SigningKeys signing_keys;
  domain::Rollouts rollouts;
  domain::Decisions decisions;
  domain::Erasure erasure;
  domain::Integrity integrity;
  domain::Lineage lineage;
  std::unique_ptr<domain::Identity> identity;
  std::map<std::string, meta::Actor> people;
};

inline const model::GateResult* gate_named(const model::Plan& plan, const std::string& kind) {
  for (const auto& gate : plan.gates) {
    if (gate.kind == kind) return &gate;
  }
  return nullptr;
}

}  // namespace mlops::test
