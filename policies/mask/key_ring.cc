#include "policies/mask/key_ring.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/base/text.h"
#include "core/crypto/aead.h"

namespace mlops::mask {
namespace {

constexpr std::string_view kFormat = "mlops/keyring/v1";
constexpr std::string_view kRootId = "root";
constexpr std::size_t kKeyBytes = 32;
constexpr std::size_t kCheckBytes = 4;
constexpr std::size_t kRingIdBytes = 16;
constexpr std::size_t kLongestName = 63;

struct StateWord {
  KeyState state;
  std::string_view word;
};
constexpr StateWord kStates[] = {
    {KeyState::kActive, "active"}, {KeyState::kRetired, "retired"}, {KeyState::kDestroyed, "destroyed"}};

Failure damaged(std::string why) {
  return fail(ErrorCode::kCorrupt, "keyring_damaged", "the key ring is damaged: " + std::move(why),
              "restore it from a copy");
}

// HMAC under a label of its own, so that no use of a key tells anything for another.
crypto::SecretBytes follow(const crypto::SecretBytes& key, std::string_view label) {
  std::string message(kFormat);
  message.push_back('\0');
  const auto mac = crypto::hmac_sha256(key.view(), message.append(label));
  return crypto::SecretBytes::copy_of(mac);
}

std::string check_of(const crypto::SecretBytes& bytes) {
  const auto mac = follow(bytes, "check");
  return to_hex(mac.view().first(kCheckBytes));
}

Result<crypto::SecretBytes> random_key() {
  MLOPS_ASSIGN(auto bytes, crypto::random_bytes(kKeyBytes));
  return crypto::SecretBytes(std::move(bytes));
}

Failure unknown_key(std::string_view name) {
  return fail(ErrorCode::kNotFound, "unknown_key", fmt::format("the key ring has no key {}", printable(name)),
              "mlopsctl keyring add makes one");
}

}  // namespace

std::string_view to_word(KeyState state) {
  const auto* row = std::find_if(std::begin(kStates), std::end(kStates), [&](auto& one) { return one.state == state; });
  return row->word;
}

Status check_key_name(std::string_view name) {
  const bool good = !name.empty() && name.size() <= kLongestName && name.front() != '-' && name.front() != '_' &&
                    name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-_") == std::string_view::npos;
  if (good) return {};
  return fail(ErrorCode::kInvalid, "bad_key_name", fmt::format("'{}' cannot name a key", printable(name)),
              "1 to 63 of a-z, 0-9, '-' and '_', beginning with a letter or digit");
}

Result<KeyRing> KeyRing::create(crypto::SecretBytes master) {
  KeyRing ring;
  ring.master_ = std::move(master);
  MLOPS_ASSIGN(const auto id, crypto::random_bytes(kRingIdBytes));
  ring.ring_id_ = to_hex(id);
  MLOPS_ASSIGN(ring.root_, random_key());
  return ring;
}

Result<KeyRing> KeyRing::open(std::string_view text, crypto::SecretBytes master) {
  const auto parsed = parse_json(text);
  if (!parsed) return damaged("it is no JSON");
  const Json& json = *parsed;
  const auto is_text = [&](const char* name) { return json.contains(name) && json[name].is_string(); };
  if (!json.is_object() || !is_text("format") || json["format"] != kFormat) return damaged("it is of another format");
  if (!is_text("ring") || !is_text("root") || !is_text("mac") || !json.contains("keys") || !json["keys"].is_array()) {
    return damaged("a member is missing");
  }
  KeyRing ring;
  ring.master_ = std::move(master);
  ring.ring_id_ = json["ring"].get<std::string>();
  // With another master key the root does not open; with the right one, and another mac, somebody changed the text.
  auto root = ring.unwrap(json["root"].get<std::string>(), kRootId);
  if (!root) return fail(std::move(root.error()));
  ring.root_ = std::move(*root);
  Json covered = json;
  covered.erase("mac");
  const auto mac = ring.mac_of(covered);
  if (!crypto::constant_time_equal(as_bytes(mac), as_bytes(json["mac"].get_ref<const std::string&>()))) {
    return damaged("it was changed by somebody without the master key");
  }
  for (const auto& key : json["keys"]) MLOPS_TRY(ring.read_key(key));
  return ring;
}

Status KeyRing::read_key(const Json& json) {
  Entry entry;
  MLOPS_ASSIGN(entry.info.id, require_string(json, "id"));
  MLOPS_ASSIGN(entry.info.purpose, require_string(json, "purpose"));
  MLOPS_ASSIGN(entry.info.check, require_string(json, "check"));
  MLOPS_ASSIGN(const auto state, require_string(json, "state"));
  MLOPS_ASSIGN(const auto created, require_string(json, "created_at"));
  MLOPS_ASSIGN(const auto changed, require_string(json, "changed_at"));
  MLOPS_ASSIGN(entry.info.created_at_us, parse_rfc3339(created));
  MLOPS_ASSIGN(entry.info.changed_at_us, parse_rfc3339(changed));
  const auto* row = std::find_if(std::begin(kStates), std::end(kStates), [&](auto& one) { return one.word == state; });
  if (row == std::end(kStates) || !parse_key_id(entry.info.id)) return damaged("a key is not one");
  entry.info.state = row->state;
  if (entry.info.state != KeyState::kDestroyed) {
    MLOPS_ASSIGN(const auto wrapped, require_string(json, "wrapped"));
    MLOPS_ASSIGN(entry.bytes, unwrap(wrapped, entry.info.id));
    if (check_of(entry.bytes) != entry.info.check) return damaged("a key is not the one it says");
  }
  entries_.push_back(std::move(entry));
  return {};
}

Result<std::string> KeyRing::wrap(const crypto::SecretBytes& bytes, std::string_view id) const {
  const auto kek = follow(master_, "wrap");
  const std::string place = fmt::format("{} {} {}", kFormat, ring_id_, id);
  MLOPS_ASSIGN(const auto sealed, crypto::gcm_seal(kek.view(), bytes.view(), as_bytes(place)));
  return to_hex(sealed);
}

Result<crypto::SecretBytes> KeyRing::unwrap(const std::string& hex, std::string_view id) const {
  const auto sealed = from_hex(hex);
  if (!sealed) return damaged("a key is not in hex");
  const auto kek = follow(master_, "wrap");
  const std::string place = fmt::format("{} {} {}", kFormat, ring_id_, id);
  auto bytes = crypto::gcm_open(kek.view(), *sealed, as_bytes(place));
  if (!bytes) {
    return fail(ErrorCode::kDenied, "wrong_master_key", "the key ring does not open with this master key",
                "it may also be damaged: compare it with a copy");
  }
  return crypto::SecretBytes(std::move(*bytes));
}

Result<Json> KeyRing::sealed_body() const {
  Json keys = Json::array();
  for (const auto& [info, bytes] : entries_) {
    Json key = {{"id", info.id},
                {"purpose", info.purpose},
                {"state", to_word(info.state)},
                {"created_at", format_rfc3339(info.created_at_us)},
                {"changed_at", format_rfc3339(info.changed_at_us)},
                {"check", info.check}};
    if (info.state != KeyState::kDestroyed) {
      MLOPS_ASSIGN(auto wrapped, wrap(bytes, info.id));
      key["wrapped"] = std::move(wrapped);
    }
    keys.push_back(std::move(key));
  }
  MLOPS_ASSIGN(auto root, wrap(root_, kRootId));
  return Json{{"format", kFormat}, {"ring", ring_id_}, {"root", std::move(root)}, {"keys", std::move(keys)}};
}

std::string KeyRing::mac_of(const Json& body) const {
  const auto key = follow(master_, "mac");
  return to_hex(crypto::hmac_sha256(key.view(), canonical_dump(body)));
}

Result<std::string> KeyRing::to_text() const {
  MLOPS_ASSIGN(auto body, sealed_body());
  auto mac = mac_of(body);
  body["mac"] = std::move(mac);
  return body.dump(1) + "\n";
}

const KeyRing::Entry* KeyRing::last(const std::string& name) const {
  const Entry* found = nullptr;
  for (const auto& entry : entries_) {
    if (parse_key_id(entry.info.id)->name == name) found = &entry;
  }
  return found;
}

bool KeyRing::has(const std::string& name) const {
  return last(name) != nullptr;
}

KeyRing::Entry* KeyRing::active(const std::string& name) {
  for (auto& entry : entries_) {
    if (entry.info.state == KeyState::kActive && parse_key_id(entry.info.id)->name == name) return &entry;
  }
  return nullptr;
}

Result<NamedKey> KeyRing::current(const std::string& name) const {
  const auto* entry = last(name);
  if (!entry) return unknown_key(name);
  if (entry->info.state == KeyState::kActive) return NamedKey{entry->info.id, entry->bytes};
  return fail(ErrorCode::kRefused, entry->info.state == KeyState::kRetired ? "key_retired" : "key_destroyed",
              fmt::format("the key {} is {}: nothing new is written under it", name, to_word(entry->info.state)),
              "rotate it to go on with a new version");
}

Result<NamedKey> KeyRing::by_id(const std::string& id) const {
  const auto found = std::find_if(entries_.begin(), entries_.end(), [&](auto& entry) { return entry.info.id == id; });
  if (found == entries_.end()) {
    return fail(ErrorCode::kNotFound, "unknown_key_id", fmt::format("the key ring has no key {}", printable(id)));
  }
  if (found->info.state == KeyState::kDestroyed) {
    return fail(ErrorCode::kRefused, "key_destroyed", fmt::format("the key {} was destroyed", id));
  }
  return NamedKey{id, found->bytes};
}

std::vector<KeyInfo> KeyRing::keys() const {
  std::vector<KeyInfo> list;
  for (const auto& entry : entries_) list.push_back(entry.info);
  return list;
}

Result<std::string> KeyRing::add(const std::string& name, std::string purpose, TimestampUs now_us) {
  MLOPS_ASSIGN(auto bytes, random_key());
  return add_known(name, std::move(purpose), std::move(bytes), now_us);
}

Result<std::string> KeyRing::add_known(const std::string& name, std::string purpose, crypto::SecretBytes bytes,
                                       TimestampUs now_us) {
  MLOPS_TRY(check_key_name(name));
  if (has(name)) {
    return fail(ErrorCode::kAlreadyExists, "key_exists", fmt::format("the key ring has a key {} already", name),
                "rotate it to get a new version");
  }
  return add_version({name, 1}, std::move(purpose), std::move(bytes), now_us);
}

Result<std::string> KeyRing::add_version(const KeyId& id, std::string purpose, crypto::SecretBytes bytes,
                                         TimestampUs now_us) {
  if (bytes.view().size() < kKeyBytes) {
    return fail(ErrorCode::kInvalid, "key_too_short", fmt::format("a key has at least {} bytes", kKeyBytes));
  }
  const auto text = to_string(id);
  auto check = check_of(bytes);
  entries_.push_back(
      {{text, std::move(purpose), KeyState::kActive, now_us, now_us, std::move(check)}, std::move(bytes)});
  return text;
}

Result<std::string> KeyRing::rotate(const std::string& name, TimestampUs now_us) {
  const auto* before = last(name);
  if (!before) return unknown_key(name);
  const KeyId next{name, parse_key_id(before->info.id)->version + 1};
  auto purpose = before->info.purpose;
  MLOPS_ASSIGN(auto bytes, random_key());
  if (active(name)) MLOPS_TRY(retire(name, now_us));
  return add_version(next, std::move(purpose), std::move(bytes), now_us);
}

Result<std::string> KeyRing::retire(const std::string& name, TimestampUs now_us) {
  auto* entry = active(name);
  if (!entry) return unknown_key(name);
  entry->info.state = KeyState::kRetired;
  entry->info.changed_at_us = now_us;
  return entry->info.id;
}

Result<std::string> KeyRing::destroy(const std::string& id, TimestampUs now_us) {
  MLOPS_TRY(by_id(id));
  const auto found = std::find_if(entries_.begin(), entries_.end(), [&](auto& entry) { return entry.info.id == id; });
  found->bytes = crypto::SecretBytes();
  found->info.state = KeyState::kDestroyed;
  found->info.changed_at_us = now_us;
  return id;
}

crypto::SecretBytes KeyRing::derived(std::string_view use) const {
  return follow(root_, fmt::format("use {}", use));
}

}  // namespace mlops::mask
