// What the tests of BulkClient share: clients, and bodies to send.
#pragma once

#include <algorithm>
#include <future>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/net/bulk_client.h"
#include "tests/unit/catch.h"

namespace mlops::net::test {

inline BulkClient client_for(const std::string& url, std::int64_t read_timeout_ms = 5'000,
                             std::size_t limit_bytes = 1u << 20) {
  HttpClientOptions options;
  options.base_url = url;
  options.bearer_token = "mlo_test";
  options.read_timeout_ms = read_timeout_ms;
  options.response_limit_bytes = limit_bytes;
  auto client = BulkClient::create(std::move(options));
  REQUIRE(client);
  return std::move(*client);
}

// Gives `text` in pieces and counts them.
struct TextSource {
  std::string_view rest;
  std::size_t piece_bytes = 1'000;
  std::shared_ptr<int> asked = std::make_shared<int>(0);

  Result<ByteView> operator()() {
    ++*asked;
    const std::string_view piece = rest.substr(0, piece_bytes);
    rest.remove_prefix(piece.size());
    return as_bytes(piece);
  }
};

// Never ends; says when its second piece was asked for.
struct EndlessSource {
  std::shared_ptr<std::promise<void>> on_second = std::make_shared<std::promise<void>>();
  int asked = 0;
  std::vector<std::uint8_t> piece = std::vector<std::uint8_t>(1u << 20);

  Result<ByteView> operator()() {
    if (++asked == 2) on_second->set_value();
    return ByteView(piece);
  }
};

}  // namespace mlops::net::test
