#include "core/net/bulk_client.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>
#include <utility>

#include "core/base/text.h"
#include "core/net/answer_parser.h"
#include "core/net/bulk_socket.h"
#include "core/net/exchange.h"

namespace mlops::net {
namespace {

// Room for the longest head, so that a full buffer always holds something that can be taken.
constexpr std::size_t kBufferFloorBytes = kAnswerHeadLimitBytes + 4'096;
constexpr std::size_t kMemoryPieceBytes = 256u << 10;
constexpr int kInterimAnswersMax = 16;

// What has been received and not been taken yet.
class InputBuffer {
 public:
  // Keeps what is in it. Grows only.
  void reserve(std::size_t capacity_bytes) {
    if (capacity_bytes <= capacity_bytes_) return;
    auto larger = std::make_unique_for_overwrite<std::uint8_t[]>(capacity_bytes);
    if (end_ > begin_) std::memcpy(larger.get(), bytes_.get() + begin_, end_ - begin_);
    end_ -= std::exchange(begin_, 0);
    bytes_ = std::move(larger);
    capacity_bytes_ = capacity_bytes;
  }
  bool empty() const { return begin_ == end_; }
  void clear() { begin_ = end_ = 0; }
  std::span<std::uint8_t> pending() { return {bytes_.get() + begin_, end_ - begin_}; }
  ByteView take(std::size_t size_bytes) {
    const ByteView taken = pending().first(size_bytes);
    begin_ += size_bytes;
    return taken;
  }
  // Free space behind what is pending, which moves to the front. Empty: full.
  std::span<std::uint8_t> room() {
    if (begin_ > 0) std::memmove(bytes_.get(), bytes_.get() + begin_, end_ - begin_);
    end_ -= std::exchange(begin_, 0);
    return {bytes_.get() + end_, capacity_bytes_ - end_};
  }
  void add(std::size_t size_bytes) { end_ += size_bytes; }

 private:
  std::unique_ptr<std::uint8_t[]> bytes_;
  std::size_t capacity_bytes_ = 0;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

// The body of a request, piece by piece. The first piece can be given again as long as no second one was asked for.
class Outgoing {
 public:
  Outgoing(std::uint64_t size_bytes, const BulkSource& source) : size_bytes_(size_bytes), source_(source) {}

  bool is_chunked() const { return size_bytes_ == kUnknownSize; }
  std::uint64_t size_bytes() const { return size_bytes_; }
  // Nothing is left to be asked for.
  bool is_complete() const { return is_chunked() ? has_ended_ : given_bytes_ == size_bytes_; }

  // Empty at the end of a body of unknown size. REQUIRES: not complete.
  Result<ByteView> next() {
    if (!std::exchange(is_rewound_, false)) {
      ++asked_;
      is_failed_ = true;
      MLOPS_ASSIGN(piece_, source_());
      is_failed_ = false;
    }
    has_ended_ = piece_.empty();
    if (has_ended_ && !is_chunked()) return source_too_short();
    if (piece_.size() > size_bytes_ - given_bytes_) return source_too_long();
    given_bytes_ += piece_.size();
    return piece_;
  }

  // Begins again, when that is possible.
  bool rewind() {
    if (asked_ > 1 || is_failed_) return false;
    is_rewound_ = asked_ == 1;
    has_ended_ = false;
    given_bytes_ = 0;
    return true;
  }

 private:
  std::uint64_t size_bytes_;
  const BulkSource& source_;
  ByteView piece_;
  std::uint64_t given_bytes_ = 0;
  int asked_ = 0;
  bool has_ended_ = false;
  bool is_failed_ = false;
  bool is_rewound_ = false;
};

// Where the body of a 2xx answer goes; without a receiver into memory, as that of every other answer.
struct Sink {
  const BodyReceiver* receiver = nullptr;
  std::size_t piece_bytes = kMemoryPieceBytes;
  std::size_t limit_bytes = 0;
};

// One request and its answer on an open connection.
class Exchange {
 public:
  Exchange(BulkSocket& socket, InputBuffer& input, Outgoing& body, const Sink& sink, AnswerParser::Expect expect)
      : socket_(socket), input_(input), body_(body), sink_(sink), expect_(expect) {
    parser_.emplace(expect_);
  }

  Result<HttpResponse> run(const std::string& head) {
    MLOPS_TRY(send(head));
    while (!is_answered_) MLOPS_TRY(read_head());
    MLOPS_TRY(read_body());
    return std::move(response_);
  }

  // Whether anything of an answer came.
  bool has_heard() const { return has_heard_; }
  // Whether another exchange may follow on the connection. REQUIRES: run() was successful.
  bool keeps_connection() const {
    return is_all_sent_ && input_.empty() && parser_->framing() != BodyFraming::kUntilClose &&
           parser_->keeps_connection();
  }

