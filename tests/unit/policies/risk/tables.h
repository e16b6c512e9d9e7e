// Small tables for the tests of policies/risk, from CSV text.
#pragma once

#include <string>
#include <string_view>

#include "policies/data/csv_records.h"
#include "policies/risk/assess.h"
#include "policies/risk/read_version.h"
#include "tests/unit/catch.h"

namespace mlops::risk {

inline Status read_csv(RiskTable& table, std::string_view text) {
  data::StringSource source(text);
  auto reader = data::open_csv_records(source);
  REQUIRE(reader);
  table.add_version();
  return read_records(table, **reader);
}

inline void add_csv(RiskTable& table, std::string_view text) {
  REQUIRE(read_csv(table, text));
}

inline RiskTable table_of(RiskColumns columns, std::string_view text) {
  RiskTable table(std::move(columns));
  add_csv(table, text);
  return table;
}

inline Hierarchy hierarchy_of(std::string_view text) {
  data::StringSource source(text);
  auto hierarchy = read_hierarchy(source);
  REQUIRE(hierarchy);
  return *hierarchy;
}

}  // namespace mlops::risk
