// Names follow SP 800-38G, algorithms 7 and 8: n numerals, halves of u and v, b bytes for a half's number, d bytes from
// the round function. Numbers stay strings of numerals: only the round's output is brought to the radix.
#include "core/crypto/ff1.h"

#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

namespace mlops::crypto {
namespace {

constexpr std::size_t kBlockBytes = 16;
constexpr unsigned kRounds = 10;
using Block = std::array<std::uint8_t, kBlockBytes>;
using Numerals = std::vector<std::uint8_t>;

struct FreeCipherContext {
  void operator()(EVP_CIPHER_CTX* handle) const { EVP_CIPHER_CTX_free(handle); }
};

// nullptr: no AES has such a key.
const EVP_CIPHER* ecb_method(std::size_t key_bytes) {
  static const EVP_CIPHER* const small = EVP_CIPHER_fetch(nullptr, "AES-128-ECB", nullptr);
  static const EVP_CIPHER* const middle = EVP_CIPHER_fetch(nullptr, "AES-192-ECB", nullptr);
  static const EVP_CIPHER* const large = EVP_CIPHER_fetch(nullptr, "AES-256-ECB", nullptr);
  return key_bytes == 32 ? large : key_bytes == 24 ? middle : key_bytes == 16 ? small : nullptr;
}

// Bytes that hold every number below radix^length.
std::size_t number_bytes(unsigned radix, std::size_t length) {
  // radix^length - 1, exactly: a logarithm would round where radix^length is near a power of two.
  std::vector<std::uint8_t> number{0};  // little-endian
  for (std::size_t i = 0; i < length; ++i) {
    unsigned carry = radix - 1;
    for (auto& byte : number) {
      carry += byte * radix;
      byte = static_cast<std::uint8_t>(carry);
      carry >>= 8;
    }
    if (carry > 0) number.push_back(static_cast<std::uint8_t>(carry));
  }
  return number.size();
}

void put_big_endian(std::uint8_t* to, std::uint32_t value) {
  for (int shift = 24; shift >= 0; shift -= 8) *to++ = static_cast<std::uint8_t>(value >> shift);
}

}  // namespace

struct Ff1::Cipher {
  std::unique_ptr<EVP_CIPHER_CTX, FreeCipherContext> context{EVP_CIPHER_CTX_new()};

  void encrypt(Block& block) const {
    int done = 0;
    // Only without memory; a wrong round must never be used.
    if (EVP_EncryptUpdate(context.get(), block.data(), &done, block.data(), kBlockBytes) != 1) std::abort();
  }
};

// One string's way through the ten rounds.
class Ff1::Rounds {
 public:
  Rounds(const Ff1& ff1, std::size_t length, ByteView tweak)
      : cipher_(*ff1.cipher_),
        radix_(ff1.radix_),
        u_(length / 2),
        v_(length - u_),
        b_(number_bytes(radix_, v_)),
        d_(4 * ((b_ + 3) / 4) + 4) {
    Block p{1, 2, 1, 0, static_cast<std::uint8_t>(radix_ >> 8), static_cast<std::uint8_t>(radix_), kRounds};
    p[7] = static_cast<std::uint8_t>(u_);
    put_big_endian(&p[8], static_cast<std::uint32_t>(length));
    put_big_endian(&p[12], static_cast<std::uint32_t>(tweak.size()));
    cipher_.encrypt(p);
    first_ = p;
    const std::size_t zeros = (kBlockBytes - (tweak.size() + b_ + 1) % kBlockBytes) % kBlockBytes;
    q_.assign(tweak.begin(), tweak.end());
    q_.resize(tweak.size() + zeros + 1 + b_);
  }

  std::size_t u() const { return u_; }
  // The numerals of a half in round i.
  std::size_t width(unsigned i) const { return i % 2 == 0 ? u_ : v_; }

  // The round function of `half`, as numerals; only the last `m` matter.
  Numerals of(const Numerals& half, unsigned i, std::size_t m) {
    q_[q_.size() - b_ - 1] = static_cast<std::uint8_t>(i);
    put_number(half);
    Block r = first_;
    for (std::size_t at = 0; at < q_.size(); at += kBlockBytes) {
      for (std::size_t j = 0; j < kBlockBytes; ++j) r[j] ^= q_[at + j];
      cipher_.encrypt(r);
    }
    std::vector<std::uint8_t> s(r.begin(), r.end());
    for (std::uint32_t j = 1; s.size() < d_; ++j) {
      Block next = r;
      std::array<std::uint8_t, 4> counter;
      put_big_endian(counter.data(), j);
      for (std::size_t k = 0; k < counter.size(); ++k) next[kBlockBytes - 4 + k] ^= counter[k];
      cipher_.encrypt(next);
      s.insert(s.end(), next.begin(), next.end());
    }
    s.resize(d_);
    return low_numerals(s, m);
  }

