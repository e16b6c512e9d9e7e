#include "daemon/app/runtime.h"

#include <fmt/format.h>
#include <malloc.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdlib>
#include <set>

#include "core/base/build_info.h"
#include "core/base/env.h"
#include "core/base/log.h"
#include "core/crypto/master_key.h"
#include "daemon/api/routes.h"
#include "daemon/app/convert_blobs.h"
#include "daemon/app/data_dir.h"
#include "daemon/app/first_start.h"
#include "daemon/app/gate_endpoints.h"
#include "daemon/app/git_config.h"
#include "daemon/app/metrics.h"
#include "daemon/app/sd_notify.h"
#include "daemon/domain/delivery.h"
#include "daemon/domain/repeating.h"
#include "daemon/domain/scrub.h"
#include "daemon/events/sender.h"

namespace mlops::app {
namespace {

// After a commit failed, nothing in memory can be trusted to match the disk: stop at once, recover at the next start.
[[noreturn]] void stop_at_once(const Error&) {
  log::error("stopping_after_failed_commit");
  ::_exit(70);
}

sigset_t stop_signals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  return set;
}

int wait_for(const sigset_t& signals) {
  int signal = 0;
  ::sigwait(&signals, &signal);
  return signal;
}

// Before any thread is made, so that only wait_for() receives them.
sigset_t block_signals() {
  const auto signals = stop_signals();
  ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  return signals;
}

Result<std::unique_ptr<meta::Store>> open_store(const DataDir& data_dir, const Config& config, const Clock& clock) {
  meta::StoreOptions options;
  options.database_file = data_dir.database_file();
  options.on_fatal = stop_at_once;
  options.instant_readers = static_cast<std::size_t>(config.listen.io_threads);
  return meta::Store::open(std::move(options), clock);
}

Result<std::unique_ptr<cas::ContentStore>> open_content(const DataDir& data_dir, const Config& config,
                                                        const Clock& clock) {
  cas::ContentStoreOptions options;
  options.packs.root = data_dir.blob_dir();
  options.packs.low_water_percent = static_cast<unsigned>(config.store.low_water_percent);
  options.lease_us = config.store.gc_lease_hours * 3600 * 1'000'000;
  MLOPS_ASSIGN(auto content, cas::ContentStore::open(std::move(options), posix_env(), clock));
  MLOPS_TRY(convert_loose_blobs(data_dir.blob_dir(), *content, posix_env()));
  return content;
}

Result<std::unique_ptr<domain::Identity>> open_identity(meta::Store& store, const DataDir& data_dir,
                                                        const Config& config) {
  domain::IdentityOptions options;
  MLOPS_ASSIGN(options.token_key, data_dir.key("token"));
  options.max_lifetime_s = config.token.max_days * 86400;
  return domain::Identity::open(store, std::move(options));
}

// Where the operator says, or in the data directory.
Result<crypto::SecretBytes> master_key(const DataDir& data_dir, const std::string& place) {
  if (place.empty()) return data_dir.key("masking");
  return crypto::read_master_key(place);
}

Result<std::unique_ptr<domain::KeyRing>> open_key_ring(meta::Store& store, const DataDir& data_dir,
                                                       const Config& config, Keys keys) {
  // Only a key that was lost is given up, not one that somebody named wrongly while another was lost.
  const bool is_lost = keys == Keys::kReplaced && config.masking.master_key.empty() && !data_dir.has_key("masking");
  MLOPS_ASSIGN(auto master, master_key(data_dir, config.masking.master_key));
  const auto unopened = is_lost ? domain::KeyRing::Unopened::kGiveUp : domain::KeyRing::Unopened::kRefuse;
  return domain::KeyRing::open(store, std::move(master), unopened);
}

void observe(Metrics& metrics, const http::RequestRecord& record) {
  metrics.observe(record);
  const auto level = record.status >= 500 ? log::Level::kError : log::Level::kDebug;
  log::write(level, "request",
             {{"method", record.method},
              {"route", record.route},
              {"status", std::int64_t{record.status}},
              {"duration_ms", record.duration_s * 1000},
              {"request_id", record.request_id},
              {"principal_id", record.principal_id},
              {"peer", record.peer_ip}});
}

domain::ScrubOptions scrub_options(const Config& config, domain::Gc& gc, Metrics& metrics) {
  domain::ScrubOptions options;
  options.bytes_per_second = static_cast<std::uint64_t>(config.store.scrub_mib_per_s) << 20;
  options.on_pass = [&metrics](const cas::CheckReport& report) {
    metrics.scrubbed(report.objects, report.problems.size());
  };
  options.chores = [&gc] {
    if (auto swept = gc.sweep(domain::daemon_actor(), std::nullopt); !swept) {
      log::warn("sweep_failed", {{"slug", std::string_view(swept.error().slug)}});
    }
  };
  return options;
}

Result<domain::DeliveryOptions> delivery_options(const Config& config) {
  domain::DeliveryOptions options;
  MLOPS_ASSIGN(options.roots, delivery_roots(config));
  options.keep = static_cast<std::size_t>(config.delivery.keep);
  options.grace_s = config.delivery.grace_seconds;
  options.verify_every_s = config.delivery.verify_minutes * 60;
  options.verify_bytes_per_s = static_cast<std::uint64_t>(config.delivery.verify_mib_per_s) << 20;
  return options;
}

domain::LabelScanOptions scan_options(const Config& config) {
  domain::LabelScanOptions options;
  options.mode = domain::scan_mode_from_word(config.registration.scan).value_or(options.mode);
  options.records_max = static_cast<std::uint64_t>(config.registration.scan_records);
  return options;
}

domain::ErasureOptions erasure_options(const DataDir& data_dir, const Config& config, domain::Backups& backups) {
  domain::ErasureOptions options;
  options.index_dir = data_dir.erasure_dir();
  options.approvals_needed = config.erasure.approvals;
  options.end_backups = [&backups] { backups.end_all(); };
  return options;
}

// Their rules are read now, so that no decision inside the writer waits for a file, and a lack is told before it
// refuses.
void load_time_zones(domain::Compliance& compliance) {
  const auto environments = compliance.environments(0);
  if (!environments) return;
  std::set<std::string> names;
  for (const auto& revision : *environments) {
    for (const auto& window : revision.environment.windows) names.insert(window.time_zone);
    for (const auto& freeze : revision.environment.freezes) names.insert(freeze.time_zone);
  }
  for (const auto& name : names) {
    if (const auto zone = TimeZones::system().find(name); !zone) {
      log::error("time_zone_missing",
                 {{"zone", std::string_view(name)}, {"slug", std::string_view(zone.error().slug)}});
    }
  }
}

Result<std::unique_ptr<domain::GitRemotes>> open_git(meta::Store& store, const DataDir& data_dir,
                                                     const Config& config) {
  domain::GitOptions options;
  options.folder = data_dir.git_dir();
  options.author_name = config.git.author_name;
  options.author_email = config.git.author_email;
  options.refresh_s = config.git.refresh_seconds;
  options.ca_file = config.git.ca_file;
  MLOPS_ASSIGN(options.repositories, load_git_repositories(config.git.repositories_file, config.git.timeout_seconds));
  MLOPS_ASSIGN(options.person_key, data_dir.key("git"));
  return domain::GitRemotes::open(store, std::move(options));
}

// The services that need nothing but what is stored, each built on those before it.
struct Nouns {
  Nouns(meta::Store& store, cas::ContentStore& content, domain::KeyRing& key_ring, const Config& config)
      : registry(store, content, scan_options(config)),
        compliance(store, content, key_ring),
        clearance(store, content),
        reveals(store, content, compliance),
        promotion(store, content, compliance),
        signing_keys(store),
        decisions(store, compliance, promotion),
        lineage(store),
        integrity(store, content),
        gc(store, content, {config.store.gc_lease_hours * 3600, config.store.trash_days * 86400}),
        retention(store, content, gc) {}
  domain::Registry registry;
  domain::Compliance compliance;
  domain::Clearance clearance;
  domain::Reveals reveals;
  domain::Promotion promotion;
  domain::SigningKeys signing_keys;
  domain::Decisions decisions;
  domain::Lineage lineage;
  domain::Integrity integrity;
  domain::Gc gc;
  domain::Retention retention;
};

struct GitServices {
  GitServices(meta::Store& store, domain::GitRemotes& remotes, domain::Compliance& compliance,
              domain::Decisions& decisions)
      : sources(store, remotes, decisions), provenance(store, remotes), gitops(store, remotes, compliance) {}
  domain::PolicySources sources;
  domain::Provenance provenance;
  domain::Gitops gitops;
};

// What goes on in the background for Git: deliveries at once, what is known about commits in time.
struct GitThreads {
  GitThreads(GitServices& git, const Config& config)
      : deliveries(kDeliveryPause, [&git] { git.gitops.deliver(); }),
        refreshes(std::chrono::milliseconds(config.git.refresh_seconds * 500), [&git] { git.provenance.refresh(); }) {}
  static constexpr std::chrono::milliseconds kDeliveryPause{50};
  domain::Repeating deliveries;
  domain::Repeating refreshes;
};

// Where promotions get evidence from that is not in the database.
struct EvidenceSources {
  domain::Signatures signatures;
  domain::Measurer measurer;
  domain::ExternalGates external;
};

Result<std::unique_ptr<EvidenceSources>> open_evidence(meta::Store& store, cas::ContentStore& content,
                                                       const DataDir& data_dir, const Config& config,
                                                       domain::Promotion& promotion) {
  MLOPS_ASSIGN(auto key, data_dir.key("erasure"));
  MLOPS_ASSIGN(auto external, open_external_gates(config));
  domain::MeasurerOptions options;
  options.index_dir = data_dir.erasure_dir();
  options.plan_bytes_max = static_cast<std::uint64_t>(config.gates.profile_mib) << 20;
  std::unique_ptr<EvidenceSources> evidence(
      new EvidenceSources{domain::Signatures(store),
                          domain::Measurer(store, content, std::move(key), std::move(options)), std::move(external)});
  promotion.use(evidence->measurer, evidence->external);
  return evidence;
}

void tell_service_manager(std::string_view state) {
  const char* socket = std::getenv("NOTIFY_SOCKET");
  if (auto sent = sd_notify(socket ? socket : "", state); !sent) {
    log::warn("notify_failed", {{"slug", std::string_view(sent.error().slug)}});
  }
}

std::string url_of(const Config& config, int port) {
  const bool tls = !config.listen.tls.certificate.empty();
  const bool any = config.listen.address == "0.0.0.0" || config.listen.address == "::";
  const auto host = any ? std::string("127.0.0.1") : config.listen.address;
  const bool v6 = host.find(':') != std::string::npos;
  return fmt::format("{}://{}{}{}:{}", tls ? "https" : "http", v6 ? "[" : "", host, v6 ? "]" : "", port);
}

struct EventOptions {
  events::CourierOptions courier;
  events::SenderOptions sender;
};

Result<EventOptions> event_options(const Config& config) {
  EventOptions all;
  auto& options = all.courier;
  MLOPS_ASSIGN(options.destinations, destinations(config));
  options.source =
      config.events.source.empty() ? url_of(config, static_cast<int>(config.listen.port)) : config.events.source;
  options.ca_file = config.events.ca_file;
  options.timeout = std::chrono::seconds(config.events.timeout_seconds);
  MLOPS_ASSIGN(all.sender.turn.schedule, events::parse_schedule(config.events.retry_seconds));
  return all;
}

// With the figures of each webhook, by its id.
std::string metrics_text(Metrics& metrics, const events::Webhooks& webhooks) {
  std::vector<WebhookFigures> figures;
  if (const auto views = webhooks.list()) {
    for (const auto& view : *views) {
      figures.push_back(
          {view.row.id, view.progress.delivered, view.progress.failed, view.lag, view.held.held, view.held.dead});
    }
  }
  metrics.webhooks(figures);
  return metrics.text();
}

// Until the signal to stop.
void serve(const std::string& url, const DataDir& data_dir, const sigset_t& signals) {
  log::info("ready",
            {{"url", std::string_view(url)}, {"version", kVersion}, {"data_dir", std::string_view(data_dir.path())}});
  tell_service_manager(kNotifyReady);
  const int signal = wait_for(signals);
  tell_service_manager(kNotifyStopping);
  log::info("draining", {{"signal", std::int64_t{signal}}});
}

void prepare_process(const Config& config) {
  // Two heaps, not one for each of the threads: a hostile body is gone from memory once it is answered.
  ::mallopt(M_ARENA_MAX, 2);
  ::mallopt(M_TRIM_THRESHOLD, 1 << 20);
  if (!config.core_dumps) crypto::keep_out_of_core_dumps();
  ::umask(077);  // whatever is made from now on holds metadata, keys or data of people
}

}  // namespace

