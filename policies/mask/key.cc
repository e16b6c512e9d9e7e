#include "policies/mask/key.h"

#include <fmt/format.h>

#include <limits>

#include "core/base/text.h"

namespace mlops::mask {
namespace {

constexpr std::string_view kLabel = "mlops/mask-key/v1";
// Neither can be a dataset's place, which has exactly one NUL in it.
constexpr std::string_view kDatasetScope("\0\0dataset\0", 10);
constexpr std::string_view kSharedScope("\0\0shared", 8);

std::string context_of(const KeyPlace& place) {
  std::string context;
  switch (place.scope) {
    case KeyScope::kColumn:
      context.append(place.dataset).push_back('\0');
      return context.append(place.column);
    case KeyScope::kDataset:
      return context.append(kDatasetScope).append(place.dataset);
    case KeyScope::kShared:
      break;
  }
  return std::string(kSharedScope);
}

}  // namespace

std::string to_string(const KeyId& id) {
  return fmt::format("{}.{}", id.name, id.version);
}

std::optional<KeyId> parse_key_id(std::string_view text) {
  const auto dot = text.rfind('.');
  if (dot == std::string_view::npos || dot == 0) return std::nullopt;
  const auto digits = text.substr(dot + 1);
  const auto version = parse_int(digits);
  if (!version || *version < 1 || *version > std::numeric_limits<std::uint32_t>::max()) return std::nullopt;
  const KeyId id{std::string(text.substr(0, dot)), static_cast<std::uint32_t>(*version)};
  if (digits != std::to_string(id.version)) return std::nullopt;  // one way to write an id
  return id;
}

crypto::SecretBytes derive_key(ByteView master, std::string_view context) {
  std::string message(kLabel);
  message.push_back('\0');
  message.append(context);
  const crypto::Mac mac = crypto::hmac_sha256(master, message);
  return crypto::SecretBytes(std::vector<std::uint8_t>(mac.begin(), mac.end()));
}

Result<ColumnKey> column_key(const KeySource& keys, const std::string& name, const KeyPlace& place) {
  MLOPS_ASSIGN(const auto current, keys.current(name));
  const std::string context = context_of(place);
  ColumnKey key{current.id, derive_key(current.bytes.view(), context), {}};
  const auto id = parse_key_id(current.id);
  for (std::uint32_t version = id ? id->version : 1; version > 1; --version) {
    const auto former = keys.by_id(to_string({name, version - 1}));
    if (!former) continue;  // destroyed: what it wrote cannot be told from other text any more
    key.former.push_back({former->id, derive_key(former->bytes.view(), context)});
  }
  return key;
}

}  // namespace mlops::mask
