// What is signed of a version: canonical JSON of its name and the digest of its bytes. Server and client build it each
// by itself. Thread-safety: pure function.
#pragma once

#include <string>

#include "core/base/json.h"

namespace mlops::model {

// `ref`: "hospital/readmission@v3". `digest`: "sha256:…".
inline std::string version_statement(const std::string& kind, const std::string& ref, const std::string& digest) {
  return canonical_dump({{"type", "mlops.version.v1"}, {"kind", kind}, {"ref", ref}, {"digest", digest}});
}

}  // namespace mlops::model
