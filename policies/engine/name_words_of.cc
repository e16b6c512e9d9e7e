#include "policies/engine/name_words_of.h"

#include <algorithm>

namespace mlops::policy {
namespace {

constexpr std::string_view kSubjectWords[] = {
    "patient",  "patients", "pat",    "pt",       "subject",   "subjects",    "person",
    "persons",  "people",   "member", "members",  "client",    "clients",     "student",
    "students", "pupil",    "pupils", "customer", "customers", "beneficiary", "beneficiaries"};
constexpr std::string_view kOrganizationWords[] = {
    "organization", "organizations", "organisation", "organisations", "hospital",   "hospitals",
    "payer",        "payers",        "facility",     "facilities",    "company",    "companies",
    "employer",     "employers",     "clinic",       "clinics",       "school",     "schools",
    "insurer",      "insurers",      "pharmacy",     "pharmacies",    "department", "departments"};

constexpr std::string_view kOtherPeople[] = {"employee", "user",    "staff",       "child",  "resident", "enrollee",
                                             "enrolee",  "learner", "participant", "inmate", "tenant",   "volunteer"};
constexpr std::string_view kIdWords[] = {"id", "ids", "no", "nr", "nbr", "num", "number", "key", "identifier"};
constexpr std::string_view kNameOfPeopleWords[] = {
    "first",     "last",     "given",   "family", "middle",    "maiden",  "surname", "forename",
    "firstname", "lastname", "fname",   "lname",  "fullname",  "contact", "owner",   "teacher",
    "principal", "director", "manager", "doctor", "physician", "nurse",   "head"};

template <std::size_t N>
bool has_any(const std::vector<std::string>& words, const std::string_view (&wanted)[N]) {
  return std::any_of(std::begin(wanted), std::end(wanted),
                     [&](std::string_view word) { return has_word(words, word); });
}

}  // namespace

std::vector<std::string> name_words_of(std::string_view name) {
  std::vector<std::string> words;
  bool open = false;
  for (std::size_t i = 0; i < name.size(); ++i) {
    const char c = name[i];
    const bool upper = c >= 'A' && c <= 'Z';
    const bool lower = c >= 'a' && c <= 'z';
    const bool digit = c >= '0' && c <= '9';
    if (!upper && !lower && !(digit && open)) {
      open = false;
      continue;
    }
    const bool hump = upper && i > 0 && name[i - 1] >= 'a' && name[i - 1] <= 'z';
    if (!open || hump) words.emplace_back();
    words.back().push_back(upper ? static_cast<char>(c - 'A' + 'a') : c);
    open = true;
  }
  return words;
}

bool has_word(const std::vector<std::string>& words, std::string_view wanted) {
  return std::find(words.begin(), words.end(), wanted) != words.end();
}

bool names_a_subject(const std::vector<std::string>& words) {
  return has_any(words, kSubjectWords);
}

bool names_a_persons_number(const std::vector<std::string>& words) {
  if (words.size() < 2) return false;
  const std::vector<std::string> before(words.begin(), words.end() - 1);
  const std::vector<std::string> last{words.back()};
  return has_any(last, kIdWords) && (names_a_subject(before) || has_any(before, kOtherPeople)) &&
         !has_any(before, kIdWords);
}

bool names_a_name_of_people(const std::vector<std::string>& words) {
  return has_any(words, kNameOfPeopleWords);
}

bool names_an_organization(const std::vector<std::string>& words) {
  return has_any(words, kOrganizationWords);
}

}  // namespace mlops::policy
