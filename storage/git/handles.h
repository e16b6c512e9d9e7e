// libgit2's handles with their ends, and its errors as ours. Private to storage/git. Thread-safety: values; a handle
// belongs to whoever holds it.
//
// Messages carry what libgit2 says, printable and cut; no URL that is configured holds a credential (git_repository.h).
#pragma once

#include <git2.h>

#include <memory>
#include <string>
#include <string_view>

#include "core/base/result.h"

namespace mlops::git {

template <auto free_function>
struct FreeWith {
  template <class Handle>
  void operator()(Handle* handle) const {
    free_function(handle);
  }
};
using RepositoryHandle = std::unique_ptr<::git_repository, FreeWith<git_repository_free>>;
using ReferenceHandle = std::unique_ptr<git_reference, FreeWith<git_reference_free>>;
using RemoteHandle = std::unique_ptr<git_remote, FreeWith<git_remote_free>>;
using CommitHandle = std::unique_ptr<git_commit, FreeWith<git_commit_free>>;
using TreeHandle = std::unique_ptr<git_tree, FreeWith<git_tree_free>>;
using EntryHandle = std::unique_ptr<git_tree_entry, FreeWith<git_tree_entry_free>>;
using BlobHandle = std::unique_ptr<git_blob, FreeWith<git_blob_free>>;
using WalkHandle = std::unique_ptr<git_revwalk, FreeWith<git_revwalk_free>>;
using IteratorHandle = std::unique_ptr<git_reference_iterator, FreeWith<git_reference_iterator_free>>;
using OdbHandle = std::unique_ptr<git_odb, FreeWith<git_odb_free>>;
using OdbObjectHandle = std::unique_ptr<git_odb_object, FreeWith<git_odb_object_free>>;
using SignatureHandle = std::unique_ptr<git_signature, FreeWith<git_signature_free>>;

// The library stays initialised for the rest of the process: others may still hold handles at exit. Objects and
// references are synced as they are written: a branch told to be moved is moved after a power loss too, and none is
// found empty.
void init_library();

std::string hex_of(const git_oid& id);
// nullopt-like: false when `hex` is no whole id.
bool parse_id(std::string_view hex, git_oid& id);

// What libgit2 said last, fit to be shown.
std::string last_reason();
// kUnavailable "git_error" with that.
Failure fail_last(std::string_view doing, std::string_view where);

}  // namespace mlops::git
