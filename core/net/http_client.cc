#include "core/net/http_client.h"

#include <httplib.h>
#include <pthread.h>
#include <signal.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <ctime>
#include <optional>
#include <utility>
#include <vector>

#include "core/base/text.h"
#include "core/net/deadline.h"
#include "core/net/exchange.h"
#include "core/net/url.h"

namespace mlops::net {
namespace {

// Large enough that system calls vanish beside the copying of the bytes.
constexpr std::size_t kUploadStepBytes = 1u << 20;

using SteadyClock = std::chrono::steady_clock;

// cpp-httplib writes to sockets without MSG_NOSIGNAL: a server that closes early would end this process. SIGPIPE is
// held back in this thread for the length of a call, and one that the call caused is taken away.
class SigpipeGuard {
 public:
  SigpipeGuard() {
    sigemptyset(&sigpipe_);
    sigaddset(&sigpipe_, SIGPIPE);
    sigset_t pending;
    sigpending(&pending);
    was_pending_ = sigismember(&pending, SIGPIPE) == 1;
    pthread_sigmask(SIG_BLOCK, &sigpipe_, &before_);
  }
  ~SigpipeGuard() {
    constexpr timespec kNow{};
    while (!was_pending_ && sigtimedwait(&sigpipe_, nullptr, &kNow) > 0) {
    }
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }
  SigpipeGuard(const SigpipeGuard&) = delete;
  SigpipeGuard& operator=(const SigpipeGuard&) = delete;

 private:
  sigset_t sigpipe_;
  sigset_t before_;
  bool was_pending_ = false;
};

HttpResponse to_response(const httplib::Response& from, std::string body) {
  HttpResponse response{from.status, {}, std::move(body)};
  for (const auto& [name, value] : from.headers) response.headers.try_emplace(to_lower_ascii(name), value);
  return response;
}

}  // namespace

std::string_view HttpResponse::header(const std::string& name) const {
  const auto found = headers.find(name);
  return found == headers.end() ? std::string_view{} : std::string_view(found->second);
}

// One server and the exchange now going on with it.
struct HttpClient::Connection {
  Connection(HttpClientOptions with, Url url) : options(std::move(with)), base(std::move(url)), client(base.origin()) {
    client.set_connection_timeout(std::chrono::milliseconds(options.connect_timeout_ms));
    client.set_read_timeout(std::chrono::milliseconds(options.read_timeout_ms));
    client.set_write_timeout(std::chrono::milliseconds(options.read_timeout_ms));
    client.set_tcp_nodelay(true);
    client.set_keep_alive(true);
    client.set_follow_location(false);
    client.set_decompress(false);
    client.set_url_encode(false);  // paths come encoded; a second time would change them
    if (options.whole_timeout_ms > 0) client.set_socket_options([this](socket_t socket) { deadline.watch(socket); });
    if (!options.ca_file.empty()) client.set_ca_cert_path(options.ca_file);
    if (!options.connect_to.empty()) client.set_hostname_addr_map({{base.host, options.connect_to}});
  }

  httplib::Request prepare(const HttpRequest& from) {
    httplib::Request request;
    request.method = from.method;
    request.path = base.path + from.path;
    request.set_header("User-Agent", options.user_agent);
    if (!options.bearer_token.empty()) request.set_header("Authorization", "Bearer " + options.bearer_token);
    for (const auto& [name, value] : from.headers) request.set_header(name, value);
    return request;
  }

  // Sends, hands 2xx bodies to `receiver` when there is one, and keeps every other body up to the limit.
  Result<HttpResponse> exchange(httplib::Request& request, const BodyReceiver* receiver) {
    stopped_by.reset();
    std::string body;
    int status = 0;
    request.response_handler = [&](const httplib::Response& head) {
      status = head.status;
      touch();
      return true;
    };
    request.content_receiver = [&](const char* data, std::size_t size, std::uint64_t, std::uint64_t) {
      touch();
      const bool streamed = receiver && status >= 200 && status < 300;
      return streamed ? give(*receiver, {data, size}) : keep(body, {data, size});
    };

    httplib::Response response;
    auto error = httplib::Error::Success;
    const SigpipeGuard guard;
    touch();
    if (options.whole_timeout_ms > 0) MLOPS_TRY(deadline.begin(options.whole_timeout_ms));
    bool is_whole = false;
    try {
      is_whole = client.send(request, response, error);
    } catch (const std::exception&) {
      // Falls through: a foreign exception means that the answer could not be read.
      error = httplib::Error::Read;
    }
    // First of all: a body that only the end of the connection ends looks whole when that was cut.
    if (deadline.end()) return server_too_slow(base.origin(), options.whole_timeout_ms);
    if (is_whole) return to_response(response, std::move(body));
    if (stopped_by) return fail(std::move(*stopped_by));
    return failure_of(error);
  }

