#include "policies/mask/remap_reference.h"

#include <algorithm>
#include <iterator>

#include "core/base/text.h"
#include "policies/mask/pseudonym_token.h"

namespace mlops::mask {
namespace {

// The resource types of R4 (4.0.1), sorted: a word before the id stays only if it is one of them.
constexpr std::string_view kTypes[] = {"Account",
                                       "ActivityDefinition",
                                       "AdverseEvent",
                                       "AllergyIntolerance",
                                       "Appointment",
                                       "AppointmentResponse",
                                       "AuditEvent",
                                       "Basic",
                                       "Binary",
                                       "BiologicallyDerivedProduct",
                                       "BodyStructure",
                                       "Bundle",
                                       "CapabilityStatement",
                                       "CarePlan",
                                       "CareTeam",
                                       "CatalogEntry",
                                       "ChargeItem",
                                       "ChargeItemDefinition",
                                       "Claim",
                                       "ClaimResponse",
                                       "ClinicalImpression",
                                       "CodeSystem",
                                       "Communication",
                                       "CommunicationRequest",
                                       "CompartmentDefinition",
                                       "Composition",
                                       "ConceptMap",
                                       "Condition",
                                       "Consent",
                                       "Contract",
                                       "Coverage",
                                       "CoverageEligibilityRequest",
                                       "CoverageEligibilityResponse",
                                       "DetectedIssue",
                                       "Device",
                                       "DeviceDefinition",
                                       "DeviceMetric",
                                       "DeviceRequest",
                                       "DeviceUseStatement",
                                       "DiagnosticReport",
                                       "DocumentManifest",
                                       "DocumentReference",
                                       "EffectEvidenceSynthesis",
                                       "Encounter",
                                       "Endpoint",
                                       "EnrollmentRequest",
                                       "EnrollmentResponse",
                                       "EpisodeOfCare",
                                       "EventDefinition",
                                       "Evidence",
                                       "EvidenceVariable",
                                       "ExampleScenario",
                                       "ExplanationOfBenefit",
                                       "FamilyMemberHistory",
                                       "Flag",
                                       "Goal",
                                       "GraphDefinition",
                                       "Group",
                                       "GuidanceResponse",
                                       "HealthcareService",
                                       "ImagingStudy",
                                       "Immunization",
                                       "ImmunizationEvaluation",
                                       "ImmunizationRecommendation",
                                       "ImplementationGuide",
                                       "InsurancePlan",
                                       "Invoice",
                                       "Library",
                                       "Linkage",
                                       "List",
                                       "Location",
                                       "Measure",
                                       "MeasureReport",
                                       "Media",
                                       "Medication",
                                       "MedicationAdministration",
                                       "MedicationDispense",
                                       "MedicationKnowledge",
                                       "MedicationRequest",
                                       "MedicationStatement",
                                       "MedicinalProduct",
                                       "MedicinalProductAuthorization",
                                       "MedicinalProductContraindication",
                                       "MedicinalProductIndication",
                                       "MedicinalProductIngredient",
                                       "MedicinalProductInteraction",
                                       "MedicinalProductManufactured",
                                       "MedicinalProductPackaged",
                                       "MedicinalProductPharmaceutical",
                                       "MedicinalProductUndesirableEffect",
                                       "MessageDefinition",
                                       "MessageHeader",
                                       "MolecularSequence",
                                       "NamingSystem",
                                       "NutritionOrder",
                                       "Observation",
                                       "ObservationDefinition",
                                       "OperationDefinition",
                                       "OperationOutcome",
                                       "Organization",
                                       "OrganizationAffiliation",
                                       "Parameters",
                                       "Patient",
                                       "PaymentNotice",
                                       "PaymentReconciliation",
                                       "Person",
                                       "PlanDefinition",
                                       "Practitioner",
                                       "PractitionerRole",
                                       "Procedure",
                                       "Provenance",
                                       "Questionnaire",
                                       "QuestionnaireResponse",
                                       "RelatedPerson",
                                       "RequestGroup",
                                       "ResearchDefinition",
                                       "ResearchElementDefinition",
                                       "ResearchStudy",
                                       "ResearchSubject",
                                       "RiskAssessment",
                                       "RiskEvidenceSynthesis",
                                       "Schedule",
                                       "SearchParameter",
                                       "ServiceRequest",
                                       "Slot",
                                       "Specimen",
                                       "SpecimenDefinition",
                                       "StructureDefinition",
                                       "StructureMap",
                                       "Subscription",
                                       "Substance",
                                       "SubstanceNucleicAcid",
                                       "SubstancePolymer",
                                       "SubstanceProtein",
                                       "SubstanceReferenceInformation",
                                       "SubstanceSourceMaterial",
                                       "SubstanceSpecification",
                                       "SupplyDelivery",
                                       "SupplyRequest",
                                       "Task",
                                       "TerminologyCapabilities",
                                       "TestReport",
                                       "TestScript",
                                       "ValueSet",
                                       "VerificationResult",
                                       "VisionPrescription"};

static_assert(std::is_sorted(std::begin(kTypes), std::end(kTypes)));

constexpr std::string_view kUrnUuid = "urn:uuid:";
constexpr std::string_view kHistory = "/_history/";
constexpr std::string_view kIdentifierQuery = "identifier=";
constexpr std::size_t kLongestId = 64;
constexpr std::size_t kMostVersionDigits = 4;

// The grammar of an id in R4: [A-Za-z0-9\-\.]{1,64}.
bool is_id(std::string_view text) {
  return !text.empty() && text.size() <= kLongestId && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '-' || c == '.';
  });
}

