#include "core/crypto/machine.h"

#include "core/base/env.h"
#include "core/crypto/digest.h"

namespace mlops::crypto {
namespace {

constexpr std::size_t kDigits = 32;

std::string make_word() {
  const auto boot_id = read_file("/proc/sys/kernel/random/boot_id", 4096);
  return boot_id && !boot_id->empty() ? sha256("mlops machine\n" + *boot_id).hex().substr(0, kDigits) : std::string();
}

}  // namespace

const std::string& machine_word() {
  static const std::string word = make_word();
  return word;
}

}  // namespace mlops::crypto
