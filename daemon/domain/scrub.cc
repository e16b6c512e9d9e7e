#include "daemon/domain/scrub.h"

#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <chrono>

#include "core/base/log.h"

namespace mlops::domain {
namespace {

// This thread alone yields to whatever serves requests. Not being allowed to costs nothing but politeness.
void lower_priority() {
  constexpr int kNice = 15;
  const auto thread_id = static_cast<id_t>(::syscall(SYS_gettid));
  (void)::setpriority(PRIO_PROCESS, thread_id, kNice);
}

}  // namespace

Scrubber::Scrubber(cas::ContentStore& content, ScrubOptions options)
    : content_(content), options_(std::move(options)), thread_([this] { loop(); }) {}

Scrubber::~Scrubber() {
  {
    std::lock_guard lock(mutex_);
    is_stopping_ = true;
  }
  wake_.notify_all();
  thread_.join();
}

bool Scrubber::wait_ms(std::int64_t duration_ms) {
  std::unique_lock lock(mutex_);
  return !wake_.wait_for(lock, std::chrono::milliseconds(duration_ms), [this] { return is_stopping_.load(); });
}

void Scrubber::loop() {
  lower_priority();
  bool goes_on = wait_ms(options_.first_after_ms);
  while (goes_on) {
    options_.chores();
    if (options_.bytes_per_second > 0) pass();
    goes_on = wait_ms(options_.pause_ms);
  }
}

void Scrubber::pass() {
  cas::CheckOptions check;
  check.bytes_per_second = options_.bytes_per_second;
  check.stop = &is_stopping_;
  const auto report = cas::check_packs(content_, check);
  if (!report) {
    log::warn("scrub_failed", {{"slug", std::string_view(report.error().slug)}});
    return;
  }
  for (const auto& problem : report->problems) {
    log::error("scrub_problem",
               {{"object", std::string_view(problem.object)}, {"problem", std::string_view(problem.problem)}});
  }
  log::info("scrub_pass", {{"objects", static_cast<std::int64_t>(report->objects)},
                           {"bytes", static_cast<std::int64_t>(report->bytes)},
                           {"problems", static_cast<std::int64_t>(report->problems.size())},
                           {"complete", !is_stopping_.load()}});
  options_.on_pass(*report);
}

}  // namespace mlops::domain
