// The words of a column's or a table's name, and what they are about. Private to policies/engine. Thread-safety: pure
// functions.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace mlops::policy {

// Lower case, cut at anything but letters and at humps: "patientID_2" → patient, id.
std::vector<std::string> name_words_of(std::string_view name);
bool has_word(const std::vector<std::string>& words, std::string_view wanted);
// A person whose data they are: patient, member, pupil …
bool names_a_subject(const std::vector<std::string>& words);
// A number that stands for somebody: a word for a person, and behind it, last, one for an id: pupil_no, studentId.
bool names_a_persons_number(const std::vector<std::string>& words);
// A person's name rather than whatever is called so: first_name, surname, contact.
bool names_a_name_of_people(const std::vector<std::string>& words);
// A hospital, a payer, a company …
bool names_an_organization(const std::vector<std::string>& words);

}  // namespace mlops::policy
