// A closed-loop HTTP/1.1 load generator: N keep-alive connections with one request each on the way, one epoll thread.
// Small enough that it leaves the machine to the daemon; the token comes from MLOPS_TOKEN, never from the arguments.
//
//   bench_load --port P --mode read|label|register|ready [--connections 64] [--seconds 5 | --requests N]
//              [--artifacts 100] [--versions 100] [--first 0] [--digest sha256:… --size BYTES] [--prefix bench/a]
//
// The item i is version i / artifacts + 1 of the artifact `<prefix><i mod artifacts>`: `register` makes the items
// first, first + 1, … (one shared blob under differing paths, so that every manifest differs); `read` and `label` visit
// artifacts × versions items in a pseudo-random order. One line of JSON on stdout; exit 1 if a request failed.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;

struct Options {
  std::map<std::string, std::string> values{{"mode", ""},        {"port", "0"},        {"connections", "64"},
                                            {"seconds", "0"},    {"requests", "0"},    {"artifacts", "100"},
                                            {"versions", "100"}, {"first", "0"},       {"digest", ""},
                                            {"size", "0"},       {"prefix", "bench/a"}};

  const std::string& text(const char* name) const { return values.at(name); }
  std::uint64_t number(const char* name) const { return std::strtoull(values.at(name).c_str(), nullptr, 10); }
};

Options parse_options(int argc, char** argv) {
  Options options;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string name = std::string_view(argv[i]).starts_with("--") ? argv[i] + 2 : "";
    if (!options.values.contains(name)) throw std::runtime_error(std::string("unknown option ") + argv[i]);
    options.values[name] = argv[i + 1];
  }
  if (argc % 2 == 0) throw std::runtime_error(std::string("no value for ") + argv[argc - 1]);
  return options;
}

// The requests, by running number.
class Workload {
 public:
  explicit Workload(const Options& options)
      : mode_(options.text("mode")),
        prefix_(options.text("prefix")),
        digest_(options.text("digest")),
        size_(options.text("size")),
        artifacts_(options.number("artifacts")),
        items_(artifacts_ * options.number("versions")),
        first_(options.number("first")) {
    const char* token = std::getenv("MLOPS_TOKEN");
    common_ = " HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer " + std::string(token ? token : "") + "\r\n";
    if (items_ == 0) throw std::runtime_error("--artifacts and --versions must be positive");
  }

  std::string request(std::uint64_t number) {
    if (mode_ == "ready") return "GET /readyz" + common_ + "\r\n";
    if (mode_ == "read") return "GET " + version_path(any_item()) + common_ + "\r\n";
    if (mode_ == "label") {
      return post(version_path(any_item()) + "/labels", R"({"set":{"load":")" + std::to_string(number) + "\"}}");
    }
    if (mode_ == "register") return post("/api/v1/versions", registration(first_ + number));
    throw std::runtime_error("--mode is read, label, register or ready");
  }

 private:
  // Steps of a full-period linear congruence would show up in caches as a pattern; splitmix64 does not.
  std::uint64_t any_item() {
    std::uint64_t z = (seed_ += 0x9e3779b97f4a7c15ULL);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    return (z ^ (z >> 31)) % items_;
  }

  std::string name(std::uint64_t item) const { return prefix_ + std::to_string(item % artifacts_); }

  std::string version_path(std::uint64_t item) const {
    std::string path = "/api/v1/versions/";
    for (const char c : name(item)) path += c == '/' ? "%2F" : std::string(1, c);
    return path + "%40v" + std::to_string(item / artifacts_ + 1);
  }

  std::string registration(std::uint64_t item) const {
    return R"({"kind":"model","name":")" + name(item) + R"(","files":[{"path":"part-)" + std::to_string(item) +
           R"(.bin","digest":")" + digest_ + R"(","size_bytes":)" + size_ + R"(}],"metrics":{"auc":0.8}})";
  }

  std::string post(const std::string& path, const std::string& body) const {
    return "POST " + path + common_ +
           "Content-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
  }

  std::string mode_, prefix_, digest_, size_, common_;
  std::uint64_t artifacts_, items_, first_;
  std::uint64_t seed_ = 1;
};

// One keep-alive connection with at most one request on the way.
class Connection {
 public:
  explicit Connection(int port) : port_(port) { open(); }
  ~Connection() { ::close(fd_); }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  int fd() const { return fd_; }
  Clock::time_point sent_at() const { return sent_at_; }

