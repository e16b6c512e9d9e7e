// An Env in which the n-th call fails, once; everything else is the one below it. An append that fails has written a
// half, as a disk that fills up does. Thread-safety: as the Env below; set up from one thread.
#pragma once

#include <functional>
#include <mutex>

#include "core/base/env.h"

namespace mlops::test {

enum class Fault { kIo, kNoSpace };

class FaultEnv : public Env {
 public:
  explicit FaultEnv(Env& real) : real_(real) {}

  // The `call`-th call from now on fails (from 1; 0: none).
  void fail_at(int call, Fault fault = Fault::kIo) {
    std::lock_guard lock(mutex_);
    calls_ = 0;
    fail_at_ = call;
    fault_ = fault;
    failed_.clear();
  }
  // Instead of a number: decides about every call. Empty: none.
  void fail_when(std::function<bool(const std::string& call)> decide) {
    std::lock_guard lock(mutex_);
    decide_ = std::move(decide);
  }
  int calls() const {
    std::lock_guard lock(mutex_);
    return calls_;
  }
  // The name of what failed last; empty when nothing did.
  std::string failed() const {
    std::lock_guard lock(mutex_);
    return failed_;
  }

  Result<std::unique_ptr<WritableFile>> create_exclusive(const std::string& path, int mode) override {
    MLOPS_TRY(step("create_exclusive"));
    MLOPS_ASSIGN(auto file, real_.create_exclusive(path, mode));
    return std::unique_ptr<WritableFile>(std::make_unique<Writer>(*this, std::move(file)));
  }
  Result<std::unique_ptr<WritableFile>> open_append(const std::string& path) override {
    MLOPS_TRY(step("open_append"));
    MLOPS_ASSIGN(auto file, real_.open_append(path));
    return std::unique_ptr<WritableFile>(std::make_unique<Writer>(*this, std::move(file)));
  }
  Result<std::unique_ptr<ReadableFile>> open_readable(const std::string& path) override {
    MLOPS_TRY(step("open_readable"));
    MLOPS_ASSIGN(auto file, real_.open_readable(path));
    return std::unique_ptr<ReadableFile>(std::make_unique<Reader>(*this, std::move(file)));
  }
  Status rename_no_replace(const std::string& from, const std::string& to) override {
    MLOPS_TRY(step("rename_no_replace"));
    return real_.rename_no_replace(from, to);
  }
  Status rename_replace(const std::string& from, const std::string& to) override {
    MLOPS_TRY(step("rename_replace"));
    return real_.rename_replace(from, to);
  }
  Status remove(const std::string& path) override {
    MLOPS_TRY(step("remove"));
    return real_.remove(path);
  }
  Status make_dir(const std::string& path, int mode) override {
    MLOPS_TRY(step("make_dir"));
    return real_.make_dir(path, mode);
  }
  Status remove_dir(const std::string& path) override {
    MLOPS_TRY(step("remove_dir"));
    return real_.remove_dir(path);
  }
  Status sync_dir(const std::string& path) override {
    MLOPS_TRY(step("sync_dir"));
    return real_.sync_dir(path);
  }
  Result<std::vector<std::string>> list_dir(const std::string& path) override {
    MLOPS_TRY(step("list_dir"));
    return real_.list_dir(path);
  }
  Result<std::uint64_t> file_size_bytes(const std::string& path) override {
    MLOPS_TRY(step("file_size_bytes"));
    return real_.file_size_bytes(path);
  }
  Result<TimestampUs> file_modified_at_us(const std::string& path) override {
    MLOPS_TRY(step("file_modified_at_us"));
    return real_.file_modified_at_us(path);
  }
  Status forget_cached(const std::string& path) override {
    MLOPS_TRY(step("forget_cached"));
    return real_.forget_cached(path);
  }

 private:
  class Writer : public WritableFile {
   public:
    Writer(FaultEnv& env, std::unique_ptr<WritableFile> real) : env_(env), real_(std::move(real)) {}
    Status append(ByteView bytes) override {
      if (auto status = env_.step("append"); !status) {
        (void)real_->append(bytes.first(bytes.size() / 2));
        return status;
      }
      return real_->append(bytes);
    }
    Status sync() override {
      MLOPS_TRY(env_.step("sync"));
      return real_->sync();
    }
    Status close() override {
      MLOPS_TRY(env_.step("close"));
      return real_->close();
    }

   private:
    FaultEnv& env_;
    std::unique_ptr<WritableFile> real_;
  };

  class Reader : public ReadableFile {
   public:
    Reader(FaultEnv& env, std::unique_ptr<ReadableFile> real) : env_(env), real_(std::move(real)) {}
    std::uint64_t size_bytes() const override { return real_->size_bytes(); }
    Result<std::size_t> read_at(std::uint64_t offset, std::span<std::uint8_t> into) const override {
      MLOPS_TRY(env_.step("read_at"));
      return real_->read_at(offset, into);
    }

   private:
    FaultEnv& env_;
    std::unique_ptr<ReadableFile> real_;
  };

  Status step(const std::string& what) {
    std::function<bool(const std::string&)> decide;
    {
      std::lock_guard lock(mutex_);
      decide = decide_;
      ++calls_;
      if (calls_ != fail_at_ && !decide) return {};
      if (calls_ == fail_at_) decide = nullptr;
    }
    if (decide && !decide(what)) return {};
    std::lock_guard lock(mutex_);
    failed_ = what;
    if (fault_ == Fault::kNoSpace) return fail(ErrorCode::kExhausted, "disk_full", "made to fail: " + what);
    return fail(ErrorCode::kUnavailable, "io_error", "made to fail: " + what);
  }

  Env& real_;
  mutable std::mutex mutex_;
  int calls_ = 0;
  int fail_at_ = 0;
  Fault fault_ = Fault::kIo;
  std::function<bool(const std::string&)> decide_;
  std::string failed_;
};

}  // namespace mlops::test
