#include "storage/cas/object_batch.h"

namespace mlops::cas {
namespace {

constexpr std::size_t kFlushBytes = 1u << 20;
constexpr std::size_t kFlushObjects = 4096;

}  // namespace

bool ObjectBatch::is_known(const ObjectKey& key) {
  if (keys_.contains(key)) return true;
  if (!store_.packs().find(key, owner_)) return false;
  store_.leases().renew(key);
  return true;
}

Status ObjectBatch::add(const ObjectKey& key, Encoding encoding, std::uint32_t raw_bytes, ByteView payload) {
  waiting_.push_back({key, encoding, raw_bytes, payloads_.size(), payload.size()});
  payloads_.insert(payloads_.end(), payload.begin(), payload.end());
  keys_.insert(key);
  if (payloads_.size() < kFlushBytes && waiting_.size() < kFlushObjects) return {};
  return flush();
}

Status ObjectBatch::add_record(const ObjectKey& key, std::string_view payload) {
  if (is_known(key)) return {};
  return add(key, Encoding::kRaw, static_cast<std::uint32_t>(payload.size()), as_bytes(payload));
}

Status ObjectBatch::add_file(const crypto::Digest& root, const Stored& file) {
  MLOPS_TRY(add_record({ObjectKind::kBlob, file.digest}, blob_record_bytes({file.size_bytes, root})));
  const auto digest = file.digest.bytes();
  return add_record({ObjectKind::kRoot, root}, {reinterpret_cast<const char*>(digest.data()), digest.size()});
}

Status ObjectBatch::flush() {
  std::vector<NewObject> objects;
  objects.reserve(waiting_.size());
  const ByteView all(payloads_);
  for (const auto& object : waiting_) {
    objects.push_back({object.key, object.encoding, object.raw_bytes, all.subspan(object.begin, object.size)});
  }
  auto appended = store_.packs().append(objects, owner_);
  if (appended) {
    new_objects_ += waiting_.size();
    new_bytes_ += payloads_.size();
  }
  waiting_.clear();
  payloads_.clear();
  keys_.clear();
  return appended;
}

}  // namespace mlops::cas
