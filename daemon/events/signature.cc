#include "daemon/events/signature.h"

#include <fmt/format.h>

namespace mlops::events {

std::string secret_text(const crypto::SecretBytes& secret) {
  return "whsec_" + to_base64(secret.view());
}

std::string signature_of(const std::vector<crypto::SecretBytes>& secrets, std::string_view id, std::int64_t timestamp_s,
                         std::string_view body) {
  const auto signed_text = fmt::format("{}.{}.{}", id, timestamp_s, body);
  std::string out;
  for (const auto& secret : secrets) {
    const auto mac = crypto::hmac_sha256(secret.view(), signed_text);
    out += fmt::format("{}v1,{}", out.empty() ? "" : " ", to_base64(mac));
  }
  return out;
}

}  // namespace mlops::events
