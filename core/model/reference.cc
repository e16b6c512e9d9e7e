#include "core/model/reference.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/base/text.h"
#include "core/model/names.h"

namespace mlops::model {
namespace {

constexpr std::string_view kExample =
    "write name@v3, name@sha256:<8 or more hex digits>, name@alias or name#environment";

Failure bad_reference(std::string_view text, std::string_view why) {
  return fail(ErrorCode::kInvalid, "bad_reference",
              fmt::format("reference \"{}\": {}", printable(text.substr(0, 120)), why), std::string(kExample));
}

bool is_hex(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

Status read_selector(std::string_view whole, std::string_view selector, Reference& out) {
  constexpr std::string_view kDigestPrefix = "sha256:";
  if (selector.starts_with(kDigestPrefix)) {
    const auto hex = selector.substr(kDigestPrefix.size());
    if (hex.size() < 8 || hex.size() > 64 || !is_hex(hex)) {
      return bad_reference(whole, "a digest is sha256: and 8 to 64 lower-case hex digits");
    }
    out.selector = Reference::Selector::kDigest;
    out.text = hex;
    return {};
  }
  if (selector.size() > 1 && selector.front() == 'v') {
    if (const auto number = parse_int(selector.substr(1)); number && *number > 0) {
      out.selector = Reference::Selector::kNumber;
      out.number = *number;
      return {};
    }
  }
  if (auto status = check_alias(selector); !status) return bad_reference(whole, status.error().message);
  out.selector = Reference::Selector::kAlias;
  out.text = selector;
  return {};
}

}  // namespace

std::string Reference::to_string() const {
  std::string out = kind ? fmt::format("{}:{}", to_word(*kind), name) : name;
  switch (selector) {
    case Selector::kBare:
      return out;
    case Selector::kNumber:
      return fmt::format("{}@v{}", out, number);
    case Selector::kDigest:
      return fmt::format("{}@sha256:{}", out, text);
    case Selector::kAlias:
      return fmt::format("{}@{}", out, text);
    case Selector::kEnvironment:
      return fmt::format("{}#{}", out, text);
  }
  return out;
}

Result<Reference> parse_reference(std::string_view text) {
  Reference out;
  auto rest = text;
  const auto mark = rest.find_first_of("@#");
  if (const auto colon = rest.find(':'); colon < mark && colon != std::string_view::npos) {
    out.kind = artifact_kind_from_word(rest.substr(0, colon));
    if (!out.kind) return bad_reference(text, "before ':' stands model or dataset");
    rest.remove_prefix(colon + 1);
  }
  const auto at = rest.find_first_of("@#");
  out.name = rest.substr(0, at);
  if (auto status = check_artifact_name(out.name); !status) return fail(status.error());
  if (at == std::string_view::npos) return out;
  const auto selector = rest.substr(at + 1);
  if (rest[at] == '#') {
    if (auto status = check_environment_name(selector); !status) return fail(status.error());
    out.selector = Reference::Selector::kEnvironment;
    out.text = selector;
    return out;
  }
  MLOPS_TRY(read_selector(text, selector, out));
  return out;
}

Result<Reference> parse_version_reference(std::string_view text) {
  MLOPS_ASSIGN(auto reference, parse_reference(text));
  if (reference.selector == Reference::Selector::kBare) {
    return fail(ErrorCode::kInvalid, "version_needed",
                fmt::format("\"{}\" names an artifact, not one version of it", reference.name), std::string(kExample));
  }
  return reference;
}

Result<ReleaseReference> parse_release_reference(std::string_view text) {
  const auto bad = [&] {
    return fail(ErrorCode::kInvalid, "bad_reference", fmt::format("\"{}\" names no release", printable(text)),
                "for example release:hospital/bundle@r3");
  };
  const auto at = text.rfind("@r");
  if (!is_release_reference(text) || at == text.npos) return bad();
  ReleaseReference reference;
  reference.name = text.substr(kReleasePrefix.size(), at - kReleasePrefix.size());
  MLOPS_TRY(check_artifact_name(reference.name));
  const auto number = parse_int(text.substr(at + 2));
  if (!number || *number < 1) return bad();
  reference.number = *number;
  return reference;
}

}  // namespace mlops::model
