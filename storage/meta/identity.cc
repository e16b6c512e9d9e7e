#include "storage/meta/identity.h"

#include <fmt/format.h>

#include "core/base/text.h"

namespace mlops::meta {
namespace {

constexpr std::string_view kFindPrincipal = "SELECT id, name, is_human FROM principals WHERE name = $1";
constexpr std::string_view kInsertPrincipal =
    "INSERT INTO principals (id, name, is_human, created_at) VALUES ($1, $2, $3, $4)";
constexpr std::string_view kListTokens =
    "SELECT t.id, p.id, p.name, p.is_human, t.name, t.mac, t.role, t.scopes, t.created_at, t.expires_at, t.revoked_at "
    "FROM tokens t JOIN principals p ON p.id = t.principal_id ORDER BY t.created_at, t.id";
constexpr std::string_view kInsertToken =
    "INSERT INTO tokens (id, principal_id, name, mac, role, scopes, created_at, expires_at) "
    "VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
constexpr std::string_view kRevokeToken = "UPDATE tokens SET revoked_at = $2 WHERE id = $1 AND revoked_at IS NULL";

// Among a token's scopes; a token without the word reads everything, as those of before there were clearances.
constexpr std::string_view kClearance = "clearance:";

PrincipalRow read_principal(const sql::Cursor& cursor, int column) {
  return {cursor.text(column), cursor.text(column + 1), cursor.integer(column + 2) != 0};
}

Result<TokenRow> read_token(const sql::Cursor& cursor) {
  TokenRow token;
  token.id = cursor.text(0);
  token.principal = read_principal(cursor, 1);
  token.name = cursor.text(4);
  token.mac = cursor.text(5);
  const auto role = model::role_from_word(cursor.text_view(6));
  if (!role) return fail(ErrorCode::kCorrupt, "bad_row", "a stored token has an unknown role");
  token.role = *role;
  for (const auto word : split(cursor.text_view(7), ' ')) {
    if (word.starts_with(kClearance)) {
      const auto clearance = model::sensitivity_from_word(word.substr(kClearance.size()));
      if (!clearance) return fail(ErrorCode::kCorrupt, "bad_row", "a stored token has an unknown clearance");
      token.clearance = *clearance;
      continue;
    }
    const auto scope = model::scope_from_word(word);
    if (!scope) return fail(ErrorCode::kCorrupt, "bad_row", "a stored token has an unknown scope");
    token.scopes.push_back(*scope);
  }
  token.created_at_us = cursor.integer(8);
  token.expires_at_us = cursor.integer(9);
  if (!cursor.is_null(10)) token.revoked_at_us = cursor.integer(10);
  return token;
}

}  // namespace

Result<std::optional<PrincipalRow>> find_principal(sql::Connection& connection, const std::string& name) {
  MLOPS_ASSIGN(auto cursor, connection.query(kFindPrincipal, {std::string_view(name)}));
  MLOPS_ASSIGN(const bool found, cursor.next());
  if (!found) return std::optional<PrincipalRow>();
  return std::optional(read_principal(cursor, 0));
}

Status insert_principal(WriteTx& tx, const PrincipalRow& principal) {
  MLOPS_TRY(tx.touch("principals", principal.id));
  return tx.sql().execute(kInsertPrincipal, {std::string_view(principal.id), std::string_view(principal.name),
                                             std::int64_t{principal.is_human}, tx.now_us()});
}

Result<std::vector<TokenRow>> list_tokens(sql::Connection& connection) {
  MLOPS_ASSIGN(auto cursor, connection.query(kListTokens));
  std::vector<TokenRow> tokens;
  while (true) {
    MLOPS_ASSIGN(const bool more, cursor.next());
    if (!more) return tokens;
    MLOPS_ASSIGN(auto token, read_token(cursor));
    tokens.push_back(std::move(token));
  }
}

Result<TokenRow> find_token(sql::Connection& connection, const std::string& id_or_name) {
  MLOPS_ASSIGN(auto tokens, list_tokens(connection));
  std::vector<TokenRow> named;
  for (auto& token : tokens) {
    if (token.id == id_or_name) return token;
    if (token.name == id_or_name && !token.revoked_at_us) named.push_back(token);
  }
  if (named.size() == 1) return named.front();
  if (named.empty()) {
    return fail(ErrorCode::kNotFound, "token_not_found", fmt::format("there is no token \"{}\"", printable(id_or_name)),
                "`mlopsctl token list` shows all");
  }
  return fail(ErrorCode::kConflict, "token_ambiguous",
              fmt::format("{} tokens are named \"{}\"", named.size(), printable(id_or_name)), "name it by its id");
}

Status insert_token(WriteTx& tx, const TokenRow& token) {
  MLOPS_TRY(tx.touch("tokens", token.id));
  std::vector<std::string> words;
  for (const auto scope : token.scopes) words.emplace_back(to_word(scope));
  if (token.clearance != model::Sensitivity::kChild)
    words.push_back(fmt::format("{}{}", kClearance, to_word(token.clearance)));
  return tx.sql().execute(kInsertToken, {std::string_view(token.id), std::string_view(token.principal.id),
                                         std::string_view(token.name), std::string_view(token.mac), to_word(token.role),
                                         join(words, " "), token.created_at_us, token.expires_at_us});
}

Status revoke_token(WriteTx& tx, const std::string& id) {
  MLOPS_TRY(tx.touch("tokens", id));
  return tx.sql().execute(kRevokeToken, {std::string_view(id), tx.now_us()});
}

}  // namespace mlops::meta
