// Evidence that only some gates ask for, so it is collected only when a policy of the environment has such a gate:
// counts and names, never a value of anybody's data. Thread-safety: values.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "core/base/clock.h"
#include "core/model/schema.h"

namespace mlops::model {

// A signature over a version. One that does not count says why.
struct SignatureFact {
  std::string principal;
  std::vector<std::string> roles;  // when it was made
  std::string key_id;
  TimestampUs at_us = 0;
  std::string void_because;  // "its key was revoked"; empty: it counts
};

// What two roles of a model's inputs have in common.
struct IndependenceFact {
  std::string role_a;
  std::string role_b;
  std::int64_t shared_files = 0;     // identical bytes
  std::int64_t shared_subjects = 0;  // people in both
  std::int64_t subjects_a = 0;
  std::int64_t subjects_b = 0;
  std::string unknown_because;  // not empty: nobody knows about the subjects
};

// What was measured of a dataset that quality gates speak about.
struct ProfileFact {
  std::string ref;  // of the dataset
  std::string digest;
  std::string role;  // of the input; empty: the member itself
  TimestampUs registered_at_us = 0;
  std::string missing_because;  // not empty: there is no profile
  // By the words of policies/engine/quality.h measure_key: {"count", "rows"}; a column that is not there is absent.
  struct Count {
    std::int64_t count = 0;
    std::int64_t rows = 0;
    bool operator==(const Count&) const = default;
  };
  std::map<std::string, Count> counts;
  // Of the columns a gate names, as far as they are there: every type that all their values have.
  std::map<std::string, std::vector<std::string>> types;
  std::int64_t columns = 0;  // in all
};

// What is known to be left in a dataset.
struct ResidualFact {
  std::string ref;
  std::string role;    // of the input; empty: the member itself
  std::string source;  // "masking", "registration"; empty: nobody looked
  std::int64_t findings = 0;
};

struct MemberEvidence {
  VersionSchemas schemas;
  std::vector<SignatureFact> signatures;
  std::vector<IndependenceFact> independence;
  std::vector<ProfileFact> profiles;
  std::vector<ResidualFact> residual;

  bool is_empty() const {
    return schemas.is_empty() && signatures.empty() && independence.empty() && profiles.empty() && residual.empty();
  }
};

// What a server of the team's own said about exactly these facts.
struct ExternalFact {
  std::string name;             // of the endpoint in mlopsd's configuration
  std::string question_digest;  // of what it was asked
  bool is_allowed = false;
  std::string reason;
  std::string failed_because;  // not empty: there was no answer that counts
};

}  // namespace mlops::model
