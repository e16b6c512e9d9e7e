// Identifiers without a fixed shape: devices, travel documents, wallets, secrets, user names, and data about the body.
#include "policies/detect/special_ids.h"

#include "policies/detect/long_runs.h"
#include "policies/detect/text_scanner.h"
#include "tests/unit/catch.h"
#include "tests/unit/policies/detect/detect_helpers.h"

using namespace mlops::detect;

namespace {

// Nothing of what these detectors look for counts in the text.
void check_is_nothing(std::string_view id, std::string_view text) {
  INFO(id << ": " << text);
  CHECK(score(id, text) < 0.5);
}

std::string base64_run(std::string_view head) {
  return std::string(head) + "QSkZJRgABAQEASABIAAD2wBDAAgGBgcGBQgHBwcJCQgKDBQNDAsLDBkSEw8UHRof";
}

}  // namespace

TEST_CASE("long runs are found wherever they lie, and short ones never") {
  const auto is_a = [](char c) { return c == 'a'; };
  for (std::size_t size = 0; size < 40; ++size) {
    for (std::size_t before = 0; before < 25; ++before) {
      const std::string text = std::string(before, '.') + std::string(size, 'a') + ".aa." + std::string(12, 'a');
      std::vector<std::pair<std::size_t, std::size_t>> runs;
      for_each_long_run(text, 10, is_a, [&](std::size_t begin, std::size_t end) { runs.emplace_back(begin, end); });
      REQUIRE(runs.size() == (size >= 10 ? 2u : 1u));
      REQUIRE(runs.back() == std::pair(before + size + 4, before + size + 16));
      if (size >= 10) REQUIRE(runs.front() == std::pair(before, before + size));
    }
  }
}

TEST_CASE("each: its class, and a column that says so") {
  const std::tuple<const char*, const char*, const char*> kRows[] = {
      {"udi_gs1", "udi", "UDI"},
      {"udi_hibc", "udi", "hibc"},
      {"udi_iccbba", "udi", "isbt_code"},
      {"passport_mrz", "passport", "mrz"},
      {"crypto_wallet", "account", "wallet_address"},
      {"secret", "secret", "api_key"},
      {"username", "username", "username"},
      {"photo_ref", "photo_ref", "patient_photo"},
      {"biometric", "biometric", "face_emb"},
      {"genetic", "genetic", "genotype"},
      {"icd10", "icd10", "icd10_code"},
      {"snomed", "snomed", "snomed"},
  };
  for (const auto& [id, class_name, column] : kRows) {
    INFO(id);
    REQUIRE(find_detector(id) != nullptr);
    CHECK(class_of_detector(id) == class_name);
    CHECK(header(id, column) >= 0.5);
    const bool evidence = std::string_view(id) == "icd10" || std::string_view(id) == "snomed";
    CHECK(find_detector(id)->identifies() == !evidence);
    CHECK(score(id, "[MASKED]", column) < 0.5);
    CHECK(score(id, "", column) == 0);
  }
  CHECK(header("biometric", "device_fingerprint") < 0.5);
  CHECK(header("biometric", "ssh_key_fingerprint") < 0.5);
  CHECK(header("biometric", "iris_count") < 0.5);
}

TEST_CASE("udi_gs1: with brackets, with FNC1, with neither") {
  const std::string bare = "01095011015300031725012910AB-123";
  CHECK(found("udi_gs1", "UDI (01)09501101530003(17)250129(10)AB-123 was implanted") ==
        Texts{"(01)09501101530003(17)250129(10)AB-123"});
  CHECK(found("udi_gs1", "(01) 09501101530003").empty());  // not as the standard writes it
  CHECK(score("udi_gs1", "(01)09501101530003(17)250129(21)XYZ") > 0.9);
  CHECK(found("udi_gs1", "udi " + bare) == Texts{bare});
  CHECK(found("udi_gs1",
              "010950110153000321S-1\x1D"
              "17250129") == Texts{"010950110153000321S-1\x1D"
                                   "17250129"});
  for (const auto* text : {"(01)09501101530004(17)250129", "0109501101530003", "01095011015300039",
                           "101095011015300031725", "(01)0950110153000"})
    check_is_nothing("udi_gs1", text);
}

TEST_CASE("udi_hibc: the check of all characters, and no base64 or arithmetic") {
  CHECK(found("udi_hibc", "label +A123BJC5D6E71G.") == Texts{"+A123BJC5D6E71G"});
  CHECK(score("udi_hibc", "UDI +A123BJC5D6E71G") > 0.9);
  for (const auto* text : {"+A123BJC5D6E71H", "x=+A123BJC5D6E71G", "aGVsbG8+A123BJC5D6E71G", "C+A123BJC5D6E71G",
                           "+A123BJC5D6E71Gz", "+1 617 555 0123"})
    check_is_nothing("udi_hibc", text);
}