 private:
  // Until the end of the body, or an answer.
  Status send(const std::string& head) {
    std::string frame = head;
    for (;;) {
      std::array<ByteView, 3> parts;  // head and chunk size, piece, end of chunk
      if (!body_.is_complete()) {
        MLOPS_ASSIGN(parts[1], body_.next());
        if (body_.is_chunked()) {
          frame += fmt::format("{:x}\r\n", parts[1].size());
          parts[2] = as_bytes("\r\n");
        }
      }
      parts[0] = as_bytes(frame);
      MLOPS_TRY(send_parts(parts));
      is_all_sent_ = body_.is_complete() && parts[2].empty() && parts[1].empty() && parts[0].empty();
      if (is_answered_ || body_.is_complete()) return {};
      frame.clear();
      // A refusal may be here already, however fast the socket takes what is sent.
      if (!input_.empty() || socket_.has_input()) MLOPS_TRY(read_head());
      if (is_answered_) return {};
    }
  }

  Status send_parts(std::span<ByteView> parts) {
    for (;;) {
      MLOPS_ASSIGN(const SendEnd end, socket_.send(parts));
      if (end == SendEnd::kAllSent) return {};
      MLOPS_TRY(read_head());
      if (is_answered_) return {};
    }
  }

  // Reads one head; that of an interim answer (1xx) is passed over.
  Status read_head() {
    for (;;) {
      const auto step = input_.empty() ? AnswerParser::Step{} : parser_->take_head(input_.pending());
      input_.take(step.used_bytes);
      if (step.progress == AnswerParser::Progress::kBroken) return bad_answer(origin());
      if (step.progress == AnswerParser::Progress::kDone) break;
      MLOPS_TRY(receive_more());
    }
    response_ = parser_->head();
    is_answered_ = response_.status >= 200;
    if (is_answered_) return {};
    if (response_.status == 101 || ++interim_answers_ > kInterimAnswersMax) return bad_answer(origin());
    parser_.emplace(expect_);
    return {};
  }

  Status read_body() {
    switch (parser_->framing()) {
      case BodyFraming::kNone:
        return {};
      case BodyFraming::kSized:
        return read_sized();
      case BodyFraming::kChunked:
        return read_chunked();
      case BodyFraming::kUntilClose:
        return read_until_close();
    }
    return {};
  }

  Status read_sized() {
    std::uint64_t left_bytes = parser_->size_bytes();
    if (!is_streamed()) {
      if (left_bytes > sink_.limit_bytes) return response_too_large(origin(), sink_.limit_bytes);
      response_.body.reserve(left_bytes);
    }
    for (;;) {
      const ByteView piece = input_.take(std::min<std::uint64_t>(left_bytes, input_.pending().size()));
      left_bytes -= piece.size();
      MLOPS_TRY(give(piece));
      if (left_bytes == 0) return {};
      MLOPS_TRY(receive_more(left_bytes));
    }
  }

  Status read_chunked() {
    for (;;) {
      const auto step = input_.empty() ? AnswerParser::Step{} : parser_->take_chunked(input_.pending());
      input_.take(step.used_bytes);
      if (step.progress == AnswerParser::Progress::kBroken) return bad_answer(origin());
      MLOPS_TRY(give(step.content));
      if (step.progress == AnswerParser::Progress::kDone) return {};
      MLOPS_TRY(receive_more());
    }
  }

  Status read_until_close() {
    for (;;) {
      MLOPS_TRY(give(input_.take(input_.pending().size())));
      MLOPS_ASSIGN(const std::size_t size_bytes, socket_.receive(input_.room()));
      if (size_bytes == 0) return {};
      input_.add(size_bytes);
    }
  }

  // No more than is wanted: what belongs to no answer would end the connection's use.
  Status receive_more(std::uint64_t wanted_bytes = ~std::uint64_t{0}) {
    const auto room = input_.room();
    if (room.empty()) return bad_answer(origin());
    MLOPS_ASSIGN(const std::size_t size_bytes,
                 socket_.receive(room.first(std::min<std::uint64_t>(room.size(), wanted_bytes))));
    if (size_bytes == 0) return connection_lost(origin());
    input_.add(size_bytes);
    has_heard_ = true;
    return {};
  }

  bool is_streamed() const { return sink_.receiver && response_.is_success(); }

  Status give(ByteView content) {
    if (!is_streamed()) {
      if (content.size() > sink_.limit_bytes - response_.body.size()) {
        return response_too_large(origin(), sink_.limit_bytes);
      }
      response_.body.append(reinterpret_cast<const char*>(content.data()), content.size());
      return {};
    }
    while (!content.empty()) {
      const std::size_t step = std::min(content.size(), sink_.piece_bytes);
      MLOPS_TRY((*sink_.receiver)(content.first(step)));
      content = content.subspan(step);
    }
    return {};
  }

  std::string origin() const { return socket_.server().origin(); }

