// National identity, tax, health and social-security numbers, a row each. False-positive rates are measured: 60,000
// random strings of the shape against python-stdnum.
#include "policies/detect/id_checks.h"
#include "policies/detect/id_rows.h"

namespace mlops::detect {
namespace {

using enum OnFailedCheck;
constexpr std::string_view kNational = "national_id";

// clang-format off
constexpr IdRow kRows[] = {
    {"uk_nhs", "GB", kNational, "NHS number", "9999999999|999_999_9999", uk_nhs_holds, 0.089, kVetoes,
     "nhs|nhs number|nhs no|nhs num|national health service",
     "nhs|nhsnumber|nhsno", "9434765870"},
    {"uk_nino", "GB", kNational, "National Insurance number", "AA999999A|AA_99_99_99_A|AA_999999_A|AA999999", uk_nino_holds, 0.09, kVetoes,
     "nino|ni number|ni no|national insurance|nat ins|insurance number",
     "nino|ni number|ni no|national insurance|nationalinsurance|nationalinsurancenumber", "AB123456C"},
    {"de_steuer_id", "DE", kNational, "Steuerliche Identifikationsnummer", "99999999999|99_999_999_999", de_steuer_id_holds, 0.0033, kVetoes,
     "steuer id|steuerid|steuer-id|steuerliche identifikationsnummer|steueridentifikationsnummer|identifikationsnummer|idnr|steuer idnr|tin|tax id",
     "steuer id|steuerid|steueridentifikationsnummer|steuer identifikationsnummer|idnr|steuernummer", "36574261809"},
    {"es_dni", "ES", kNational, "Documento nacional de identidad", "99999999A|99999999-A|99999999 A|99.999.999-A|99.999.999A|99.999.999 A|99 999 999 A", es_dni_holds, 0.038, kLowers,
     "dni|nif|documento nacional|documento de identidad|d.n.i|n.i.f",
     "dni|nif|documento identidad|documento nacional", "54362315K"},
    {"es_nie", "ES", kNational, "Número de identidad de extranjero", "A9999999A|A-9999999-A|A 9999999 A|A-9999999A|A9999999-A", es_nie_holds, 0.038, kVetoes,
     "nie|n.i.e|identidad de extranjero|extranjero",
     "nie|identidad extranjero", "X2482300W"},
    {"it_codice_fiscale", "IT", kNational, "Codice fiscale", "AAAAAANNANNANNNA|AAA_AAA_NNANN_ANNNA", it_codice_fiscale_holds, 0.03, kLowers,
     "codice fiscale|cod fiscale|cod. fisc|cf|c.f|fiscal code|tax code",
     "codice fiscale|codicefiscale|cod fiscale|cod fisc|fiscal code", "RCCMNL83S18D969H"},
    {"fr_nir", "FR", kNational, "Numéro de sécurité sociale (NIR)",
     "999999N99999999|9_99_99_9N_999_999_99|9_99_99_9N_999_999 99|9999999999999 99|999999N999999|9_99_99_9N_999_999", fr_nir_holds, 0.0099, kVetoes,
     "nir|insee|securite sociale|sécurité sociale|secu|numero de securite sociale|n° ss|immatriculation|carte vitale|num ss",
     "nir|insee|securite sociale|numero securite sociale|num secu|nss", "295109912611193"},
    {"pl_pesel", "PL", kNational, "PESEL", "99999999999", pl_pesel_holds, 0.018, kVetoes,
     "pesel|nr pesel|numer pesel|ewidencyjny", "pesel|numer pesel|nr pesel", "44051401359"},
    {"nl_bsn", "NL", kNational, "Burgerservicenummer", "999999999|99999999|9999_99_999|999_999_999|999_99_999", nl_bsn_holds, 0.09, kVetoes,
     "bsn|burgerservicenummer|burger service nummer|sofi|sofinummer|sofi-nummer|burgerservicenr",
     "bsn|burgerservicenummer|sofinummer|sofi nummer|burger service nummer", "111222333"},
    {"se_personnummer", "SE", kNational, "Personnummer", "999999P9999|9999999999|99999999P9999|999999999999", se_personnummer_holds, 0.0036, kVetoes,
     "personnummer|personnr|pnr|person nr|samordningsnummer|samordningsnr|swedish id",
     "personnummer|personnr|samordningsnummer|pnr", "880320-0016"},
    {"fi_hetu", "FI", kNational, "Henkilötunnus", "999999S999N", fi_hetu_holds, 0.001, kVetoes,
     "hetu|henkilötunnus|henkilotunnus|henkilönumero|sotu|personbeteckning|sosiaaliturvatunnus",
     "hetu|henkilotunnus|personbeteckning|sotu", "131052-308T"},
    {"in_aadhaar", "IN", kNational, "Aadhaar", "999999999999|9999_9999_9999", in_aadhaar_holds, 0.08, kVetoes,
     "aadhaar|aadhar|adhaar|uidai|uid|आधार", "aadhaar|aadhar|adhaar|aadhaarnumber|uidai", "234123412346"},
    {"in_vid", "IN", kNational, "Aadhaar virtual id", "9999999999999999|9999_9999_9999_9999", in_vid_holds, 0.08, kVetoes,
     "vid|virtual id|aadhaar|aadhar|uidai", "aadhaar vid|virtual id|aadhaar virtual", "2341234123412341"},
    {"ca_sin", "CA", kNational, "Social insurance number", "999999999|999_999_999", ca_sin_holds, 0.08, kVetoes,
     "sin|sin number|social insurance|social insurance number|nas|numero d'assurance sociale|assurance sociale",
     "sin|social insurance|assurance sociale|sinnumber", "123456782"},
    {"be_rrn", "BE", kNational, "Rijksregisternummer", "99999999999|99.99.99-999.99|99.99.99-999-99|99_99_99_999_99|999999-999-99|999999 999 99", be_rrn_holds, 0.0018, kVetoes,
     "rijksregisternummer|rijksregister|registre national|numero national|numéro national|insz|niss|rrn|nationaal nummer|rr nr",
     "rijksregisternummer|rijksregister nummer|rijksregister|registre national|numero national|insz|niss|rrn", "85073003328"},
    {"ch_ahv", "CH", kNational, "AHV-Nummer", "9999999999999|999.9999.9999.99|999 9999 9999 99", ch_ahv_holds, 0.0001, kVetoes,
     "ahv|avs|ahv-nr|ahv nummer|ahv-nummer|numero avs|navs|sozialversicherungsnummer|oasi|nss",
     "ahv|ahv nummer|ahvnummer|ahv nr|avs|numero avs|navs|ahvn 13", "7569217076985"},
    {"at_svnr", "AT", kNational, "Sozialversicherungsnummer", "9999999999|9999_999999|9999/999999", at_svnr_holds, 0.085, kVetoes,
     "svnr|sv-nr|sv nr|sv-nummer|sozialversicherungsnummer|versicherungsnummer|vsnr|svnummer",
     "svnr|sv nr|sv nummer|svnummer|sozialversicherungsnummer|sozialversicherung nummer|vsnr|versicherungsnummer", "1237010180"},
    {"dk_cpr", "DK", kNational, "CPR-nummer", "9999999999|999999-9999|999999 9999", dk_cpr_holds, 0.033, kVetoes,
     "cpr|cpr-nummer|cpr nummer|cpr nr|cpr-nr|personnummer|cprnr", "cpr|cprnummer|cpr nummer|cpr nr|cprnr", "2110625629"},
    {"no_fnr", "NO", kNational, "Fødselsnummer", "99999999999|999999_99999", no_fnr_holds, 0.0009, kVetoes,
     "fødselsnummer|fodselsnummer|fodselsnr|fnr|personnummer|d-nummer|d nummer|fødselsnr",
     "fodselsnummer|fodselsnr|fnr|personnummer|dnummer", "15108695088"},
    {"ie_pps", "IE", kNational, "PPS number", "9999999A|9999999AA|9999999_A|9999999_AA", ie_pps_holds, 0.037, kLowers,
     "pps|ppsn|pps number|pps no|personal public service|rsi number", "pps|ppsn|pps number|ppsnumber|personal public service", "6433435F"},
    {"pt_cc", "PT", kNational, "Cartão de cidadão", "999999999NN9|99999999_9_NN9|99999999_9NN9", pt_cc_holds, 0.1, kVetoes,
     "cartao de cidadao|cartão de cidadão|cc|cartao cidadao|bilhete de identidade|documento de identificacao",
     "cartao cidadao|cartao de cidadao|bilhete identidade", "000000000ZZ4"},
    {"ro_cnp", "RO", kNational, "Cod numeric personal", "9999999999999|9_999999_999999", ro_cnp_holds, 0.0019, kVetoes,
     "cnp|cod numeric personal|c.n.p", "cnp|cod numeric personal", "1630615123457"},
    {"cz_rc", "CZ", kNational, "Rodné číslo", "999999/9999|999999/999|9999999999|999999999", cz_rc_holds, 0.021, kVetoes,
     "rodne cislo|rodné číslo|rc|rč|r.č|rodné č|rodne c", "rodne cislo|rodnecislo|rc|rod cislo", "710319/2745"},
    {"bg_egn", "BG", kNational, "ЕГН", "9999999999", bg_egn_holds, 0.011, kVetoes,
     "egn|егн|ЕГН|единен граждански номер|edinen grazhdanski nomer", "egn|егн|ЕГН", "7523169263"},
    {"ee_ik", "EE", kNational, "Isikukood", "99999999999", ee_ik_holds, 0.0029, kVetoes,
     "isikukood|isikukoodi|ik|personal code|estonian id", "isikukood", "36805280109"},
    {"lt_ak", "LT", kNational, "Asmens kodas", "99999999999", lt_ak_holds, 0.014, kVetoes,
     "asmens kodas|asmens kodo|a.k|personal code|lithuanian id", "asmens kodas|asmenskodas|ak", "33309240064"},
    {"hr_oib", "HR", kNational, "OIB", "99999999999|HR99999999999", hr_oib_holds, 0.098, kVetoes,
     "oib|osobni identifikacijski broj|identifikacijski broj", "oib|osobni identifikacijski broj", "33392005961"},
    {"si_emso", "SI", kNational, "EMŠO", "9999999999999", si_emso_holds, 0.0038, kVetoes,
     "emso|emšo|jmbg|maticna stevilka|matična številka|matični broj", "emso|jmbg|maticni broj", "0101006500006"},
    {"gr_amka", "GR", kNational, "ΑΜΚΑ", "99999999999", gr_amka_holds, 0.0039, kVetoes,
     "amka|αμκα|ΑΜΚΑ|α.μ.κ.α|social security number", "amka|αμκα|ΑΜΚΑ", "01013099997"},
    {"tr_tckn", "TR", kNational, "T.C. kimlik numarası", "99999999999", tr_tckn_holds, 0.0095, kVetoes,
     "tckn|tc kimlik|t.c. kimlik|kimlik no|kimlik numarasi|kimlik numarası|tc no|tckimlik",
     "tckn|tc kimlik|kimlik no|kimlik numarasi|tc no|tckimlikno", "17291716060"},
    {"za_id", "ZA", kNational, "South African identity number", "9999999999999|999999_9999_999|999999 9999 99 9", za_id_holds, 0.0007, kVetoes,
     "sa id|rsa id|south african id|id number|identity number|id no|identiteitsnommer", "sa id|rsa id|south african id|identity number|identiteitsnommer", "7503305044089"},
    {"br_cpf", "BR", kNational, "CPF", "999.999.999-99|99999999999|999 999 999 99|999999999-99", br_cpf_holds, 0.01, kLowers,
     "cpf|cpf/mf|c.p.f|cadastro de pessoas|cadastro de pessoa fisica|cic", "cpf|cadastro pessoa", "39053344705"},
    {"au_tfn", "AU", kNational, "Tax file number", "999999999|99999999|999_999_999", au_tfn_holds, 0.09, kVetoes,
     "tfn|tax file|tax file number|tax file no", "tfn|tax file|taxfilenumber", "123456782"},
};
// clang-format on

}  // namespace

std::span<const IdRow> national_id_rows() {
  return kRows;
}

}  // namespace mlops::detect
