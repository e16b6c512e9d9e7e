#include "daemon/domain/key_ring.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "core/base/text.h"
#include "core/base/yaml.h"
#include "core/crypto/aead.h"
#include "core/model/names.h"
#include "daemon/domain/identity.h"
#include "policies/mask/key_ring.h"
#include "storage/meta/vault.h"

namespace mlops::domain {
namespace {

constexpr std::string_view kLabel = "mlops/server-keys/v1";
constexpr std::string_view kRingId = "masking";
constexpr std::string_view kDerived = "derived";
constexpr std::string_view kRandom = "random";
constexpr std::size_t kKeyBytes = 32;
constexpr std::size_t kCheckBytes = 4;

crypto::SecretBytes follow(const crypto::SecretBytes& key, std::string_view use) {
  std::string message(kLabel);
  message.push_back('\0');
  const auto mac = crypto::hmac_sha256(key.view(), message.append(use));
  return crypto::SecretBytes::copy_of(mac);
}

std::string check_of(const crypto::SecretBytes& key) {
  const auto mac = follow(key, "check");
  return to_hex(mac.view().first(kCheckBytes));
}

std::string place_of(const mask::KeyId& id) {
  return fmt::format("{} {} {}", kLabel, id.name, id.version);
}

// As keys were before there was a ring: pseudonyms made then stay the same.
crypto::SecretBytes derived_key(const crypto::SecretBytes& master, const std::string& name) {
  return crypto::SecretBytes::copy_of(crypto::hmac_sha256(master.view(), "masking-key:" + name));
}

Status check_reason(const std::string& reason, std::string_view what) {
  MLOPS_TRY(model::check_free_text(reason, "reason"));
  if (!trim(reason).empty()) return {};
  return fail(ErrorCode::kInvalid, "reason_needed", fmt::format("{} needs a reason", what), "give --reason");
}

Failure unknown_key(std::string_view name) {
  return fail(ErrorCode::kNotFound, "unknown_key", fmt::format("there is no key {}", printable(name)),
              "`mlopsctl key list` shows all");
}

// Names below spec.transforms.keys. A text that does not parse names none: nothing was ever masked under it.
void add_declared(const std::string& yaml, std::set<std::string>& names) {
  const auto document = parse_yaml(yaml, "policy");
  if (!document) return;
  const auto* node = &*document;
  for (const std::string_view part : {"spec", "transforms", "keys"}) {
    node = node->find(part);
    if (!node) return;
  }
  for (const auto& [name, _] : node->entries) names.insert(name.scalar);
}

}  // namespace

Result<std::unique_ptr<KeyRing>> KeyRing::open(meta::Store& store, crypto::SecretBytes master, Unopened unopened) {
  std::unique_ptr<KeyRing> ring(new KeyRing(store, std::move(master)));
  MLOPS_TRY(ring->load(unopened));
  return ring;
}

Status KeyRing::load(Unopened unopened) {
  using Rows = std::vector<meta::MaskKeyRow>;
  MLOPS_ASSIGN(const auto ring, store_.read<std::optional<meta::KeyRingRow>>([](sql::Connection& connection) {
    return meta::find_key_ring(connection, std::string(kRingId));
  }));
  if (!ring) return adopt();
  ring_ = *ring;
  if (ring_.master_check != check_of(master_)) {
    if (unopened == Unopened::kGiveUp) return give_up();
    return fail(ErrorCode::kDenied, "wrong_master_key", "the master key does not open the key ring in the database",
                "give the one it was sealed under: masking.master_key, or keys/masking.key of the data directory");
  }
  MLOPS_ASSIGN(auto rows, store_.read<Rows>(meta::list_mask_keys));
  return open_entries(std::move(rows));
}

Status KeyRing::open_entries(std::vector<meta::MaskKeyRow> rows) {
  const auto wrapping = follow(master_, "wrap");
  for (auto& row : rows) {
    Entry entry;
    const mask::KeyId id{row.name, static_cast<std::uint32_t>(row.version)};
    if (!row.sealed.empty()) {
      auto bytes = crypto::gcm_open(wrapping.view(), row.sealed, as_bytes(place_of(id)));
      if (!bytes) {
        return fail(ErrorCode::kCorrupt, "keyring_damaged", fmt::format("the key {} does not open", row.id),
                    "restore a backup");
      }
      entry.bytes = crypto::SecretBytes(std::move(*bytes));
    }
    entry.row = std::move(row);
    entries_.insert_or_assign({id.name, id.version}, std::move(entry));
  }
  return {};
}

// The first start with a ring. What was masked before was masked under keys that follow from the master key.
Status KeyRing::adopt() {
  MLOPS_ASSIGN(const auto used, store_.read<meta::UsedKeys>(meta::used_keys, meta::Patience::kLong));
  std::set<std::string> names;
  if (used.has_runs) {
    for (const auto& text : used.policies) add_declared(text, names);
    for (const auto& id : used.ids) {
      if (const auto parsed = mask::parse_key_id(id)) names.insert(parsed->name);
    }
  }
  ring_.id = kRingId;
  ring_.master_check = check_of(master_);
  if (!names.empty()) ring_.derived_check = ring_.master_check;
  Entries adopted;
  for (const auto& name : names) {
    MLOPS_ASSIGN(auto entry, make_entry(master_, {name, 1}, std::string(kDerived), derived_key(master_, name)));
    entry.row.reason = "in use before there was a key ring";
    adopted.emplace(std::pair(name, 1), std::move(entry));
  }
  const auto done = store_.write<bool>(daemon_actor(), meta::Commit::kKeep, [&](meta::WriteTx& tx) -> Result<bool> {
    tx.begin_entry("key.ring", std::string(kRingId));
    MLOPS_TRY(meta::put_key_ring(tx, ring_));
    for (auto& [_, entry] : adopted) {
      tx.begin_entry("key.adopt", entry.row.id, entry.row.reason);
      MLOPS_TRY(meta::insert_mask_key(tx, entry.row));
    }
    return true;
  });
  if (!done) return fail(done.error());
  entries_ = std::move(adopted);
  return {};
}

// The master key is lost: what it sealed is as good as destroyed, and each name goes on with a new version.
Status KeyRing::give_up() {
  using Rows = std::vector<meta::MaskKeyRow>;
  MLOPS_ASSIGN(auto rows, store_.read<Rows>(meta::list_mask_keys));
  std::map<std::string, std::int64_t> last;
  for (const auto& row : rows) last[row.name] = row.version;
  Entries fresh;
  for (const auto& [name, version] : last) {
    MLOPS_ASSIGN(auto entry, random_entry(master_, {name, static_cast<std::uint32_t>(version) + 1}));
    entry.row.reason = "the master key was replaced";
    fresh.emplace(std::pair(name, version + 1), std::move(entry));
  }
  ring_.master_check = check_of(master_);
  ring_.derived_check.clear();
  const auto done = store_.write<bool>(daemon_actor(), meta::Commit::kKeep, [&](meta::WriteTx& tx) -> Result<bool> {
    tx.begin_entry("key.give_up", std::string(kRingId), "the master key was replaced");
    MLOPS_TRY(meta::put_key_ring(tx, ring_));
    for (auto& row : rows) {
      if (row.state == to_word(mask::KeyState::kDestroyed)) continue;
      row.state = to_word(mask::KeyState::kDestroyed);
      row.sealed.clear();
      row.reason = "the master key was replaced";
      MLOPS_TRY(meta::update_mask_key(tx, row));
    }
    for (auto& [_, entry] : fresh) MLOPS_TRY(meta::insert_mask_key(tx, entry.row));
    return true;
  });
  if (!done) return fail(done.error());
  MLOPS_TRY(open_entries(std::move(rows)));
  entries_.merge(fresh);
  return {};
}

Result<KeyRing::Entry> KeyRing::make_entry(const crypto::SecretBytes& master, const mask::KeyId& id,
                                           const std::string& origin, crypto::SecretBytes bytes) {
  Entry entry;
  entry.row.id = mask::to_string(id);
  entry.row.name = id.name;
  entry.row.version = id.version;
  entry.row.state = to_word(mask::KeyState::kActive);
  entry.row.origin = origin;
  entry.row.check_digits = check_of(bytes);
  MLOPS_ASSIGN(entry.row.sealed, crypto::gcm_seal(follow(master, "wrap").view(), bytes.view(), as_bytes(place_of(id))));
  entry.bytes = std::move(bytes);
  return entry;
}

Result<KeyRing::Entry> KeyRing::random_entry(const crypto::SecretBytes& master, const mask::KeyId& id) {
  MLOPS_ASSIGN(auto bytes, crypto::random_bytes(kKeyBytes));
  return make_entry(master, id, std::string(kRandom), crypto::SecretBytes(std::move(bytes)));
}

KeyRing::Entry* KeyRing::active(const std::string& name) const {
  for (auto at = entries_.lower_bound({name, 0}); at != entries_.end() && at->first.first == name; ++at) {
    if (at->second.row.state == to_word(mask::KeyState::kActive)) return &at->second;
  }
  return nullptr;
}

const KeyRing::Entry* KeyRing::last(const std::string& name) const {
  const Entry* found = nullptr;
  for (auto at = entries_.lower_bound({name, 0}); at != entries_.end() && at->first.first == name; ++at) {
    found = &at->second;
  }
  return found;
}

KeyRing::Entry* KeyRing::find(const std::string& id) const {
  const auto parsed = mask::parse_key_id(id);
  if (!parsed) return nullptr;
  const auto at = entries_.find({parsed->name, parsed->version});
  return at == entries_.end() ? nullptr : &at->second;
}

Result<mask::NamedKey> KeyRing::current(const std::string& name) const {
  std::lock_guard lock(mutex_);
  if (const auto* entry = active(name)) return mask::NamedKey{entry->row.id, entry->bytes};
  if (last(name)) {
    return fail(ErrorCode::kRefused, "key_destroyed", fmt::format("the key {} has no active version", printable(name)),
                "mlopsctl key rotate makes one");
  }
  MLOPS_ASSIGN(auto entry, random_entry(master_, {name, 1}));
  entry.row.reason = "first use";
  MLOPS_ASSIGN(auto added, add(daemon_actor(), std::move(entry), "key.create", meta::Commit::kKeep));
  mask::NamedKey key{added.row.id, added.bytes};
  return key;
}

Result<mask::NamedKey> KeyRing::by_id(const std::string& id) const {
  std::lock_guard lock(mutex_);
  const auto* entry = find(id);
  if (!entry) return fail(ErrorCode::kNotFound, "unknown_key_id", fmt::format("there is no key {}", printable(id)));
  if (!entry->bytes.empty()) return mask::NamedKey{id, entry->bytes};
  return fail(ErrorCode::kRefused, "key_destroyed",
              fmt::format("the key {} was destroyed at {}: what it wrote cannot be revealed", id,
                          format_rfc3339(entry->row.changed_at_us)));
}

std::string KeyRing::current_id(const std::string& name) const {
  std::lock_guard lock(mutex_);
  const auto* entry = active(name);
  return entry ? entry->row.id : mask::to_string({name, 1});
}

std::vector<meta::MaskKeyRow> KeyRing::keys() const {
  std::lock_guard lock(mutex_);
  std::vector<meta::MaskKeyRow> rows;
  for (const auto& [_, entry] : entries_) rows.push_back(entry.row);
  return rows;
}

// REQUIRES: mutex_ is held, so that a name gets one version 1, whoever comes first.
Result<KeyRing::Entry> KeyRing::add(const meta::Actor& actor, Entry entry, const char* action, meta::Commit commit,
                                    const AlsoWrite& also) const {
  auto* before = active(entry.row.name);
  auto retired = before ? before->row : meta::MaskKeyRow();
  const auto done = store_.write<bool>(actor, commit, [&](meta::WriteTx& tx) -> Result<bool> {
    tx.begin_entry(action, entry.row.id, entry.row.reason);
    if (before) {
      retired.state = to_word(mask::KeyState::kRetired);
      retired.reason = entry.row.reason;
      MLOPS_TRY(meta::update_mask_key(tx, retired));
    }
    MLOPS_TRY(meta::insert_mask_key(tx, entry.row));
    if (also) MLOPS_TRY(also(tx));
    return true;
  });
  if (!done) return fail(done.error());
  if (commit == meta::Commit::kDryRun) return entry;
  if (before) before->row = std::move(retired);
  entries_.insert_or_assign({entry.row.name, entry.row.version}, entry);
  return entry;
}

Result<meta::MaskKeyRow> KeyRing::create(const meta::Actor& actor, const Wish& wish, meta::Commit commit) {
  MLOPS_TRY(mask::check_key_name(wish.name));
  MLOPS_TRY(check_reason(wish.reason, "a key"));
  MLOPS_TRY(model::check_free_text(wish.purpose, "purpose"));
  std::lock_guard lock(mutex_);
  if (last(wish.name)) {
    return fail(ErrorCode::kAlreadyExists, "key_exists", fmt::format("there is a key {} already", wish.name),
                "rotate it to get a new version");
  }
  MLOPS_ASSIGN(auto entry, random_entry(master_, {wish.name, 1}));
  entry.row.reason = wish.reason;
  entry.row.purpose = wish.purpose;
  MLOPS_ASSIGN(auto added, add(actor, std::move(entry), "key.create", commit));
  return std::move(added.row);
}

Result<KeyRing::Rotated> KeyRing::rotate(const meta::Actor& actor, const Wish& wish, meta::Commit commit) {
  MLOPS_TRY(check_reason(wish.reason, "rotating a key"));
  std::lock_guard lock(mutex_);
  const auto* before = last(wish.name);
  if (!before) return unknown_key(wish.name);
  MLOPS_ASSIGN(auto entry, random_entry(master_, {wish.name, static_cast<std::uint32_t>(before->row.version) + 1}));
  entry.row.reason = wish.reason;
  entry.row.purpose = before->row.purpose;
  std::int64_t resealed = 0;
  const mask::NamedKey to{entry.row.id, entry.bytes};
  const auto reseal = [&](meta::WriteTx& tx) -> Status {
    for (auto at = entries_.lower_bound({wish.name, 0}); at != entries_.end() && at->first.first == wish.name; ++at) {
      if (at->second.bytes.empty()) continue;  // destroyed: what is under it is lost already
      MLOPS_ASSIGN(const auto count, reseal_tokens(tx, {at->second.row.id, at->second.bytes}, to));
      resealed += count;
    }
    return {};
  };
  const bool wants = wish.tokens == Wish::Tokens::kReseal;
  MLOPS_ASSIGN(auto added, add(actor, std::move(entry), "key.rotate", commit, wants ? AlsoWrite(reseal) : AlsoWrite()));
  return Rotated{std::move(added.row), resealed};
}

Result<KeyRing::Destroyed> KeyRing::destroy(const meta::Actor& actor, const Wish& wish, meta::Commit commit) {
  MLOPS_TRY(check_reason(wish.reason, "destroying a key"));
  std::lock_guard lock(mutex_);
  auto* entry = find(wish.name);
  if (!entry) {
    return fail(ErrorCode::kNotFound, "unknown_key_id", fmt::format("there is no key {}", printable(wish.name)),
                "a version is named like research.1; `mlopsctl key list` shows all");
  }
  if (entry->bytes.empty()) {
    return fail(ErrorCode::kRefused, "key_destroyed", fmt::format("the key {} is destroyed already", wish.name));
  }
  if (entry->row.state == to_word(mask::KeyState::kActive)) {
    return fail(ErrorCode::kRefused, "key_active",
                fmt::format("{} is the active version: new values are written under it", wish.name),
                "rotate the key first: mlopsctl key rotate " + entry->row.name);
  }
  const auto* heir = active(entry->row.name);
  const bool reseals = wish.tokens == Wish::Tokens::kReseal;
  if (reseals && !heir) {
    return fail(ErrorCode::kRefused, "key_destroyed",
                fmt::format("{} has no active version to take the tokens over", entry->row.name),
                "rotate the key first: mlopsctl key rotate " + entry->row.name);
  }
  std::int64_t tokens = 0;
  std::int64_t resealed = 0;
  auto row = entry->row;
  row.state = to_word(mask::KeyState::kDestroyed);
  row.reason = wish.reason;
  row.sealed.clear();
  const auto done = store_.write<bool>(actor, commit, [&](meta::WriteTx& tx) -> Result<bool> {
    MLOPS_TRY(tx.wipe_what_goes());
    if (reseals) {
      MLOPS_ASSIGN(resealed, reseal_tokens(tx, {entry->row.id, entry->bytes}, {heir->row.id, heir->bytes}));
    } else {
      MLOPS_ASSIGN(tokens, meta::vault_rows_under(tx.sql(), row.id));
    }
    tx.begin_entry("key.destroy", row.id, wish.reason);
    MLOPS_TRY(meta::update_mask_key(tx, row));
    return true;
  });
  if (!done) return fail(done.error());
  const bool is_derivable = row.origin == kDerived && ring_.derived_check == ring_.master_check;
  if (commit == meta::Commit::kKeep) {
    entry->row = row;
    entry->bytes = crypto::SecretBytes();
  }
  return Destroyed{std::move(row), is_derivable, tokens, resealed};
}

Status KeyRing::rewrap(const meta::Actor& actor, crypto::SecretBytes master) {
  std::lock_guard lock(mutex_);
  auto ring = ring_;
  ring.master_check = check_of(master);
  Entries sealed;
  for (const auto& [key, entry] : entries_) {
    if (entry.bytes.empty()) continue;
    const mask::KeyId id{key.first, static_cast<std::uint32_t>(key.second)};
    MLOPS_ASSIGN(auto made, make_entry(master, id, entry.row.origin, entry.bytes));
    auto row = entry.row;
    row.sealed = std::move(made.row.sealed);
    sealed.emplace(key, Entry{std::move(row), entry.bytes});
  }
  const auto done = store_.write<bool>(actor, meta::Commit::kKeep, [&](meta::WriteTx& tx) -> Result<bool> {
    tx.begin_entry("key.rewrap", std::string(kRingId), fmt::format("{} keys under another master key", sealed.size()));
    MLOPS_TRY(tx.wipe_what_goes());
    MLOPS_TRY(meta::put_key_ring(tx, ring));
    for (auto& [_, entry] : sealed) MLOPS_TRY(meta::update_mask_key(tx, entry.row));
    return true;
  });
  if (!done) return fail(done.error());
  for (auto& [key, entry] : sealed) entries_.insert_or_assign(key, std::move(entry));
  ring_ = std::move(ring);
  master_ = std::move(master);
  return {};
}

}  // namespace mlops::domain
