// The ApiClient over a Transport: JSON in and out, errors with the server's own words.
// Thread-safety: one thread at a time.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "cli/session.h"
#include "cli/transport.h"

namespace mlops::cli {

class HttpApiClient final : public ApiClient {
 public:
  // Called after each exchange with "GET /api/v1/…", status and the server's request id (--verbose).
  using Observe = std::function<void(std::string_view call, int status, std::string_view request_id)>;

  HttpApiClient(std::unique_ptr<Transport> transport, std::string server_url, Observe observe = {});

  Result<Json> get(const std::string& path_and_query) override;
  Result<Json> post(const std::string& path, const Json& body) override;
  Result<Json> put(const std::string& path, const Json& body) override;
  Result<Json> del(const std::string& path, const Json& body) override;
  Result<Raw> raw(const std::string& method, const std::string& path, const std::string& body) override;
  Result<std::string> post_bytes(const std::string& path, std::string_view body) override;
  Result<std::string> get_bytes(const std::string& path) override;
  Result<Json> post_stream(const std::string& path, const std::function<Result<ByteView>()>& next,
                           std::uint64_t size_bytes) override;
  Status get_for_stream(const std::string& path, const std::function<Status(ByteView)>& sink) override;
  Status post_for_stream(const std::string& path, std::string_view body,
                         const std::function<Status(ByteView)>& sink) override;
  Result<std::unique_ptr<ApiClient>> another() const override;
  std::string server_url() const override { return server_url_; }

  // Of the last answer; "" before the first.
  const std::string& last_request_id() const { return last_request_id_; }

 private:
  Result<std::string> call_bytes(const HttpCall& call);
  Result<Json> call_json(const std::string& method, const std::string& path, const Json* body);
  Result<HttpReply> exchange(const HttpCall& call);

  const std::unique_ptr<Transport> transport_;
  const std::string server_url_;
  const Observe observe_;
  std::string last_request_id_;
};

}  // namespace mlops::cli