TEST_CASE("udi_iccbba: structures of ISBT 128, and donations behind a word") {
  CHECK(score("udi_iccbba", "UDI =/A9999XYZ100T0944=,000025=A99971312345600 end") > 0.9);
  CHECK(score("udi_iccbba", "donation =A99991412345600") > 0.5);
  for (const auto* text : {"=A99991412345600", "a=A99991412345600", "x == y", "=SUM(A1)", "k=/usr/bin=x"})
    check_is_nothing("udi_iccbba", text);
}

TEST_CASE("passport_mrz: the lines of the three sizes, text recognition's O for 0") {
  constexpr auto kNames = "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<";
  constexpr auto kData = "L898902C36UTO7408122F1204159ZE184226B<<<<<10";
  CHECK(found("passport_mrz", std::string("scan\n") + kNames + "\n" + kData + "\n") == Texts{kNames, kData});
  CHECK(score("passport_mrz", kData) > 0.9);
  CHECK(score("passport_mrz", "L898902C36UTO74O8122F12O4159ZE184226B<<<<<1O") > 0.9);  // O read for 0
  CHECK(score("passport_mrz", "D231458907UTO7408122F1204159<<<<<<<6") > 0.9);          // TD2
  CHECK(found("passport_mrz",
              "I<UTOD231458907<<<<<<<<<<<<<<<\n7408122F1204159UTO<<<<<<<<<<<6\n"
              "ERIKSSON<<ANNA<MARIA<<<<<<<<<<")
            .size() == 3);
  for (const auto* text :
       {"std::vector<std::pair<int,int>> x;", "A<<B", "1<<20", "cout<<X<<Y<<ZZZZZZZZZZZZZZZZZZZZZZZZZ",
        "<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<", "L898902C37UTO7408123F1204158ZE184226B<<<<<10"})
    check_is_nothing("passport_mrz", text);
}

TEST_CASE("crypto_wallet: check sums decide, hashes are none") {
  CHECK(score("crypto_wallet", "pay 1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa now") > 0.9);
  CHECK(score("crypto_wallet", "BC1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3T4") > 0.9);                      // BIP 173
  CHECK(score("crypto_wallet", "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0") > 0.9);  // BIP 350
  CHECK(score("crypto_wallet", "wallet 0xde0B295669a9FD93d5F28D9Ec85E40f4cb697BAe") > 0.8);
  for (const auto* text : {"1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNb", "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t5",
                           "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8F3T4", "0xde0B295669a9FD93d5F28D9Ec85E40f4cb697BAe",
                           "3d8f0b1c5a6e7f8091a2b3c4d5e6f708192a3b4c", "1111111111111111111111111111111111"})
    check_is_nothing("crypto_wallet", text);
}

TEST_CASE("secret: a known prefix or a word that names one, and randomness") {
  const std::string tail = "Zq81LkW0tRr5Yc93UbVnM2xPd67HsEaGfJ4K";
  CHECK(found("secret", "key AKIAQ3EGTZ7KX2M4NPLW.") == Texts{"AKIAQ3EGTZ7KX2M4NPLW"});
  CHECK(found("secret", "use ghp_" + tail + " here") == Texts{"ghp_" + tail});
  CHECK(found("secret", "(hf_" + tail.substr(0, 34) + ")") == Texts{"hf_" + tail.substr(0, 34)});
  const std::string jwt = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
  CHECK(found("secret", "Authorization: Bearer " + jwt + ".").front() == jwt);
  CHECK(found("secret", "a\n-----BEGIN EC PRIVATE KEY-----\nMHc=\n-----END EC PRIVATE KEY-----\nb").size() == 1);
  CHECK(found("secret", "-----BEGIN PRIVATE KEY-----\nMHc= and so on, a long text").size() == 1);  // cut off
  CHECK(found("secret", "-----BEGIN PRIVATE KEY-----\nMHc= and so on, a long text").front().size() < 40);
  CHECK(found("secret", "DB_PASSWORD=hunter2x\n") == Texts{"hunter2x"});
  CHECK(found("secret", "{\"api_key\": \"9f8a7b6c5d4e3f2a\"}") == Texts{"9f8a7b6c5d4e3f2a"});
  CHECK(found("secret", "Passwort: Sommer2024!") == Texts{"Sommer2024!"});
  CHECK(found("secret", "contrase\u00F1a: Verano2024") == Texts{"Verano2024"});
  CHECK(score("secret", "whatever it is", "password") > 0.8);
}

