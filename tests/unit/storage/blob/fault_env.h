// An Env in which the n-th call fails, once; everything else is the real one.
#pragma once

#include "core/base/env.h"

namespace mlops::test {

class FaultEnv : public Env {
 public:
  explicit FaultEnv(Env& real) : real_(real) {}

  // The `call`-th call from now on fails (from 1; 0: none).
  void fail_at(int call) {
    calls_ = 0;
    fail_at_ = call;
    failed_.clear();
  }
  int calls() const { return calls_; }
  // The name of what failed; empty when nothing did.
  const std::string& failed() const { return failed_; }

  Result<std::unique_ptr<WritableFile>> create_exclusive(const std::string& path, int mode) override {
    MLOPS_TRY(step("create_exclusive"));
    MLOPS_ASSIGN(auto file, real_.create_exclusive(path, mode));
    return std::unique_ptr<WritableFile>(std::make_unique<File>(*this, std::move(file)));
  }
  Result<std::unique_ptr<ReadableFile>> open_readable(const std::string& path) override {
    MLOPS_TRY(step("open_readable"));
    return real_.open_readable(path);
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

 private:
  class File : public WritableFile {
   public:
    File(FaultEnv& env, std::unique_ptr<WritableFile> real) : env_(env), real_(std::move(real)) {}
    Status append(ByteView bytes) override {
      if (auto status = env_.step("append"); !status) {
        // A disk that fills up takes a part before it refuses the rest.
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

  Status step(const char* what) {
    if (++calls_ != fail_at_) return {};
    failed_ = what;
    return fail(ErrorCode::kUnavailable, "io_error", std::string("injected: ") + what);
  }

  Env& real_;
  int calls_ = 0;
  int fail_at_ = 0;
  std::string failed_;
};

}  // namespace mlops::test
