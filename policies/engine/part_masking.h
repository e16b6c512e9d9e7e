// Masks a file part by part on several threads, each with a masker of its own. Private to policies/engine.
// Thread-safety: belongs to the thread that runs it. Ownership: all it is made of is borrowed and outlives it.
#pragma once

#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <vector>

#include "policies/engine/record_masker.h"

namespace mlops::policy {

class PartMasking {
 public:
  // Called before a part is masked, by its worker.
  using Begin = std::function<Status(std::size_t worker, RecordMasker& masker, const data::RecordReader& reader)>;

  PartMasking(const Policy::Body& body, const FilePlan& plan, const mask::RunSecrets& secrets,
              const std::string& dataset, data::Sink& out, std::vector<bool> dropped);

  // Errors: those of the parts, of RecordMasker::run() and of the sink.
  Status run(data::RecordParts& parts, const Begin& begin = {});
  // Takes what the workers counted to `total`.
  void add_to(RecordMasker& total);

 private:
  Result<std::string> mask(RecordMasker& masker, const data::RecordPart& part, data::RecordReader& reader);
  Status write(std::string&& masked);
  std::string take_spare();

  data::Sink& out_;
  std::vector<bool> dropped_;
  std::deque<RecordMasker> maskers_;  // by worker
  std::mutex mutex_;
  std::vector<std::string> spare_;  // memory of parts that are written
};

// Of a table its columns; of other formats every cell is dropped by itself.
std::vector<bool> dropped_columns(const FilePlan& plan, data::Format format);
// A vault gives its tokens out in the order of the records.
bool needs_vault(const Policy::Body& body, const FilePlan& plan);
// What a masker of all records comes to. Errors: those of check_consent() and conclude().
Result<MaskEvidence> conclude_run(const Policy::Body& body, const FilePlan& plan, const RecordMasker& masker);

}  // namespace mlops::policy
