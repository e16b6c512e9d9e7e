// A bounded worker pool: a fixed number of threads, a queue with a limit, shedding instead of growing.
// Thread-safe. The destructor finishes what is queued, then joins.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace mlops {

class ThreadPool {
 public:
  ThreadPool(std::size_t threads, std::size_t queue_limit);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  // False when the queue is full or the pool is stopping: the caller sheds the work. REQUIRES: `job` throws nothing.
  bool try_post(std::function<void()> job);

 private:
  void run();

  const std::size_t queue_limit_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::function<void()>> queue_;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace mlops
