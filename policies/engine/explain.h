// What a policy means, as data: for every class and column the rule that holds, where it is written, the clause it
// follows and how much it takes away; gates in words; terms with who enforces them or that they are declared evidence.
// Thread-safety: pure functions.
#pragma once

#include <string>

#include "core/base/json.h"
#include "policies/engine/policy.h"

namespace mlops::policy {

// {"policy","version","digest","origin","extends","authority","effective","selects","output":{…},
//  "classes":[{"class","apply","strength","rule","cite","group","exception"}],
//  "columns":[{"column","class","subject","level","category","optional","apply","rule","cite","because"}],
//  "gates":[{"id","kinds","asks","rule","cite"}],
//  "terms":[{"term","value","enforced_by"}],   enforced_by empty: declared evidence
//  "requirements":[{"path","pack","cite","why","met","before"}],
//  "exceptions","attestations","evidence","notes","keys","categories"}
Json explain(const Policy& policy);
// One class or one column of it, declared or not. A null when a class is no word the policy knows.
Json explain_class(const Policy& policy, const std::string& class_name);
Json explain_column(const Policy& policy, const std::string& column);

}  // namespace mlops::policy
