#include "daemon/app/metrics.h"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <map>
#include <mutex>

#include "core/base/build_info.h"

namespace mlops::app {
namespace {

const prometheus::Histogram::BucketBoundaries kBuckets{0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1,
                                                       0.25,   0.5,   1.0,    2.5,   5.0,  10.0,  60.0};

double resident_bytes() {
  long pages = 0;
  long resident = 0;
  if (auto* file = std::fopen("/proc/self/statm", "re")) {
    if (std::fscanf(file, "%ld %ld", &pages, &resident) != 2) resident = 0;
    std::fclose(file);
  }
  return static_cast<double>(resident) * static_cast<double>(::sysconf(_SC_PAGESIZE));
}

}  // namespace

class Metrics::Impl {
 public:
  Impl() {
    prometheus::BuildGauge()
        .Name("mlopsd_build_info")
        .Help("Version and commit of this daemon; always 1.")
        .Register(registry)
        .Add({{"version", std::string(kVersion)}, {"commit", std::string(kCommit)}})
        .Set(1);
  }

  // Families look their series up under a lock by label maps; requests are counted through this small cache instead.
  struct Series {
    prometheus::Counter* count;
    prometheus::Histogram* duration;
  };
  Series& series(std::string_view method, std::string_view route, int status) {
    auto& found = cache[{std::string(method), std::string(route), status}];
    if (!found.count) {
      const prometheus::Labels labels{
          {"method", std::string(method)}, {"route", std::string(route)}, {"status", std::to_string(status)}};
      found.count = &requests.Add(labels);
      found.duration = &durations.Add({{"route", std::string(route)}}, kBuckets);
    }
    return found;
  }

  prometheus::Registry registry;
  prometheus::Family<prometheus::Counter>& requests =
      prometheus::BuildCounter().Name("mlopsd_http_requests_total").Help("Requests answered.").Register(registry);
  prometheus::Family<prometheus::Histogram>& durations = prometheus::BuildHistogram()
                                                             .Name("mlopsd_http_request_duration_seconds")
                                                             .Help("From the complete head to the end of the answer.")
                                                             .Register(registry);
  prometheus::Gauge& resident = prometheus::BuildGauge()
                                    .Name("process_resident_memory_bytes")
                                    .Help("Resident memory.")
                                    .Register(registry)
                                    .Add({});
  prometheus::Counter& scrubbed_objects = prometheus::BuildCounter()
                                              .Name("mlopsd_scrub_objects_total")
                                              .Help("Stored objects read and compared by the background scrub.")
                                              .Register(registry)
                                              .Add({});
  prometheus::Counter& scrub_problems = prometheus::BuildCounter()
                                            .Name("mlopsd_scrub_problems_total")
                                            .Help("Damaged objects found by the background scrub.")
                                            .Register(registry)
                                            .Add({});
  using Gauges = prometheus::Family<prometheus::Gauge>;
  Gauges& gauges(const char* name, const char* help) {
    return prometheus::BuildGauge().Name(name).Help(help).Register(registry);
  }
  struct WebhookRow {
    Gauges* family;
    std::int64_t WebhookFigures::*figure;
  };
  // Gauges, though two of them only grow: the database counts, over restarts too.
  const std::array<WebhookRow, 5> webhook_rows{
      {{&gauges("mlopsd_webhook_delivered", "Events that the receiver took."), &WebhookFigures::delivered},
       {&gauges("mlopsd_webhook_failed_attempts", "Attempts that the receiver did not take."), &WebhookFigures::failed},
       {&gauges("mlopsd_webhook_lag_entries", "Entries of the log that were not looked at yet."), &WebhookFigures::lag},
       {&gauges("mlopsd_webhook_held_events", "Events that wait for another attempt."), &WebhookFigures::held},
       {&gauges("mlopsd_webhook_dead_letters", "Events that were given up."), &WebhookFigures::dead}}};
  std::mutex webhook_mutex;
  std::vector<std::pair<Gauges*, prometheus::Gauge*>> webhook_gauges;

  std::mutex mutex;
  std::map<std::tuple<std::string, std::string, int>, Series> cache;
};

Metrics::Metrics() : impl_(std::make_unique<Impl>()) {}
Metrics::~Metrics() = default;

void Metrics::observe(const http::RequestRecord& record) {
  const auto route = record.route.empty() ? std::string_view("none") : record.route;
  Impl::Series series;
  {
    std::lock_guard lock(impl_->mutex);
    series = impl_->series(record.method, route, record.status);
  }
  series.count->Increment();
  series.duration->Observe(record.duration_s);
}

void Metrics::scrubbed(std::uint64_t objects, std::uint64_t problems) {
  impl_->scrubbed_objects.Increment(static_cast<double>(objects));
  impl_->scrub_problems.Increment(static_cast<double>(problems));
}

void Metrics::webhooks(const std::vector<WebhookFigures>& figures) {
  const std::lock_guard lock(impl_->webhook_mutex);
  for (const auto& [family, gauge] : impl_->webhook_gauges) family->Remove(gauge);
  impl_->webhook_gauges.clear();
  for (const auto& row : impl_->webhook_rows) {
    for (const auto& one : figures) {
      auto& gauge = row.family->Add({{"webhook", one.id}});
      gauge.Set(static_cast<double>(one.*row.figure));
      impl_->webhook_gauges.emplace_back(row.family, &gauge);
    }
  }
}

std::string Metrics::text() const {
  impl_->resident.Set(resident_bytes());
  return prometheus::TextSerializer().Serialize(impl_->registry.Collect());
}

}  // namespace mlops::app