bool is_type(std::string_view word) {
  return std::binary_search(std::begin(kTypes), std::end(kTypes), word);
}

bool is_digits(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

// A server's address: a scheme, a host and a path, with nobody's name before an "@" and no query.
bool is_base(std::string_view text) {
  const bool http = text.starts_with("https://") || text.starts_with("http://");
  return http && text.find_first_of("@?# \t\"<>") == std::string_view::npos;
}

// Words of a server's own paths. Any other segment may be somebody's name or number: then the base goes.
constexpr std::string_view kServerWords[] = {"api",        "base", "baser4", "baser5", "dstu2", "fhir", "fhir-server",
                                             "fhirserver", "hapi", "open",   "r4",     "r4b",   "r5",   "rest",
                                             "services",   "stu3", "v1",     "v2",     "v3",    "v4",   "ws"};
static_assert(std::is_sorted(std::begin(kServerWords), std::end(kServerWords)));

// The path behind the host, without its first '/'. REQUIRES: is_base(base).
std::string_view path_of(std::string_view base) {
  const auto host = base.substr(base.find("//") + 2);
  const auto slash = host.find('/');
  return slash == std::string_view::npos ? std::string_view{} : host.substr(slash + 1);
}

bool is_plain_base(std::string_view base) {
  if (!is_base(base)) return false;
  const auto path = path_of(base);
  if (path.empty()) return true;
  const auto segments = split(path, '/');
  return std::all_of(segments.begin(), segments.end(), [](std::string_view segment) {
    return std::binary_search(std::begin(kServerWords), std::end(kServerWords),
                              std::string_view(to_lower_ascii(segment)));
  });
}

// The address of a system of identifiers: short words in small letters, no number of anybody.
bool is_plain_system(std::string_view system) {
  constexpr std::size_t kLongestSegment = 24;
  constexpr std::ptrdiff_t kMostDigits = 4;
  if (!is_base(system)) return false;
  for (const auto segment : split(path_of(system), '/')) {
    const auto digits = std::count_if(segment.begin(), segment.end(), [](char c) { return c >= '0' && c <= '9'; });
    const bool small = segment.find_first_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ%") == std::string_view::npos;
    if (segment.size() > kLongestSegment || digits > kMostDigits || !small) return false;
  }
  return true;
}

// TYPE?identifier=SYSTEM|ID. An identifier need not have the grammar of an id.
std::optional<FhirReference> read_conditional(std::string_view text, std::size_t question) {
  const auto query = text.substr(question + 1);
  const auto bar = query.find('|');
  const bool good = is_type(text.substr(0, question)) && query.starts_with(kIdentifierQuery) &&
                    bar != std::string_view::npos && bar + 1 < query.size() &&
                    is_plain_system(query.substr(kIdentifierQuery.size(), bar - kIdentifierQuery.size())) &&
                    query.find_first_of("&|", bar + 1) == std::string_view::npos;
  if (!good) return std::nullopt;
  const std::size_t at = question + 1 + bar + 1;
  return FhirReference{text.substr(0, at), text.substr(at), {}};
}

}  // namespace

std::optional<FhirReference> read_fhir_reference(std::string_view text) {
  if (text.starts_with(kUrnUuid)) {
    const auto id = text.substr(kUrnUuid.size());
    if (!is_uuid(id)) return std::nullopt;
    return FhirReference{text.substr(0, kUrnUuid.size()), id, {}};
  }
  if (text.starts_with('#')) {
    if (!is_id(text.substr(1))) return std::nullopt;
    return FhirReference{text.substr(0, 1), text.substr(1), {}};
  }
  if (is_type(text)) return FhirReference{text, {}, {}};
  if (const auto question = text.find('?'); question != std::string_view::npos) return read_conditional(text, question);
  auto body = text;
  std::string_view after;
  if (const auto history = text.rfind(kHistory); history != std::string_view::npos) {
    after = text.substr(history);
    if (!is_digits(after.substr(kHistory.size()))) return std::nullopt;
    body = text.substr(0, history);
    if (after.size() > kHistory.size() + kMostVersionDigits) after = {};  // no count of versions any more
  }
  const auto slash = body.rfind('/');
  const auto id = slash == std::string_view::npos ? body : body.substr(slash + 1);
  if (!is_id(id)) return std::nullopt;
  if (slash == std::string_view::npos) return FhirReference{{}, id, after};
  const auto path = body.substr(0, slash);
  const auto last = path.rfind('/');
  if (!is_type(last == std::string_view::npos ? path : path.substr(last + 1))) return std::nullopt;
  if (last == std::string_view::npos) return FhirReference{body.substr(0, slash + 1), id, after};
  const auto base = path.substr(0, last);
  if (!is_base(base)) return std::nullopt;
  if (!is_plain_base(base)) return FhirReference{body.substr(last + 1, slash - last), id, after};
  return FhirReference{body.substr(0, slash + 1), id, after};
}

}  // namespace mlops::mask
