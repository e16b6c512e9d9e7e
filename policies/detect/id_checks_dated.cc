// Check digits of identifiers that hold their bearer's birth date.
//
// Where the century is not written, a two-digit year counts in the century that makes the date valid: a validator that
// depended on today's date would not give the same answer on replay.
#include <string>

#include "policies/detect/checksum.h"
#include "policies/detect/id_checks.h"
#include "policies/detect/scan.h"

namespace mlops::detect {
namespace {

int digit(char c) {
  return c - '0';
}
template <std::size_t N>
int weighted_sum(std::string_view digits, const int (&weights)[N]) {
  int sum = 0;
  for (std::size_t i = 0; i < N; ++i) sum += weights[i] * digit(digits[i]);
  return sum;
}
// Is month and day one in 19yy or 20yy?
bool is_date_of_some_century(int year, int month, int day) {
  return is_date(1900 + year, month, day) || is_date(2000 + year, month, day);
}

// The double modulus of Estonia and Lithuania.
bool baltic_check_holds(std::string_view id) {
  constexpr int kFirst[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 1};
  constexpr int kSecond[] = {3, 4, 5, 6, 7, 8, 9, 1, 2, 3};
  int check = weighted_sum(id, kFirst) % 11;
  if (check == 10) check = weighted_sum(id, kSecond) % 11 % 10;
  return digit(id[10]) == check;
}
bool baltic_date_holds(std::string_view id) {
  if (id[0] < '1' || id[0] > '8') return false;
  const int century = 1800 + (id[0] - '1') / 2 * 100;
  return is_date(century + two_digits(id, 1), two_digits(id, 3), two_digits(id, 5));
}

// The digit an omocodia letter stands for, −1 for any other character.
int omocodia_digit(char c) {
  if (is_digit(c)) return digit(c);
  const auto at = std::string_view("LMNPQRSTUV").find(c);
  return at == std::string_view::npos ? -1 : static_cast<int>(at);
}

}  // namespace

// Odd positions (from one) through the ministry's table, even ones by value; modulus 26. Women's days are 41–71.
bool it_codice_fiscale_holds(std::string_view id) {
  constexpr int kOdd[26] = {1,  0,  5, 7, 9, 13, 15, 17, 19, 21, 2,  4,  18,
                            20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23};
  int sum = 0;
  for (std::size_t i = 0; i < 15; ++i) {
    const int value = is_digit(id[i]) ? digit(id[i]) : id[i] - 'A';
    sum += i % 2 == 0 ? kOdd[value] : value;
  }
  if (id[15] != 'A' + sum % 26) return false;
  for (const std::size_t at : {6, 7, 9, 10, 12, 13, 14}) {
    if (omocodia_digit(id[at]) < 0) return false;
  }
  const auto month = std::string_view("ABCDEHLMPRST").find(id[8]);
  if (month == std::string_view::npos) return false;
  const int year = omocodia_digit(id[6]) * 10 + omocodia_digit(id[7]);
  const int day = omocodia_digit(id[9]) * 10 + omocodia_digit(id[10]);
  return day <= 71 && is_date_of_some_century(year, static_cast<int>(month) + 1, day > 40 ? day - 40 : day);
}

// The century is in the month: +80 1800s, +20 2000s, +40 2100s, +60 2200s.
bool pl_pesel_holds(std::string_view id) {
  constexpr int kWeights[] = {1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1};
  constexpr int kCenturies[] = {1900, 2000, 2100, 2200, 1800};
  if (weighted_sum(id, kWeights) % 10 != 0) return false;
  const int month = two_digits(id, 2);
  return is_date(kCenturies[month / 20] + two_digits(id, 0), month % 20, two_digits(id, 4));
}

// Luhn over the last ten digits; a coordination number has 60 added to its day.
bool se_personnummer_holds(std::string_view id) {
  const bool century_written = id.size() >= 12;
  const char sign = id[id.size() - 5];
  const bool signed_form = sign == '-' || sign == '+';
  std::string digits(id.substr(0, id.size() - (signed_form ? 5 : 4)));
  digits.append(id.substr(id.size() - 4));
  const std::string_view ten = std::string_view(digits).substr(century_written ? 2 : 0);
  if (luhn_sum(ten) != 0) return false;
  const int year = two_digits(ten, 0);
  const int month = two_digits(ten, 2);
  const int day = two_digits(ten, 4) > 60 ? two_digits(ten, 4) - 60 : two_digits(ten, 4);
  if (century_written) return two_digits(digits, 0) >= 18 && is_date(two_digits(digits, 0) * 100 + year, month, day);
  // A plus says a hundred years old or more, so not born in this century.
  return sign == '+' ? is_date(1900 + year, month, day) : is_date_of_some_century(year, month, day);
}

// Signs: + 1800s; - and U–Y 1900s; A–F 2000s (the wider sets since 2023). Numbers 900–999 are for tests and hospitals.
bool fi_hetu_holds(std::string_view id) {
  const char sign = id[6];
  const int century = sign == '+' ? 1800 : sign == '-' || (sign >= 'U' && sign <= 'Y') ? 1900 : 2000;
  const int number = to_int(id.substr(7, 3));
  if (!is_date(century + two_digits(id, 4), two_digits(id, 2), two_digits(id, 0)) || number < 2) return false;
  const int check = (to_int(id.substr(0, 6)) % 31 * (1000 % 31) + number) % 31;
  return id[10] == "0123456789ABCDEFHJKLMNPRSTUVWXY"[check];
}

// 97 − n mod 97, with a 2 in front of the nine digits for the 2000s. Months of bis numbers have 20 or 40 added, and
// parts of an unknown date are zero, so the date says little and is not asked.
bool be_rrn_holds(std::string_view id) {
  const long long number = to_int(id.substr(0, 9));
  const int key = two_digits(id, 9);
  if (id.find_first_not_of('0') == std::string_view::npos) return false;
  return key == 97 - number % 97 || key == 97 - (2'000'000'000LL + number) % 97;
}

// The date alone: numbers without a valid modulus have been issued since 2007. The seventh digit tells the century.
bool dk_cpr_holds(std::string_view id) {
  const int year = two_digits(id, 4);
  const char century = id[6];
  const bool in_1800s = century >= '5' && century <= '8' && year >= 58;
  const bool in_1900s = century <= '3' || ((century == '4' || century == '9') && year >= 37);
  return is_date((in_1800s ? 1800 : in_1900s ? 1900 : 2000) + year, two_digits(id, 2), two_digits(id, 0));
}

// Two moduli of 11. D numbers add 40 to the day, H and test numbers 40 or 80 to the month.
bool no_fnr_holds(std::string_view id) {
  constexpr int kFirst[] = {3, 7, 6, 1, 8, 9, 4, 5, 2, 1};
  constexpr int kSecond[] = {5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1};
  if (weighted_sum(id, kFirst) % 11 != 0 || weighted_sum(id, kSecond) % 11 != 0) return false;
  const int day = two_digits(id, 0) % 80 > 40 ? two_digits(id, 0) - 40 : two_digits(id, 0);
  const int raw_month = two_digits(id, 2);
  const int month = raw_month > 80 ? raw_month - 80 : raw_month > 40 ? raw_month - 40 : raw_month;
  const int year = two_digits(id, 4);
  const int individual = to_int(id.substr(6, 3));
  if (individual < 500) return is_date(1900 + year, month, day);
  if (individual < 750 && year >= 54) return is_date(1800 + year, month, day);
  if (year < 40) return is_date(2000 + year, month, day);
  return individual >= 900 && is_date(1900 + year, month, day);
}

bool ro_cnp_holds(std::string_view id) {
  constexpr int kWeights[] = {2, 7, 9, 1, 4, 6, 3, 5, 8, 2, 7, 9};
  constexpr int kCenturies[] = {1900, 1900, 1800, 1800, 2000, 2000, 1900, 1900, 1900};
  if (id[0] == '0') return false;
  const int check = weighted_sum(id, kWeights) % 11;
  if (digit(id[12]) != (check == 10 ? 1 : check)) return false;
  return is_date(kCenturies[id[0] - '1'] + two_digits(id, 1), two_digits(id, 3), two_digits(id, 5));
}

// Women's months have 50 added, and 20 more when the serials of a day ran out. Nine digits until 1953, without a check;
// ten digits are divisible by 11, until 1984 also where the first nine leave 10.
bool cz_rc_holds(std::string_view id) {
  int year = 1900 + two_digits(id, 0);
  const int month = two_digits(id, 2) % 50 % 20;
  if (id.size() == 9) {
    if (year >= 1980) year -= 100;
    return year <= 1953 && is_date(year, month, two_digits(id, 4));
  }
  if (year < 1954) year += 100;
  if (!is_date(year, month, two_digits(id, 4))) return false;
  const int rest = to_int(id.substr(0, 9)) % 11;
  return digit(id[9]) == (year < 1985 ? rest % 10 : rest);
}

// Months +20 for the 1800s, +40 for the 2000s.
bool bg_egn_holds(std::string_view id) {
  constexpr int kWeights[] = {2, 4, 8, 5, 10, 9, 7, 3, 6};
  if (digit(id[9]) != weighted_sum(id, kWeights) % 11 % 10) return false;
  const int month = two_digits(id, 2);
  const int century = month > 40 ? 2000 : month > 20 ? 1800 : 1900;
  return is_date(century + two_digits(id, 0),
                 month > 40   ? month - 40
                 : month > 20 ? month - 20
                              : month,
                 two_digits(id, 4));
}

bool ee_ik_holds(std::string_view id) {
  return baltic_date_holds(id) && baltic_check_holds(id);
}
// Codes beginning with 9 hold no date.
bool lt_ak_holds(std::string_view id) {
  return (id[0] == '9' || baltic_date_holds(id)) && baltic_check_holds(id);
}

// Three digits of the year: 800 and above belong to 1800–1999.
bool si_emso_holds(std::string_view id) {
  constexpr int kWeights[] = {7, 6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2};
  const int year = to_int(id.substr(4, 3));
  const int check = (11 - weighted_sum(id, kWeights) % 11) % 11 % 10;
  return digit(id[12]) == check && is_date(year + (year < 800 ? 2000 : 1000), two_digits(id, 2), two_digits(id, 0));
}

bool gr_amka_holds(std::string_view id) {
  return luhn_sum(id) == 0 && is_date_of_some_century(two_digits(id, 4), two_digits(id, 2), two_digits(id, 0));
}

// Digit eleven: 0 citizen, 1 permanent resident.
bool za_id_holds(std::string_view id) {
  return (id[10] == '0' || id[10] == '1') && luhn_sum(id) == 0 &&
         is_date_of_some_century(two_digits(id, 0), two_digits(id, 2), two_digits(id, 4));
}

}  // namespace mlops::detect
