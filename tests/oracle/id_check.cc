// Reads lines "id value", prints 1 or 0 a line: does the value have the id's shape and does its check hold?
// "--list" prints the ids with their valid example instead. An unknown id prints "?".
#include <cstdio>
#include <cstring>
#include <iostream>
#include <string>

#include "policies/detect/id_scanner.h"

namespace {

const mlops::detect::IdRow* row_of(std::string_view id) {
  for (const auto* row : mlops::detect::id_rows()) {
    if (row->id == id) return row;
  }
  return nullptr;
}

}  // namespace

int main(int argc, char** argv) {
  std::ios::sync_with_stdio(false);
  if (argc == 2 && std::strcmp(argv[1], "--list") == 0) {
    for (const auto* row : mlops::detect::id_rows()) {
      // A number of any shape is only found by its label: there is nothing to validate.
      if (!std::string_view(row->shapes).empty()) std::cout << row->id << '\t' << row->vector << '\n';
    }
    return 0;
  }
  std::string answers;
  for (std::string line; std::getline(std::cin, line);) {
    const std::size_t blank = line.find(' ');
    const auto* row = row_of(std::string_view(line).substr(0, blank));
    const std::string_view value =
        blank == std::string::npos ? std::string_view() : std::string_view(line).substr(blank + 1);
    answers += !row ? "?\n" : mlops::detect::id_holds(*row, value) ? "1\n" : "0\n";
  }
  std::cout << answers;
  return 0;
}
