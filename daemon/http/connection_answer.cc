#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <iterator>
#include <limits>

#include "core/base/id.h"
#include "core/base/log.h"
#include "daemon/http/connection.h"
#include "daemon/http/response_head.h"

namespace mlops::http {
namespace {

constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max();
constexpr std::size_t kPieceBytes = 256u << 10;       // of a streamed answer
constexpr std::uint64_t kSkipLimitBytes = 64u << 10;  // of a body nobody read; more closes the connection
constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";

Error overloaded() {
  return {ErrorCode::kUnavailable, "overloaded", "the server has more work than it can take now", "try again", {}};
}

Error internal_defect() {
  return {ErrorCode::kInternal, "internal", "the request could not be carried out", "quote the request id", {}};
}

}  // namespace

// A body read by a handler on its own thread: bytes left over from the head first, then straight from the socket into
// the caller's buffer.
class Connection::StreamedBody final : public BodyReader {
 public:
  explicit StreamedBody(Connection& connection) : connection_(connection), exchange_(*connection.exchange_) {}

  Result<std::size_t> read(std::span<std::uint8_t> into) override {
    if (failure_) return fail(*failure_);
    if (exchange_.body_done || into.empty()) return 0;
    if (exchange_.continue_owed) {
      exchange_.continue_owed = false;
      if (!connection_.write_blocking(kContinue)) return broken(ErrorCode::kUnavailable, "peer_gone", "the peer left");
    }
    auto size_bytes = exchange_.head.chunked ? read_chunks(into) : read_plain(into);
    if (!size_bytes) return size_bytes;
    exchange_.body_read += *size_bytes;
    if (exchange_.body_read > exchange_.route->body_limit_bytes) {
      return broken(ErrorCode::kExhausted, "body_too_large",
                    "the body is larger than " + std::to_string(exchange_.route->body_limit_bytes) + " bytes");
    }
    return size_bytes;
  }

 private:
  Failure broken(ErrorCode code, std::string slug, std::string message) {
    failure_ = Error{code, std::move(slug), std::move(message), {}, {}};
    exchange_.after = AfterAnswer::kClose;
    return fail(*failure_);
  }

  Result<std::size_t> read_plain(std::span<std::uint8_t> into) {
    into = into.first(static_cast<std::size_t>(std::min<std::uint64_t>(into.size(), exchange_.body_left)));
    std::size_t size_bytes = std::min(into.size(), connection_.buffered().size());
    if (size_bytes > 0) {
      std::memcpy(into.data(), connection_.buffered().data(), size_bytes);
      connection_.consume(size_bytes);
    } else {
      MLOPS_ASSIGN(size_bytes, receive(into));
    }
    exchange_.body_left -= size_bytes;
    exchange_.body_done = exchange_.body_left == 0;
    return size_bytes;
  }

  Result<std::size_t> read_chunks(std::span<std::uint8_t> into) {
    if (chunk_left_ > 0 && connection_.buffered().empty()) return read_within_chunk(into);
    if (connection_.in_.size() < kLargeBuffer) connection_.resize_buffer(kLargeBuffer);
    for (;;) {
      auto decoded = connection_.parser_.decode_chunks(connection_.buffered(), into);
      if (!decoded) return broken(decoded.error().code, decoded.error().slug, decoded.error().message);
      connection_.consume(decoded->consumed);
      chunk_left_ = decoded->chunk_left;
      exchange_.body_done = decoded->done;
      if (decoded->produced > 0 || decoded->done) return decoded->produced;
      if (decoded->consumed > 0) continue;
      const auto room = connection_.room();
      if (room.empty()) return broken(ErrorCode::kInvalid, "bad_body", "a chunk header or trailer is too long");
      MLOPS_ASSIGN(const std::size_t received, receive({reinterpret_cast<std::uint8_t*>(room.data()), room.size()}));
      connection_.end_ += received;
    }
  }

  // From the socket to where it is wanted: the parser only counts.
  Result<std::size_t> read_within_chunk(std::span<std::uint8_t> into) {
    into = into.first(static_cast<std::size_t>(std::min<std::uint64_t>(into.size(), chunk_left_)));
    MLOPS_ASSIGN(const std::size_t received, receive(into));
    const auto bytes = into.first(received);
    auto decoded = connection_.parser_.decode_chunks({reinterpret_cast<const char*>(bytes.data()), received}, bytes);
    if (!decoded) return broken(decoded.error().code, decoded.error().slug, decoded.error().message);
    chunk_left_ = decoded->chunk_left;
    return decoded->produced;
  }

