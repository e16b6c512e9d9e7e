// FHIR R4 in JSON behind RecordReader: bundles, single resources, and NDJSON (one resource a line).
//
// A record is an entry of a bundle, with its fullUrl, request and search; what the bundle says of itself before and
// after its entries makes a record each (the last one only when there is something to say). Columns are element paths
// from the resource type on, without array positions: "Patient.name.family". So that a rule for an element holds
// wherever the element stands, the path begins anew at every resource, contained ones included ("Claim.contained" →
// "ServiceRequest.id"). Three kinds of elements carry what tells them apart in brackets: extensions the last part of
// their url ("Patient.extension[us-core-race].extension[text].valueString"), contact points their system
// ("Patient.telecom[phone].value"), identifiers the code of their type or known system
// ("Patient.identifier[SS].value"). Ids, references, full URLs and request URLs are ColumnKind::kReference, narratives
// ("Patient.text.div") kMarkup. What is left empty by drops goes: FHIR has no empty objects and arrays. Errors: those
// of json_records.h. Thread-safety: as record.h. Source: HL7 FHIR R4 (4.0.1), JSON representation, http/bundle,
// references and extensibility.
#pragma once

#include <memory>

#include "policies/data/json_records.h"

namespace mlops::data {

// `source` must outlive the reader. REQUIRES: kFhir or kFhirLines.
Result<std::unique_ptr<RecordReader>> open_fhir_records(Source& source, const JsonOptions& options = {},
                                                        Format format = Format::kFhir);

}  // namespace mlops::data
