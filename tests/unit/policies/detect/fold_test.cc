// The plain shadow of a text and the way back; threats 1, 2, 3 and 15 of the specification: no identifier hides.
#include "policies/detect/fold.h"

#include "tests/unit/catch.h"
#include "tests/unit/policies/detect/detect_helpers.h"

using namespace mlops::detect;

namespace {

std::string utf8(char32_t c) {
  std::string out;
  if (c < 0x80) return {static_cast<char>(c)};
  const int more = c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
  out.push_back(static_cast<char>((more == 1 ? 0xC0 : more == 2 ? 0xE0 : 0xF0) | (c >> (6 * more))));
  for (int i = more - 1; i >= 0; --i) out.push_back(static_cast<char>(0x80 | ((c >> (6 * i)) & 0x3F)));
  return out;
}

struct Gold {
  const char* detector;
  const char* before;
  const char* value;
};
// Fifty identifiers with what leads to them.
constexpr Gold kGold[] = {
    {"us_ssn", "", "123-45-6789"},
    {"us_ssn", "SSN ", "123456789"},
    {"email", "", "jane.doe@example.com"},
    {"email", "", "j@x.org"},
    {"phone", "", "617-555-0123"},
    {"phone", "", "(617) 555-0123"},
    {"phone", "tel ", "6175550123"},
    {"phone", "", "+44 20 7946 0958"},
    {"credit_card", "", "4111 1111 1111 1111"},
    {"credit_card", "card ", "378282246310005"},
    {"iban", "", "DE89370400440532013000"},
    {"iban", "", "GR16 0110 1050 0000 1054 7023 795"},
    {"ipv4", "", "192.168.1.20"},
    {"ipv6", "", "2001:db8::1"},
    {"mac", "", "00:1A:2b:3C:4d:5E"},
    {"mrn", "MRN ", "00412345"},
    {"url", "", "https://a.example/x"},
    {"uk_nhs", "NHS ", "9434765870"},
    {"uk_nhs", "NHS ", "943 476 5870"},
    {"uk_nino", "NINO ", "AB123456C"},
    {"de_steuer_id", "steuer id ", "36574261809"},
    {"es_dni", "", "54362315K"},
    {"es_nie", "", "X2482300W"},
    {"it_codice_fiscale", "", "RCCMNL83S18D969H"},
    {"fr_nir", "NIR ", "295109912611193"},
    {"pl_pesel", "PESEL ", "44051401359"},
    {"nl_bsn", "BSN ", "111222333"},
    {"se_personnummer", "", "880320-0016"},
    {"fi_hetu", "", "131052-308T"},
    {"in_aadhaar", "aadhaar ", "2341 2341 2346"},
    {"ca_sin", "SIN ", "123-456-782"},
    {"be_rrn", "", "85.07.30-033.28"},
    {"ch_ahv", "", "756.9217.0769.85"},
    {"at_svnr", "SVNR ", "1237 010180"},
    {"dk_cpr", "CPR ", "211062-5629"},
    {"no_fnr", "fnr ", "15108695088"},
    {"ie_pps", "", "6433435F"},
    {"ro_cnp", "CNP ", "1630615123457"},
    {"cz_rc", "", "710319/2745"},
    {"ee_ik", "isikukood ", "36805280109"},
    {"hr_oib", "OIB ", "33392005961"},
    {"si_emso", "EMSO ", "0101006500006"},
    {"gr_amka", "AMKA ", "01013099997"},
    {"tr_tckn", "TCKN ", "17291716060"},
    {"za_id", "SA ID ", "7503305044089"},
    {"br_cpf", "", "390.533.447-05"},
    {"au_tfn", "TFN ", "123 456 782"},
    {"us_npi", "NPI ", "1234567893"},
    {"us_dea", "DEA ", "BS5002477"},
    {"vin", "", "1M8GDM9AXKP042788"},
};
static_assert(std::size(kGold) == 50);

// Does a finding of the detector cover all of [begin, end) of the cell?
bool covered(std::string_view detector, const std::string& cell, std::size_t begin, std::size_t end) {
  for (const auto& span : spans_of(detector, cell)) {
    if (span.score >= 0.3 && span.begin <= begin && span.end >= end) return true;
  }
  return false;
}

// Every format character of Unicode, a variation selector, marks, and the ends of the ranges of tags.
std::vector<char32_t> invisible() {
  std::vector<char32_t> list = {0xAD,   0x61C,  0x6DD,  0x70F,   0x8E2,   0x180E,  0xFEFF,  0x110BD, 0x110CD,
                                0x301,  0x335,  0x34F,  0x20E3,  0xFE0E,  0xFE0F,  0xE0100, 0xE01EF, 0xE0001,
                                0x3164, 0x115F, 0x17B4, 0x1D173, 0x1D17A, 0x1BCA0, 0x1BCA3, 0x2065,  0x9F};
  const std::pair<char32_t, char32_t> kRanges[] = {{0x600, 0x605},     {0x890, 0x891},     {0x200B, 0x200F},
                                                   {0x202A, 0x202E},   {0x2060, 0x206F},   {0xFFF9, 0xFFFB},
                                                   {0x13430, 0x1343F}, {0xE0020, 0xE007F}, {0x180B, 0x180D}};
  for (const auto& [first, last] : kRanges) {
    for (char32_t c = first; c <= last; ++c) list.push_back(c);
  }
  return list;
}

std::string replaced(std::string_view text, std::string (*with)(char)) {
  std::string out;
  for (const char c : text) out += with(c);
  return out;
}
std::string full_width(char c) {
  return c > ' ' && c < 0x7F ? utf8(0xFF01 + static_cast<char32_t>(c - '!')) : std::string{c};
}
std::string arabic(char c) {
  return c >= '0' && c <= '9' ? utf8(0x660 + static_cast<char32_t>(c - '0')) : std::string{c};
}
std::string devanagari(char c) {
  return c >= '0' && c <= '9' ? utf8(0x966 + static_cast<char32_t>(c - '0')) : std::string{c};
}
std::string mathematical(char c) {
  if (c >= '0' && c <= '9') return utf8(0x1D7CE + static_cast<char32_t>(c - '0'));
  if (c >= 'A' && c <= 'Z') return utf8(0x1D400 + static_cast<char32_t>(c - 'A'));
  return {c};
}
std::string homoglyph(char c) {
  constexpr std::pair<char, char32_t> kPairs[] = {
      {'a', 0x430}, {'e', 0x435}, {'o', 0x3BF}, {'c', 0x441},  {'p', 0x440}, {'x', 0x445},  {'A', 0x391},
      {'B', 0x412}, {'C', 0x421}, {'E', 0x395}, {'S', 0x405},  {'M', 0x41C}, {'D', 0x13A0}, {'-', 0x2013},
      {' ', 0xA0},  {'W', 0x51C}, {'X', 0x3A7}, {'K', 0x212A}, {'T', 0x422}, {'h', 0x570}};
  for (const auto& [from, to] : kPairs) {
    if (from == c) return utf8(to);
  }
  return {c};
}

}  // namespace

