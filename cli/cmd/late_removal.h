// Replacing a large file frees the blocks of the old one, and who replaces it waits for that: a tenth of a second and
// more a GiB where the disk is told of freed blocks (mount option discard). Files held here keep their blocks when
// their names go, until this process ends; then the kernel frees them by itself, because they are held by an io_uring,
// which it takes apart in the background.
//
// Nothing is left behind, whatever happens: a file without a name lives as long as somebody holds it, and no longer
// than the system runs. Where there is no io_uring (containers often forbid it), freeing takes its time here.
// Thread-safety: one thread.
#pragma once

#include <string>
#include <vector>

namespace mlops::cli {

class LateRemoval {
 public:
  LateRemoval() = default;
  // Leaves what is held to the kernel.
  ~LateRemoval();
  LateRemoval(const LateRemoval&) = delete;
  LateRemoval& operator=(const LateRemoval&) = delete;

  // Of a file that is about to lose its name. One that is short, or cannot be opened, is not held.
  void hold(const std::string& path);

 private:
  std::vector<int> held_;
};

}  // namespace mlops::cli
