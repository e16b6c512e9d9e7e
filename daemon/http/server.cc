#include "daemon/http/server.h"

#include <thread>

#include "core/base/text.h"
#include "daemon/http/connection.h"
#include "daemon/http/server_core.h"
#include "daemon/http/transport.h"

namespace mlops::http {
namespace {

constexpr auto kDrainPoll = std::chrono::milliseconds(5);
constexpr auto kLastBytes = std::chrono::milliseconds(500);  // for answers still in socket buffers

using SteadyTime = std::chrono::steady_clock::time_point;

template <class Done>
void wait_until(SteadyTime deadline, const Done& done) {
  while (!done() && std::chrono::steady_clock::now() < deadline) std::this_thread::sleep_for(kDrainPoll);
}

}  // namespace

bool PeerCounts::try_enter(const std::string& ip) {
  const std::lock_guard lock(mutex_);
  if (total_ >= limit_) return false;
  auto& count = by_ip_[ip];
  if (count >= per_ip_limit_) return false;
  ++count;
  ++total_;
  return true;
}

void PeerCounts::leave(const std::string& ip) {
  const std::lock_guard lock(mutex_);
  --total_;
  const auto it = by_ip_.find(ip);
  if (--it->second == 0) by_ip_.erase(it);
}

std::size_t PeerCounts::total() const {
  const std::lock_guard lock(mutex_);
  return total_;
}

void ConnectionSet::add(Connection* connection) {
  const std::lock_guard lock(mutex_);
  connections_.insert(connection);
}

void ConnectionSet::remove(Connection* connection) {
  const std::lock_guard lock(mutex_);
  connections_.erase(connection);
}

std::set<std::string, std::less<>> allowed_host_names(const ServerOptions& options) {
  std::set<std::string, std::less<>> names{"localhost", "127.0.0.1", "::1"};
  names.insert(to_lower_ascii(options.address));
  for (const auto& name : options.allowed_hosts) names.insert(to_lower_ascii(name));
  return names;
}

ServerCore::ServerCore(ServerOptions server_options, Router table, Authenticate authenticate_with, Observe observe_with)
    : options(std::move(server_options)),
      router(std::move(table)),
      authenticate(std::move(authenticate_with)),
      observe(std::move(observe_with)),
      host_names(allowed_host_names(options)),
      peers(options.connection_limit, options.connections_per_ip_limit) {
  for (std::size_t i = 0; i < std::max<std::size_t>(options.io_threads, 1); ++i) {
    shards.push_back(std::make_unique<ConnectionSet>());
  }
}

class Server::Impl {
 public:
  Impl(ServerOptions options, Router router, Authenticate authenticate, Observe observe)
      : core_(std::move(options), std::move(router), std::move(authenticate), std::move(observe)),
        listener_(core_.options,
                  {[this](std::unique_ptr<Transport> peer, std::size_t shard) { welcome(std::move(peer), shard); },
                   [this](std::size_t shard) { tick(shard); }}) {}

  ~Impl() { drain(std::chrono::milliseconds(0)); }

  Status start() {
    const auto& options = core_.options;
    core_.workers = std::make_unique<ThreadPool>(options.worker_threads, options.queue_limit);
    core_.streams = std::make_unique<ThreadPool>(options.stream_threads, options.queue_limit);
    return listener_.start();
  }

  int port() const { return listener_.port(); }

  void drain(std::chrono::milliseconds allowed) {
    if (is_drained_) return;
    is_drained_ = true;
    const auto deadline = std::chrono::steady_clock::now() + allowed;
    core_.draining = true;
    listener_.stop_accepting();
    for_each_connection([](Connection& connection) { connection.let_go(); });
    wait_until(deadline, [this] { return core_.running == 0; });
    wait_until(std::min(deadline, std::chrono::steady_clock::now() + kLastBytes),
               [this] { return core_.peers.total() == 0; });
    for_each_connection([](Connection& connection) { connection.stop(); });
    // First the threads that post jobs, then the pools they post to, then (destructor) what both refer to.
    listener_.stop();
    core_.workers.reset();
    core_.streams.reset();
    std::vector<std::shared_ptr<Connection>> parked;
    for_each_connection([&](Connection& connection) { parked.push_back(connection.unpark()); });
  }

 private:
  void welcome(std::unique_ptr<Transport> peer, std::size_t shard) {
    if (!core_.peers.try_enter(peer->peer_ip())) return;  // over a limit: closed
    std::make_shared<Connection>(core_, std::move(peer), shard)->start();
  }

  void tick(std::size_t shard) {
    const auto now_ms = steady_ms();
    core_.shards[shard]->for_each([now_ms](Connection& connection) { connection.tick(now_ms); });
  }

  template <class Visit>
  void for_each_connection(const Visit& visit) {
    for (auto& shard : core_.shards) shard->for_each(visit);
  }

  ServerCore core_;
  Listener listener_;  // its pending operations hold connections, which refer to core_
  bool is_drained_ = false;
};

Server::Server(ServerOptions options, Router router, Authenticate authenticate, Observe observe)
    : impl_(
          std::make_unique<Impl>(std::move(options), std::move(router), std::move(authenticate), std::move(observe))) {}
Server::~Server() = default;
Status Server::start() {
  return impl_->start();
}
int Server::port() const {
  return impl_->port();
}
void Server::drain(std::chrono::milliseconds deadline) {
  impl_->drain(deadline);
}

}  // namespace mlops::http
