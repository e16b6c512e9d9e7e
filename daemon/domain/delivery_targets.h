// What is checked of environments' delivery targets when they are applied. Errors: kInvalid "environment_invalid" with
// origin:line:column, telling what is wrong. Thread-safety: free functions.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "core/model/environment.h"
#include "storage/sql/connection.h"

namespace mlops::domain {

// That this daemon could deliver there now, as `check` says; an empty one knows no directory.
Status check_delivery_targets(const std::vector<model::Environment>& wanted, const std::string& origin,
                              const std::function<Status(const model::DeliveryTarget&)>& check);
// That no two environments deliver into one another's directories. `wanted` replaces its namesakes.
Status check_delivery_overlaps(sql::Connection& connection, const std::vector<model::Environment>& wanted,
                               const std::string& origin);

}  // namespace mlops::domain
