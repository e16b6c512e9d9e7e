#include "storage/meta/tenants.h"

#include <fmt/format.h>

namespace mlops::meta {
namespace {

constexpr std::string_view kAny = "SELECT 1 FROM version_labels WHERE name = 'tenant' AND valid_to IS NULL LIMIT 1";
constexpr std::string_view kTenants =
    "WITH RECURSIVE up (id) AS (SELECT $1 UNION SELECT e.from_version_id FROM edges e JOIN up ON e.to_version_id = "
    "up.id) "
    "SELECT a.kind, a.name, v.number, l.value FROM up CROSS JOIN version_labels l ON l.version_id = up.id AND l.name = "
    "'tenant' AND l.valid_to IS NULL JOIN versions v ON v.id = up.id JOIN artifacts a ON a.id = v.artifact_id "
    "ORDER BY up.id <> $1, a.kind, a.name, v.number";

}  // namespace

Result<std::vector<TenantRow>> tenants_of(sql::Connection& connection, const std::string& version_id) {
  std::vector<TenantRow> rows;
  {
    MLOPS_ASSIGN(auto cursor, connection.query(kAny));
    MLOPS_ASSIGN(const bool any, cursor.next());
    if (!any) return rows;
  }
  MLOPS_ASSIGN(auto cursor, connection.query(kTenants, {std::string_view(version_id)}));
  while (true) {
    MLOPS_ASSIGN(const bool more, cursor.next());
    if (!more) return rows;
    rows.push_back(
        {fmt::format("{}:{}@v{}", cursor.text_view(0), cursor.text_view(1), cursor.integer(2)), cursor.text(3)});
  }
}

}  // namespace mlops::meta
