// Files in and out, by chunks or as they are, for whoever asks: the rules of docs/format/push.md over the content
// store. Bodies are bytes in that format. Errors: kInvalid "bad_body", "bad_record", "digest_mismatch"; kConflict
// "object_missing"; those of the store. Thread-safety: thread-safe.
#pragma once

#include <optional>
#include <string>

#include "core/model/principal.h"
#include "storage/cas/ingest.h"
#include "storage/cas/plain_ingest.h"
#include "storage/cas/sender.h"

namespace mlops::domain {

class FileTransfer {
 public:
  static constexpr std::size_t kQuestionsMax = 100'000;
  static constexpr std::size_t kWantsMax = 65'536;

  explicit FileTransfer(cas::ContentStore& content) : content_(content) {}

  // A byte for each question: 1 it is here.
  Result<std::string> missing(ByteView questions, const model::Principal& principal);
  Result<cas::Received> receive(const cas::StreamRead& read, const model::Principal& principal);
  // One file, as plain bytes. With `expected`, others are refused.
  Result<cas::PlainReceived> receive_plain(const cas::StreamRead& read, const model::Principal& principal,
                                           const std::optional<crypto::Digest>& expected);
  // The chunks from the one that holds `offset` on.
  Result<std::string> recipe(const crypto::Digest& blob, std::uint64_t offset);
  static Result<std::vector<cas::Want>> read_wants(ByteView body);
  Result<cas::Sender> send(const std::vector<cas::Want>& wants);

 private:
  bool is_here(const cas::Question& question, cas::OwnerTag viewer);

  cas::ContentStore& content_;
};

}  // namespace mlops::domain
