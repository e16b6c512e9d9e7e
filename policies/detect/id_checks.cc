// Check digits of identifiers without a birth date inside, and the arithmetic all share.
#include "policies/detect/id_checks.h"

#include <algorithm>
#include <array>
#include <initializer_list>
#include <string>

#include "policies/detect/checksum.h"
#include "policies/detect/scan.h"

namespace mlops::detect {
namespace {

int digit(char c) {
  return c - '0';
}
int weighted_sum(std::string_view digits, std::initializer_list<int> weights) {
  int sum = 0;
  std::size_t at = 0;
  for (const int weight : weights) sum += weight * digit(digits[at++]);
  return sum;
}
bool all_alike(std::string_view text) {
  return text.find_first_not_of(text[0]) == std::string_view::npos;
}
int mod_23(std::string_view digits) {
  return to_int(digits) % 23;
}
constexpr std::string_view kDniLetters = "TRWAGMYFPDXBNJZSQVHLCKE";

// The dihedral group D5 and the permutation of J. Verhoeff, 1969.
constexpr char kProduct[10][11] = {"0123456789", "1234067895", "2340178956", "3401289567", "4012395678",
                                   "5987604321", "6598710432", "7659821043", "8765932104", "9876543210"};
constexpr char kPermutation[8][11] = {"0123456789", "1576283094", "5803796142", "8916043527",
                                      "9453126870", "4286573901", "2793806415", "7046913258"};

}  // namespace

int two_digits(std::string_view digits, std::size_t at) {
  return digit(digits[at]) * 10 + digit(digits[at + 1]);
}

bool is_date(int year, int month, int day) {
  constexpr std::array<int, 12> kDays = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  if (month < 1 || month > 12 || day < 1) return false;
  const bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
  return day <= kDays[static_cast<std::size_t>(month) - 1] + (leap && month == 2 ? 1 : 0);
}

int luhn_sum(std::string_view digits) {
  int sum = 0;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    const int value = digit(digits[digits.size() - 1 - i]);
    sum += i % 2 == 0 ? value : value > 4 ? value * 2 - 9 : value * 2;
  }
  return sum % 10;
}

bool verhoeff_holds(std::string_view digits) {
  int check = 0;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    const int value = digit(digits[digits.size() - 1 - i]);
    check = kProduct[check][kPermutation[i % 8][value] - '0'] - '0';
  }
  return check == 0;
}

bool mod_11_10_holds(std::string_view digits) {
  int check = 5;
  for (const char c : digits) check = ((check == 0 ? 10 : check) * 2 % 11 + digit(c)) % 10;
  return check == 1;
}

bool gs1_holds(std::string_view digits) {
  int sum = 0;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    sum += digit(digits[digits.size() - 1 - i]) * (i % 2 == 0 ? 1 : 3);
  }
  return sum % 10 == 0;
}

// Weights 10 … 2, modulus 11; a check of 10 is not issued.
bool uk_nhs_holds(std::string_view id) {
  return weighted_sum(id, {10, 9, 8, 7, 6, 5, 4, 3, 2, 1}) % 11 == 0;
}

bool uk_nino_holds(std::string_view id) {
  constexpr std::string_view kBanned[] = {"BG", "GB", "KN", "NK", "NT", "TN", "ZZ"};
  if (std::string_view("DFIQUV").find(id[0]) != std::string_view::npos) return false;
  if (std::string_view("DFIOQUV").find(id[1]) != std::string_view::npos) return false;
  if (std::find(std::begin(kBanned), std::end(kBanned), id.substr(0, 2)) != std::end(kBanned)) return false;
  return id.size() == 8 || (id[8] >= 'A' && id[8] <= 'D');
}

// Of the first ten digits exactly one is repeated, two or three times (the rule since 2016; before, two times).
bool de_steuer_id_holds(std::string_view id) {
  if (id[0] == '0') return false;
  std::array<int, 10> count{};
  for (const char c : id.substr(0, 10)) ++count[static_cast<std::size_t>(digit(c))];
  const auto repeated = std::count_if(count.begin(), count.end(), [](int n) { return n > 1; });
  return repeated == 1 && *std::max_element(count.begin(), count.end()) <= 3 && mod_11_10_holds(id);
}

bool es_dni_holds(std::string_view id) {
  return id[8] == kDniLetters[static_cast<std::size_t>(mod_23(id.substr(0, 8)))];
}

bool es_nie_holds(std::string_view id) {
  if (id[0] < 'X' || id[0] > 'Z') return false;
  const int number = (id[0] - 'X') * 10'000'000 + to_int(id.substr(1, 7));
  return id[8] == kDniLetters[static_cast<std::size_t>(number % 23)];
}

