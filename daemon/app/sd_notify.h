// Telling the service manager (systemd's notify protocol) how far the daemon is: one datagram of KEY=value lines to the
// AF_UNIX socket in NOTIFY_SOCKET. Thread-safety: free functions without state.
#pragma once

#include <string>
#include <string_view>

#include "core/base/result.h"

namespace mlops::app {

// `socket_path` is the value of NOTIFY_SOCKET: absolute, or "@name" for the abstract namespace; empty: nobody wants to
// know, success. Errors: kInvalid "bad_notify_socket", kUnavailable "notify_failed". Nothing depends on delivery.
Status sd_notify(std::string_view socket_path, std::string_view state);

inline constexpr std::string_view kNotifyReady = "READY=1";
inline constexpr std::string_view kNotifyStopping = "STOPPING=1";

}  // namespace mlops::app