Status rewrap_keys(const Config& config, const std::string& new_master) {
  prepare_process(config);
  const SystemClock clock;
  MLOPS_ASSIGN(const auto data_dir, DataDir::open(config.data_dir));
  MLOPS_ASSIGN(const auto store, open_store(data_dir, config, clock));
  MLOPS_ASSIGN(const auto ring, open_key_ring(*store, data_dir, config, Keys::kUsual));
  MLOPS_ASSIGN(auto master, crypto::read_master_key(new_master));
  return ring->rewrap(domain::daemon_actor(), std::move(master));
}

Status run_daemon(const Config& config, MissingKeys missing_keys) {
  const auto signals = block_signals();
  prepare_process(config);

  const SystemClock clock;
  MLOPS_ASSIGN(const auto data_dir, DataDir::open(config.data_dir));
  MLOPS_ASSIGN(const auto store, open_store(data_dir, config, clock));
  MLOPS_ASSIGN(const auto content, open_content(data_dir, config, clock));
  MLOPS_ASSIGN(const auto keys, check_keys(data_dir, *store, config, missing_keys));
  MLOPS_ASSIGN(const auto identity, open_identity(*store, data_dir, config));
  MLOPS_ASSIGN(const auto key_ring, open_key_ring(*store, data_dir, config, keys));
  Nouns nouns(*store, *content, *key_ring, config);
  MLOPS_ASSIGN(const auto evidence, open_evidence(*store, *content, data_dir, config, nouns.promotion));
  domain::Rollouts rollouts(*store, nouns.promotion);  // its thread ends before what promotions measure with
  MLOPS_ASSIGN(const auto git_remotes, open_git(*store, data_dir, config));
  GitServices git(*store, *git_remotes, nouns.compliance, nouns.decisions);
  MLOPS_ASSIGN(const auto backups, domain::Backups::open(*store, *content));
  MLOPS_ASSIGN(auto erasure_key, data_dir.key("erasure"));
  auto erasures = erasure_options(data_dir, config, *backups);
  domain::Erasure erasure(*store, *content, nouns.compliance, nouns.gc, std::move(erasure_key), std::move(erasures));
  MLOPS_ASSIGN(const auto outgoing, event_options(config));
  events::Webhooks webhooks(*store, *key_ring, outgoing.courier);
  events::WatchSeats watch_seats(config.events.watchers);
  MLOPS_ASSIGN(auto deliveries, delivery_options(config));
  domain::Delivery delivery(*store, *content, std::move(deliveries));
  nouns.compliance.check_targets_with(
      [&delivery](const model::DeliveryTarget& to) { return delivery.check_target(to); });
  MLOPS_TRY(make_first_token(data_dir, *store, *identity, config.token.max_days * 86400, keys));

  Metrics metrics;
  std::atomic<bool> ready{false};
  // clang-format off
  const api::Services services{
      .identity = *identity, .registry = nouns.registry, .compliance = nouns.compliance, .clearance = nouns.clearance,
      .reveals = nouns.reveals, .promotion = nouns.promotion, .signatures = evidence->signatures,
      .signing_keys = nouns.signing_keys, .rollouts = rollouts, .decisions = nouns.decisions,
      .sources = git.sources, .provenance = git.provenance, .gitops = git.gitops, .lineage = nouns.lineage,
      .integrity = nouns.integrity, .gc = nouns.gc, .retention = nouns.retention, .erasure = erasure,
      .backups = *backups, .webhooks = webhooks, .watch_seats = watch_seats, .delivery = delivery,
      .content = *content, .store = *store,
      .is_ready = [&ready] { return ready.load(); },
      .metrics_text = [&] { return metrics_text(metrics, webhooks); },
      .event_source = outgoing.courier.source,
      .json_limit_bytes = static_cast<std::size_t>(config.limits.json_body_bytes),
      .upload_limit_bytes = static_cast<std::size_t>(config.limits.upload_bytes)};
  // clang-format on
  const auto authenticate = [&](std::string_view authorization) { return identity->authenticate(authorization); };
  http::Server server(server_options(config), http::Router(api::make_routes(services)), authenticate,
                      [&metrics](const http::RequestRecord& record) { observe(metrics, record); });
  MLOPS_TRY(server.start());
  const GitThreads git_threads(git, config);
  const events::Sender sender(*store, webhooks, outgoing.courier, outgoing.sender);
  const domain::Scrubber scrubber(*content, scrub_options(config, nouns.gc, metrics));
  load_time_zones(nouns.compliance);
  rollouts.start_worker();
  delivery.start();
  const auto url = url_of(config, server.port());
  make_local_context(data_dir, url);
  ready = true;
  serve(url, data_dir, signals);
  ready = false;
  server.drain(std::chrono::seconds(config.limits.drain_seconds));
  log::info("stopped");
  return {};
}

}  // namespace mlops::app