  void touch() { last_activity = SteadyClock::now(); }

  bool give(const BodyReceiver& receiver, std::string_view piece) {
    Status taken = receiver(as_bytes(piece));
    if (taken) return true;
    stopped_by = std::move(taken.error());
    return false;
  }

  bool keep(std::string& body, std::string_view piece) {
    if (body.size() + piece.size() <= options.response_limit_bytes) {
      body += piece;
      return true;
    }
    stopped_by = response_too_large(base.origin(), options.response_limit_bytes).value();
    return false;
  }

  // Sends the next piece of the body; false stops the request with `stopped_by` set.
  bool send_piece(const UploadSource& source, std::size_t wanted, httplib::DataSink& sink) {
    buffer.resize(kUploadStepBytes);
    auto got = source.read(std::span(buffer).first(std::min(wanted, buffer.size())));
    if (!got) {
      stopped_by = std::move(got.error());
      return false;
    }
    if (*got == 0) {
      stopped_by = source_too_short().value();
      return false;
    }
    touch();
    return sink.write(reinterpret_cast<const char*>(buffer.data()), *got);
  }

  Failure failure_of(httplib::Error error) const {
    const std::string server = base.origin();
    const auto silence = SteadyClock::now() - last_activity;
    switch (error) {
      case httplib::Error::Connection:
      case httplib::Error::ConnectionTimeout:
      case httplib::Error::BindIPAddress:
        return server_unreachable(server);
      case httplib::Error::SSLConnection:
        return no_tls(server);
      case httplib::Error::SSLLoadingCerts:
        return unusable_ca_file();
      case httplib::Error::SSLServerVerification:
        return untrusted_certificate(server);
      default:
        break;
    }
    // cpp-httplib reports silence and a closed connection alike; how long nothing happened tells them apart.
    if (silence >= std::chrono::milliseconds(options.read_timeout_ms)) {
      return server_timeout(server, options.read_timeout_ms);
    }
    return connection_lost(server);
  }

  HttpClientOptions options;
  Url base;
  Deadline deadline;  // outlives the client, which tells it of its sockets
  httplib::Client client;
  std::vector<std::uint8_t> buffer;
  std::optional<Error> stopped_by;
  SteadyClock::time_point last_activity;
};

HttpClient::HttpClient(std::unique_ptr<Connection> connection) : connection_(std::move(connection)) {}
HttpClient::~HttpClient() = default;
HttpClient::HttpClient(HttpClient&&) noexcept = default;
HttpClient& HttpClient::operator=(HttpClient&&) noexcept = default;

Result<HttpClient> HttpClient::create(HttpClientOptions options) {
  MLOPS_ASSIGN(Url base, server_of(options));
  return HttpClient(std::make_unique<Connection>(std::move(options), std::move(base)));
}

Result<HttpResponse> HttpClient::request(const HttpRequest& request) {
  MLOPS_TRY(check_request(request));
  httplib::Request prepared = connection_->prepare(request);
  prepared.body = request.body;
  if (!request.body.empty() || !request.content_type.empty()) {
    prepared.set_header("Content-Type", request.content_type.empty() ? "application/json" : request.content_type);
  }
  return connection_->exchange(prepared, nullptr);
}

Result<HttpResponse> HttpClient::request(const std::string& method, const std::string& path, const std::string& body,
                                         const std::string& content_type) {
  return request({method, path, body, content_type, {}});
}

Result<HttpResponse> HttpClient::upload(const HttpRequest& request, const UploadSource& source) {
  MLOPS_TRY(check_request(request));
  httplib::Request prepared = connection_->prepare(request);
  prepared.set_header("Content-Type", request.content_type.empty() ? "application/octet-stream" : request.content_type);
  if (source.size_bytes > 0) {
    prepared.content_length_ = source.size_bytes;
    prepared.content_provider_ = [&](std::size_t, std::size_t wanted, httplib::DataSink& sink) {
      return connection_->send_piece(source, wanted, sink);
    };
  }
  return connection_->exchange(prepared, nullptr);
}

Result<HttpResponse> HttpClient::download(const HttpRequest& request, const BodyReceiver& receiver) {
  MLOPS_TRY(check_request(request));
  httplib::Request prepared = connection_->prepare(request);
  return connection_->exchange(prepared, &receiver);
}

}  // namespace mlops::net
