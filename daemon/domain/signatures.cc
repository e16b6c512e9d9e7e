#include "daemon/domain/signatures.h"

#include <fmt/format.h>

#include "core/crypto/sign.h"
#include "core/model/reference.h"
#include "core/model/version_statement.h"
#include "storage/meta/change_control.h"
#include "storage/meta/versions.h"

namespace mlops::domain {
namespace {

std::string statement_of(const model::Version& version) {
  return model::version_statement(std::string(to_word(version.kind)), version.ref(), version.digest.to_string());
}

Result<model::Version> live_version(sql::Connection& connection, const std::string& ref) {
  MLOPS_ASSIGN(const auto reference, model::parse_version_reference(ref));
  MLOPS_ASSIGN(auto version, meta::resolve(connection, reference));
  if (version.deleted_at_us != 0) {
    return fail(ErrorCode::kNotFound, "version_deleted",
                fmt::format("{} was deleted: {}", version.ref(), version.deleted_reason));
  }
  return version;
}

// Why it does not count; empty: it does.
std::string why_void(const meta::SignatureRow& row, const model::Version& version, TimestampUs now_us) {
  if (row.key_revoked_at_us) return "its key was revoked";
  if (row.key_expires_at_us && *row.key_expires_at_us <= now_us) return "its key has expired";
  const bool fits = row.statement == statement_of(version) &&
                    crypto::verify_signature(row.public_key, row.statement, row.signature).has_value();
  return fits ? "" : "the signature does not fit the version";
}

Result<SignedVersion> signed_version(sql::Connection& connection, model::Version version, TimestampUs now_us) {
  SignedVersion out;
  MLOPS_ASSIGN(out.signatures, shown_signatures(connection, version, now_us));
  out.version = std::move(version);
  return out;
}

}  // namespace

Result<std::vector<ShownSignature>> shown_signatures(sql::Connection& connection, const model::Version& version,
                                                     TimestampUs now_us) {
  MLOPS_ASSIGN(auto rows, meta::signatures_of(connection, version.id));
  std::vector<ShownSignature> shown;
  for (auto& row : rows) {
    auto why = why_void(row, version, now_us);
    shown.push_back({std::move(row), std::move(why)});
  }
  return shown;
}

Result<SignedVersion> Signatures::sign(const meta::Actor& actor, const SignRequest& request, meta::Commit commit) {
  const auto& who = actor.principal;
  return store_.write<SignedVersion>(actor, commit, [&](meta::WriteTx& tx) -> Result<SignedVersion> {
    MLOPS_ASSIGN(auto version, live_version(tx.sql(), request.ref));
    MLOPS_ASSIGN(const auto key, meta::get_signing_key(tx.sql(), request.key_id));
    if (key.principal_id != who.id || !key.is_live(tx.now_us())) {
      return fail(ErrorCode::kInvalid, "bad_signature",
                  fmt::format("the key {} is not a live one of {}", key.id, who.name), "`mlopsctl key add` makes one");
    }
    meta::SignatureRow row;
    row.id = tx.new_id();
    row.version_id = version.id;
    row.key_id = key.id;
    row.principal_id = who.id;
    for (const auto role : who.roles) row.roles += (row.roles.empty() ? "" : " ") + std::string(to_word(role));
    row.statement = statement_of(version);
    row.signature = request.signature;
    row.created_at_us = tx.now_us();
    if (!crypto::verify_signature(key.public_key, row.statement, row.signature)) {
      return fail(ErrorCode::kInvalid, "bad_signature", "the signature does not fit the version, or is of another key",
                  "run `mlopsctl sign` again");
    }
    tx.begin_entry("version.sign", version.typed_ref(), key.id);
    MLOPS_TRY(meta::insert_signature(tx, row));
    return signed_version(tx.sql(), std::move(version), tx.now_us());
  });
}

Result<SignedVersion> Signatures::show(const std::string& ref) {
  return store_.read<SignedVersion>([&](sql::Connection& connection) -> Result<SignedVersion> {
    MLOPS_ASSIGN(auto version, live_version(connection, ref));
    return signed_version(connection, std::move(version), store_.now_us());
  });
}

}  // namespace mlops::domain
