#include "cli/cmd/content_check.h"

#include "core/crypto/digest_batch.h"

namespace mlops::cli {
namespace {

class WholeCheck : public ContentCheck {
 public:
  explicit WholeCheck(const crypto::Digest& file) : file_(file) {}
  void take(ByteView bytes) override { hasher_.update(bytes); }
  bool finish() override { return hasher_.finish() == file_; }
  std::string expected() const override { return file_.to_string(); }

 private:
  const crypto::Digest file_;
  crypto::Hasher hasher_;
};

// Several chunks at a time, because their hashes are computed side by side.
class ChunkCheck : public ContentCheck {
 public:
  ChunkCheck(const crypto::Digest& file, const std::vector<cas::RecipeEntry>& chunks) : file_(file), chunks_(chunks) {}

  void take(ByteView bytes) override {
    views_.clear();
    const auto first = next_;
    while (is_right_ && !bytes.empty()) {
      is_right_ = next_ < chunks_.size() && chunks_[next_].size_bytes <= bytes.size();
      if (!is_right_) return;
      views_.push_back(bytes.first(chunks_[next_].size_bytes));
      bytes = bytes.subspan(chunks_[next_++].size_bytes);
    }
    digests_.resize(views_.size());
    crypto::sha256_batch(views_, digests_);
    for (std::size_t i = 0; i < digests_.size(); ++i) {
      is_right_ = is_right_ && digests_[i] == chunks_[first + i].digest;
    }
  }
  bool finish() override { return is_right_ && next_ == chunks_.size(); }
  std::string expected() const override { return file_.to_string(); }

 private:
  const crypto::Digest file_;
  const std::vector<cas::RecipeEntry>& chunks_;
  std::size_t next_ = 0;
  bool is_right_ = true;
  std::vector<ByteView> views_;
  std::vector<crypto::Digest> digests_;
};

}  // namespace

std::unique_ptr<ContentCheck> check_whole(const crypto::Digest& file) {
  return std::make_unique<WholeCheck>(file);
}

std::unique_ptr<ContentCheck> check_chunks(const crypto::Digest& file, const std::vector<cas::RecipeEntry>& chunks) {
  return std::make_unique<ChunkCheck>(file, chunks);
}

}  // namespace mlops::cli
