// Who is told of changes: receivers with their patterns, secrets and state, how far each has got, and what it did not
// take. Making and changing one is an audited change; the secret is shown once and kept sealed under the key ring.
//
// Errors: kInvalid "bad_webhook", "bad_event_pattern", those of URLs; kRefused "private_destination",
// "plaintext_destination"; kAlreadyExists "webhook_exists"; kNotFound "webhook_not_found", "event_not_found"; kRefused
// "secret_lost" when the key a secret was sealed under is gone. Thread-safety: thread-safe.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "daemon/domain/key_ring.h"
#include "daemon/events/courier.h"
#include "daemon/events/filter.h"
#include "storage/meta/webhooks.h"

namespace mlops::events {

struct NewWebhook {
  std::string name;
  std::string url;
  Mode mode = Mode::kStructured;
  Filter filter;
};

struct WebhookView {
  meta::WebhookRow row;
  meta::WebhookProgress progress;
  meta::HeldCounts held;
  std::vector<meta::HeldEvent> lanes;  // the first held events; one webhook only
  std::int64_t lag = 0;                // entries behind the end of the log, wanted or not
};

struct Issued {
  meta::WebhookRow row;
  std::string secret;  // "whsec_…"
};

struct DeadLetter {
  meta::HeldEvent held;
  meta::Event event;
};

struct Redelivery {
  std::optional<std::int64_t> seq;    // this event, or
  std::optional<std::int64_t> after;  // everything after this one, or, when both are absent, all dead letters
};

class Webhooks {
 public:
  // REQUIRES: all outlive it.
  Webhooks(meta::Store& store, const domain::KeyRing& keys, const CourierOptions& options)
      : store_(store), keys_(keys), options_(options) {}

  // Called after each change of a webhook, from the thread that made it. REQUIRES: set before there are several
  // threads.
  void on_change(std::function<void()> hook) { on_change_ = std::move(hook); }

  Result<Issued> add(const meta::Actor& actor, const NewWebhook& wanted, meta::Commit commit);
  Result<std::vector<WebhookView>> list() const;
  Result<WebhookView> get(const std::string& name) const;
  enum class Change { kPause, kResume, kDisable };
  // Resuming also ends a rest, and makes what is held due at once.
  Result<meta::WebhookRow> change(const meta::Actor& actor, const std::string& name, Change change,
                                  const std::string& reason, meta::Commit commit);
  Result<meta::WebhookRow> remove(const meta::Actor& actor, const std::string& name, meta::Commit commit);
  // The secret before signs too, for that long.
  Result<Issued> rotate_secret(const meta::Actor& actor, const std::string& name, std::int64_t overlap_s,
                               meta::Commit commit);
  Result<std::vector<DeadLetter>> dead_letters(const std::string& name, std::int64_t after_seq,
                                               std::size_t limit) const;
  // How many events go out again; for those after one: how many entries are looked at again.
  Result<std::int64_t> redeliver(const meta::Actor& actor, const std::string& name, const Redelivery& what,
                                 meta::Commit commit);
  // One event of type mlops.webhook.test.v1, sent now, whatever the state; nothing is kept of it.
  Result<Attempt> test(const std::string& name) const;

  // What a courier needs. The old secret counts until its time.
  Result<Receiver> receiver_of(const meta::WebhookRow& row) const;

 private:
  Result<meta::SealedSecret> seal(const std::string& webhook_id, const crypto::SecretBytes& secret) const;
  Result<crypto::SecretBytes> open(const std::string& webhook_id, const meta::SealedSecret& sealed) const;
  Result<WebhookView> view_of(sql::Connection& connection, meta::WebhookRow row) const;
  void changed() const;

  meta::Store& store_;
  const domain::KeyRing& keys_;
  const CourierOptions& options_;
  std::function<void()> on_change_;
};

Filter filter_of(const meta::WebhookRow& row);

}  // namespace mlops::events
