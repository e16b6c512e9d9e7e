// One peer's connection: head → admission → body → handler → answer, again until one side ends. Private to daemon/http.
//
//   kHandshake → kIdle → kHead → (kContinuing) → kBody → kHandling ⇄ kStreaming → kWriting → kSkipping → kIdle …
//   kHandling ⇄ kParked: an answer of events has nothing to say now; any → kClosing
//
// Invariants: one thread owns the connection at any time (transport.h); a pending read or write, or a job in a pool,
// holds the only lasting reference, so a connection without one goes away and closes; a parked one holds itself, and
// belongs to its I/O thread, whose tick hands it to a thread for streams when there is something to send. After
// starting an asynchronous step nothing of the connection is touched: another thread may be in it already. Deadlines:
// the owner sets `deadline_ms_`; tick() on the I/O thread takes an expired one and cuts the transport, which wakes the
// owner. Thread-safety: tick, let_go and stop from any thread; all else by the owner.
#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "daemon/http/admission.h"
#include "daemon/http/head.h"
#include "daemon/http/rate_guard.h"
#include "daemon/http/request_parser.h"
#include "daemon/http/server_core.h"
#include "daemon/http/transport.h"

namespace mlops::http {

// Milliseconds of a clock that never steps back.
std::int64_t steady_ms();

class Connection final : public TransportEvents, public std::enable_shared_from_this<Connection> {
 public:
  // REQUIRES: `core` counted the peer in; the connection counts it out.
  Connection(ServerCore& core, std::unique_ptr<Transport> transport, std::size_t shard);
  ~Connection() override;

  void start();
  void tick(std::int64_t now_ms);
  void let_go();  // closes the connection when no request is on its way
  // What keeps a parked connection alive, to be dropped outside of its set. REQUIRES: the I/O threads have ended.
  std::shared_ptr<Connection> unpark() { return std::move(parked_self_); }
  void stop() { transport_->stop(); }

  void on_ready(bool ok) override;
  void on_read(std::size_t size_bytes) override;
  void on_written(bool ok) override;

 private:
  enum class Phase {
    kHandshake,
    kIdle,
    kHead,
    kContinuing,  // "100 Continue" is on its way
    kBody,
    kHandling,
    kStreaming,
    kParked,
    kWriting,
    kSkipping,
    kClosing
  };
  // What a step leaves behind: the next one can follow at once, or something asynchronous has been started.
  enum class Step { kNext, kWait };
  class StreamedBody;

  // One request; made when its head is complete.
  static constexpr std::size_t kSmallBuffer = 4u << 10;   // what an idle connection holds
  static constexpr std::size_t kLargeBuffer = 64u << 10;  // bounds a chunk header and what is read ahead of a handler

  struct Exchange {
    Exchange(std::string request_id, RateGuard guard) : id(std::move(request_id)), rate(guard) {}

    std::string id;
    Head head;
    const Route* route = nullptr;
    Request request;
    RateGuard rate;
    std::chrono::steady_clock::time_point started_at = std::chrono::steady_clock::now();
    std::uint64_t body_left = 0;  // of a body with a length
    std::uint64_t body_read = 0;  // decoded bytes so far
    bool body_done = true;
    bool continue_owed = false;  // the peer waits for "100 Continue"
    AfterAnswer after = AfterAnswer::kKeepAlive;
    int status = 0;
  };

  // I/O side (connection.cc).
  void advance();
  Step step();
  Step read_head();
  Step begin_request(std::size_t head_bytes);
  Step invite_body();
  Step read_body();
  Step read_chunked_body();
  Step skip_body();
  Step finish_request();
  Step wait_for_bytes(Phase phase, std::int64_t deadline_ms);
  void expire();
  void prepare_body();
  RateGuard new_rate_guard() const;

  // Handler side (connection_answer.cc).
  Step dispatch();
  void run_handler();
  Response call_handler();
  Step refuse(Refusal refusal);
  Step answer_error(const Error& error, AfterAnswer after);
  Step answer(Response response);
  Step hand_to_streams(Response response);
  Step send_source(Response response);
  Step begin_events(Response response);
  void look_at_events();
  void pump_events();
  void end_events();
  Step send_buffered();
  AfterAnswer settle_body(AfterAnswer wanted);
  bool write_blocking(std::string_view bytes);
  void observe() const;

  std::string_view buffered() const { return {in_.data() + begin_, end_ - begin_}; }
  void consume(std::size_t size_bytes) { begin_ += size_bytes; }
  std::span<char> room();  // free space behind the buffered bytes; empty when the buffer is at its largest
  void resize_buffer(std::size_t size_bytes);
  void arm(Phase phase, std::int64_t deadline_ms);

  ServerCore& core_;
  std::unique_ptr<Transport> transport_;
  const std::size_t shard_;

  std::atomic<Phase> phase_{Phase::kHandshake};
  std::atomic<std::int64_t> deadline_ms_;
  std::atomic<bool> expired_{false};

  std::vector<char> in_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  std::string out_;
  std::size_t out_sent_ = 0;
  HeadScanner scanner_;
  RequestParser parser_;
  std::int64_t read_started_ms_ = 0;
  std::uint64_t skip_left_ = 0;
  bool is_first_request_ = true;
  std::optional<Exchange> exchange_;
  std::unique_ptr<EventSource> events_;
  std::shared_ptr<Connection> parked_self_;
};

}  // namespace mlops::http