TEST_CASE("secret: hashes, weights, programs and placeholders are none") {
  for (const auto* text :
       {"commit 3d8f0b1c5a6e7f8091a2b3c4d5e6f708192a3b4c",
        "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "weights: Zq81LkW0tRr5Yc93UbVnM2xPd67HsEaGfJ4K==", "password = get_password2();", "password = value2;",
        "if (password == other22) return;", "std::string secret::kName1", "api_key = settings.key2",
        "password: ${DB_PASS1}", "password: [REDACTED]", "password: ********", "the password is long",
        "ghp_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx1", "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----",
        "-----BEGIN PUBLIC KEY-----", "eyJhbGciOiJIUzI1NiJ9 is a header", "pk_live_view_of_the_table_of_rows",
        "secretary: Room12b4"})
    check_is_nothing("secret", text);
}

TEST_CASE("username: handles, home directories, shares, assignments") {
  CHECK(found("username", "follow @jane_doe on twitter") == Texts{"@jane_doe"});
  CHECK(found("username", "see /home/jdoe/notes.txt", "", 0.5) == Texts{"jdoe"});
  CHECK(found("username", "/Users/janedoe/Desktop", "", 0.5) == Texts{"janedoe"});
  CHECK(found("username", "C:\\Users\\jdoe\\x", "", 0.5) == Texts{"jdoe"});
  CHECK(found("username", "\\\\srv\\profiles\\mmuster", "", 0.5) == Texts{"mmuster"});
  CHECK(found("username", "login=jdoe42 ok", "", 0.5) == Texts{"jdoe42"});
  CHECK(found("username", "user: jdoe") == Texts{"jdoe"});
  CHECK(found("username", "user: tina roelink").empty());  // a name
  CHECK(score("username", "jdoe", "user_name") > 0.8);
  for (const auto* text :
       {"npm i @types/node", " *  @handle: of twitter", "  /// @endcond follow", "\t@return the tweet",
        "@Override public void run()", " * @param name the name", "jane@example.com", "/home/user/x",
        "/home/ubuntu/.ssh", "GET /users/list2 HTTP/1.1", "https://x.example/Users/list", "user = get_user();",
        "a@b c @ d", "user: string", "@media print", "git@github.com:o/r.git"})
    check_is_nothing("username", text);
}

TEST_CASE("photo_ref and biometric: by the first bytes of a file, raw and in base64") {
  CHECK(score("photo_ref", std::string("\xFF\xD8\xFF\xE0 raw", 8)) > 0.9);
  CHECK(score("photo_ref", "{\"p\": \"" + base64_run("/9j/4AA") + "\"}") > 0.8);
  CHECK(score("photo_ref", "src=\"data:image/png;base64,iVBORw0KGgo=\"") > 0.9);
  CHECK(found("photo_ref", "her photo is img/jane_doe.jpg, see") == Texts{"img/jane_doe.jpg"});
  CHECK(score("biometric", "\"" + base64_run("Rk1SA") + "\"") > 0.8);
  CHECK(score("biometric", std::string("FMR\0 20", 7)) > 0.9);
  CHECK(score("biometric", "[0.12, -0.3, 0.7]", "face_emb") > 0.8);
  for (const std::string& text : {base64_run("AAAA"), std::string("see logo.png"), std::string("/9j/ x"),
                                  std::string("the data: image/png is a type"), std::string("[0.12, -0.3, 0.7]")}) {
    check_is_nothing("photo_ref", text);
    check_is_nothing("biometric", text);
  }
}

TEST_CASE("genetic: variant files, references of variants, and bases where a genome is spoken of") {
  const std::string bases = "ACGTTGCAACGTACGGTCATTGCAACGGTACGTTAC";
  CHECK(score("genetic", "##fileformat=VCFv4.2\n1\t100\t.\tA\tG\n") > 0.9);
  CHECK(score("genetic", "patient DNA: " + bases) >= 0.8);
  CHECK(score("genetic", bases, "dna_sequence") >= 0.8);
  CHECK(found("rsid", "genotype rs1801133 (C;T)", "", 0.5) == Texts{"rs1801133"});
  CHECK(score("rsid", "RS1801133", "rsid") > 0.8);
  check_is_nothing("genetic", "primer " + bases);  // long, but of nobody
  check_is_nothing("genetic", std::string(60, 'A'));
  check_is_nothing("genetic", "DNA: 3d8f0b1c5a6e7f8091a2b3c4d5e6f708192a3b4c");
  for (const auto* text : {"rs1801133", "rs232 port of the variant-free build", "hours1234"})
    check_is_nothing("rsid", text);
}

TEST_CASE("icd10 and snomed are evidence of health data, asked for by name, and no identifiers") {
  CHECK(score("icd10", "diagnosis E11.9") > 0.8);
  CHECK(score("icd10", "I10", "icd_code") > 0.8);
  CHECK(score("icd10", "bus B12") < 0.5);
  CHECK(score("snomed", "snomed 22298006") > 0.9);
  CHECK(score("snomed", "22298006") < 0.5);
  CHECK(score("snomed", "snomed 22298007") == 0);
  for (const auto* detector : built_in_detectors()) CHECK(detector->identifies());
}
