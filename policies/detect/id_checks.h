// Private to policies/detect: the check digits and birth dates inside national and other identifiers.
//
// Each function takes the compact form (upper case, separators gone) of a string that has its row's shape
// (id_rows.h) and says whether its inner rules hold. Sources: the issuing authorities' published rules, as gathered by
// the identifiers' standards (ISO 7064, GS1, ISO 3779, NMVTIS, ANSI/HIBC 2.6). Thread-safety: pure functions.
#pragma once

#include <string_view>

namespace mlops::detect {

// Building blocks.
bool is_date(int year, int month, int day);  // proleptic Gregorian; REQUIRES year ≥ 1
int two_digits(std::string_view digits, std::size_t at);
bool verhoeff_holds(std::string_view digits);
bool mod_11_10_holds(std::string_view digits);  // ISO 7064 MOD 11,10
bool gs1_holds(std::string_view digits);        // GS1 mod 10 (GTIN, SSCC, EAN)
int luhn_sum(std::string_view digits);          // mod 10 of the sum with the last digit undoubled

// No birth date inside.
bool uk_nhs_holds(std::string_view id);
bool uk_nino_holds(std::string_view id);
bool de_steuer_id_holds(std::string_view id);
bool es_dni_holds(std::string_view id);
bool es_nie_holds(std::string_view id);
bool fr_nir_holds(std::string_view id);
bool nl_bsn_holds(std::string_view id);
bool in_aadhaar_holds(std::string_view id);
bool in_vid_holds(std::string_view id);
bool ca_sin_holds(std::string_view id);
bool ch_ahv_holds(std::string_view id);
bool at_svnr_holds(std::string_view id);
bool ie_pps_holds(std::string_view id);
bool pt_cc_holds(std::string_view id);
bool hr_oib_holds(std::string_view id);
bool tr_tckn_holds(std::string_view id);
bool br_cpf_holds(std::string_view id);
bool au_tfn_holds(std::string_view id);

// With one.
bool it_codice_fiscale_holds(std::string_view id);
bool pl_pesel_holds(std::string_view id);
bool se_personnummer_holds(std::string_view id);
bool fi_hetu_holds(std::string_view id);
bool be_rrn_holds(std::string_view id);
bool dk_cpr_holds(std::string_view id);
bool no_fnr_holds(std::string_view id);
bool ro_cnp_holds(std::string_view id);
bool cz_rc_holds(std::string_view id);
bool bg_egn_holds(std::string_view id);
bool ee_ik_holds(std::string_view id);
bool lt_ak_holds(std::string_view id);
bool si_emso_holds(std::string_view id);
bool gr_amka_holds(std::string_view id);
bool za_id_holds(std::string_view id);

// United States, devices, vehicles.
bool us_itin_holds(std::string_view id);
bool us_ein_holds(std::string_view id);
bool us_npi_holds(std::string_view id);
bool us_dea_holds(std::string_view id);
bool us_mbi_holds(std::string_view id);
bool aba_routing_holds(std::string_view id);
bool imei_holds(std::string_view id);
bool vin_holds(std::string_view id);

// Places.
bool postcode_holds(std::string_view id);   // of Great Britain or Canada (Royal Mail PAF, Canada Post); no other
bool plus_code_holds(std::string_view id);  // Open Location Code, ten or eleven characters

}  // namespace mlops::detect
