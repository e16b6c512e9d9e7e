#include "daemon/app/first_start.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdlib>

#include "core/base/build_info.h"
#include "core/base/env.h"
#include "core/base/log.h"
#include "core/base/yaml.h"
#include "storage/meta/erasures.h"

namespace mlops::app {

Result<Keys> check_keys(const DataDir& data_dir, meta::Store& store, const Config& config, MissingKeys missing) {
  MLOPS_ASSIGN(const auto tokens, store.read<std::vector<meta::TokenRow>>(
                                      [](sql::Connection& connection) { return meta::list_tokens(connection); }));
  if (tokens.empty()) return Keys::kUsual;
  MLOPS_ASSIGN(const auto erasures, store.read<std::vector<meta::ErasureRow>>([](sql::Connection& connection) {
    return meta::list_erasures(connection, {.after_id = {}, .limit = 1});
  }));
  for (const std::string name : {"token", "masking", "erasure"}) {
    if (data_dir.has_key(name) || (name == "erasure" && erasures.empty())) continue;
    if (name == "masking" && !config.masking.master_key.empty()) continue;  // it is kept elsewhere
    if (missing == MissingKeys::kReplace) return Keys::kReplaced;
    return fail(
        ErrorCode::kRefused, "key_missing",
        fmt::format("the database in {} is in use already, but keys/{}.key is not there", data_dir.path(), name),
        "put back the folder keys that was kept beside the backup. Without it: mlopsd --replace-keys makes new "
        "ones; then every token is void, a new one is in admin-token, and new pseudonyms differ from earlier ones");
  }
  return Keys::kUsual;
}

Status make_first_token(const DataDir& data_dir, meta::Store& store, domain::Identity& identity,
                        std::int64_t lifetime_s, Keys keys) {
  const bool is_replaced = keys == Keys::kReplaced;
  if (!identity.is_fresh() && !is_replaced) return {};
  MLOPS_TRY(store.write<bool>(domain::daemon_actor(), meta::Commit::kKeep, [&](meta::WriteTx& tx) -> Result<bool> {
    tx.begin_entry(is_replaced ? "daemon.keys" : "daemon.init", "data directory", fmt::format("mlopsd {}", kVersion));
    return true;
  }));
  domain::NewToken wanted;
  wanted.principal = "admin";
  wanted.role = model::Role::kAdmin;
  wanted.name = is_replaced ? "keys-replaced" : "first-start";
  wanted.expires_in_s = lifetime_s;
  auto actor = domain::daemon_actor();
  MLOPS_ASSIGN(const auto issued, identity.create_token(actor, wanted, meta::Commit::kKeep));
  MLOPS_TRY(write_file_atomic(data_dir.admin_token_file(), issued.secret + "\n"));
  log::info(is_replaced ? "keys_replaced" : "first_start",
            {{"admin_token_file", std::string_view(data_dir.admin_token_file())}});
  return {};
}

void make_local_context(const DataDir& data_dir, const std::string& server_url) {
  const char* xdg = std::getenv("XDG_CONFIG_HOME");
  const char* home = std::getenv("HOME");
  if ((!xdg || !*xdg) && (!home || !*home)) return;
  const std::string base = xdg && *xdg ? std::string(xdg) : std::string(home) + "/.config";
  const auto dir = base + "/mlops";
  const auto file = dir + "/config.yaml";
  if (::access(file.c_str(), F_OK) == 0) return;
  const Json context = {
      {"current", "local"},
      {"contexts", {{"local", {{"server", server_url}, {"token_file", data_dir.admin_token_file()}}}}}};
  Status status = posix_env().make_dir(base);
  if (status) status = posix_env().make_dir(dir);
  if (status) status = write_file_atomic(file, json_to_yaml(context));
  if (!status) log::warn("no_local_context", {{"slug", std::string_view(status.error().slug)}});
}

}  // namespace mlops::app