TEST_CASE("fold: what vanishes, what becomes ASCII, what stays") {
  const std::pair<const char*, const char*> kRows[] = {
      {"Jos\u00E9 Mu\u00F1oz", "Jose Munoz"},
      {"Jose\u0301", "Jose"},
      {"\uFB01le \u2468\u2116 \u00B2\u00B3", "file 9No 23"},
      {"\U0001F130\U0001F1E6\u24B6\uFF21\U0001D400", "AAAAA"},
      {"\u0661\u0967\u0E53\U0001D7DC", "1134"},
      {"\u0440\u0430\u0443\u0440\u0430l", "paypal"},
      {"a\u2010b\u2014c\u2212d\u30FCe", "a-b-c-d-e"},
      {"a\u00A0b\u2003c\u3000d", "a b c d"},
      {"1\uFE0F\u20E32\uFE0F\u20E3", "12"},
      {"\u0142\u00F8\u0111\u0131", "lodi"},
      {"stra\u00DFe \u6771\u4EAC", "stra\u00DFe \u6771\u4EAC"},
      {"\u0439 \u0438\u0306", "\u0438 \u0438"},
      {"\u201Cx\u201D \u2018y\u2019", "\"x\" 'y'"},
      {"\u01C4\u2474", "DZ1"},
      {"plain", "plain"},
      {"", ""},
  };
  for (const auto& [from, to] : kRows) CHECK(fold(from).text == to);
  CHECK(fold("\xFF\xC3 \xE2\x82 \xF8\x80").text == "\xFF\xC3 \xE2\x82 \xF8\x80");
  CHECK(fold("\xF4\x90\x80\x80").text == "\xF4\x90\x80\x80");  // beyond Unicode
  CHECK(is_ascii("twelve bytes"));
  CHECK_FALSE(is_ascii("twelve byt\xC3\xA9s"));
}

