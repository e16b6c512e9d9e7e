#include "policies/data/decode.h"

#include "tests/unit/catch.h"

using namespace mlops;
using namespace mlops::data;

namespace {

// "kind:text" of every layer, and "!" when refused.
std::vector<std::string> layers(std::string_view text, const DecodeLimits& limits = {}) {
  const auto decoded = decode_layers(text, limits);
  std::vector<std::string> list;
  for (const auto& layer : decoded.layers) list.push_back(std::string(to_word(layer.kind)) + ":" + layer.text);
  if (decoded.refused) list.push_back("!");
  return list;
}

using Lines = std::vector<std::string>;

constexpr std::string_view kGzip = "H4sIAAAAAAACAwtILMlMzStR8MrPyFMIzs0sydBRCA72UzA0MtY1MdU1M7ewBAA1BusGIwAAAA==";
constexpr std::string_view kNote = "Patient John Smith, SSN 123-45-6789";

std::string bomb() {
  return "H4sIAAAAAAACA+3BAQEAAACCIP+vbkhAAQ" + std::string(3874, 'A') + "LwZlogFNwMYtAA==";
}

}  // namespace

TEST_CASE("decode: ordinary cells have no layers") {
  for (const std::string_view cell :
       {"", "Jane Roe", "42", "1970-01-01", "d88f994a-5efa-421d-9c40-5f116d2114a6", "Christopher", "AAAAAAAA",
        "5e884898da28047151d0e56f8dc6292773603d0d6aabbdd62a11ef721d1542d8", "100% sure", "a & b", "x = y", "[NAME]",
        "{not json}", "/usr/local/share/dict/words", "Internationalisierung", "1234567890123456"}) {
    INFO(cell);
    CHECK(layers(cell).empty());
  }
  CHECK_FALSE(may_hold_layers("Jane"));
  CHECK_FALSE(may_hold_layers("98.6"));
  CHECK(may_hold_layers("%41"));
}

TEST_CASE("decode: base64 as a whole, without padding, in lines, inside text") {
  CHECK(layers("QW5uIFJvZQ==") == Lines{"base64:Ann Roe"});
  CHECK(layers("QW5uIFJvZQ") == Lines{"base64:Ann Roe"});
  CHECK(layers("w6Q_w7w_w7Y_YQ") == Lines{"base64:\xC3\xA4?\xC3\xBC?\xC3\xB6?a"});
  const std::string wrapped =
      "UGF0aWVudCBKb2huIFNtaXRoLCBTU04gMTIzLTQ1LTY3ODkuIENhbGwgaGVy\r\nIGRhdWdodGVyIGF0IDU1NS0xMjMtNDU2Nw==\r\n";
  CHECK(layers(wrapped) == Lines{"base64:Patient John Smith, SSN 123-45-6789. Call her daughter at 555-123-4567"});
  CHECK(layers("note: " + wrapped + ".") ==
        Lines{"base64:Patient John Smith, SSN 123-45-6789. Call her daughter at 555-123-4567"});
  const auto decoded = decode_layers("data:text/plain;base64,MTIzLTQ1LTY3ODk= end");
  REQUIRE(decoded.layers.size() == 1);
  CHECK(decoded.layers[0].text == "123-45-6789");
  CHECK(decoded.layers[0].begin == 23);
  CHECK(decoded.layers[0].end == 39);
}

TEST_CASE("decode: base64 stands beside lines, paths and names of the same letters") {
  const Lines found{"base64:Ann Roe, born 1970"};
  CHECK(layers("hello\nQW5uIFJvZSwgYm9ybiAxOTcw\n") == found);
  CHECK(layers("/api/users/QW5uIFJvZSwgYm9ybiAxOTcw/edit") == found);
  CHECK(layers("session_QW5uIFJvZSwgYm9ybiAxOTcw") == found);
  CHECK(layers("x QW5uIFJvZSwgYm9ybiAxOTcw") == found);
  CHECK(layers("QW5uIFJvZSwgYm9ybiAxOTcw x") == found);
  CHECK(layers("one two three four five QW5uIFJvZSwgYm9ybiAxOTcw") == found);
}

TEST_CASE("decode: gzip and zlib inside base64") {
  CHECK(layers(kGzip) == Lines{"gzip:" + std::string(kNote)});
  CHECK(layers("eJwLSCzJTM0rUfDKz8hTCM7NLMnQUQgO9lMwNDLWNTHVNTO3sAQA0ScKQQ==") == Lines{"zlib:" + std::string(kNote)});
  CHECK(layers("H4sIAAAAAAACA8vPS1UAAElhrCMEAAAAH4sIAAAAAAACAyspzwcAZorKEQMAAAA=") == Lines{"gzip:one two"});
  CHECK(layers(kGzip.substr(0, 60)) == Lines{"!"});
}

TEST_CASE("decode: bombs and closed containers are refused, not missed") {
  CHECK(layers(bomb()) == Lines{"!"});
  DecodeLimits wide;
  wide.max_ratio = 10'000;
  CHECK(decode_layers(bomb(), wide).layers.size() == 1);
  wide.max_bytes = 1'000'000;
  CHECK(layers(bomb(), wide) == Lines{"!"});
  CHECK(layers("UEsDBBQAAAAIABQAAAAIABQAAAAIAA==") == Lines{"!"});
  CHECK(layers("iVBORw0KGgoAAAANSUhEUgAAAAEAAAAB") == Lines{"!"});
}

TEST_CASE("decode: depth is bounded") {
  std::string text = "%31";
  for (int i = 0; i < 3; ++i) text = "%25" + text.substr(1);
  CHECK(text == "%25252531");
  CHECK(layers(text) == Lines{"percent:%252531", "percent:%2531", "percent:%31", "percent:1"});
  CHECK(layers("%25" + text.substr(1)).back() == "!");
  CHECK(layers("[" + std::string(100, '[') + std::string(100, ']') + "]") == Lines{"!"});
}

TEST_CASE("decode: percent, quoted-printable and entities") {
  CHECK(layers("name=Ann%20Roe&zip=12345")[0] == "percent:name=Ann Roe&zip=12345");
  CHECK(layers("Ann+M%C3%BCller") == Lines{"percent:Ann M\xC3\xBCller"});
  CHECK(layers("M%FCller") == Lines{"percent:M\xC3\xBCller"});
  CHECK(layers("Ann =52oe, 555=\r\n-1234") == Lines{"quoted-printable:Ann Roe, 555-1234"});
  CHECK(layers("a=01").empty());
  CHECK(layers("M&uuml;ller &amp; Co &#49;&#x32;&#51 &lt;a&commat;b.org&gt; &nosuch;") ==
        Lines{"entities:M\xC3\xBCller & Co 123 <a@b.org> &nosuch;"});
}

TEST_CASE("decode: JSON in a cell gives its values with their keys") {
  CHECK(layers(R"( {"ssn":"\u0031\u0032-3","n":[1,null],"k":{}} )") == Lines{"json:/ssn: 12-3\n/n/*: 1\n"});
  CHECK(layers(R"({"note":"QW5uIFJvZSwgYm9ybiAxOTcw"})") ==
        Lines{"json:/note: QW5uIFJvZSwgYm9ybiAxOTcw\n", "base64:Ann Roe, born 1970"});
  CHECK(layers(R"({"a":"{\"b\":\"\\u0041nn\"}"})") == Lines{R"(json:/a: {"b":"\u0041nn"})"
                                                            "\n",
                                                            R"(json:{"b":"\u0041nn"})", "json:/b: Ann\n"});
}
