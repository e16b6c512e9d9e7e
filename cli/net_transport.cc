#include "cli/net_transport.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "cli/version.h"
#include "core/net/bulk_client.h"
#include "core/net/http_client.h"

namespace mlops::cli {
namespace {

constexpr std::int64_t kConnectTimeoutMs = 5000;

class NetTransport final : public Transport {
 public:
  NetTransport(net::HttpClient client, net::HttpClientOptions options, std::string origin)
      : client_(std::move(client)), options_(std::move(options)), origin_(std::move(origin)) {}

  Result<HttpReply> exchange(const HttpCall& call) override {
    auto response = send(call);
    if (!response) return fail(with_hint(std::move(response.error())));
    return HttpReply{response->status, std::move(response->headers), std::move(response->body)};
  }

  Result<std::unique_ptr<Transport>> another() const override {
    MLOPS_ASSIGN(auto client, net::HttpClient::create(options_));
    return std::unique_ptr<Transport>(std::make_unique<NetTransport>(std::move(client), options_, origin_));
  }

 private:
  // Small calls go through the one client, large bodies through the other.
  Result<net::HttpResponse> send(const HttpCall& call) {
    const net::HttpRequest request{call.method, call.path, call.body, call.content_type, {}};
    if (!call.sink && !call.stream) return client_.request(request);
    if (!bulk_) {
      MLOPS_ASSIGN(auto bulk, net::BulkClient::create(options_));
      bulk_.emplace(std::move(bulk));
    }
    if (call.sink) return bulk_->download(request, call.sink);
    const bool is_known = call.stream_bytes != kUnknownStreamBytes;
    return bulk_->upload(request, is_known ? call.stream_bytes : net::kUnknownSize, call.stream);
  }

  // Below this room nobody knows how the person starts a server or names one.
  Error with_hint(Error error) const {
    if (error.slug == "server_unreachable") {
      error.hint =
          fmt::format("start it with ./run or mlopsd; another address goes in --server or a context ({})", origin_);
    }
    if (error.slug == "tls_failed" && error.hint.find("CA file") != std::string::npos) {
      error.hint = "name its authority with --ca-file, or `ca:` of the context";
    }
    return error;
  }

  net::HttpClient client_;
  std::optional<net::BulkClient> bulk_;  // made at the first use
  const net::HttpClientOptions options_;
  const std::string origin_;
};

}  // namespace

Result<std::unique_ptr<Transport>> connect_over_net(const Connection& connection) {
  const auto timeout_ms = connection.timeout.count();
  net::HttpClientOptions options;
  options.base_url = connection.server;
  options.bearer_token = connection.token;
  options.ca_file = connection.ca_file;
  options.user_agent = fmt::format("mlopsctl/{}", kVersion);
  options.connect_timeout_ms = std::min(kConnectTimeoutMs, timeout_ms);
  options.read_timeout_ms = timeout_ms;
  MLOPS_ASSIGN(auto client, net::HttpClient::create(options));
  return std::unique_ptr<Transport>(std::make_unique<NetTransport>(
      std::move(client), std::move(options), fmt::format("now from {}", connection.server_origin)));
}

}  // namespace mlops::cli
