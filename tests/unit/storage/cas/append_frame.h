// Frames of packs as tests write them. Thread-safety: a pure function.
#pragma once

#include "storage/cas/frame.h"

namespace mlops::cas {

// Appends the frame of `entry` (its offset is ignored) to `out`, a vector of bytes.
template <class Bytes>
void append_frame(Bytes& out, const PackEntry& entry, ByteView payload) {
  const auto head = frame_head_bytes(entry, payload);
  const auto end = out.size() + entry.frame_bytes();
  append_bytes(out, head);
  append_bytes(out, payload);
  out.resize(end, 0);
}
}  // namespace mlops::cas
