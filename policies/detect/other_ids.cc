// Numbers of US registries, banks, devices and vehicles, a row each. The rates follow national_ids.cc; where a row has
// ranges and no check digit (ITIN, EIN, MBI) they say how little a range tells (Synthea's SSNs lie in those of ITINs).
#include <algorithm>

#include "policies/detect/id_checks.h"
#include "policies/detect/id_rows.h"
#include "policies/detect/scan.h"

namespace mlops::detect {
namespace {

using enum OnFailedCheck;

bool is_hex_only(std::string_view id) {
  return std::all_of(id.begin(), id.end(), is_hex) && std::any_of(id.begin(), id.end(), is_digit);
}

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
    // Random keys of rows look the same: only a word or a column makes one a device's.
    {"device_id", "", "device_id", "Identifier of a phone, browser or installation", "NNNNNNNN-NNNN-NNNN-NNNN-NNNNNNNNNNNN|NNNNNNNNNNNNNNNN|NNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNN", is_hex_only, 1, kVetoes,
     "device id|device identifier|deviceid|idfa|idfv|gaid|aaid|advertising id|advertising identifier|android id|cookie id|visitor id|installation id|hardware id|client id",
     "device id|deviceid|device identifier|idfa|idfv|gaid|aaid|advertising id|android id|cookie|cookie id|visitor id|installation id|hardware id", "9d188916-8390-282b-3ec2-73fce6e08649"},
    {"plate", "", "plate", "Licence plate", "AAA_9999|AAA9999|AAA_999|AAA999|9AAA999|AA99_AAA|AA99AAA|AA_999_AA|AA999AA|A_AA_9999|A_AA_999|A-AA 9999|AA-AA 9999|A-AA 999|AA-A 999|AA_AA_9999|AA_AA_999|AA_A_9999|9999_AAA|9999AAA|99_AAA_9|99_AA_99|999_AAA|A999_AAA", nullptr, 1, kLowers,
     "license plate|licence plate|number plate|plate number|plate no|registration plate|reg plate|vehicle registration|tag number|kennzeichen|kfz kennzeichen|plaque|immatriculation|matricula|targa|kenteken|placa",
     "plate|license plate|licence plate|licenseplate|plate number|number plate|kennzeichen|vehicle registration|targa|kenteken", "ABC-1234"},
    // The Dutch "1017 CT" is a year or a dose just as well: only a word makes it one.
    {"postcode_intl", "", "postcode", "Postcode of Great Britain, Canada or the Netherlands", "A9 9AA|A99 9AA|AA9 9AA|AA99 9AA|A9A 9AA|AA9A 9AA|A9A 9A9|9999 AA", postcode_holds, 0.05, kVetoes,
     "postcode|postcodes|post code|postal code|postal|code postal|zip|zip code|postleitzahl|adres|address",
     "postcode|post code|postal code|postcodes", "SW1A 1AA"},
    {"geo_plus_code", "", "geo", "Open Location Code of a place", "NNNNNNNN+NN|NNNNNNNN+NNN", plus_code_holds, 0.003, kVetoes,
     "plus code|pluscode|open location code|location code", "plus code|pluscode|open location code", "8FVC9G8F+6X"},
    {"rsid", "", "genetic", "Reference of a genetic variant", "rs999|rs9999|rs99999|rs999999|rs9999999|rs99999999|rs999999999|rs9999999999", nullptr, 1, kLowers,
     "snp|snps|rsid|rs id|dbsnp|genotype|genotyped|variant|allele|alleles|polymorphism|gwas|locus",
     "rsid|rs id|snp|snp id|dbsnp", "rs1801133"},
    {"device_serial", "", "device_serial", "Serial number of a device", "", nullptr, 1, kLowers,
     "serial number|serial no|serial nr|serial num|serial|s/n|serien nr|seriennummer|serien-nr|numero de serie|no de serie|numero di serie|serienummer|lot number|pacemaker serial|implant serial",
     "serial number|serialnumber|serial no|serial|device serial|seriennummer|numero serie|lot number", "PM-4471023", {4, 32}},
    {"bank_account", "", "bank_account", "Bank account number", "", nullptr, 1, kLowers,
     "bank account|bank account number|bank acct|bank a/c|checking account|savings account|sort code|bsb|kontonummer|konto nr|konto-nr|kontonr|cuenta bancaria|numero de cuenta|rekeningnummer|numero de compte|compte bancaire|conto corrente|conta bancaria|swift|bic",
     "bank account|bankaccount|bank acct|sort code|bsb|kontonummer|cuenta bancaria|rekeningnummer|compte bancaire|conto corrente|checking account|savings account", "0532013000", {5, 24}},
    {"certificate", "", "certificate", "Certificate or professional licence", "", nullptr, 1, kLowers,
     "certificate number|certificate no|cert no|cert number|medical license|medical licence|professional license|nursing license|registration number|registration no|reg no|gmc number|gmc no|gmc|nmc pin|nmc|bar number|state license|birth certificate|death certificate|marriage certificate|approbation|lanr|arztnummer|bsnr",
     "certificate number|certificate no|cert number|certificate id|medical license|professional license|registration number|gmc number|gmc|lanr|bsnr|birth certificate|death certificate", "MD-482913", {4, 24}},
    {"national_id", "", "national_id", "National identity number without a row of its own", "", nullptr, 1, kLowers,
     "national id|national identity|national identification|identity card|identity number|identity document|id card|citizen id|citizenship number|ausweisnummer|personalausweis|ausweis nr|carte d'identite|carte nationale d'identite|cni|carta d'identita|cedula|cedula de identidad|curp|documento de identidad|numero de identidad|identiteitskaart|tax number|tax no|tax id|steuernummer|numero fiscal|passport or id",
     "national id|nationalid|national identity|national identifier|identity card|identity number|id card|citizen id|ausweisnummer|personalausweis|carte identite|carta identita|cedula|curp|numero identidad|documento identidad|tax number|tax id|numero fiscal", "19850730-3328", {5, 24}},
};
// clang-format on

}  // namespace

std::span<const IdRow> other_id_rows() {
  return kRows;
}

}  // namespace mlops::detect
