#include "policies/data/fhir_elements.h"
#include "policies/engine/classes.h"
#include "tests/unit/catch.h"

using namespace mlops;

TEST_CASE("fhir elements: every class is one a policy may name") {
  for (const auto& row : data::fhir_elements()) {
    INFO(row.pattern);
    CHECK(policy::is_listed_class(row.class_name));
  }
}
