#include "core/base/text.h"
#include "policies/mask/pseudonym_token.h"
#include "policies/mask/remap_reference.h"
#include "tests/unit/policies/mask/mask_helpers.h"

using namespace mlops;
using namespace mlops::mask;

TEST_CASE("pseudonymize: equal for equal values under one key, and empty stays empty") {
  const std::string_view options = "{key: research, prefix: \"P-\"}";
  const auto one = apply("pseudonymize", options, "00412345");
  CHECK(one.rfind("P-k1-", 0) == 0);
  CHECK(one.size() == 5 + 40);
  CHECK(one == apply("pseudonymize", options, " 00412345 "));
  CHECK(one != apply("pseudonymize", options, "00412346"));
  CHECK(one.find("00412345") == std::string::npos);
  CHECK(apply("pseudonymize", options, " ") == "");
  const auto made = make("pseudonymize", "{key: research}");
  CHECK((*made)->key_name() == "research");
  CHECK((*made)->is_pseudonym());
  const Row row;
  CHECK((*made)->apply("x", {row, ColumnKey{}, "d", "c"}) == "[ID]");  // no key: no unkeyed hash
  CHECK(make("pseudonymize", "{}").error().slug == "missing_option");
  CHECK(make("pseudonymize", "{key: k, scope: all}").error().slug == "bad_option");
}

TEST_CASE("pseudonymize: plain is the bare MAC, as it always was, and tagged begins with it") {
  const auto plain = apply("pseudonymize", "{key: research, form: plain}", "00412345");
  CHECK(plain.size() == 32);
  CHECK(apply("pseudonymize", "{key: research}", "00412345").substr(3, 32) == plain);
  const auto key = derive_key(FixedKeys().by_id("research.1")->bytes.view(), std::string("patients\0id", 11));
  CHECK(plain == to_hex(ByteView(crypto::hmac_sha256(key.view(), "00412345")).first(16)));
}

TEST_CASE("threat 20: another dataset or column gets other pseudonyms, unless the scope says so") {
  const Place elsewhere{.dataset = "claims"};
  const Place beside{.column = "mrn"};
  const auto differ = [](std::string_view options, const Place& place) {
    return apply("pseudonymize", options, "7") != apply("pseudonymize", options, "7", {}, place);
  };
  CHECK(differ("{key: research}", elsewhere));
  CHECK(differ("{key: research}", beside));
  CHECK(differ("{key: research, scope: dataset}", elsewhere));
  CHECK_FALSE(differ("{key: research, scope: dataset}", beside));
  CHECK_FALSE(differ("{key: research, scope: shared}", elsewhere));
}

TEST_CASE("threat 28: a second run changes nothing, also after the key was rotated") {
  const std::string_view options = "{key: research, prefix: \"P-\"}";
  const auto old = apply("pseudonymize", options, "00412345");
  CHECK(apply("pseudonymize", options, old) == old);
  const Place rotated{.key_versions = 3};
  const auto fresh = apply("pseudonymize", options, "00412345", {}, rotated);
  CHECK(fresh.rfind("P-k3-", 0) == 0);
  CHECK(apply("pseudonymize", options, fresh, {}, rotated) == fresh);
  CHECK(apply("pseudonymize", options, old, {}, rotated) == old);
  // Text that only looks like one is a value like any other.
  auto forged = old;
  forged.back() = forged.back() == '0' ? '1' : '0';
  CHECK(apply("pseudonymize", options, forged) != forged);
  CHECK(apply("pseudonymize", options, old, {}, {.dataset = "claims"}) != old);
}

TEST_CASE("threat 19: there is no unkeyed hash, and a key of less than 256 bits is refused") {
  CHECK(find_transform("hash") == nullptr);
  class ShortKeys : public KeySource {
   public:
    Result<NamedKey> current(const std::string& name) const override { return by_id(name + ".1"); }
    Result<NamedKey> by_id(const std::string& id) const override {
      return NamedKey{id, crypto::SecretBytes(std::vector<std::uint8_t>(31, 9))};
    }
  };
  CHECK(column_key(ShortKeys(), "k", {"d", "c"}).error().slug == "key_too_short");
}