TEST_CASE("fold: the way back gives whole characters, and what vanished inside and behind") {
  const std::string text = "\u00ABx\u00BB \u200B\u00E9\u200D\U0001F600ab\u0301\u0302.";
  const Folded folded = fold(text);
  CHECK(folded.text == "\"x\" e\U0001F600ab.");
  const auto back = [&](std::size_t begin, std::size_t end) {
    const Span span = folded.to_original({begin, end, 0});
    return text.substr(span.begin, span.end - span.begin);
  };
  CHECK(back(0, 3) == "\u00ABx\u00BB");
  CHECK(back(4, 5) == "\u00E9\u200D");
  CHECK(back(6, 8) == "\U0001F600");  // from the middle of a character: all of it
  CHECK(back(9, 11) == "ab\u0301\u0302");
  CHECK(back(0, folded.text.size()) == text);
}

TEST_CASE("threat 1: an invisible character at any place of fifty values hides none, and goes with it") {
  for (const auto& gold : kGold) {
    const std::string value = gold.value;
    REQUIRE(covered(gold.detector, gold.before + value, std::string(gold.before).size(),
                    std::string(gold.before).size() + value.size()));
    for (const char32_t c : invisible()) {
      const std::string hidden = utf8(c);
      for (std::size_t at = 1; at < value.size(); ++at) {
        const std::string cell = gold.before + value.substr(0, at) + hidden + value.substr(at) + " end";
        const std::size_t begin = std::string(gold.before).size();
        if (covered(gold.detector, cell, begin, begin + value.size() + hidden.size())) continue;
        INFO(gold.detector << ' ' << std::hex << static_cast<unsigned>(c) << " at " << at);
        CHECK(false);
      }
    }
  }
}

TEST_CASE("threat 2: full width, digits of other scripts, mathematical letters, homoglyphs") {
  for (const auto& gold : kGold) {
    for (const auto with : {full_width, arabic, devanagari, mathematical, homoglyph}) {
      const std::string value = replaced(gold.value, with);
      const std::size_t begin = std::string(gold.before).size();
      INFO(gold.detector << ' ' << value);
      CHECK(covered(gold.detector, gold.before + value, begin, begin + value.size()));
    }
  }
}

TEST_CASE("threat 3: composed and decomposed names are one") {
  for (const auto* name : {"Jose\u0301 Garci\u0301a", "Jos\u00E9 Garc\u00EDa"}) {
    INFO(name);
    CHECK(found("person_name", std::string("Patient: ") + name) == Texts{name});
  }
}

TEST_CASE("threat 15: offsets are bytes of the original, whatever stands before") {
  for (const auto& gold : kGold) {
    const std::string before = "\U0001F468\u200D\U0001F469\u200D\U0001F467 na\u00EFve \u6771\u4EAC \u200B" +
                               std::string("\uFB01 \u2474 is ") + gold.before;
    const std::string cell = before + gold.value;
    INFO(gold.detector);
    bool exact = false;
    for (const auto& span : spans_of(gold.detector, cell)) {
      exact = exact || (span.begin == before.size() && span.end == cell.size());
    }
    CHECK(exact);
  }
}
