// What all connections of one server share: settings, table, pools, counts. Private to daemon/http.
//
// Thread-safety: options, router, callbacks and host names are immutable after construction; the rest is synchronised.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <unordered_set>
#include <vector>

#include "core/base/clock.h"
#include "core/base/thread_pool.h"
#include "daemon/http/server.h"

namespace mlops::http {

class Connection;

// Open connections, in all and for each address.
class PeerCounts {
 public:
  PeerCounts(std::size_t limit, std::size_t per_ip_limit) : limit_(limit), per_ip_limit_(per_ip_limit) {}
  bool try_enter(const std::string& ip);  // false: over a limit, nothing was counted
  void leave(const std::string& ip);
  std::size_t total() const;

 private:
  const std::size_t limit_;
  const std::size_t per_ip_limit_;
  mutable std::mutex mutex_;
  std::size_t total_ = 0;
  std::map<std::string, std::size_t> by_ip_;
};

// The connections of one I/O thread. A connection takes itself out before it goes, so every pointer inside is alive.
class ConnectionSet {
 public:
  void add(Connection* connection);
  void remove(Connection* connection);
  template <class Visit>
  void for_each(const Visit& visit) {
    const std::lock_guard lock(mutex_);
    for (Connection* connection : connections_) visit(*connection);
  }

 private:
  std::mutex mutex_;
  std::unordered_set<Connection*> connections_;
};

// The Host names this server answers to: its address, localhost and the configured ones, in lower case.
std::set<std::string, std::less<>> allowed_host_names(const ServerOptions& options);

struct ServerCore {
  ServerCore(ServerOptions server_options, Router table, Authenticate authenticate_with, Observe observe_with);

  const ServerOptions options;
  const Router router;
  const Authenticate authenticate;
  const Observe observe;
  const std::set<std::string, std::less<>> host_names;
  SystemClock clock;
  PeerCounts peers;
  std::vector<std::unique_ptr<ConnectionSet>> shards;
  std::atomic<bool> draining{false};
  std::atomic<std::size_t> running{0};  // requests between their head and the end of their answer
  std::unique_ptr<ThreadPool> workers;
  std::unique_ptr<ThreadPool> streams;
};

}  // namespace mlops::http
