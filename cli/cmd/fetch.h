// Files from the server into a staging directory: chunks as they are stored, decoded here, what an older file on this
// machine has copied from there; all bytes are verified (content_check.h) before a file counts. A lost connection is
// tried again where it stopped.
//
// Errors: those of the server, of the way and of Env; kCorrupt "digest_mismatch", "bad_stream". Thread-safety: main
// thread. Units: bytes.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "cli/cmd/content_check.h"
#include "cli/session.h"
#include "core/model/manifest.h"

namespace mlops::cli {

// Part of a file: from the server, or from an older file.
struct FetchPart {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
  bool is_local = false;
  std::uint64_t local_begin = 0;  // in the older file
};

// What a file is verified by: its chunks, which the server is asked for when its turn comes, or its SHA-256.
enum class VerifyBy { kChunks, kFiles };

struct FetchFile {
  model::FileEntry file;
  std::string target;            // absent so far
  std::string base;              // the older file; empty: none
  std::vector<FetchPart> parts;  // in order, without gaps; the boundaries are those of chunks
  VerifyBy verify_by = VerifyBy::kFiles;
  std::vector<cas::RecipeEntry> chunks;  // all of it, when they are known already
};

struct FetchResult {
  std::uint64_t received_bytes = 0;   // over the wire
  std::uint64_t local_bytes = 0;      // copied from older files
  std::uint64_t files_by_chunks = 0;  // verified by their chunks; the others by their SHA-256
};

// kSystem: whole and verified, but a power cut soon after may lose it, as with cp. kDisk: durable.
enum class Durability { kSystem, kDisk };

// `staging`: the directory that all targets are in.
Result<FetchResult> fetch_files(Session& session, const std::vector<FetchFile>& files, const std::string& staging,
                                Durability durability);

}  // namespace mlops::cli