  Result<std::size_t> receive(std::span<std::uint8_t> into) {
    const auto started_ms = steady_ms();
    connection_.arm(Phase::kStreaming, started_ms + connection_.core_.options.body_idle_deadline.count());
    const std::size_t size_bytes = connection_.transport_->read(into);
    connection_.arm(Phase::kHandling, kNever);
    const std::chrono::milliseconds waited(steady_ms() - started_ms);
    if (connection_.expired_ || !exchange_.rate.feed(size_bytes, waited)) {
      connection_.expired_ = false;
      return broken(ErrorCode::kTimeout, "slow_body", "the request body arrives too slowly");
    }
    if (size_bytes == 0) return broken(ErrorCode::kUnavailable, "peer_gone", "the peer left in the middle of its body");
    return size_bytes;
  }

  Connection& connection_;
  Exchange& exchange_;
  std::uint64_t chunk_left_ = 0;  // of a body in chunks: raw bytes of the present one
  std::optional<Error> failure_;
};

Connection::Step Connection::dispatch() {
  arm(Phase::kHandling, kNever);
  const Route& route = *exchange_->route;
  if (route.run_on == RunOn::kInline) return answer(call_handler());
  auto& pool = route.body_mode == BodyMode::kStreamed ? *core_.streams : *core_.workers;
  if (pool.try_post([self = shared_from_this()] { self->run_handler(); })) return Step::kWait;
  return answer_error(overloaded(), AfterAnswer::kKeepAlive);
}

void Connection::run_handler() {
  if (answer(call_handler()) == Step::kNext) advance();
}

Response Connection::call_handler() {
  Exchange& exchange = *exchange_;
  StreamedBody body(*this);
  if (exchange.route->body_mode == BodyMode::kStreamed) exchange.request.stream = &body;
  try {
    return exchange.route->handler(exchange.request);
  } catch (...) {
    // Its text may hold anything, a cell of data too: only the place is logged.
    log::error("handler_exception", {{"route", exchange.route->pattern}, {"request_id", exchange.id}});
  }
  return problem(internal_defect(), exchange.id);
}

Connection::Step Connection::refuse(Refusal refusal) {
  if (!exchange_) {  // the head never became a request
    exchange_.emplace(new_id(core_.clock), new_rate_guard());
    ++core_.running;
  }
  exchange_->route = refusal.route;
  if (refusal.after == AfterAnswer::kClose) exchange_->after = AfterAnswer::kClose;
  Response response = problem(refusal.error, exchange_->id);
  for (auto& header : refusal.headers) response.headers.push_back(std::move(header));
  return answer(std::move(response));
}

Connection::Step Connection::answer_error(const Error& error, AfterAnswer after) {
  if (after == AfterAnswer::kClose) exchange_->after = AfterAnswer::kClose;
  return answer(problem(error, exchange_->id));
}

// Decides what becomes of a body that was not read to its end.
AfterAnswer Connection::settle_body(AfterAnswer wanted) {
  const Exchange& exchange = *exchange_;
  skip_left_ = 0;
  if (core_.draining) return AfterAnswer::kClose;
  if (wanted == AfterAnswer::kClose || exchange.body_done) return wanted;
  const bool can_skip = !exchange.head.chunked && !exchange.continue_owed && exchange.body_left <= kSkipLimitBytes;
  if (!can_skip) return AfterAnswer::kClose;
  skip_left_ = exchange.body_left;
  return AfterAnswer::kKeepAlive;
}

Connection::Step Connection::answer(Response response) {
  Exchange& exchange = *exchange_;
  if (!is_well_formed(response)) {
    log::error("malformed_response_header", {{"request_id", exchange.id}});
    response = problem(internal_defect(), exchange.id);
  }
  exchange.status = response.status;
  exchange.after = settle_body(exchange.after);
  const bool is_head = exchange.head.method == "HEAD";
  if (response.events && !is_head) return begin_events(std::move(response));
  const bool has_source = response.source && may_have_body(response.status) && !is_head;
  if (has_source && exchange.route->body_mode != BodyMode::kStreamed) return hand_to_streams(std::move(response));
  if (has_source) return send_source(std::move(response));
  const std::uint64_t size_bytes = response.source ? response.source->size_bytes() : response.body.size();
  append_head(out_, response, size_bytes, exchange.id, exchange.after);
  if (!is_head && may_have_body(response.status)) out_ += response.body;
  return send_buffered();
}

// A slow reader must not hold a worker: long answers are sent by the pool for streams.
Connection::Step Connection::hand_to_streams(Response response) {
  auto shared = std::make_shared<Response>(std::move(response));
  const bool posted = core_.streams->try_post([self = shared_from_this(), shared] {
    if (self->send_source(std::move(*shared)) == Step::kNext) self->advance();
  });
  return posted ? Step::kWait : answer_error(overloaded(), AfterAnswer::kKeepAlive);
}

Connection::Step Connection::send_source(Response response) {
  Exchange& exchange = *exchange_;
  std::uint64_t left = response.source->size_bytes();
  append_head(out_, response, left, exchange.id, exchange.after);
  // One allocation for a piece and the head before the first of them.
  const std::size_t head_bytes = out_.size();
  std::string piece = std::move(out_);
  out_ = {};
  piece.resize(head_bytes + static_cast<std::size_t>(std::min<std::uint64_t>(left, kPieceBytes)));
  std::size_t used = head_bytes;
  bool is_cut = false;
  do {
    const auto room = static_cast<std::size_t>(std::min<std::uint64_t>(left, piece.size() - used));
    auto size_bytes = Result<std::size_t>(0);
    if (room > 0) {
      size_bytes = response.source->read({reinterpret_cast<std::uint8_t*>(piece.data()) + used, room});
      is_cut = !size_bytes || *size_bytes == 0;  // the promised length cannot be kept
    }
    if (is_cut || !write_blocking({piece.data(), used + *size_bytes})) {
      is_cut = true;
      break;
    }
    left -= *size_bytes;
    used = 0;
  } while (left > 0);
  if (!is_cut) return finish_request();
  log::warn("response_cut", {{"route", exchange.route->pattern}, {"request_id", exchange.id}});
  observe();
  transport_->stop();
  return Step::kWait;
}

Connection::Step Connection::begin_events(Response response) {
  exchange_->after = AfterAnswer::kClose;
  append_head(out_, response, kUnknownLength, exchange_->id, exchange_->after);
  events_ = std::move(response.events);
  if (core_.streams->try_post([self = shared_from_this()] { self->pump_events(); })) return Step::kWait;
  events_.reset();
  out_.clear();
  return answer_error(overloaded(), AfterAnswer::kKeepAlive);
}

// On the I/O thread, which owns a parked connection. The last reference must not go here: the caller holds the lock of
// the set that the destructor takes the connection out of.
void Connection::look_at_events() {
  if (!core_.draining && !events_->is_due() && !transport_->has_ended()) return;
  phase_ = Phase::kHandling;
  const bool posted = core_.streams->try_post([this] {
    const auto self = std::move(parked_self_);
    pump_events();
  });
  if (!posted) phase_ = Phase::kParked;  // the next tick tries again
}

// Sends what there is, then parks: from then on the I/O thread may already be in the connection.
void Connection::pump_events() {
  while (true) {
    const bool goes_on = !core_.draining && !transport_->has_ended();
    auto piece = goes_on ? events_->next() : Result<std::string>(fail(overloaded()));
    if (!piece) return end_events();
    if (!piece->empty()) fmt::format_to(std::back_inserter(out_), "{:x}\r\n{}\r\n", piece->size(), *piece);
    if (out_.empty()) break;
    if (!write_blocking(out_)) {
      events_.reset();
      observe();
      return;
    }
    out_.clear();
  }
  parked_self_ = shared_from_this();
  phase_ = Phase::kParked;
}

void Connection::end_events() {
  events_.reset();
  out_ += "0\r\n\r\n";
  if (!write_blocking(out_)) {
    observe();
    return;
  }
  if (finish_request() == Step::kNext) advance();
}

bool Connection::write_blocking(std::string_view bytes) {
  arm(Phase::kWriting, steady_ms() + core_.options.write_deadline.count());
  const bool ok = transport_->write(bytes);
  arm(Phase::kHandling, kNever);
  return ok;
}

Connection::Step Connection::send_buffered() {
  const std::size_t sent = transport_->write_now(out_);
  if (sent == out_.size()) return finish_request();
  arm(Phase::kWriting, steady_ms() + core_.options.write_deadline.count());
  transport_->async_write(std::string_view(out_).substr(sent), shared_from_this());
  return Step::kWait;
}

void Connection::observe() const {
  if (!exchange_ || !core_.observe) return;
  const Exchange& exchange = *exchange_;
  const std::chrono::duration<double> duration = std::chrono::steady_clock::now() - exchange.started_at;
  const std::string_view method =
      method_from_word(exchange.head.method) ? std::string_view(exchange.head.method) : std::string_view{};
  core_.observe({method, exchange.route ? exchange.route->pattern : std::string_view{}, exchange.status,
                 duration.count(), exchange.id, exchange.request.principal.id, transport_->peer_ip()});
}

}  // namespace mlops::http
