// What people ask of deliveries, and the slow reading back.
#include <fmt/format.h>

#include <chrono>

#include "core/base/log.h"
#include "daemon/domain/delivery.h"
#include "daemon/domain/promotion.h"
#include "storage/meta/revisions.h"

namespace mlops::domain {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds kTick{1'000};

}  // namespace

Result<std::vector<DeliveryView>> Delivery::views(const std::vector<Line>& lines) {
  using Views = std::vector<DeliveryView>;
  std::string staging;
  {
    std::lock_guard lock(mutex_);
    staging = staging_;
  }
  return store_.read<Views>([&](sql::Connection& connection) -> Result<Views> {
    Views out;
    for (const auto& line : lines) {
      DeliveryView view;
      MLOPS_ASSIGN(const auto members, meta::release_members(connection, line.deployment.release_id));
      view.deployment_ref = release_ref(line.deployment, members);
      view.layout = model::to_word(line.target.layout);
      view.running_since_us = line.deployment.valid_from_us;
      const bool is_of_here = line.row && line.row->place == line.place();
      if (is_of_here) {
        view.row = *line.row;
      } else {
        view.row.deployment_id = line.deployment.id;
        view.row.environment = line.deployment.environment;
        view.row.place = line.place();
        view.row.state = "pending";
        view.row.since_us = line.deployment.valid_from_us;
      }
      if (line.deployment.id == staging) view.row.state = "staging";
      out.push_back(std::move(view));
    }
    return out;
  });
}

Result<std::vector<Delivery::Line>> Delivery::lines_of_named(const std::string& environment) {
  const auto target = store_.read<bool>([&](sql::Connection& connection) -> Result<bool> {
    MLOPS_ASSIGN(const auto row, meta::get_revision(connection, meta::RevisionKind::kEnvironment, environment));
    MLOPS_ASSIGN(const auto json, parse_json(row.body));
    return json.contains("target");
  });
  if (!target) return fail(target.error());
  if (*target) return lines(environment);
  return fail(ErrorCode::kNotFound, "no_target", fmt::format("environment {} has no target", environment),
              "declare `target: {directory: …}` and apply it");
}

Result<std::vector<DeliveryView>> Delivery::list(const std::string& environment) {
  if (environment.empty()) {
    MLOPS_ASSIGN(const auto all, lines({}));
    return views(all);
  }
  MLOPS_ASSIGN(const auto some, lines_of_named(environment));
  return views(some);
}

Result<std::vector<DeliveryView>> Delivery::retry(const std::string& environment) {
  MLOPS_ASSIGN(const auto some, lines_of_named(environment));
  for (const auto& line : some) {
    if (!line.row || line.row->state != "failed") continue;
    auto row = *line.row;
    row.attempts = 0;
    row.next_attempt_at_us.reset();
    MLOPS_TRY(record(std::move(row)));
  }
  return list(environment);
}

Result<std::vector<DeliveryView>> Delivery::verify(const std::string& environment) {
  MLOPS_ASSIGN(const auto some, lines_of_named(environment));
  const Pace at_once = [this](std::size_t) { return !is_stopping_; };
  for (const auto& line : some) MLOPS_TRY(verify_line(line, at_once));
  return list(environment);
}

// What is not delivered yet has nothing to compare.
Status Delivery::verify_line(const Line& line, const Pace& pace) {
  if (!line.row || line.row->state != "delivered" || line.row->place != line.place()) return {};
  MLOPS_ASSIGN(const auto directory, directory_of(line));
  MLOPS_ASSIGN(const auto placement, placement_of(line));
  MLOPS_ASSIGN(const auto compared, directory.compare(placement, pace));
  if (!compared.is_complete) return {};
  // Replaced while it was read: then it was no longer to be whole.
  MLOPS_ASSIGN(const auto now, again(line));
  const bool still = now && now->wish() == line.wish() && now->row && now->row->state == "delivered";
  if (!still) return {};
  auto row = *now->row;
  row.verified_at_us = store_.now_us();
  if (compared.differences > 0) {
    row.state = "drifted";
    row.since_us = *row.verified_at_us;
    row.error = "drifted";
    row.message = fmt::format("{} of its files differ from the release; {}", compared.differences, compared.first);
    log::warn("delivery_drifted", {{"deployment", std::string_view(row.deployment_id)},
                                   {"environment", std::string_view(row.environment)},
                                   {"differences", static_cast<std::int64_t>(compared.differences)}});
  }
  return record(std::move(row));
}

void Delivery::verify_loop() {
  auto goes_on = [this] {
    std::unique_lock lock(mutex_);
    return !wake_.wait_for(lock, kTick, [this] { return is_stopping_.load(); });
  };
  auto due = steady_clock::now();
  while (goes_on()) {
    if (steady_clock::now() < due) continue;
    verify_due();
    due = steady_clock::now() + std::chrono::seconds(std::max<std::int64_t>(options_.verify_every_s / 10, 1));
  }
}

void Delivery::verify_due() {
  const auto all = lines({});
  if (!all) return;
  const auto began = steady_clock::now();
  std::uint64_t bytes_read = 0;
  const Pace pace = [&](std::size_t bytes) {
    bytes_read += bytes;
    const auto rate = std::max<std::uint64_t>(options_.verify_bytes_per_s, 1);
    const auto until = began + milliseconds(bytes_read * 1000 / rate);
    std::unique_lock lock(mutex_);
    wake_.wait_until(lock, until, [this] { return is_stopping_.load(); });
    return !is_stopping_;
  };
  for (const auto& line : *all) {
    const bool is_due =
        line.row && line.row->verified_at_us.value_or(0) + options_.verify_every_s * 1'000'000 <= store_.now_us();
    if (!is_due || is_stopping_) continue;
    if (auto verified = verify_line(line, pace); !verified) {
      log::warn("delivery_not_verified", {{"deployment", std::string_view(line.deployment.id)},
                                          {"slug", std::string_view(verified.error().slug)}});
    }
  }
}

}  // namespace mlops::domain
