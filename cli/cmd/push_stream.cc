#include "cli/cmd/push_stream.h"

#include <algorithm>
#include <cstring>

namespace mlops::cli {
namespace {

constexpr std::size_t kSlotBytes = 512u << 10;
constexpr std::size_t kSlotParts = 256;
constexpr std::size_t kSlots = 16;

}  // namespace

PushStream::PushStream(std::unique_ptr<ApiClient> api, ThreadPool& workers)
    : api_(std::move(api)), workers_(workers), sender_([this] {
        auto answer = api_->post_stream("/api/v1/store/push", [this] { return next_piece(); });
        const std::lock_guard lock(mutex_);
        answer_.emplace(std::move(answer));
        changed_.notify_all();
      }) {}

PushStream::~PushStream() {
  {
    const std::lock_guard lock(mutex_);
    is_given_up_ = true;
  }
  changed_.notify_all();
  sender_.join();
  // Workers refer to this while they encode.
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] {
    return std::all_of(slots_.begin(), slots_.end(), [](const auto& slot) { return slot->is_ready; });
  });
}

bool PushStream::add_chunk(const std::shared_ptr<const PushUnit>& unit, const PushChunk& chunk) {
  if (!filling_) filling_ = std::make_shared<Slot>();
  Part part;
  part.head.type = cas::RecordType::kChunk;
  part.head.raw_bytes = static_cast<std::uint32_t>(chunk.size);
  part.head.digest = chunk.digest;
  part.unit = unit;
  part.raw = unit->bytes_of(chunk);
  filling_->parts.push_back(std::move(part));
  filling_->raw_bytes += chunk.size;
  const bool is_full = filling_->raw_bytes >= kSlotBytes || filling_->parts.size() >= kSlotParts;
  return is_full ? close_slot() : true;
}

bool PushStream::add_record(cas::RecordType type, const crypto::Digest& digest) {
  if (!filling_) filling_ = std::make_shared<Slot>();
  Part part;
  part.head.type = type;
  part.head.digest = digest;
  filling_->parts.push_back(std::move(part));
  return filling_->parts.size() >= kSlotParts ? close_slot() : true;
}

bool PushStream::close_slot() {
  if (!filling_) return true;
  auto slot = std::move(filling_);
  filling_.reset();
  {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return answer_ || slots_.size() < kSlots; });
    if (answer_) return false;
    slots_.push_back(slot);
  }
  const auto job = [this, slot] { encode(*slot); };
  if (!workers_.try_post(job)) job();
  return true;
}

void PushStream::encode(Slot& slot) {
  thread_local cas::Encoder encoder;
  slot.out = spare_buffer();
  slot.out.resize(slot.raw_bytes + slot.parts.size() * cas::kRecordHeadBytes + cas::Encoder::kRoomBytes);
  std::size_t end = 0;
  for (auto& part : slot.parts) {
    const auto out = std::span(slot.out).subspan(end);
    std::size_t stored_bytes = 0;
    if (part.unit) {
      const auto payload = out.subspan(cas::kRecordHeadBytes);
      const auto encoded = encoder.encode_to(part.raw, payload);
      stored_bytes = encoded.bytes.size();
      if (encoded.bytes.data() != payload.data()) std::memcpy(payload.data(), encoded.bytes.data(), stored_bytes);
      part.head.encoding = encoded.encoding;
      part.head.stored_bytes = static_cast<std::uint32_t>(stored_bytes);
    }
    const auto head = cas::record_head_bytes(part.head);
    std::copy(head.begin(), head.end(), out.begin());
    end += head.size() + stored_bytes;
  }
  slot.out.resize(end);
  slot.parts.clear();  // lets go of the units
  const std::lock_guard lock(mutex_);
  slot.is_ready = true;
  changed_.notify_all();
}

// Buffers go round: fresh pages for each slot would cost as much as filling them.
RawBytes PushStream::spare_buffer() {
  const std::lock_guard lock(mutex_);
  if (spare_.empty()) return {};
  auto buffer = std::move(spare_.back());
  spare_.pop_back();
  return buffer;
}

// On the sending thread.
Result<ByteView> PushStream::next_piece() {
  std::unique_lock lock(mutex_);
  if (sending_) {
    sending_->out.clear();
    spare_.push_back(std::move(sending_->out));
    sending_.reset();
  }
  changed_.wait(lock, [this] { return is_given_up_ || (slots_.empty() ? is_ended_ : slots_.front()->is_ready); });
  if (is_given_up_) return fail(ErrorCode::kUnavailable, "given_up", "the transfer was broken off");
  if (slots_.empty()) return ByteView();
  sending_ = std::move(slots_.front());
  slots_.pop_front();
  changed_.notify_all();
  sent_bytes_ += sending_->out.size();
  return ByteView(sending_->out);
}

Result<Json> PushStream::finish() {
  (void)close_slot();  // a stream that has failed says why below
  std::unique_lock lock(mutex_);
  is_ended_ = true;
  changed_.notify_all();
  changed_.wait(lock, [this] { return answer_.has_value(); });
  return *answer_;
}

}  // namespace mlops::cli
