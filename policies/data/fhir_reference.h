// Takes a FHIR reference apart, so that the key in it can be masked alone and still meet the id it points to.
// Thread-safety: free function without state. Source: HL7 FHIR R4, references (literal, contained and conditional).
#pragma once

#include <string_view>

namespace mlops::data {

// The text is before + key + after. The key of `Patient/17/_history/2`, `urn:uuid:17`, `#17`, of the absolute
// `https://host/fhir/Patient/17` and of the bare `17` is `17`; of `Patient?identifier=system|17` it is `17` as well, of
// any other query all of it. A bare type (`Patient`, of a request) has no key. What is none of these is a key as a
// whole.
struct ReferenceParts {
  std::string_view before;
  std::string_view key;
  std::string_view after;
};
ReferenceParts split_reference(std::string_view text);

}  // namespace mlops::data