  BulkSocket& socket_;
  InputBuffer& input_;
  Outgoing& body_;
  const Sink& sink_;
  const AnswerParser::Expect expect_;
  std::optional<AnswerParser> parser_;
  HttpResponse response_;
  int interim_answers_ = 0;
  bool is_answered_ = false;
  bool is_all_sent_ = false;
  bool has_heard_ = false;
};

// What this client writes itself would, written a second time, change where a message ends.
Status check_framing(const HttpRequest& request) {
  constexpr std::array<std::string_view, 4> kOwn{"host", "connection", "content-length", "transfer-encoding"};
  for (const auto& [name, value] : request.headers) {
    if (std::find(kOwn.begin(), kOwn.end(), to_lower_ascii(name)) != kOwn.end()) {
      return fail(ErrorCode::kInvalid, "bad_request", "a header is one that only the client itself may send");
    }
  }
  return {};
}

}  // namespace

class BulkClient::Impl {
 public:
  Impl(HttpClientOptions options, Url server) : options_(std::move(options)), socket_(options_, std::move(server)) {}

  Result<HttpResponse> run(const HttpRequest& request, std::string_view content_type, Outgoing body, const Sink& sink) {
    MLOPS_TRY(check_request(request));
    MLOPS_TRY(check_framing(request));
    input_.reserve(std::max(sink.piece_bytes, kBufferFloorBytes));
    const std::string head = head_of(request, content_type, body);
    const auto expect = request.method == "HEAD" ? AnswerParser::Expect::kHeadOnly : AnswerParser::Expect::kBody;
    for (;;) {
      // Whatever comes between exchanges is the end of the connection.
      if (socket_.is_open() && socket_.has_input()) socket_.close();
      const bool is_kept = socket_.is_open();
      if (!is_kept) MLOPS_TRY(socket_.connect());
      input_.clear();
      Exchange exchange(socket_, input_, body, sink, expect);
      auto response = exchange.run(head);
      if (!response || !exchange.keeps_connection()) socket_.close();
      if (response) return response;
      const bool is_stale = is_kept && !exchange.has_heard() && response.error().slug == "connection_lost";
      if (!is_stale || socket_.is_aborted() || !body.rewind()) return response;
    }
  }

  Sink sink(const BodyReceiver* receiver = nullptr, std::size_t piece_bytes = kMemoryPieceBytes) const {
    return {receiver, std::max<std::size_t>(piece_bytes, 1), options_.response_limit_bytes};
  }

  void abort() { socket_.abort(); }

 private:
  std::string head_of(const HttpRequest& request, std::string_view content_type, const Outgoing& body) const {
    const Url& server = socket_.server();
    const std::string origin = server.origin();
    std::string head = fmt::format("{} {}{} HTTP/1.1\r\n", request.method, server.path, request.path);
    const auto add = [&](std::string_view name, std::string_view value) {
      head += fmt::format("{}: {}\r\n", name, value);
    };
    add("Host", std::string_view(origin).substr(server.scheme.size() + 3));
    add("Accept", "*/*");
    if (!options_.user_agent.empty()) add("User-Agent", options_.user_agent);
    if (!options_.bearer_token.empty()) add("Authorization", "Bearer " + options_.bearer_token);
    if (!content_type.empty()) add("Content-Type", content_type);
    for (const auto& [name, value] : request.headers) add(name, value);
    const bool has_size = body.size_bytes() > 0 || (request.method != "GET" && request.method != "HEAD");
    if (body.is_chunked()) {
      add("Transfer-Encoding", "chunked");
    } else if (has_size) {
      add("Content-Length", std::to_string(body.size_bytes()));
    }
    return head + "\r\n";
  }

  HttpClientOptions options_;
  BulkSocket socket_;
  InputBuffer input_;
};

BulkClient::BulkClient(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
BulkClient::~BulkClient() = default;
BulkClient::BulkClient(BulkClient&&) noexcept = default;
BulkClient& BulkClient::operator=(BulkClient&&) noexcept = default;

Result<BulkClient> BulkClient::create(HttpClientOptions options) {
  MLOPS_ASSIGN(Url server, server_of(options));
  return BulkClient(std::make_unique<Impl>(std::move(options), std::move(server)));
}

Result<HttpResponse> BulkClient::request(const HttpRequest& request) {
  return download(request, {}, kMemoryPieceBytes);
}

Result<HttpResponse> BulkClient::upload(const HttpRequest& request, std::uint64_t size_bytes,
                                        const BulkSource& source) {
  std::string_view type = request.content_type;
  if (type.empty()) type = "application/octet-stream";
  return impl_->run(request, type, Outgoing(size_bytes, source), impl_->sink());
}

Result<HttpResponse> BulkClient::download(const HttpRequest& request, const BodyReceiver& receiver,
                                          std::size_t piece_bytes) {
  const BulkSource whole = [&]() -> Result<ByteView> { return as_bytes(request.body); };
  std::string_view type = request.content_type;
  if (type.empty() && !request.body.empty()) type = "application/json";
  const Outgoing body(request.body.size(), whole);
  return impl_->run(request, type, body, impl_->sink(receiver ? &receiver : nullptr, piece_bytes));
}

void BulkClient::abort() {
  impl_->abort();
}

}  // namespace mlops::net
