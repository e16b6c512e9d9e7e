// Private to policies/detect: check digits. Thread-safety: free functions.
#pragma once

#include <string_view>

namespace mlops::detect {

// ISO/IEC 7812-1 annex B; 10 % of random digit strings pass. REQUIRES: digits only.
bool luhn_holds(std::string_view digits);
// ISO 7064 MOD 97-10 of an IBAN (first four characters moved to the end); 1.07 % pass. REQUIRES: A–Z and digits, ≥ 5.
bool iban_check_holds(std::string_view iban);

}  // namespace mlops::detect
