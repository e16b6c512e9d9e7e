#include "daemon/events/webhooks.h"

#include <fmt/format.h>

#include "core/base/id.h"
#include "core/base/text.h"
#include "core/crypto/aead.h"
#include "core/crypto/key_file.h"
#include "core/model/names.h"
#include "daemon/events/signature.h"

namespace mlops::events {
namespace {

constexpr std::string_view kKeyName = "webhook-secrets";
constexpr std::string_view kLabel = "mlops/webhook-secret/v1";
constexpr std::size_t kUrlBytesMax = 2048;
constexpr std::size_t kSubjectBytesMax = 400;
constexpr std::size_t kLanesShown = 20;
constexpr std::int64_t kOverlapMaxS = 30 * 24 * 3600;

std::string place_of(const std::string& webhook_id) {
  return fmt::format("{} {}", kLabel, webhook_id);
}

// The ring's key is not used as it is: a policy may mask under the same name.
crypto::SecretBytes wrapping_key(const mask::NamedKey& key) {
  return crypto::derive_key(key.bytes, kLabel);
}

struct ChangeRow {
  Webhooks::Change change;
  const char* action;
  const char* state;
};
constexpr ChangeRow kChanges[] = {
    {Webhooks::Change::kPause, "webhook.pause", "paused"},
    {Webhooks::Change::kResume, "webhook.resume", "active"},
    {Webhooks::Change::kDisable, "webhook.disable", "disabled"},
};

Status check_wish(const NewWebhook& wanted) {
  MLOPS_TRY(model::check_key(wanted.name, "webhook name"));
  if (wanted.url.size() > kUrlBytesMax || wanted.filter.subject.size() > kSubjectBytesMax) {
    return fail(ErrorCode::kInvalid, "bad_webhook", "the URL or the subject is too long");
  }
  MLOPS_TRY(model::check_free_text(wanted.filter.subject, "subject"));
  if (!wanted.filter.environment.empty()) MLOPS_TRY(model::check_environment_name(wanted.filter.environment));
  if (!wanted.filter.patterns.empty()) return {};
  return fail(ErrorCode::kInvalid, "bad_event_pattern", "which events? there is no pattern", "for example release.*");
}

}  // namespace

Filter filter_of(const meta::WebhookRow& row) {
  Filter filter;
  for (const auto word : split(row.events, ' ')) {
    if (!word.empty()) filter.patterns.emplace_back(word);
  }
  filter.subject = row.subject;
  filter.environment = row.environment;
  return filter;
}

void Webhooks::changed() const {
  if (on_change_) on_change_();
}

// Outside of the writer: the first use of the key's name is a change of its own.
Result<meta::SealedSecret> Webhooks::seal(const std::string& webhook_id, const crypto::SecretBytes& secret) const {
  MLOPS_ASSIGN(const auto key, keys_.current(std::string(kKeyName)));
  MLOPS_ASSIGN(auto sealed, crypto::gcm_seal(wrapping_key(key).view(), secret.view(), as_bytes(place_of(webhook_id))));
  return meta::SealedSecret{std::move(sealed), key.id};
}

Result<crypto::SecretBytes> Webhooks::open(const std::string& webhook_id, const meta::SealedSecret& sealed) const {
  const auto key = keys_.by_id(sealed.key_id);
  if (key) {
    auto bytes = crypto::gcm_open(wrapping_key(*key).view(), sealed.bytes, as_bytes(place_of(webhook_id)));
    if (bytes) return crypto::SecretBytes(std::move(*bytes));
  }
  return fail(ErrorCode::kRefused, "secret_lost", "the webhook's secret does not open any more: its key is gone",
              "mlopsctl webhook rotate-secret makes a new one");
}

Result<Receiver> Webhooks::receiver_of(const meta::WebhookRow& row) const {
  Receiver receiver{row.url, mode_from_word(row.mode).value_or(Mode::kStructured), {}};
  MLOPS_ASSIGN(auto secret, open(row.id, row.secret));
  receiver.secrets.push_back(std::move(secret));
  if (!row.old_secret.bytes.empty() && row.old_secret_until_us > store_.now_us()) {
    if (auto old = open(row.id, row.old_secret)) receiver.secrets.push_back(std::move(*old));
  }
  return receiver;
}

Result<Issued> Webhooks::add(const meta::Actor& actor, const NewWebhook& wanted, meta::Commit commit) {
  MLOPS_TRY(check_wish(wanted));
  MLOPS_ASSIGN(const auto url, net::parse_url(wanted.url));
  MLOPS_TRY(options_.destinations.admit(url));
  MLOPS_ASSIGN(auto random, crypto::random_bytes(kSecretBytes));
  const crypto::SecretBytes secret(std::move(random));
  meta::WebhookRow row;
  row.id = new_id(store_.clock());
  row.name = wanted.name;
  row.url = wanted.url;
  row.mode = to_word(wanted.mode);
  row.events = join(wanted.filter.patterns, " ");
  row.subject = wanted.filter.subject;
  row.environment = wanted.filter.environment;
  MLOPS_ASSIGN(row.secret, seal(row.id, secret));
  const auto done = store_.write<bool>(actor, commit, [&](meta::WriteTx& tx) -> Result<bool> {
    const auto known = meta::find_webhook(tx.sql(), row.name);
    if (known) {
      return fail(ErrorCode::kAlreadyExists, "webhook_exists", fmt::format("there is a webhook {} already", row.name));
    }
    if (known.error().code != ErrorCode::kNotFound) return fail(known.error());
    tx.begin_entry("webhook.add", row.name);
    MLOPS_TRY(meta::insert_webhook(tx, row));
    meta::WebhookProgress progress;
    progress.webhook_id = row.id;
    MLOPS_ASSIGN(progress.cursor, meta::last_seq(tx.sql()));
    MLOPS_TRY(meta::put_progress(tx, progress));
    return true;
  });
  if (!done) return fail(done.error());
  if (commit == meta::Commit::kKeep) changed();
  return Issued{std::move(row), secret_text(secret)};
}

Result<WebhookView> Webhooks::view_of(sql::Connection& connection, meta::WebhookRow row) const {
  WebhookView view;
  MLOPS_ASSIGN(view.progress, meta::find_progress(connection, row.id));
  MLOPS_ASSIGN(view.held, meta::held_counts(connection, row.id));
  MLOPS_ASSIGN(const auto last, meta::last_seq(connection));
  view.lag = last - view.progress.cursor;
  view.row = std::move(row);
  return view;
}

Result<std::vector<WebhookView>> Webhooks::list() const {
  using Views = std::vector<WebhookView>;
  return store_.read<Views>([&](sql::Connection& connection) -> Result<Views> {
    MLOPS_ASSIGN(auto rows, meta::list_webhooks(connection));
    Views views;
    for (auto& row : rows) {
      MLOPS_ASSIGN(auto view, view_of(connection, std::move(row)));
      views.push_back(std::move(view));
    }
    return views;
  });
}

Result<WebhookView> Webhooks::get(const std::string& name) const {
  return store_.read<WebhookView>([&](sql::Connection& connection) -> Result<WebhookView> {
    MLOPS_ASSIGN(auto row, meta::find_webhook(connection, name));
    MLOPS_ASSIGN(auto view, view_of(connection, std::move(row)));
    MLOPS_ASSIGN(view.lanes, meta::list_held(connection, view.row.id, "held", 0, kLanesShown));
    return view;
  });
}

Result<meta::WebhookRow> Webhooks::change(const meta::Actor& actor, const std::string& name, Change change,
                                          const std::string& reason, meta::Commit commit) {
  MLOPS_TRY(model::check_free_text(reason, "reason"));
  const auto& wanted = kChanges[static_cast<std::size_t>(change)];
  auto done = store_.write<meta::WebhookRow>(actor, commit, [&](meta::WriteTx& tx) -> Result<meta::WebhookRow> {
    MLOPS_ASSIGN(auto row, meta::find_webhook(tx.sql(), name));
    if (change == Change::kResume) {
      MLOPS_ASSIGN(auto progress, meta::find_progress(tx.sql(), row.id));
      progress.resting_until_us = 0;
      MLOPS_TRY(meta::put_progress(tx, progress));
      MLOPS_TRY(meta::make_due(tx, row.id));
    }
    if (row.state == wanted.state) return row;
    tx.begin_entry(wanted.action, row.name, reason);
    row.state = wanted.state;
    MLOPS_TRY(meta::update_webhook(tx, row));
    return row;
  });
  if (done && commit == meta::Commit::kKeep) changed();
  return done;
}

Result<meta::WebhookRow> Webhooks::remove(const meta::Actor& actor, const std::string& name, meta::Commit commit) {
  auto done = store_.write<meta::WebhookRow>(actor, commit, [&](meta::WriteTx& tx) -> Result<meta::WebhookRow> {
    MLOPS_ASSIGN(auto row, meta::find_webhook(tx.sql(), name));
    tx.begin_entry("webhook.remove", row.name);
    MLOPS_TRY(tx.wipe_what_goes());
    MLOPS_TRY(meta::delete_webhook(tx, row.id));
    return row;
  });
  if (done && commit == meta::Commit::kKeep) changed();
  return done;
}

Result<Issued> Webhooks::rotate_secret(const meta::Actor& actor, const std::string& name, std::int64_t overlap_s,
                                       meta::Commit commit) {
  if (overlap_s < 0 || overlap_s > kOverlapMaxS) {
    return fail(ErrorCode::kInvalid, "bad_webhook", "the old secret may go on for at most 30 days");
  }
  MLOPS_ASSIGN(const auto known, get(name));
  MLOPS_ASSIGN(auto random, crypto::random_bytes(kSecretBytes));
  const crypto::SecretBytes secret(std::move(random));
  MLOPS_ASSIGN(const auto sealed, seal(known.row.id, secret));
  auto done = store_.write<meta::WebhookRow>(actor, commit, [&](meta::WriteTx& tx) -> Result<meta::WebhookRow> {
    MLOPS_ASSIGN(auto row, meta::find_webhook(tx.sql(), known.row.id));
    tx.begin_entry("webhook.rotate_secret", row.name);
    MLOPS_TRY(tx.wipe_what_goes());
    row.old_secret = overlap_s > 0 ? row.secret : meta::SealedSecret();
    row.old_secret_until_us = overlap_s > 0 ? tx.now_us() + overlap_s * 1'000'000 : 0;
    row.secret = sealed;
    MLOPS_TRY(meta::update_webhook(tx, row));
    return row;
  });
  if (!done) return fail(done.error());
  if (commit == meta::Commit::kKeep) changed();
  return Issued{std::move(*done), secret_text(secret)};
}

Result<std::vector<DeadLetter>> Webhooks::dead_letters(const std::string& name, std::int64_t after_seq,
                                                       std::size_t limit) const {
  using Letters = std::vector<DeadLetter>;
  return store_.read<Letters>([&](sql::Connection& connection) -> Result<Letters> {
    MLOPS_ASSIGN(const auto row, meta::find_webhook(connection, name));
    MLOPS_ASSIGN(auto held, meta::list_held(connection, row.id, "dead", after_seq, limit));
    Letters letters;
    for (auto& one : held) {
      MLOPS_ASSIGN(auto event, meta::find_event(connection, one.seq));
      letters.push_back({std::move(one), std::move(event)});
    }
    return letters;
  });
}

namespace {

Result<std::int64_t> hold_again(meta::WriteTx& tx, const std::string& webhook_id, std::int64_t seq,
                                const meta::WebhookProgress& progress) {
  MLOPS_ASSIGN(auto event, meta::find_event(tx.sql(), seq));
  if (seq > progress.cursor) return 0;  // it is still on its way
  MLOPS_TRY(meta::complete(tx.sql(), event));
  meta::HeldEvent held;
  held.seq = seq;
  held.subject = event.subject;
  MLOPS_TRY(meta::put_held(tx, webhook_id, held));
  return 1;
}

}  // namespace

Result<std::int64_t> Webhooks::redeliver(const meta::Actor& actor, const std::string& name, const Redelivery& what,
                                         meta::Commit commit) {
  auto done = store_.write<std::int64_t>(actor, commit, [&](meta::WriteTx& tx) -> Result<std::int64_t> {
    MLOPS_ASSIGN(const auto row, meta::find_webhook(tx.sql(), name));
    MLOPS_ASSIGN(auto progress, meta::find_progress(tx.sql(), row.id));
    progress.resting_until_us = 0;
    std::string said = "all dead letters";
    std::int64_t count = 0;
    if (what.seq) {
      said = fmt::format("event {}", *what.seq);
      MLOPS_ASSIGN(count, hold_again(tx, row.id, *what.seq, progress));
    } else if (what.after) {
      said = fmt::format("everything after {}", *what.after);
      count = std::max<std::int64_t>(progress.cursor - *what.after, 0);
      MLOPS_TRY(meta::drop_held_after(tx, row.id, *what.after));
      progress.cursor = std::min(progress.cursor, *what.after);
    } else {
      MLOPS_ASSIGN(count, meta::revive_dead(tx, row.id));
    }
    tx.begin_entry("webhook.redeliver", row.name, said);
    MLOPS_TRY(meta::put_progress(tx, progress));
    return count;
  });
  if (done && commit == meta::Commit::kKeep) changed();
  return done;
}

Result<Attempt> Webhooks::test(const std::string& name) const {
  MLOPS_ASSIGN(const auto view, get(name));
  MLOPS_ASSIGN(auto receiver, receiver_of(view.row));
  meta::Event event;
  event.id = "test-" + new_id(store_.clock());
  event.at = format_rfc3339(store_.now_us());
  event.action = "webhook.test";
  event.target = event.subject = view.row.name;
  event.actor = "mlopsd";
  InFlight alone;  // the connection's silence bounds it, and so does what the answer may hold
  Courier courier(options_, alone, std::move(receiver));
  return courier.deliver(event, store_.now_us());
}

}  // namespace mlops::events
