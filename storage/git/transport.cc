#include "storage/git/transport.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <memory>

#include "core/base/text.h"

namespace mlops::git {
namespace {

// libgit2 asks again after a refused credential; the same one would be refused again.
int give_credential(git_credential** out, const char*, const char* user_of_url, unsigned allowed, void* payload) {
  auto& connection = *static_cast<Connection*>(payload);
  const auto& remote = connection.remote;
  const char* user = user_of_url && *user_of_url ? user_of_url : remote.user.c_str();
  if ((allowed & GIT_CREDENTIAL_USERNAME) != 0) return git_credential_username_new(out, user);
  if (++connection.credentials_asked > 1) return GIT_EAUTH;
  if ((allowed & GIT_CREDENTIAL_SSH_KEY) != 0 && !remote.ssh_key_file.empty()) {
    return git_credential_ssh_key_new(out, user, nullptr, remote.ssh_key_file.c_str(), nullptr);
  }
  if ((allowed & GIT_CREDENTIAL_USERPASS_PLAINTEXT) != 0 && !remote.token.empty()) {
    return git_credential_userpass_plaintext_new(out, user, remote.token.c_str());
  }
  return GIT_EAUTH;
}

int check_deadline(void* payload) {
  auto& connection = *static_cast<Connection*>(payload);
  connection.timed_out = std::chrono::steady_clock::now() > connection.deadline;
  return connection.timed_out ? GIT_EUSER : 0;
}

int on_received(const git_indexer_progress*, void* payload) {
  return check_deadline(payload);
}

int on_sideband(const char*, int, void* payload) {
  return check_deadline(payload);
}

int on_pushed(unsigned, unsigned, std::size_t, void* payload) {
  return check_deadline(payload);
}

int on_reference(const char*, const char* status, void* payload) {
  if (status) static_cast<Connection*>(payload)->rejection = printable(std::string_view(status).substr(0, 200));
  return 0;
}

struct Address {
  std::string host;
  std::string port;
};

// Where a URL leads to; an empty host: nowhere to connect to. `port` may be a protocol's name.
Address address_of(std::string_view url) {
  const auto scheme_end = url.find("://");
  if (scheme_end == url.npos) {
    const auto colon = url.find(':');
    if (colon == url.npos || url.find('/') < colon) return {};
    const auto host = url.substr(0, colon);
    return {std::string(host.substr(host.find('@') == host.npos ? 0 : host.find('@') + 1)), "22"};
  }
  const auto scheme = url.substr(0, scheme_end);
  if (scheme == "file") return {};
  auto authority = url.substr(scheme_end + 3);
  authority = authority.substr(0, authority.find('/'));
  if (const auto at = authority.rfind('@'); at != authority.npos) authority.remove_prefix(at + 1);
  const auto bracket = authority.rfind(']');
  const auto colon = authority.find(':', bracket == authority.npos ? 0 : bracket);
  std::string port(scheme == "ssh" ? "22" : scheme == "http" ? "80" : "443");
  if (colon != authority.npos) port = authority.substr(colon + 1);
  auto host = authority.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  return {std::string(host), port};
}

// Behind a proxy the remote itself need not be reachable.
bool goes_by_proxy() {
  for (const char* name : {"https_proxy", "HTTPS_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"}) {
    if (const char* value = std::getenv(name); value && *value) return true;
  }
  return false;
}

bool connects(const addrinfo& address, std::chrono::milliseconds patience) {
  const int socket = ::socket(address.ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (socket < 0) return false;
  bool connected = ::connect(socket, address.ai_addr, address.ai_addrlen) == 0;
  if (!connected && errno == EINPROGRESS) {
    pollfd wait{socket, POLLOUT, 0};
    int error = 1;
    socklen_t size = sizeof error;
    connected = ::poll(&wait, 1, static_cast<int>(patience.count())) == 1 &&
                ::getsockopt(socket, SOL_SOCKET, SO_ERROR, &error, &size) == 0 && error == 0;
  }
  ::close(socket);
  return connected;
}

Failure unreachable(const Remote& remote, const std::string& why) {
  return fail(ErrorCode::kUnavailable, "git_unreachable",
              fmt::format("the git repository {} cannot be reached: {}", remote.name, why),
              "see that its server answers, and that mlopsd's configuration names the right url");
}

}  // namespace

Connection::Connection(const Remote& to)
    : remote(to), deadline(std::chrono::steady_clock::now() + std::chrono::seconds(to.timeout_s)) {}

void Connection::fill(git_remote_callbacks& callbacks) {
  callbacks.credentials = give_credential;
  callbacks.transfer_progress = on_received;
  callbacks.sideband_progress = on_sideband;
  callbacks.push_transfer_progress = on_pushed;
  callbacks.push_update_reference = on_reference;
  callbacks.payload = this;
}

Result<RemoteHandle> remote_of(::git_repository* repository, const Remote& remote) {
  git_remote_create_options options;
  git_remote_create_options_init(&options, GIT_REMOTE_CREATE_OPTIONS_VERSION);
  options.repository = repository;
  options.flags = GIT_REMOTE_CREATE_SKIP_INSTEADOF;
  git_remote* made = nullptr;
  if (git_remote_create_with_opts(&made, remote.url.c_str(), &options) != 0) return fail_last("reach", remote.name);
  return RemoteHandle(made);
}

Status check_answers(const Remote& remote) {
  const auto address = address_of(remote.url);
  if (address.host.empty() || goes_by_proxy()) return {};
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (const int code = ::getaddrinfo(address.host.c_str(), address.port.c_str(), &hints, &found); code != 0) {
    return unreachable(remote, ::gai_strerror(code));
  }
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> addresses(found, ::freeaddrinfo);
  for (const auto* one = addresses.get(); one; one = one->ai_next) {
    if (connects(*one, std::chrono::seconds(remote.timeout_s))) return {};
  }
  return unreachable(remote, "no connection");
}

Failure push_conflict(const Remote& remote, const std::string& branch) {
  return fail(ErrorCode::kConflict, "push_conflict",
              fmt::format("the branch {} of {} moved while a commit was made for it", printable(branch), remote.name),
              "it is fetched and built anew");
}

Failure connection_failure(const Connection& connection, int code, std::string_view doing) {
  const auto& remote = connection.remote;
  if (connection.timed_out) return unreachable(remote, fmt::format("no answer within {} s", remote.timeout_s));
  if (code == GIT_EAUTH || connection.credentials_asked > 1) {
    return fail(ErrorCode::kUnavailable, "git_credential",
                fmt::format("the git repository {} does not accept the configured credential", remote.name),
                "renew it where `credential` of mlopsd's repositories file says");
  }
  if (code == GIT_EOWNER) {
    return fail(ErrorCode::kUnavailable, "git_owner",
                fmt::format("the git repository {} belongs to another user", remote.name),
                "as the user of mlopsd: git config --global --add safe.directory with its folder");
  }
  return unreachable(remote, fmt::format("cannot {}: {}", doing, last_reason()));
}

}  // namespace mlops::git