TEST_CASE("pseudonymize: many cells as one by one") {
  const auto transform = make("pseudonymize", "{key: research, prefix: \"P-\"}").value();
  const auto key = key_for(*transform, {});
  std::vector<std::string> texts = {
      "", " ", "a", " b ", std::string(200, 'x'), apply("pseudonymize", "{key: research, prefix: \"P-\"}", "a")};
  for (int i = 0; i < 100; ++i) texts.push_back("value " + std::to_string(i));
  const std::vector<std::string_view> cells(texts.begin(), texts.end());
  std::vector<std::string> out;
  REQUIRE(transform->apply_batch(cells, {key, "patients", "id"}, out));
  REQUIRE(out.size() == cells.size());
  for (std::size_t i = 0; i < cells.size(); ++i) CHECK(out[i] == run(*transform, cells[i]));
}

TEST_CASE("remap_id: every form of a reference leads to the same pseudonym, and the rest stays") {
  const auto remap = [](std::string_view cell) { return apply("remap_id", "{key: k}", cell, {}, {.column = "a"}); };
  const auto id = remap("abc");
  CHECK(id.size() == 43);
  CHECK(id.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-.") == std::string::npos);
  CHECK(remap("Patient/abc") == "Patient/" + id);
  CHECK(remap("#abc") == "#" + id);
  CHECK(remap("https://host/fhir/Patient/abc") == "https://host/fhir/Patient/" + id);
  CHECK(remap("Patient") == "Patient");
  CHECK(remap("Patient?identifier=https://host/mrn|abc") == "Patient?identifier=https://host/mrn|" + id);
  CHECK(remap("Patient/abc/_history/2") == "Patient/" + id + "/_history/2");
  CHECK(apply("remap_id", "{key: k}", "abc", {}, {.column = "another"}) == id);
  CHECK(apply("remap_id", "{key: k}", "abc", {}, {.dataset = "another"}) != id);

  const std::string uuid = "3F2504E0-4F89-41D3-9A0C-0305E82C3301";
  const auto mapped = remap(uuid);
  CHECK(is_uuid(mapped));
  CHECK(mapped[14] == '8');
  CHECK(remap("urn:uuid:" + to_lower_ascii(uuid)) == "urn:uuid:" + mapped);
  CHECK(remap("Patient/" + uuid) == "Patient/" + mapped);
}

TEST_CASE("remap_id: a second run changes nothing, also after the key was rotated") {
  for (const std::string_view cell : {"abc", "Patient/abc", "urn:uuid:3f2504e0-4f89-41d3-9a0c-0305e82c3301", "a b?c"}) {
    const auto once = apply("remap_id", "{key: k}", cell);
    CHECK(once != cell);
    CHECK(apply("remap_id", "{key: k}", once) == once);
    CHECK(apply("remap_id", "{key: k}", once, {}, {.key_versions = 2}) == once);
    CHECK(apply("remap_id", "{key: k}", cell, {}, {.key_versions = 2}) != once);
  }
}

TEST_CASE("remap_id: the base of a reference stays only when it is a server's address") {
  const auto remap = [](std::string_view cell) { return apply("remap_id", "{key: k}", cell); };
  const auto id = remap("abc");
  CHECK(remap("https://host/fhir/Patient/abc") == "https://host/fhir/Patient/" + id);
  CHECK(remap("https://host/open/R4/Patient/abc") == "https://host/open/R4/Patient/" + id);
  CHECK(remap("https://host/ward/JaneRoe/Patient/abc") == "Patient/" + id);
  CHECK(remap("https://host/555-44-3333/Patient/abc") == "Patient/" + id);
  CHECK(remap("Patient/abc/_history/12") == "Patient/" + id + "/_history/12");
  CHECK(remap("Patient/abc/_history/555443333") == "Patient/" + id);
  CHECK(remap("Patient?identifier=https://h/555443333|abc").find("555443333") == std::string::npos);
}

TEST_CASE("remap_id: of what is no reference, nothing stays") {
  for (const std::string_view cell : {"Smith/John", "Patient?identifier=http://x|123&name=Roe", "Patient?name=Roe",
                                      "https://jane@host/fhir/Patient/abc", "Jane Roe/Patient/abc", "urn:oid:1.2.3",
                                      "Patient/abc/_history/v1", "Patient/a b", "https://host/fhir/Patient/abc?x=1"}) {
    INFO(cell);
    CHECK_FALSE(read_fhir_reference(cell));
    const auto out = apply("remap_id", "{key: k}", cell);
    CHECK(out.rfind("k1-", 0) == 0);
    CHECK(out.size() == 43);
  }
}
