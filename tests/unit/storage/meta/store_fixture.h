// A metadata store on a temporary file with a clock of its own, and the few changes that tests need.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "core/model/manifest.h"
#include "storage/meta/store.h"
#include "storage/meta/versions.h"
#include "tests/unit/storage/sql/temp_dir.h"

namespace mlops::test {

inline meta::Actor actor_named(const std::string& name) {
  meta::Actor actor;
  actor.principal.id = name + "-id";
  actor.principal.name = name;
  return actor;
}

class StoreFixture {
 public:
  static constexpr TimestampUs kStartUs = 1'700'000'000'000'000;

  StoreFixture() { reopen(); }

  void reopen() {
    store.reset();
    meta::StoreOptions options;
    options.database_file = dir / "meta.db";
    auto opened = meta::Store::open(options, clock);
    REQUIRE(opened);
    store = std::move(*opened);
  }

  template <class T>
  Result<T> read(const std::function<Result<T>(sql::Connection&)>& look) {
    return store->read<T>(look);
  }

  Status write(const std::function<Status(meta::WriteTx&)>& change, meta::Commit commit = meta::Commit::kKeep) {
    auto done = store->write<bool>(actor, commit, [&](meta::WriteTx& tx) -> Result<bool> {
      MLOPS_TRY(change(tx));
      return true;
    });
    if (!done) return fail(done.error());
    return {};
  }

  // Fails the test unless the log verifies.
  audit::VerifyReport verified() {
    auto report =
        store->read<audit::VerifyReport>([](sql::Connection& connection) { return audit::verify(connection); });
    if (!report) FAIL(report.error().message << " " << report.error().detail);
    return *report;
  }

  std::int64_t count(const std::string& table) {
    return store
        ->read<std::int64_t>([&](sql::Connection& connection) -> Result<std::int64_t> {
          MLOPS_ASSIGN(auto cursor, connection.query_text("SELECT COUNT(*) FROM " + table, {}));
          MLOPS_TRY(cursor.next());
          return cursor.integer(0);
        })
        .value();
  }

  // A version with one file of that content, and the moment it was registered.
  model::Version add_version(model::ArtifactKind kind, const std::string& name, const std::string& content) {
    model::Version version;
    auto status = write([&](meta::WriteTx& tx) -> Status {
      const model::FileEntry file{"f", crypto::sha256(std::string_view(content)), content.size()};
      MLOPS_ASSIGN(const auto manifest, model::make_manifest(kind, {file}));
      const auto body = model::manifest_bytes(manifest);
      tx.begin_entry("version.register", name);
      MLOPS_ASSIGN(const auto artifact, meta::upsert_artifact(tx, kind, name));
      version.artifact_id = artifact.id;
      version.kind = kind;
      version.name = name;
      version.digest = crypto::sha256(std::string_view(body));
      version.file_count = 1;
      version.size_bytes = content.size();
      version.created_by = tx.actor().principal.name;
      return meta::insert_version(tx, version, body);
    });
    if (!status) FAIL(status.error().message);
    return version;
  }

  Result<model::Version> resolve(const std::string& ref, TimestampUs as_of_us = 0) {
    return store->read<model::Version>([&](sql::Connection& connection) -> Result<model::Version> {
      MLOPS_ASSIGN(const auto reference, model::parse_version_reference(ref));
      return meta::resolve(connection, reference, as_of_us);
    });
  }

  TempDir dir;
  FakeClock clock{kStartUs};
  meta::Actor actor = actor_named("tester");
  std::unique_ptr<meta::Store> store;
};

}  // namespace mlops::test
