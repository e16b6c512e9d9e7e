// The parts of an id or of a FHIR reference (R4, 2.3 References), so that the id can be exchanged and the rest stays:
//
//   abc · Patient/abc · Patient/abc/_history/2 · #abc · urn:uuid:UUID · https://host/fhir/Patient/abc
//   Patient?identifier=https://host/mrn|abc · Patient
//
// Nothing stays that is not known to be no one's: of an absolute reference the base goes when its path has other words
// than those of servers, of a history all but short version numbers.
// Thread-safety: free functions, plain values.
#pragma once

#include <optional>
#include <string_view>

namespace mlops::mask {

struct FhirReference {
  std::string_view before;  // "https://host/fhir/Patient/", "urn:uuid:", "#"
  std::string_view id;      // empty: a bare resource type
  std::string_view after;   // "/_history/2"
};

// nullopt: another conditional reference, an unknown resource type, or no reference at all: no part of it may stay.
std::optional<FhirReference> read_fhir_reference(std::string_view text);

}  // namespace mlops::mask
