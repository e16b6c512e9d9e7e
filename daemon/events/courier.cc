#include "daemon/events/courier.h"

#include <fmt/format.h>

#include "core/base/build_info.h"
#include "daemon/events/signature.h"

namespace mlops::events {
namespace {

// What a receiver has to say is not kept; more than this ends the attempt.
constexpr std::size_t kAnswerLimitBytes = 64u << 10;
constexpr std::int64_t kSecondUs = 1'000'000;

}  // namespace

bool InFlight::enter(net::BulkClient* client, Time deadline) {
  const std::lock_guard lock(mutex_);
  if (is_closed_) return false;
  deadlines_[client] = deadline;
  return true;
}

void InFlight::leave(net::BulkClient* client) {
  const std::lock_guard lock(mutex_);
  deadlines_.erase(client);
}

void InFlight::break_overdue(Time now) {
  const std::lock_guard lock(mutex_);
  for (const auto& [client, deadline] : deadlines_) {
    if (deadline <= now) client->abort();
  }
}

bool InFlight::is_closed() const {
  const std::lock_guard lock(mutex_);
  return is_closed_;
}

void InFlight::break_all() {
  const std::lock_guard lock(mutex_);
  is_closed_ = true;
  for (const auto& [client, deadline] : deadlines_) client->abort();
  deadlines_.clear();
}

Courier::Courier(const CourierOptions& options, InFlight& in_flight, Receiver receiver)
    : options_(options), in_flight_(in_flight), receiver_(std::move(receiver)) {}

Status Courier::connect() {
  if (client_) return {};
  MLOPS_ASSIGN(const auto url, net::parse_url(receiver_.url));
  MLOPS_ASSIGN(const auto address, options_.destinations.admit(url));
  net::HttpClientOptions options;
  options.base_url = url.origin();
  options.connect_to = address.to_string();
  options.ca_file = options_.ca_file;
  options.user_agent = fmt::format("mlopsd/{}", kVersion);
  options.connect_timeout_ms = options_.timeout.count();
  options.read_timeout_ms = options_.timeout.count();
  options.response_limit_bytes = kAnswerLimitBytes;
  MLOPS_ASSIGN(auto client, net::BulkClient::create(std::move(options)));
  client_.emplace(std::move(client));
  path_ = url.path.empty() ? "/" : url.path;
  return {};
}

Attempt Courier::deliver(const meta::Event& event, TimestampUs now_us) {
  const auto deadline = std::chrono::steady_clock::now() + options_.timeout;
  if (auto connected = connect(); !connected) return {Outcome::kReceiverFailed, 0, connected.error().slug, {}};
  auto message = message_of(event, options_.source, receiver_.mode);
  const auto timestamp_s = now_us / kSecondUs;
  net::HttpRequest request{"POST", path_, std::move(message.body), std::move(message.content_type),
                           std::move(message.headers)};
  request.headers["webhook-id"] = event.id;
  request.headers["webhook-timestamp"] = std::to_string(timestamp_s);
  request.headers["webhook-signature"] = signature_of(receiver_.secrets, event.id, timestamp_s, request.body);
  if (!in_flight_.enter(&*client_, deadline)) return {Outcome::kBrokenOff, 0, {}, {}};
  const net::BodyReceiver drop = [](ByteView) -> Status { return {}; };
  const auto response = client_->download(request, drop);
  in_flight_.leave(&*client_);
  if (!response) {
    client_.reset();  // what was broken off stays broken
    if (in_flight_.is_closed()) return {Outcome::kBrokenOff, 0, {}, {}};
    const bool is_late = std::chrono::steady_clock::now() >= deadline;
    return {Outcome::kReceiverFailed, 0, is_late ? "receiver_timeout" : response.error().slug, {}};
  }
  const auto outcome = outcome_of(response->status);
  if (outcome == Outcome::kDelivered) return {outcome, response->status, {}, {}};
  return {outcome, response->status, fmt::format("http_{}", response->status),
          retry_after_us(response->header("retry-after"), now_us)};
}

}  // namespace mlops::events
