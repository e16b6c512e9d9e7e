// One pack as the pack store holds it in memory. Private to the pack store.
#pragma once

#include <memory>
#include <vector>

#include "storage/cas/pack_store.h"

namespace mlops::cas {

struct PackStore::Pack {
  std::uint32_t id = 0;
  std::uint32_t slot = 0;
  std::uint64_t size_bytes = 0;
  TimestampUs written_at_us = 0;
  bool is_complete = false;
  std::vector<PackEntry> entries;  // by offset
  std::vector<EntryState> states;
  std::shared_ptr<ReadableFile> reader;  // opened at the first read
};

// The pack being appended to.
struct PackStore::Writer {
  std::unique_ptr<WritableFile> file;
  std::uint32_t id = 0;
  std::uint32_t slot = 0;
  std::uint64_t written_bytes = 0;  // append_mutex_
  std::uint64_t durable_bytes = 0;  // sync_mutex_
  bool is_broken = false;           // a write failed: what lies at its end is unknown
  bool is_named = false;            // its name in the directory is durable; sync_mutex_
};

}  // namespace mlops::cas
