#include "daemon/events/watch.h"

#include <fmt/format.h>

#include <iterator>

#include "daemon/events/cloud_event.h"

namespace mlops::events {
namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr auto kAsk = std::chrono::seconds(1);
constexpr std::size_t kBatch = 256;

}  // namespace

Result<WatchSeats::Seat> WatchSeats::take() {
  if (++taken_ <= limit_) {
    return Seat(this, [](WatchSeats* seats) { --seats->taken_; });
  }
  --taken_;
  return fail(ErrorCode::kUnavailable, "too_many_watchers", fmt::format("{} watch already", limit_),
              "try again later, or let the operator raise events.watchers");
}

Watch::Watch(meta::Store& store, WatchOptions options, WatchSeats::Seat seat)
    : store_(store),
      options_(std::move(options)),
      seat_(std::move(seat)),
      after_seq_(options_.after_seq),
      told_seq_(options_.after_seq),
      spoke_at_(SteadyClock::now()),
      asked_at_(spoke_at_) {}

bool Watch::is_due() {
  const auto now = SteadyClock::now();
  if (now - asked_at_ >= kAsk) {
    asked_at_ = now;
    is_allowed_ = options_.is_still_allowed();
  }
  return !is_allowed_ || store_.generation() != seen_generation_ || now - spoke_at_ >= options_.heartbeat;
}

Result<std::string> Watch::next() {
  if (!is_allowed_) return fail(ErrorCode::kUnauthenticated, "bad_token", "the token does not hold any more");
  std::string out;
  // Before the look, so that what is committed during it is looked for again.
  const auto generation = store_.generation();
  if (generation != seen_generation_) {
    using Events = std::vector<meta::Event>;
    MLOPS_ASSIGN(const auto events, store_.read<Events>([&](sql::Connection& connection) -> Result<Events> {
      MLOPS_ASSIGN(auto read, meta::list_events(connection, after_seq_, kBatch));
      for (auto& event : read) {
        if (wants_action(options_.filter, event.action)) MLOPS_TRY(meta::complete(connection, event));
      }
      return read;
    }));
    for (const auto& event : events) {
      after_seq_ = event.seq;
      if (matches(options_.filter, event) && options_.principal.has(scope_to_see(event.action))) add(out, event);
    }
    if (!out.empty()) told_seq_ = after_seq_;
    if (events.size() < kBatch) seen_generation_ = generation;
    if (events.size() == kBatch && out.empty()) out = fmt::format("id: {}\n\n", told_seq_ = after_seq_);
  }
  const auto now = SteadyClock::now();
  if (!is_opened_) out.insert(0, fmt::format(":\nretry: 1000\nid: {}\n\n", options_.after_seq));
  is_opened_ = true;
  if (out.empty() && now - spoke_at_ >= options_.heartbeat) out = fmt::format(":\nid: {}\n\n", told_seq_ = after_seq_);
  if (!out.empty()) spoke_at_ = now;
  return out;
}

void Watch::add(std::string& out, const meta::Event& event) const {
  fmt::format_to(std::back_inserter(out), "id: {}\nevent: {}\ndata: {}\n\n", event.seq, type_of(event),
                 canonical_dump(cloud_event(event, options_.source)));
}

}  // namespace mlops::events
