// crypto_wallet: Bitcoin and its kin (Base58Check: double SHA-256; Bech32 and Bech32m: BIP 173, BIP 350), and Ethereum
// addresses (0x and forty hexadecimal digits, which hashes are too: context decides).
#include <algorithm>
#include <array>
#include <optional>

#include "core/crypto/digest.h"
#include "policies/detect/family.h"
#include "policies/detect/long_runs.h"
#include "policies/detect/scan.h"
#include "policies/detect/special_ids.h"

namespace mlops::detect {
namespace {

constexpr HeaderRule kHeaders[] = {
    {"wallet", HeaderMatch::kAny, 0.9},           {"btc address", HeaderMatch::kAny, 0.95},
    {"bitcoin address", HeaderMatch::kAny, 0.95}, {"eth address", HeaderMatch::kAny, 0.95},
    {"crypto address", HeaderMatch::kAny, 0.95},  {"bitcoin", HeaderMatch::kExact, 0.7},
};
constexpr std::string_view kWords[] = {"wallet",   "bitcoin", "btc",  "ethereum", "eth",     "crypto",
                                       "litecoin", "ltc",     "doge", "address",  "satoshi", "erc20"};
constexpr std::string_view kBase58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
constexpr std::string_view kBech32 = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";
constexpr std::size_t kPayload = 25;  // version, 20 bytes, 4 bytes of check

std::optional<std::array<std::uint8_t, kPayload>> base58_payload(std::string_view text) {
  std::array<std::uint8_t, kPayload> bytes{};
  for (const char c : text) {
    const std::size_t digit = kBase58.find(c);
    if (digit == std::string_view::npos) return std::nullopt;
    unsigned carry = static_cast<unsigned>(digit);
    for (std::size_t i = kPayload; i-- > 0;) {
      carry += bytes[i] * 58u;
      bytes[i] = static_cast<std::uint8_t>(carry & 0xFF);
      carry >>= 8;
    }
    if (carry != 0) return std::nullopt;
  }
  return bytes;
}

bool base58_check_holds(std::string_view text) {
  const auto bytes = base58_payload(text);
  if (!bytes) return false;
  const auto once = crypto::sha256(ByteView(bytes->data(), kPayload - 4));
  const auto twice = crypto::sha256(once.bytes());
  return std::equal(bytes->end() - 4, bytes->end(), twice.bytes().begin());
}

std::uint32_t polymod_step(std::uint32_t check, unsigned value) {
  constexpr std::uint32_t kGenerator[] = {0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3};
  const std::uint32_t top = check >> 25;
  check = ((check & 0x1ffffff) << 5) ^ value;
  for (unsigned i = 0; i < 5; ++i) check ^= (top >> i & 1) != 0 ? kGenerator[i] : 0;
  return check;
}

// REQUIRES: all of one case.
bool bech32_check_holds(std::string_view prefix, std::string_view data) {
  constexpr std::uint32_t kBech32m = 0x2bc830a3;
  std::uint32_t check = 1;
  for (const char c : prefix) check = polymod_step(check, static_cast<unsigned char>(to_lower(c)) >> 5);
  check = polymod_step(check, 0);
  for (const char c : prefix) check = polymod_step(check, static_cast<unsigned char>(to_lower(c)) & 31);
  for (const char c : data) {
    const std::size_t value = kBech32.find(to_lower(c));
    if (value == std::string_view::npos) return false;
    check = polymod_step(check, static_cast<unsigned>(value));
  }
  return check == 1 || check == kBech32m;
}

bool is_bech32(std::string_view token) {
  for (const std::string_view prefix : {"bc", "tb", "ltc"}) {
    if (!has_at(token, 0, prefix) || at_or_nul(token, prefix.size()) != '1') continue;
    const bool mixed =
        std::any_of(token.begin(), token.end(), is_lower) && std::any_of(token.begin(), token.end(), is_upper);
    return !mixed && bech32_check_holds(token.substr(0, prefix.size()), token.substr(prefix.size() + 1));
  }
  return false;
}

bool is_ethereum(std::string_view token) {
  return token.size() == 42 && token[0] == '0' && token[1] == 'x' &&
         std::all_of(token.begin() + 2, token.end(), is_hex);
}

class CryptoWallet : public Family {
 public:
  CryptoWallet() : Family({"crypto_wallet", kHeaders, Needs::kNothing, true}) {}

 protected:
  void search(std::string_view text, double column_score, std::vector<Span>& out) const override {
    for_each_long_run(text, kShortest, is_alnum, [&](std::size_t begin, std::size_t end) {
      if (end - begin > kLongest) return;
      const double score = rate(text, begin, end, column_score >= kAgrees);
      if (score > 0) out.push_back({begin, end, score});
    });
  }

 private:
  static constexpr std::size_t kShortest = 25;
  static constexpr std::size_t kLongest = 90;
  static double rate(std::string_view text, std::size_t begin, std::size_t end, bool column) {
    constexpr std::size_t kLongestBase58 = 35;
    const std::string_view token = text.substr(begin, end - begin);
    // One in 2^32 or 2^30 passes by chance.
    const bool base58 = std::string_view("13LMDA").find(token[0]) != std::string_view::npos;
    if (base58 && token.size() <= kLongestBase58 && base58_check_holds(token)) return 0.97;
    if (is_bech32(token)) return 0.97;
    if (!is_ethereum(token)) return 0;
    return column || keyword_near(text, begin, end, kWords) ? 0.9 : 0.45;
  }
};

}  // namespace

const Detector& crypto_wallet() {
  static const CryptoWallet kDetector;
  return kDetector;
}

}  // namespace mlops::detect
