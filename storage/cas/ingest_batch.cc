#include "storage/cas/ingest_batch.h"

#include <utility>

namespace mlops::cas {

BatchQueue::BatchQueue(std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) empty_.push_back(std::make_unique<IngestBatch>());
}

std::unique_ptr<IngestBatch> BatchQueue::empty() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return failure_ || !empty_.empty(); });
  if (failure_) return nullptr;
  auto batch = std::move(empty_.back());
  empty_.pop_back();
  batch->received.clear();
  batch->known.clear();
  batch->records.clear();
  batch->pieces.clear();
  return batch;
}

void BatchQueue::send(std::unique_ptr<IngestBatch> batch) {
  const std::lock_guard lock(mutex_);
  full_.push_back(std::move(batch));
  changed_.notify_all();
}

void BatchQueue::end() {
  const std::lock_guard lock(mutex_);
  is_ended_ = true;
  changed_.notify_all();
}

void BatchQueue::wait_until_taken() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return failure_ || (full_.empty() && taken_ == 0); });
}

std::unique_ptr<IngestBatch> BatchQueue::next() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return is_ended_ || !full_.empty(); });
  if (full_.empty()) return nullptr;
  auto batch = std::move(full_.front());
  full_.pop_front();
  ++taken_;
  return batch;
}

void BatchQueue::give_back(std::unique_ptr<IngestBatch> batch) {
  const std::lock_guard lock(mutex_);
  --taken_;
  empty_.push_back(std::move(batch));
  changed_.notify_all();
}

void BatchQueue::fail(Error error) {
  const std::lock_guard lock(mutex_);
  failure_ = std::move(error);
  changed_.notify_all();
}

std::optional<Error> BatchQueue::failure() {
  const std::lock_guard lock(mutex_);
  return failure_;
}

}  // namespace mlops::cas
