// A word that two processes share exactly when they run under one kernel that has not been started again meanwhile:
// what one sends to the other over a loopback address stays in this machine's memory. (An address of 127.0.0.0/8 alone
// says little: ssh and container engines forward such ports to other machines.)
//
// Linux's boot_id, hashed, so that it tells strangers nothing. Thread-safety: thread-safe.
#pragma once

#include <string>

namespace mlops::crypto {

// "" when the system does not tell.
const std::string& machine_word();

}  // namespace mlops::crypto
