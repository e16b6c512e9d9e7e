// Where bytes come from and go to: the seam between readers/writers and files, blobs or memory.
// Ownership: sources and sinks belong to the caller and to one thread.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "core/base/result.h"

namespace mlops::data {

class Source {
 public:
  virtual ~Source() = default;
  // Bytes read, 0 at the end.
  virtual Result<std::size_t> read(std::span<char> into) = 0;
};

class Sink {
 public:
  virtual ~Sink() = default;
  virtual Status write(std::string_view bytes) = 0;
  // The same of bytes the caller has no use for any more.
  virtual Status take(std::string&& bytes) { return write(bytes); }
  // Memory for bytes that take() will get: of any size, with anything in it.
  virtual std::string lend() { return {}; }
};

class StringSource : public Source {
 public:
  explicit StringSource(std::string_view text) : rest_(text) {}
  Result<std::size_t> read(std::span<char> into) override;

 private:
  std::string_view rest_;
};

class StringSink : public Sink {
 public:
  Status write(std::string_view bytes) override {
    text.append(bytes);
    return {};
  }
  Status take(std::string&& bytes) override {
    if (!text.empty()) return write(bytes);
    text = std::move(bytes);
    return {};
  }
  std::string text;
};

}  // namespace mlops::data
