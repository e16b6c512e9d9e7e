// Numbers of US registries, banks, devices and vehicles, a row each. The rates follow national_ids.cc; where a row has
// ranges and no check digit (ITIN, EIN, MBI) they say how little a range tells (Synthea's SSNs lie in those of ITINs).
#include "policies/detect/id_checks.h"
#include "policies/detect/id_rows.h"

namespace mlops::detect {
namespace {

using enum OnFailedCheck;

// clang-format off
constexpr IdRow kRows[] = {
    {"us_itin", "US", "us_itin", "Individual taxpayer identification number", "999-99-9999|999 99 9999|999999999", us_itin_holds, 0.5, kVetoes,
     "itin|i.t.i.n|individual taxpayer|taxpayer id|taxpayer identification|tax id", "itin|individual taxpayer", "912-90-3456"},
    {"us_ein", "US", "us_ein", "Employer identification number", "99-9999999|999999999", us_ein_holds, 0.83, kVetoes,
     "ein|fein|employer identification|employer id|federal tax id|federal id|tax id", "ein|fein|employer id|employer identification|federal tax id", "91-1144442"},
    {"us_npi", "US", "us_npi", "National provider identifier", "9999999999", us_npi_holds, 0.02, kVetoes,
     "npi|npi number|npi no|national provider|provider identifier|provider number|prescriber id", "npi|national provider", "1234567893"},
    {"us_dea", "US", "us_dea", "DEA registration", "AA9999999|A99999999", us_dea_holds, 0.07, kVetoes,
     "dea|dea number|dea no|dea registration|dea reg|drug enforcement", "dea|deanumber", "BS5002477"},
    {"us_mbi", "US", "us_mbi", "Medicare beneficiary identifier", "9AN9AN9AA99|9AN9-AN9-AA99|9AN9 AN9 AA99", us_mbi_holds, 0.18, kVetoes,
     "mbi|medicare|medicare number|medicare id|beneficiary|hicn|hic", "mbi|medicare beneficiary|medicare id|medicare number", "1EG4TE5MK73"},
    {"aba_routing", "US", "bank_account", "ABA routing number", "999999999|9999-9999-9", aba_routing_holds, 0.04, kVetoes,
     "routing|routing number|routing no|aba|rtn|aba number|transit number|ach|wire", "routing|routingnumber|aba|rtn|transit number", "111000025"},
    {"imei", "", "imei", "International mobile equipment identity", "999999999999999|99-999999-999999-9|99 999999 999999 9", imei_holds, 0.099, kVetoes,
     "imei|imei number|handset|mobile equipment", "imei|imeinumber", "490154203237518"},
    {"vin", "", "vin", "Vehicle identification number", "NNNNNNNNNNNNNNNNN", vin_holds, 0.03, kLowers,
     "vin|vehicle identification|vehicle id|chassis|chassis number|fahrgestellnummer|fin|bastidor|telaio|numero di telaio|n° de série",
     "vin|vehicle identification|vehicle id|chassis|fahrgestellnummer", "1M8GDM9AXKP042788"},
};
// clang-format on

}  // namespace

std::span<const IdRow> other_id_rows() {
  return kRows;
}

}  // namespace mlops::detect