  void send(const std::string& request) {
    input_.clear();
    sent_at_ = Clock::now();
    // A request is far smaller than a socket buffer, and the one before it has been answered: it fits in one write.
    if (::send(fd_, request.data(), request.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(request.size())) {
      throw std::runtime_error(std::string("send: ") + std::strerror(errno));
    }
  }

  // Reads what is there; the status of a complete answer, 0 while it is incomplete.
  int receive() {
    char buffer[16384];
    const ssize_t got = ::recv(fd_, buffer, sizeof buffer, 0);
    if (got <= 0) throw std::runtime_error("the daemon closed a connection in the middle of a request");
    input_.append(buffer, static_cast<std::size_t>(got));
    const auto head_end = input_.find("\r\n\r\n");
    if (head_end == std::string::npos) return 0;
    if (input_.size() < head_end + 4 + content_length(head_end)) return 0;
    int status = 0;
    std::from_chars(input_.data() + 9, input_.data() + 12, status);
    return status;
  }

  const std::string& input() const { return input_; }

 private:
  void open() {
    fd_ = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port_));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
      throw std::runtime_error(std::string("connect: ") + std::strerror(errno));
    }
    const int on = 1;
    ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  }

  std::size_t content_length(std::size_t head_end) const {
    static constexpr std::string_view kName = "\r\ncontent-length:";
    const auto same = [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a + 32 : a) == b; };
    const auto head = std::string_view(input_).substr(0, head_end);
    const auto at = std::search(head.begin(), head.end(), kName.begin(), kName.end(), same);
    if (at == head.end()) throw std::runtime_error("an answer without Content-Length");
    return std::strtoull(&*at + kName.size(), nullptr, 10);
  }

  int port_;
  int fd_ = -1;
  std::string input_;
  Clock::time_point sent_at_;
};

struct Outcome {
  std::vector<std::uint32_t> microseconds;
  std::uint64_t failures = 0;
  std::string first_failure;
  double seconds = 0;
};

class Loop {
 public:
  Loop(const Options& options, Workload& workload) : workload_(workload), requests_(options.number("requests")) {
    seconds_ = std::atof(options.text("seconds").c_str());
    if (seconds_ <= 0 && requests_ == 0) throw std::runtime_error("--seconds or --requests is needed");
    epoll_ = ::epoll_create1(0);
    const auto count = options.number("connections");
    for (std::uint64_t i = 0; i < count; ++i) {
      connections_.push_back(std::make_unique<Connection>(static_cast<int>(options.number("port"))));
      epoll_event event{};
      event.events = EPOLLIN;
      event.data.ptr = connections_.back().get();
      ::epoll_ctl(epoll_, EPOLL_CTL_ADD, connections_.back()->fd(), &event);
    }
  }
  ~Loop() { ::close(epoll_); }
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  Outcome run() {
    started_ = Clock::now();
    for (auto& connection : connections_) start_next(*connection);
    epoll_event events[256];
    while (under_way_ > 0) {
      const int count = ::epoll_wait(epoll_, events, 256, 30000);
      if (count == 0) throw std::runtime_error("no answer within 30 s");
      for (int i = 0; i < count; ++i) take(*static_cast<Connection*>(events[i].data.ptr));
    }
    outcome_.seconds = std::chrono::duration<double>(Clock::now() - started_).count();
    return std::move(outcome_);
  }

 private:
  void start_next(Connection& connection) {
    const bool time_over = seconds_ > 0 && std::chrono::duration<double>(Clock::now() - started_).count() >= seconds_;
    if (time_over || (requests_ > 0 && next_ >= requests_)) return;
    connection.send(workload_.request(next_++));
    ++under_way_;
  }

  void take(Connection& connection) {
    const int status = connection.receive();
    if (status == 0) return;
    --under_way_;
    const auto took = std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - connection.sent_at());
    outcome_.microseconds.push_back(static_cast<std::uint32_t>(took.count()));
    if (status < 200 || status > 299) {
      if (outcome_.failures++ == 0) outcome_.first_failure = connection.input();
    }
    start_next(connection);
  }

  Workload& workload_;
  std::uint64_t requests_;
  double seconds_ = 0;
  int epoll_ = -1;
  std::vector<std::unique_ptr<Connection>> connections_;
  Clock::time_point started_;
  std::uint64_t next_ = 0;
  std::uint64_t under_way_ = 0;
  Outcome outcome_;
};

int report(Outcome outcome) {
  auto& times = outcome.microseconds;
  std::sort(times.begin(), times.end());
  const auto at = [&](double share) {
    return times.empty() ? 0u : times[std::min(times.size() - 1, static_cast<std::size_t>(share * times.size()))];
  };
  std::printf(
      "{\"requests\": %zu, \"failures\": %llu, \"seconds\": %.3f, \"per_s\": %.0f, \"p50_us\": %u, "
      "\"p99_us\": %u, \"p999_us\": %u, \"max_us\": %u}\n",
      times.size(), static_cast<unsigned long long>(outcome.failures), outcome.seconds,
      static_cast<double>(times.size()) / outcome.seconds, at(0.5), at(0.99), at(0.999), at(1.0));
  if (outcome.failures == 0) return 0;
  std::fprintf(stderr, "bench_load: the first failure:\n%s\n", outcome.first_failure.c_str());
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    const auto options = parse_options(argc, argv);
    Workload workload(options);
    Loop loop(options, workload);
    return report(loop.run());
  } catch (const std::exception& error) {
    std::fprintf(stderr, "bench_load: %s\n", error.what());
    return 2;
  }
}
