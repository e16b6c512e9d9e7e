// The reference grammar, the same everywhere a version is named:
//
//   reference = [ kind ":" ] name [ "@v" number / "@sha256:" 8*64HEX / "@" alias / "#" environment ]
//
// `name#env` is what that environment runs. A bare name is accepted only where a whole artifact is meant; nothing ever
// falls back to "latest". Errors: kInvalid "bad_reference" with an example. Thread-safety: values and pure functions.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/base/result.h"
#include "core/model/kind.h"

namespace mlops::model {

struct Reference {
  enum class Selector { kBare, kNumber, kDigest, kAlias, kEnvironment };

  std::optional<ArtifactKind> kind;
  std::string name;
  Selector selector = Selector::kBare;
  std::int64_t number = 0;  // kNumber
  std::string text;         // kDigest: hex digits; kAlias, kEnvironment: the word

  std::string to_string() const;
};

Result<Reference> parse_reference(std::string_view text);
// As parse_reference, but a bare name is kInvalid "version_needed".
Result<Reference> parse_version_reference(std::string_view text);

// A release with a name of its own: "release:" name "@r" number.
inline constexpr std::string_view kReleasePrefix = "release:";
struct ReleaseReference {
  std::string name;
  std::int64_t number = 0;
};
inline bool is_release_reference(std::string_view text) {
  return text.starts_with(kReleasePrefix);
}
// Errors: kInvalid "bad_reference".
Result<ReleaseReference> parse_release_reference(std::string_view text);

}  // namespace mlops::model
