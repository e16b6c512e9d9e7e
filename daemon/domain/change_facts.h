// The facts about when and for whom an environment may change: soak time, tenants, windows and freezes.
// Errors: those of sql::Connection. Thread-safety: as its connection.
#pragma once

#include "core/base/time_zone.h"
#include "core/model/facts.h"
#include "storage/sql/connection.h"

namespace mlops::domain {

// Completes facts whose environment, members and moment are there. What the environment does not ask for is left out.
Status add_change_facts(sql::Connection& connection, model::PromotionFacts& facts,
                        const TimeZones& zones = TimeZones::system());

}  // namespace mlops::domain
