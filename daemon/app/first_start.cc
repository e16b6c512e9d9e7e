#include "daemon/app/first_start.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdlib>

#include "core/base/build_info.h"
#include "core/base/env.h"
#include "core/base/log.h"
#include "core/base/yaml.h"

namespace mlops::app {

Status make_first_token(const DataDir& data_dir, meta::Store& store, domain::Identity& identity,
                        std::int64_t lifetime_s) {
  if (!identity.is_fresh()) return {};
  MLOPS_TRY(store.write<bool>(domain::daemon_actor(), meta::Commit::kKeep, [](meta::WriteTx& tx) -> Result<bool> {
    tx.begin_entry("daemon.init", "data directory", fmt::format("mlopsd {}", kVersion));
    return true;
  }));
  domain::NewToken wanted;
  wanted.principal = "admin";
  wanted.role = model::Role::kAdmin;
  wanted.name = "first-start";
  wanted.expires_in_s = lifetime_s;
  auto actor = domain::daemon_actor();
  MLOPS_ASSIGN(const auto issued, identity.create_token(actor, wanted, meta::Commit::kKeep));
  MLOPS_TRY(write_file_atomic(data_dir.admin_token_file(), issued.secret + "\n"));
  log::info("first_start", {{"admin_token_file", std::string_view(data_dir.admin_token_file())}});
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
  const Json context = {{"current", "local"},
                        {"contexts", {{"local", {{"server", server_url}, {"token_file", data_dir.admin_token_file()}}}}}};
  Status status = posix_env().make_dir(base);
  if (status) status = posix_env().make_dir(dir);
  if (status) status = write_file_atomic(file, json_to_yaml(context));
  if (!status) log::warn("no_local_context", {{"slug", std::string_view(status.error().slug)}});
}

}  // namespace mlops::app
