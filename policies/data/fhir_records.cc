#include "policies/data/fhir_records.h"

#include <algorithm>
#include <utility>

#include "policies/data/json_bytes.h"
#include "policies/data/json_reader.h"

namespace mlops::data {
namespace {

constexpr std::size_t kLabelBytesMax = 80;
constexpr std::string_view kNoType = "Resource";  // where an object does not say its type

constexpr std::pair<std::string_view, PathRole> kRoles[] = {
    {"contained", PathRole::kResource},
    {"resource", PathRole::kResource},
    {"outcome", PathRole::kResource},
    {"extension", PathRole::kExtension},
    {"modifierExtension", PathRole::kExtension},
    {"telecom", PathRole::kContact},
    {"valueContactPoint", PathRole::kContact},
    {"identifier", PathRole::kIdentifier},
    {"valueIdentifier", PathRole::kIdentifier},
    {"masterIdentifier", PathRole::kIdentifier},
    {"groupIdentifier", PathRole::kIdentifier},
    {"requisition", PathRole::kIdentifier},
};

constexpr std::string_view kContactSystems[] = {"phone", "fax", "email", "pager", "url", "sms", "other"};

// HL7 table 0203, as far as a policy may want to tell its identifiers apart.
constexpr std::string_view kIdentifierTypes[] = {
    "AN",  "ANON", "BA",  "BCT", "DEA", "DL",  "DN", "DR", "EI",   "EN", "JHN", "LN",  "MA", "MB", "MC",  "MCN",
    "MD",  "MR",   "MRT", "NH",  "NI",  "NPI", "NP", "PE", "PI",   "PN", "PPN", "PRN", "PT", "RR", "SB",  "SN",
    "SNO", "SR",   "SS",  "TAX", "UDI", "VN",  "VS", "WC", "ACSN", "BR", "BRN", "CZ",  "DC", "PC", "VIN",
};

// Naming systems that say what the number is when no type does.
constexpr std::pair<std::string_view, std::string_view> kIdentifierSystems[] = {
    {"http://hl7.org/fhir/sid/us-ssn", "SS"},          {"urn:oid:2.16.840.1.113883.4.1", "SS"},
    {"http://hl7.org/fhir/sid/us-npi", "NPI"},         {"urn:oid:2.16.840.1.113883.4.6", "NPI"},
    {"http://hl7.org/fhir/sid/us-mbi", "MC"},          {"urn:oid:2.16.840.1.113883.4.927", "MC"},
    {"http://hl7.org/fhir/sid/us-medicare", "MC"},     {"urn:oid:2.16.840.1.113883.4.572", "MC"},
    {"http://hl7.org/fhir/NamingSystem/us-ssn", "SS"},
};

constexpr std::string_view kReferencePaths[] = {
    "Bundle.entry.fullUrl",           "Bundle.entry.request.url", "Bundle.entry.request.ifNoneExist",
    "Bundle.entry.response.location", "Bundle.link.url",          "Bundle.entry.link.url",
};

std::string text_of(std::optional<std::string_view> raw) {
  std::string text;
  if (!raw || raw->size() < 2 || raw->front() != '"') return text;
  if (!decode_json_string(raw->substr(1, raw->size() - 2), text)) text.clear();
  return text;
}

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool is_label_byte(char c) {
  return is_letter(c) || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

template <std::size_t N>
std::string listed(const std::string_view (&list)[N], const std::string& word) {
  return std::find(std::begin(list), std::end(list), word) == std::end(list) ? std::string{} : word;
}

std::string type_label(std::string_view object) {
  auto type = text_of(find_member(object, "resourceType"));
  const bool is_word =
      !type.empty() && type.size() <= kLabelBytesMax && std::all_of(type.begin(), type.end(), is_letter);
  return is_word ? type : std::string{};
}

// The last part of the url, of bytes that a column name can show.
std::string extension_label(std::string_view object, std::string& said) {
  said = text_of(find_member(object, "url"));
  auto label = said.substr(said.find_last_of("/#:") + 1);
  if (label.size() > kLabelBytesMax) label.resize(kLabelBytesMax);
  for (char& c : label) {
    if (!is_label_byte(c)) c = '_';
  }
  return label;
}

std::string identifier_label(std::string_view object) {
  if (const auto type = find_member(object, "type")) {
    if (auto coding = find_member(*type, "coding"); coding && coding->starts_with('[')) {
      coding->remove_prefix(std::min(coding->size(), coding->find('{')));
      if (auto label = listed(kIdentifierTypes, text_of(find_member(*coding, "code"))); !label.empty()) return label;
    }
  }
  const auto system = text_of(find_member(object, "system"));
  for (const auto& [known, label] : kIdentifierSystems) {
    if (system == known) return std::string(label);
  }
  return {};
}

class FhirNaming : public PathNaming {
 public:
  std::string child_name(const PathNode& parent, std::string_view key) const override {
    std::string name = parent.path.empty() ? std::string(kNoType) : parent.path;
    name += '.';
    name += key;
    return name;
  }

  std::string element_name(const PathNode&) const override { return {}; }

  PathRole role(const PathNode&, std::string_view key) const override {
    if (key.empty()) return PathRole::kResource;  // the root
    for (const auto& [name, role] : kRoles) {
      if (name == key) return role;
    }
    return PathRole::kPlain;
  }

  ColumnKind kind(const PathNode& node) const override {
    const bool in_resource = node.parent && !node.parent->parent;
    if (node.key == "reference" || (node.key == "id" && in_resource)) return ColumnKind::kReference;
    if (std::find(std::begin(kReferencePaths), std::end(kReferencePaths), node.path) != std::end(kReferencePaths)) {
      return ColumnKind::kReference;
    }
    const bool is_narrative = node.key == "div" && node.parent && node.parent->key == "text";
    return is_narrative ? ColumnKind::kMarkup : ColumnKind::kPlain;
  }

  std::string label(PathRole role, std::string_view object, std::string& said) const override {
    switch (role) {
      case PathRole::kResource:
        return type_label(object);
      case PathRole::kExtension:
        return extension_label(object, said);
      case PathRole::kIdentifier:
        return identifier_label(object);
      case PathRole::kContact:
        return listed(kContactSystems, text_of(find_member(object, "system")));
      case PathRole::kPlain:
        break;
    }
    return {};
  }
};

}  // namespace

Result<std::unique_ptr<RecordReader>> open_fhir_records(Source& source, const JsonOptions& options, Format format) {
  JsonRecordReader::Setup setup;
  setup.format = format;
  setup.framing = format == Format::kFhirLines ? JsonFraming::kLines : JsonFraming::kBundle;
  setup.prune = Prune::kEmptyObjects;
  setup.naming = std::make_unique<FhirNaming>();
  return std::make_unique<JsonRecordReader>(source, options, std::move(setup));
}

}  // namespace mlops::data
