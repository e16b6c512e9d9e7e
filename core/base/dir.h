// A directory held open, and what is done in it by name without following links: for trees that other processes read,
// and may have changed, meanwhile.
//
// Names are single segments; the caller checks where they come from. Files are made 0644, directories 0755, whatever
// the process's umask. Every step that changes something first asks the hook, so that tests can make it fail. Errors:
// those of env.h; kInvalid "bad_path" (a link stands where none may), "not_a_file"; kUnavailable
// "exchange_unsupported", "place_busy". Messages name what `shown` says instead of where it is. Thread-safety: one
// thread at a time.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/bytes.h"
#include "core/base/clock.h"
#include "core/base/result.h"

namespace mlops {

// Called with the step ("create", "append", "sync", "rename", …) and a name; an error is the step's.
using StepHook = std::function<Status(std::string_view step, const std::string& name)>;

class FileDescriptor {
 public:
  explicit FileDescriptor(int number = -1) : number_(number) {}
  FileDescriptor(FileDescriptor&& other) noexcept;
  FileDescriptor& operator=(FileDescriptor&& other) noexcept;
  ~FileDescriptor();
  int get() const { return number_; }

 private:
  int number_;
};

enum class EntryKind { kFile, kDirectory, kLink, kOther };
struct DirEntry {
  std::string name;
  EntryKind kind = EntryKind::kOther;
};

// A file in the making; dropping it leaves what was written so far.
class NewFile {
 public:
  Status append(ByteView bytes);
  Status finish();  // durable

 private:
  friend class Dir;
  NewFile(FileDescriptor file, std::string shown, std::shared_ptr<const StepHook> hook)
      : file_(std::move(file)), shown_(std::move(shown)), hook_(std::move(hook)) {}

  FileDescriptor file_;
  std::string shown_;
  std::shared_ptr<const StepHook> hook_;
};

class Dir {
 public:
  enum class Links { kRefuse, kFollow };
  enum class Rename { kReplace, kNoReplace, kExchange };
  using Sink = std::function<Status(ByteView)>;

  // Links on the way are followed: the path comes from an operator.
  static Result<Dir> open(const std::string& path, std::string shown, StepHook hook = {});

  const std::string& shown() const { return shown_; }
  Result<Dir> child(const std::string& name, Links links = Links::kRefuse) const;
  Result<Dir> ensure_child(const std::string& name) const;     // made when it is missing
  Result<NewFile> create_file(const std::string& name) const;  // a new one
  // The bytes of a regular file, in pieces.
  Status read_file(const std::string& name, const Sink& sink) const;
  Result<std::string> read_small_file(const std::string& name, std::size_t limit_bytes) const;
  Status make_link(const std::string& target, const std::string& name) const;
  Result<std::string> read_link(const std::string& name) const;
  Result<std::vector<DirEntry>> list() const;                               // sorted, without . and ..
  Result<std::optional<EntryKind>> kind_of(const std::string& name) const;  // nullopt: nothing there
  Result<TimestampUs> modified_at_us(const std::string& name) const;
  Status rename(const std::string& name, const Dir& to, const std::string& new_name, Rename how) const;
  Status remove_file(const std::string& name) const;
  Status remove_tree(const std::string& name) const;  // absent is success
  Status sync() const;
  Status touch() const;  // modified now
  Status lock() const;   // until this is closed. Errors: kUnavailable "place_busy": another process has it

 private:
  Dir(FileDescriptor file, std::string shown, std::shared_ptr<const StepHook> hook)
      : file_(std::move(file)), shown_(std::move(shown)), hook_(std::move(hook)) {}
  std::string shown_of(const std::string& name) const { return shown_ + "/" + name; }
  Status step(std::string_view what, const std::string& name) const;
  Result<FileDescriptor> open_regular(const std::string& name) const;

  FileDescriptor file_;
  std::string shown_;
  std::shared_ptr<const StepHook> hook_;
};

}  // namespace mlops
