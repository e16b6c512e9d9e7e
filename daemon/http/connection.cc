#include "daemon/http/connection.h"

#include <algorithm>
#include <array>
#include <limits>

#include "core/base/id.h"

namespace mlops::http {
namespace {

constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max();
constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
constexpr std::size_t kDecodePiece = 16u << 10;

}  // namespace

std::int64_t steady_ms() {
  using namespace std::chrono;
  return duration_cast<milliseconds>(steady_clock::now().time_since_epoch()).count();
}

Connection::Connection(ServerCore& core, std::unique_ptr<Transport> transport, std::size_t shard)
    : core_(core),
      transport_(std::move(transport)),
      shard_(shard),
      deadline_ms_(steady_ms() + core.options.head_deadline.count()),
      scanner_(HeadLimits{core.options.request_line_limit_bytes, core.options.header_limit_bytes,
                          core.options.head_limit_bytes, core.options.header_count_limit}) {
  core_.shards[shard_]->add(this);
}

Connection::~Connection() {
  core_.shards[shard_]->remove(this);
  if (exchange_) --core_.running;
  core_.peers.leave(transport_->peer_ip());
}

void Connection::start() {
  transport_->start(shared_from_this());
}

void Connection::on_ready(bool ok) {
  if (!ok) return;
  arm(Phase::kIdle, deadline_ms_);  // the handshake is part of the first head's time
  advance();
}

void Connection::on_read(std::size_t size_bytes) {
  if (expired_) {
    expire();
    return;
  }
  if (size_bytes == 0) return;
  end_ += size_bytes;
  if (phase_ == Phase::kBody) {
    const std::chrono::milliseconds waited(steady_ms() - read_started_ms_);
    if (!exchange_->rate.feed(size_bytes, waited)) {
      expire();
      return;
    }
  }
  advance();
}

void Connection::on_written(bool ok) {
  if (!ok) {
    observe();
    return;
  }
  if (phase_ == Phase::kContinuing) {
    phase_ = Phase::kBody;
    advance();
    return;
  }
  if (finish_request() == Step::kNext) advance();
}

// The peer was too slow. What had begun is told so; an idle connection just ends.
void Connection::expire() {
  expired_ = false;  // the answer gets its own deadline
  const Phase phase = phase_;
  if (phase == Phase::kHead) {
    exchange_.emplace(new_id(core_.clock), new_rate_guard());
    ++core_.running;
    answer_error({ErrorCode::kTimeout, "slow_head", "the request head did not arrive in time", {}, {}},
                 AfterAnswer::kClose);
  } else if (phase == Phase::kBody) {
    answer_error({ErrorCode::kTimeout, "slow_body", "the request body arrives too slowly", {}, {}},
                 AfterAnswer::kClose);
  }
}

void Connection::tick(std::int64_t now_ms) {
  if (phase_ == Phase::kParked) {
    look_at_events();
    return;
  }
  std::int64_t deadline_ms = deadline_ms_;
  if (now_ms < deadline_ms || !deadline_ms_.compare_exchange_strong(deadline_ms, kNever)) return;
  const Phase phase = phase_;
  expired_ = true;
  const bool is_writing =
      phase == Phase::kWriting || phase == Phase::kClosing || phase == Phase::kHandshake || phase == Phase::kContinuing;
  if (is_writing) {
    transport_->stop();
  } else {
    transport_->stop_reading();
  }
}

void Connection::let_go() {
  if (phase_ == Phase::kIdle) transport_->stop_reading();
}

void Connection::arm(Phase phase, std::int64_t deadline_ms) {
  phase_ = phase;
  deadline_ms_ = deadline_ms;
}

void Connection::advance() {
  while (step() == Step::kNext) {
  }
}

Connection::Step Connection::step() {
  switch (phase_.load()) {
    case Phase::kBody:
      return read_body();
    case Phase::kSkipping:
      return skip_body();
    case Phase::kIdle:
    case Phase::kHead:
      return read_head();
    default:
      return Step::kWait;
  }
}

std::span<char> Connection::room() {
  if (begin_ == end_) begin_ = end_ = 0;
  if (in_.empty()) resize_buffer(kSmallBuffer);
  if (end_ == in_.size() && begin_ > 0) {
    std::copy(in_.data() + begin_, in_.data() + end_, in_.data());
    end_ -= begin_;
    begin_ = 0;
  }
  if (end_ == in_.size() && in_.size() < kLargeBuffer) resize_buffer(in_.size() * 2);
  return {in_.data() + end_, in_.size() - end_};
}

// Only bytes behind end_ are given up or gained.
void Connection::resize_buffer(std::size_t size_bytes) {
  in_.resize(size_bytes);
  if (in_.capacity() > 2 * size_bytes) in_.shrink_to_fit();
}

// REQUIRES: room() is not empty; a caller that cannot make progress on a full buffer has refused before.
Connection::Step Connection::wait_for_bytes(Phase phase, std::int64_t deadline_ms) {
  const auto into = room();
  read_started_ms_ = steady_ms();
  arm(phase, deadline_ms);
  transport_->async_read(into, shared_from_this());
  return Step::kWait;
}

Connection::Step Connection::read_head() {
  auto head_bytes = scanner_.scan(buffered());
  if (!head_bytes) return refuse({std::move(head_bytes.error()), AfterAnswer::kClose, nullptr, {}});
  if (*head_bytes > 0) return begin_request(*head_bytes);
  const bool is_idle = begin_ == end_;
  if (is_idle && in_.size() > kSmallBuffer) {
    begin_ = end_ = 0;
    resize_buffer(kSmallBuffer);
  }
  // The first deadline runs from accept and is never set anew; later ones from the first byte of the head.
  std::int64_t deadline_ms = deadline_ms_;
  if (!is_first_request_ && is_idle) deadline_ms = steady_ms() + core_.options.keep_alive.count();
  if (!is_first_request_ && !is_idle && phase_ != Phase::kHead) {
    deadline_ms = steady_ms() + core_.options.head_deadline.count();
  }
  if (is_idle && core_.draining) return Step::kWait;  // nothing pending: the connection ends here
  return wait_for_bytes(is_idle ? Phase::kIdle : Phase::kHead, deadline_ms);
}

RateGuard Connection::new_rate_guard() const {
  return RateGuard(core_.options.upload_min_rate_bytes_per_s, core_.options.upload_rate_window);
}

Connection::Step Connection::begin_request(std::size_t head_bytes) {
  arm(Phase::kHandling, kNever);
  is_first_request_ = false;
  exchange_.emplace(new_id(core_.clock), new_rate_guard());
  ++core_.running;
  auto head = parser_.parse_head(buffered().substr(0, head_bytes));
  consume(head_bytes);
  scanner_.reset();
  if (!head) return refuse({std::move(head.error()), AfterAnswer::kClose, nullptr, {}});
  exchange_->head = std::move(*head);
  exchange_->after = exchange_->head.keep_alive ? AfterAnswer::kKeepAlive : AfterAnswer::kClose;
  prepare_body();
  auto admission = admit(core_, exchange_->head, transport_->peer_ip(), exchange_->id);
  if (auto* refusal = std::get_if<Refusal>(&admission)) return refuse(std::move(*refusal));
  auto& admitted = std::get<Admitted>(admission);
  exchange_->route = admitted.route;
  exchange_->request = std::move(admitted.request);
  if (exchange_->body_done || exchange_->route->body_mode == BodyMode::kStreamed) return dispatch();
  if (exchange_->continue_owed) return invite_body();
  phase_ = Phase::kBody;
  return Step::kNext;
}

Connection::Step Connection::invite_body() {
  exchange_->continue_owed = false;
  const std::size_t sent = transport_->write_now(kContinue);
  if (sent == kContinue.size()) {
    phase_ = Phase::kBody;
    return Step::kNext;
  }
  arm(Phase::kContinuing, steady_ms() + core_.options.write_deadline.count());
  transport_->async_write(kContinue.substr(sent), shared_from_this());
  return Step::kWait;
}

void Connection::prepare_body() {
  Exchange& exchange = *exchange_;
  exchange.body_left = exchange.head.content_length.value_or(0);
  exchange.body_done = !exchange.head.has_body();
  exchange.continue_owed = exchange.head.expect_continue && !exchange.body_done;
}

Connection::Step Connection::read_body() {
  Exchange& exchange = *exchange_;
  if (exchange.head.chunked) return read_chunked_body();
  const auto piece = buffered().substr(0, exchange.body_left);
  exchange.request.body.append(piece);
  exchange.body_left -= piece.size();
  consume(piece.size());
  if (exchange.body_left > 0) {
    if (exchange.body_left > in_.size()) resize_buffer(kLargeBuffer);
    return wait_for_bytes(Phase::kBody, steady_ms() + core_.options.body_idle_deadline.count());
  }
  exchange.body_done = true;
  return dispatch();
}

Connection::Step Connection::read_chunked_body() {
  Exchange& exchange = *exchange_;
  std::array<std::uint8_t, kDecodePiece> piece;
  for (;;) {
    auto decoded = parser_.decode_chunks(buffered(), piece);
    if (!decoded) return answer_error(decoded.error(), AfterAnswer::kClose);
    consume(decoded->consumed);
    exchange.request.body.append(reinterpret_cast<const char*>(piece.data()), decoded->produced);
    if (exchange.request.body.size() > exchange.route->body_limit_bytes) {
      return answer_error({ErrorCode::kExhausted,
                           "body_too_large",
                           "the body is larger than " + std::to_string(exchange.route->body_limit_bytes) + " bytes",
                           {},
                           {}},
                          AfterAnswer::kClose);
    }
    if (decoded->done) {
      exchange.body_done = true;
      return dispatch();
    }
    if (decoded->consumed + decoded->produced > 0) continue;
    if (room().empty()) {
      return answer_error({ErrorCode::kInvalid, "bad_body", "a chunk header or trailer is too long", {}, {}},
                          AfterAnswer::kClose);
    }
    return wait_for_bytes(Phase::kBody, steady_ms() + core_.options.body_idle_deadline.count());
  }
}

Connection::Step Connection::finish_request() {
  observe();
  const bool close = exchange_->after == AfterAnswer::kClose;
  exchange_.reset();
  --core_.running;
  out_.clear();
  if (out_.capacity() > kLargeBuffer) out_.shrink_to_fit();
  if (close) {
    constexpr std::int64_t kLingerMs = 2000;
    arm(Phase::kClosing, steady_ms() + kLingerMs);
    begin_ = end_ = 0;
    transport_->close_politely(room(), shared_from_this());
    return Step::kWait;
  }
  const bool skip = skip_left_ > 0;
  arm(skip ? Phase::kSkipping : Phase::kIdle, skip ? steady_ms() + core_.options.head_deadline.count() : kNever);
  return Step::kNext;
}

// The short rest of a body that nobody wanted.
Connection::Step Connection::skip_body() {
  const auto dropped = std::min<std::uint64_t>(skip_left_, end_ - begin_);
  consume(dropped);
  skip_left_ -= dropped;
  if (skip_left_ > 0) return wait_for_bytes(Phase::kSkipping, deadline_ms_);
  arm(Phase::kIdle, kNever);
  return Step::kNext;
}

}  // namespace mlops::http