// Key = 97 − n mod 97; Corsica's departments 2A and 2B count as 19 and 18. Thirteen digits have no key to check.
bool fr_nir_holds(std::string_view id) {
  long long number = 0;
  for (std::size_t i = 0; i < 13; ++i) {
    int value = digit(id[i]);
    if (is_alpha(id[i])) {
      if (i != 6 || id[5] != '2' || id[i] > 'B') return false;
      number -= 1;  // 2A → 19, 2B → 18
      value = id[i] == 'A' ? 9 : 8;
    }
    number = number * 10 + value;
  }
  if (id.size() == 13) {
    const int month = two_digits(id, 3);  // 20 and more: unknown or foreign
    return id[0] >= '1' && id[0] <= '8' && ((month >= 1 && month <= 12) || month >= 20);
  }
  return two_digits(id, 13) == 97 - number % 97;
}

bool nl_bsn_holds(std::string_view id) {
  if (all_alike(id) && id[0] == '0') return false;
  int sum = -digit(id.back());
  for (std::size_t i = 0; i + 1 < id.size(); ++i) sum += static_cast<int>(id.size() - i) * digit(id[i]);
  return sum % 11 == 0;
}

bool in_aadhaar_holds(std::string_view id) {
  const bool palindrome = std::equal(id.begin(), id.begin() + 6, id.rbegin());
  return id[0] >= '2' && !palindrome && verhoeff_holds(id);
}
bool in_vid_holds(std::string_view id) {
  const bool palindrome = std::equal(id.begin(), id.begin() + 8, id.rbegin());
  return id[0] >= '2' && !palindrome && verhoeff_holds(id);
}

bool ca_sin_holds(std::string_view id) {
  return luhn_sum(id) == 0;
}

bool ch_ahv_holds(std::string_view id) {
  return id.substr(0, 3) == "756" && gs1_holds(id);
}

// The check digit is the fourth; a sum of 10 is not issued.
bool at_svnr_holds(std::string_view id) {
  return id[0] != '0' && weighted_sum(id, {3, 7, 9, 0, 5, 8, 4, 2, 1, 6}) % 11 == digit(id[3]);
}

// Weights 8 … 2, and 9 for the second letter of numbers since 2013; the check is a letter, W for 0.
bool ie_pps_holds(std::string_view id) {
  int sum = weighted_sum(id, {8, 7, 6, 5, 4, 3, 2});
  const char second = id.size() > 8 ? id[8] : 'W';
  if (std::string_view("AHWTX").find(second) == std::string_view::npos) return false;
  if (second == 'A' || second == 'H') sum += 9 * (second - 'A' + 1);
  return id[7] == "WABCDEFGHIJKLMNOPQRSTUV"[sum % 23];
}

bool pt_cc_holds(std::string_view id) {
  int sum = 0;
  for (std::size_t i = 0; i < id.size(); ++i) {
    const char c = id[id.size() - 1 - i];
    const int value = is_digit(c) ? digit(c) : c - 'A' + 10;
    const int doubled = value * 2 > 9 ? value * 2 - 9 : value * 2;
    sum += i % 2 == 0 ? value : doubled;
  }
  return sum % 10 == 0;
}

bool hr_oib_holds(std::string_view id) {
  return mod_11_10_holds(id);
}

bool tr_tckn_holds(std::string_view id) {
  if (id[0] == '0') return false;
  const int odd = digit(id[0]) + digit(id[2]) + digit(id[4]) + digit(id[6]) + digit(id[8]);
  const int even = digit(id[1]) + digit(id[3]) + digit(id[5]) + digit(id[7]);
  return digit(id[9]) == (odd * 7 + even * 9) % 10 && digit(id[10]) == (odd + even + digit(id[9])) % 10;
}

bool br_cpf_holds(std::string_view id) {
  const int first = weighted_sum(id, {10, 9, 8, 7, 6, 5, 4, 3, 2}) * 10 % 11 % 10;
  const int second = weighted_sum(id, {11, 10, 9, 8, 7, 6, 5, 4, 3, 2}) * 10 % 11 % 10;
  return !all_alike(id) && digit(id[9]) == first && digit(id[10]) == second;
}

bool au_tfn_holds(std::string_view id) {
  const int sum =
      id.size() == 8 ? weighted_sum(id, {1, 4, 3, 7, 5, 8, 6, 9}) : weighted_sum(id, {1, 4, 3, 7, 5, 8, 6, 9, 10});
  return sum % 11 == 0;
}

// Areas 900–999 with the groups the IRS issues.
bool us_itin_holds(std::string_view id) {
  const int group = two_digits(id, 3);
  return id[0] == '9' && ((group >= 50 && group <= 65) || (group >= 70 && group <= 88) ||
                          (group >= 90 && group <= 92) || (group >= 94 && group <= 99));
}