  // (a + b) mod radix^m, or (a - b).
  void add(Numerals& a, const Numerals& b) const {
    unsigned carry = 0;
    for (std::size_t i = a.size(); i-- > 0;) {
      const unsigned sum = a[i] + b[i] + carry;
      carry = sum >= radix_ ? 1 : 0;
      a[i] = static_cast<std::uint8_t>(sum - carry * radix_);
    }
  }
  void subtract(Numerals& a, const Numerals& b) const {
    unsigned borrow = 0;
    for (std::size_t i = a.size(); i-- > 0;) {
      const unsigned taken = b[i] + borrow;
      borrow = a[i] < taken ? 1 : 0;
      a[i] = static_cast<std::uint8_t>(a[i] + borrow * radix_ - taken);
    }
  }

 private:
  // The number that `half` writes, in the last b bytes of q.
  void put_number(const Numerals& half) {
    const auto begin = q_.end() - static_cast<std::ptrdiff_t>(b_);
    std::fill(begin, q_.end(), std::uint8_t{0});
    for (const std::uint8_t numeral : half) {
      unsigned carry = numeral;
      for (auto byte = q_.end(); byte != begin;) {
        --byte;
        carry += *byte * radix_;
        *byte = static_cast<std::uint8_t>(carry);
        carry >>= 8;
      }
    }
  }

  // The last m numerals of a big-endian number, which is used up.
  Numerals low_numerals(std::vector<std::uint8_t>& number, std::size_t m) const {
    Numerals numerals(m);
    for (std::size_t i = m; i-- > 0;) {
      unsigned rest = 0;
      for (auto& byte : number) {
        rest = (rest << 8) | byte;
        byte = static_cast<std::uint8_t>(rest / radix_);
        rest %= radix_;
      }
      numerals[i] = static_cast<std::uint8_t>(rest);
    }
    return numerals;
  }

  const Cipher& cipher_;
  unsigned radix_;
  std::size_t u_, v_, b_, d_;
  Block first_;                  // the encrypted first block P
  std::vector<std::uint8_t> q_;  // tweak, zeros, round, number
};

bool ff1_domain_is_large(unsigned radix, std::size_t length) {
  double domain = 1;
  for (std::size_t i = 0; i < length && domain < kLeastFf1Domain; ++i) domain *= radix;
  return domain >= kLeastFf1Domain;
}

Ff1::Ff1(std::unique_ptr<Cipher> cipher, unsigned radix) : cipher_(std::move(cipher)), radix_(radix) {}
Ff1::~Ff1() = default;
Ff1::Ff1(Ff1&&) noexcept = default;
Ff1& Ff1::operator=(Ff1&&) noexcept = default;

Result<Ff1> Ff1::make(ByteView key, unsigned radix) {
  if (radix < 2 || radix > kLargestFf1Radix)
    return fail(ErrorCode::kInvalid, "bad_radix", "FF1 takes a radix of 2 to 62");
  const EVP_CIPHER* const method = ecb_method(key.size());
  if (!method) return fail(ErrorCode::kInvalid, "bad_key_size", "the key does not fit the cipher");
  auto cipher = std::make_unique<Cipher>();
  if (!cipher->context || EVP_EncryptInit_ex2(cipher->context.get(), method, key.data(), nullptr, nullptr) != 1 ||
      EVP_CIPHER_CTX_set_padding(cipher->context.get(), 0) != 1) {
    return fail(ErrorCode::kInternal, "cipher_failed", "the cipher could not be run");
  }
  return Ff1(std::move(cipher), radix);
}

Status Ff1::check(std::span<const std::uint8_t> numerals) const {
  if (!ff1_domain_is_large(radix_, numerals.size())) {
    return fail(ErrorCode::kInvalid, "domain_too_small", "fewer than a million values have this form");
  }
  if (numerals.size() > kMostFf1Numerals) return fail(ErrorCode::kInvalid, "too_long", "too many numerals for FF1");
  const bool good = std::all_of(numerals.begin(), numerals.end(), [&](std::uint8_t one) { return one < radix_; });
  return good ? Status{} : Status(fail(ErrorCode::kInvalid, "bad_numeral", "a numeral is not below the radix"));
}

Result<std::vector<std::uint8_t>> Ff1::encrypt(std::span<const std::uint8_t> numerals, ByteView tweak) const {
  MLOPS_TRY(check(numerals));
  Rounds rounds(*this, numerals.size(), tweak);
  const auto middle = numerals.begin() + static_cast<std::ptrdiff_t>(rounds.u());
  Numerals a(numerals.begin(), middle);
  Numerals b(middle, numerals.end());
  for (unsigned i = 0; i < kRounds; ++i) {
    rounds.add(a, rounds.of(b, i, rounds.width(i)));
    std::swap(a, b);
  }
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

Result<std::vector<std::uint8_t>> Ff1::decrypt(std::span<const std::uint8_t> numerals, ByteView tweak) const {
  MLOPS_TRY(check(numerals));
  Rounds rounds(*this, numerals.size(), tweak);
  const auto middle = numerals.begin() + static_cast<std::ptrdiff_t>(rounds.u());
  Numerals a(numerals.begin(), middle);
  Numerals b(middle, numerals.end());
  for (unsigned i = kRounds; i-- > 0;) {
    std::swap(a, b);
    rounds.subtract(a, rounds.of(b, i, rounds.width(i)));
  }
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

}  // namespace mlops::crypto
