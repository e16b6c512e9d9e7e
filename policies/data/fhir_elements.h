// What the elements of FHIR R4 hold, as classes of personal data: the declared truth for FHIR before anybody wrote a
// policy. Thread-safety: free functions without state.
//
// Written from the element definitions of HL7 FHIR R4 (4.0.1): first the datatypes that carry identifiers (HumanName,
// Address, ContactPoint, Identifier, Attachment, Annotation, Reference, Narrative), then dates, codes, quantities and
// texts by the names their elements have in all resources. An element that is not listed has no class: whoever masks
// must refuse it or ask. The classes are words of policies/engine/classes.cc.
#pragma once

#include <optional>
#include <span>
#include <string_view>

namespace mlops::data {

// A pattern is a column of fhir_records.h by its last segments, or by all of them when it begins with a resource type.
// In a segment `*` stands for any beginning; a segment without brackets also means those with; `**` for any segments.
struct FhirElement {
  std::string_view pattern;
  std::string_view class_name;
};

// The first row that fits a column counts.
std::span<const FhirElement> fhir_elements();

// The class of a column of fhir_records.h; absent when no row fits.
std::optional<std::string_view> fhir_class(std::string_view column);

}  // namespace mlops::data
