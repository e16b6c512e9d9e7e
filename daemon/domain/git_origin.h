// How a text of a Git repository is cited: in rules, findings and decisions. Thread-safety: pure.
#pragma once

#include <string>
#include <string_view>

namespace mlops::domain {

// "policies.git@3f2a…:policies/model-gates.yaml": with it `git show COMMIT:PATH` gives the text.
inline std::string git_origin(std::string_view repository, std::string_view commit, std::string_view path) {
  return std::string(repository) + ".git@" + std::string(commit) + ":" + std::string(path);
}

}  // namespace mlops::domain
