// Text in other encodings than UTF-8, read as UTF-8 and written back as it was. Thread-safety: one thread an object.
//
// Declared or detected: a byte order mark says UTF-16; bytes that are not UTF-8 are taken for CP1252 (a superset of the
// Latin-1 text that occurs) only when all of them look so and no UTF-8 is among them. Everything else that is not UTF-8
// is an error and left to its owner. Reading and writing back gives the same bytes for every text that can be read.
// Errors, kInvalid with "line:column" (of characters, from 1): text_encoding (not in this encoding, or nobody can tell
// which), text_mixed (UTF-8 inside what was taken for CP1252), text_masked_encoding (a new value has a character that
// the encoding has not). Source: Unicode 15 (UTF-16), ISO 8859-1, the WHATWG encoding standard (windows-1252).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/result.h"
#include "policies/data/stream.h"

namespace mlops::data {

enum class Encoding { kUtf8, kUtf16Le, kUtf16Be, kLatin1, kCp1252 };

// "utf-8", "utf-16le", "utf-16be", "latin-1", "cp1252"; total.
std::string_view to_word(Encoding encoding);
// Also "iso-8859-1", "windows-1252", "utf8", in any case.
std::optional<Encoding> encoding_from_word(std::string_view word);

// By the file's first bytes, `is_whole` when they are all of it.
Result<Encoding> detect_encoding(std::string_view head, bool is_whole);

// The first bytes as UTF-8, without what was cut off or cannot be read.
std::string decode_head(std::string_view head, Encoding encoding);

// How sure the encoding is: what was only detected is given up when the text speaks against it.
enum class Trust { kDeclared, kDetected };

// Gives `source` as UTF-8, byte order mark included.
class DecodingSource : public Source {
 public:
  DecodingSource(Source& source, Encoding encoding, Trust trust)
      : source_(source), encoding_(encoding), trust_(trust) {}
  Result<std::size_t> read(std::span<char> into) override;

 private:
  Status decode_more();
  Status decode_bytes();
  Status decode_units();
  void put(std::uint32_t code);
  Failure error_here(std::string slug, std::string message) const;

  Source& source_;
  Encoding encoding_;
  Trust trust_;
  std::string raw_;      // read and not decoded yet
  std::string decoded_;  // decoded and not given yet
  std::size_t given_ = 0;
  bool ended_ = false;
  std::uint64_t line_ = 1;
  std::uint64_t column_ = 1;
};

// Writes UTF-8 to `sink` in the encoding.
class EncodingSink : public Sink {
 public:
  EncodingSink(Sink& sink, Encoding encoding) : sink_(sink), encoding_(encoding) {}
  Status write(std::string_view bytes) override;
  // REQUIRES: last call.
  Status finish();

 private:
  Sink& sink_;
  Encoding encoding_;
  std::string pending_;  // the beginning of a character
};

}  // namespace mlops::data
