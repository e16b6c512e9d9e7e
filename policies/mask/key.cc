#include "policies/mask/key.h"

#include <fmt/format.h>

#include <limits>

#include "core/base/text.h"

namespace mlops::mask {
namespace {

constexpr std::string_view kLabel = "mlops/mask-key/v1";
constexpr std::size_t kLeastKeyBytes = 32;
// None of them can be a dataset's place, which has exactly one NUL in it.
constexpr std::string_view kDatasetScope("\0\0dataset\0", 10);
constexpr std::string_view kSharedScope("\0\0shared", 8);
constexpr std::string_view kRoot("\0\0root\0", 7);

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

std::shared_ptr<const crypto::HmacBatch> hmac(const crypto::SecretBytes& key) {
  return std::make_shared<const crypto::HmacBatch>(key.view());
}

crypto::SecretBytes siv_key(ByteView root) {
  std::vector<std::uint8_t> both;
  both.reserve(64);
  for (const std::string_view label : {"siv/mac", "siv/encrypt"}) {
    const auto half = derive_key(root, label);
    both.insert(both.end(), half.view().begin(), half.view().end());
  }
  return crypto::SecretBytes(std::move(both));
}

// Pseudonyms are made with the context's own key, as they always were; everything else follows from a second one, which
// no value is ever hashed under.
Result<WorkingKey> working_key(const NamedKey& key, const std::string& context) {
  if (key.bytes.view().size() < kLeastKeyBytes) {
    return fail(ErrorCode::kInvalid, "key_too_short",
                fmt::format("the key {} has {} bytes, {} are needed", printable(key.id), key.bytes.view().size(),
                            kLeastKeyBytes));
  }
  const auto root = derive_key(key.bytes.view(), std::string(kRoot) + context);
  const ByteView from = root.view();
  MLOPS_ASSIGN(auto check, crypto::AesBlocks::create(derive_key(from, "check").view()));
  const auto id = parse_key_id(key.id);
  return WorkingKey{key.id,
                    fmt::format("k{}-", id ? id->version : 1),
                    std::move(check),
                    derive_key(from, "seal"),
                    siv_key(from),
                    derive_key(from, "fpe"),
                    hmac(derive_key(key.bytes.view(), context)),
                    hmac(derive_key(from, "choice")),
                    hmac(derive_key(from, "fingerprint"))};
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
  MLOPS_ASSIGN(auto working, working_key(current, context));
  ColumnKey key{std::move(working), {}};
  const auto id = parse_key_id(current.id);
  for (std::uint32_t version = id ? id->version : 1; version > 1; --version) {
    const auto former = keys.by_id(to_string({name, version - 1}));
    if (!former) continue;  // destroyed: what it wrote cannot be told from other text any more
    MLOPS_ASSIGN(auto earlier, working_key(*former, context));
    key.former.push_back(std::move(earlier));
  }
  return key;
}

Result<ColumnKey> column_key_readable(const KeySource& keys, const std::string& name, const KeyPlace& place) {
  const auto ids = keys.readable(name);
  if (ids.empty()) return column_key(keys, name, place);
  const std::string context = context_of(place);
  std::vector<WorkingKey> all;
  for (const auto& id : ids) {
    MLOPS_ASSIGN(const auto named, keys.by_id(id));
    MLOPS_ASSIGN(auto working, working_key(named, context));
    all.push_back(std::move(working));
  }
  ColumnKey key{std::move(all.front()), {}};
  key.former.assign(std::make_move_iterator(all.begin() + 1), std::make_move_iterator(all.end()));
  return key;
}

Result<ColumnKey> column_key_of(const KeySource& keys, const std::string& id, const KeyPlace& place) {
  MLOPS_ASSIGN(const auto named, keys.by_id(id));
  MLOPS_ASSIGN(auto working, working_key(named, context_of(place)));
  return ColumnKey{std::move(working), {}};
}

}  // namespace mlops::mask
