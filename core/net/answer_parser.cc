#include "core/net/answer_parser.h"

#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/parser.hpp>
#include <cstring>
#include <functional>
#include <limits>
#include <string_view>

#include "core/base/text.h"

namespace mlops::net {
namespace {

namespace http = boost::beast::http;

// No chunked body ends in less.
constexpr std::string_view kLastChunk = "0\r\n\r\n";

template <class Text>
std::string_view view_of(const Text& text) {
  return {text.data(), text.size()};
}

}  // namespace

struct AnswerParser::Beast {
  using Error = boost::system::error_code;

  explicit Beast(Expect expect) {
    parser.header_limit(kAnswerHeadLimitBytes);
    // The limit is the client's. (boost::none would refuse every length in Boost 1.74.)
    parser.body_limit(std::numeric_limits<std::uint64_t>::max());
    parser.skip(expect == Expect::kHeadOnly);
    parser.on_chunk_body(on_chunk);
  }

  // Beast throws where memory ends; a broken answer is all that the caller can make of it.
  Progress put(ByteView bytes, std::size_t& used_bytes) {
    Error error;
    try {
      used_bytes = parser.put(boost::asio::const_buffer(bytes.data(), bytes.size()), error);
    } catch (const std::exception&) {
      return Progress::kBroken;
    }
    return error && error != http::error::need_more ? Progress::kBroken : Progress::kNeedMore;
  }

  // Later pieces follow the first one directly, over the frames between them, which Beast has left behind.
  void gather(std::string_view piece) {
    if (gathered_bytes == 0) content = whole.data() + (piece.data() - reinterpret_cast<const char*>(whole.data()));
    std::memmove(content + gathered_bytes, piece.data(), piece.size());
    gathered_bytes += piece.size();
  }

  http::response_parser<http::empty_body> parser;
  // Beast keeps a reference to it.
  std::function<std::size_t(std::uint64_t, boost::beast::string_view, Error&)> on_chunk =
      [this](std::uint64_t, boost::beast::string_view piece, Error&) {
        gather(view_of(piece));
        return piece.size();
      };
  std::span<std::uint8_t> whole;  // of the call that goes on
  std::uint8_t* content = nullptr;
  std::size_t gathered_bytes = 0;
};

AnswerParser::AnswerParser(Expect expect) : beast_(std::make_unique<Beast>(expect)) {}
AnswerParser::~AnswerParser() = default;

AnswerParser::Step AnswerParser::take_head(ByteView bytes) {
  Step step;
  step.progress = beast_->put(bytes, step.used_bytes);
  if (step.progress == Progress::kNeedMore && beast_->parser.is_header_done()) step.progress = Progress::kDone;
  return step;
}

HttpResponse AnswerParser::head() const {
  const auto& message = beast_->parser.get();
  HttpResponse response{static_cast<int>(message.result_int()), {}, {}};
  for (const auto& field : message) {
    response.headers.try_emplace(to_lower_ascii(view_of(field.name_string())), view_of(field.value()));
  }
  return response;
}

BodyFraming AnswerParser::framing() const {
  const auto& parser = beast_->parser;
  if (parser.is_done()) return BodyFraming::kNone;
  if (parser.chunked()) return BodyFraming::kChunked;
  return parser.content_length() ? BodyFraming::kSized : BodyFraming::kUntilClose;
}

std::uint64_t AnswerParser::size_bytes() const {
  return beast_->parser.content_length().value();
}

bool AnswerParser::keeps_connection() const {
  return beast_->parser.keep_alive();
}

AnswerParser::Step AnswerParser::take_chunked(std::span<std::uint8_t> bytes) {
  // Beast asserts that it does not see less when it comes back to a last chunk.
  if (bytes.size() < kLastChunk.size()) return {};
  beast_->parser.eager(true);
  beast_->whole = bytes;
  beast_->gathered_bytes = 0;
  Step step;
  step.progress = beast_->put(bytes, step.used_bytes);
  if (step.progress == Progress::kNeedMore && beast_->parser.is_done()) step.progress = Progress::kDone;
  step.content = {beast_->content, beast_->gathered_bytes};
  return step;
}

}  // namespace mlops::net