bool us_ein_holds(std::string_view id) {
  // Prefixes no IRS campus assigns.
  constexpr int kUnused[] = {0, 7, 8, 9, 17, 18, 19, 28, 29, 49, 69, 70, 78, 79, 89, 96, 97};
  return std::find(std::begin(kUnused), std::end(kUnused), two_digits(id, 0)) == std::end(kUnused);
}

// Luhn over 80840 and the number (45 CFR 162.406).
bool us_npi_holds(std::string_view id) {
  constexpr int kSumOf80840 = 24;
  return (id[0] == '1' || id[0] == '2') && (luhn_sum(id) + kSumOf80840) % 10 == 0;
}

bool us_dea_holds(std::string_view id) {
  if (std::string_view("ABCDEFGHJKLMPRSTUX").find(id[0]) == std::string_view::npos) return false;
  const auto at = [&](std::size_t i) { return digit(id[i + 1]); };
  return (at(1) + at(3) + at(5) + 2 * (at(2) + at(4) + at(6))) % 10 == at(7);
}

// C A AN N A AN N A A N N, letters without S L O I B Z (CMS, 2018).
bool us_mbi_holds(std::string_view id) {
  constexpr std::string_view kClasses = "1LX9LX9LL99";
  for (std::size_t i = 0; i < kClasses.size(); ++i) {
    const bool letter = is_upper(id[i]) && std::string_view("SLOIBZ").find(id[i]) == std::string_view::npos;
    const bool fits = kClasses[i] == '1'   ? id[i] >= '1' && id[i] <= '9'
                      : kClasses[i] == 'L' ? letter
                      : kClasses[i] == 'X' ? letter || is_digit(id[i])
                                           : is_digit(id[i]);
    if (!fits) return false;
  }
  return true;
}

bool aba_routing_holds(std::string_view id) {
  const int district = two_digits(id, 0);
  const bool assigned =
      district <= 12 || (district >= 21 && district <= 32) || (district >= 61 && district <= 72) || district == 80;
  return assigned && !all_alike(id) && weighted_sum(id, {3, 7, 1, 3, 7, 1, 3, 7, 1}) % 10 == 0;
}

bool imei_holds(std::string_view id) {
  return !all_alike(id) && luhn_sum(id) == 0;
}

// ISO 3779 and 49 CFR 565.15: position nine checks the rest. Elsewhere than in North America it may be anything.
bool vin_holds(std::string_view id) {
  constexpr std::string_view kValues = "12345678 12345 7 923456789";
  constexpr std::array<int, 17> kWeights = {8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2};
  static_assert(kValues.size() == 26);
  int sum = 0;
  for (std::size_t i = 0; i < kWeights.size(); ++i) {
    if (is_digit(id[i])) {
      sum += kWeights[i] * digit(id[i]);
    } else if (const char value = kValues[static_cast<std::size_t>(id[i] - 'A')]; value != ' ') {
      sum += kWeights[i] * digit(value);
    } else {
      return false;
    }
  }
  return id[8] == (sum % 11 == 10 ? 'X' : static_cast<char>('0' + sum % 11));
}

bool postcode_holds(std::string_view id) {
  constexpr std::string_view kAreas =
      " AB AL B BA BB BD BF BH BL BN BR BS BT CA CB CF CH CM CO CR CT CV CW DA DD DE DG DH DL DN DT DY E EC EH EN EX "
      "FK FY G "
      "GL GU GY HA HD HG HP HR HS HU HX IG IM IP IV JE KA KT KW KY L LA LD LE LL LN LS LU M ME MK ML N NE NG NN NP NR "
      "NW "
      "OL OX PA PE PH PL PO PR RG RH RM S SA SE SG SK SL SM SN SO SP SR SS ST SW SY TA TD TF TN TQ TR TS TW UB W WA WC "
      "WD "
      "WF WN WR WS WV YO ZE ";
  const auto without = [](std::string_view part, std::string_view letters) {
    return part.find_first_of(letters) == std::string_view::npos;
  };
  if (id.size() < 5 || !is_alpha(id[0])) return false;
  if (is_digit(id[id.size() - 1])) return id.size() == 6 && without(id, "DFIOQU") && id[0] != 'W' && id[0] != 'Z';
  const std::size_t letters = is_alpha(id[1]) ? 2 : 1;
  const std::string area = ' ' + std::string(id.substr(0, letters)) + ' ';
  return kAreas.find(area) != std::string_view::npos && without(id.substr(id.size() - 2), "CIKMOV");
}

bool plus_code_holds(std::string_view id) {
  constexpr std::string_view kAlphabet = "23456789CFGHJMPQRVWX";
  const auto at_most = [&](char c, char last) { return kAlphabet.find(c) <= kAlphabet.find(last); };
  return id.find_first_not_of(kAlphabet) == std::string_view::npos && at_most(id[0], 'C') && at_most(id[1], 'V');
}

}  // namespace mlops::detect
