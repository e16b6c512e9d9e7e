// Principals and tokens. Errors: kNotFound "token_not_found", kConflict "token_ambiguous". Thread-safety: as its
// connection. Nothing here ever sees a token's secret, only its keyed hash.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/model/principal.h"
#include "storage/meta/store.h"

namespace mlops::meta {

struct PrincipalRow {
  std::string id;
  std::string name;
  bool is_human = true;
};

struct TokenRow {
  std::string id;
  PrincipalRow principal;
  std::string name;
  std::string mac;  // hex
  model::Role role = model::Role::kViewer;
  std::vector<model::Scope> scopes;
  model::Sensitivity clearance = model::Sensitivity::kChild;  // the highest label whose bytes it may read
  TimestampUs created_at_us = 0;
  TimestampUs expires_at_us = 0;
  std::optional<TimestampUs> revoked_at_us;
};

Result<std::optional<PrincipalRow>> find_principal(sql::Connection& connection, const std::string& name);
Status insert_principal(WriteTx& tx, const PrincipalRow& principal);
Result<std::vector<TokenRow>> list_tokens(sql::Connection& connection);
// By id, or by a name that only one live token has.
Result<TokenRow> find_token(sql::Connection& connection, const std::string& id_or_name);
Status insert_token(WriteTx& tx, const TokenRow& token);
Status revoke_token(WriteTx& tx, const std::string& id);

}  // namespace mlops::meta
