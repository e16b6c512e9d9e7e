// Drives a fuzz target where there is no libFuzzer: replays the files of the corpus, then mutates them, seeded, for a
// number of runs or seconds. Words as libFuzzer has them: -runs=N -max_total_time=SECONDS -seed=N FOLDER…
// An input that ends the process is left in the file crash-input.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

#include "tests/fuzz/fuzz.h"

namespace {

constexpr std::size_t kLongest = 4096;
constexpr std::size_t kMostKept = 500;
constexpr std::string_view kPieces[] = {
    "\"",
    "\"\"",
    ",",
    ";",
    "\t",
    "\n",
    "\r\n",
    "\r",
    "{",
    "}",
    "[",
    "]",
    ":",
    "\\",
    "\\u0041",
    "\\ud83d",
    "\\ude00",
    "null",
    "true",
    "-1.5e3",
    "\xEF\xBB\xBF",
    "\xFF\xFE",
    "\xC3\xA9",
    "\xE9",
    "\xF0\x9F\x98\x80",
    "&#49;",
    "%41",
    "=41",
    "\"resourceType\"",
    "\"Bundle\"",
    "\"entry\"",
    "\"url\"",
    "\"extension\"",
    "QW5uIFJvZQ==",
    "  ",
    "\n\n",
    "- ",
    "'",
};

const std::string* g_current = nullptr;

void keep_input(int signal) {
  const int file = ::open("crash-input", O_WRONLY | O_CREAT | O_TRUNC, 0644);
  if (file >= 0 && g_current) {
    const auto written = ::write(file, g_current->data(), g_current->size());
    static_cast<void>(written);
  }
  std::signal(signal, SIG_DFL);
  std::raise(signal);
}

void run(const std::string& input) {
  g_current = &input;
  LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(input.data()), input.size());
}

std::string mutated(std::mt19937_64& random, const std::vector<std::string>& corpus) {
  std::string text = corpus[random() % corpus.size()];
  for (auto steps = 1 + random() % 5; steps > 0; --steps) {
    const std::size_t at = text.empty() ? 0 : random() % text.size();
    switch (random() % 6) {
      case 0:
        if (!text.empty()) text[at] = static_cast<char>(random());
        break;
      case 1:
        text.erase(at, 1 + random() % 8);
        break;
      case 2:
        text.insert(at, kPieces[random() % std::size(kPieces)]);
        break;
      case 3:
        text.insert(at, text.substr(text.empty() ? 0 : random() % text.size(), random() % 64));
        break;
      case 4: {
        const auto& other = corpus[random() % corpus.size()];
        if (!other.empty()) text.insert(at, other.substr(random() % other.size(), random() % 64));
        break;
      }
      default:
        if (!text.empty()) text[at] = static_cast<char>(text[at] ^ (1 << random() % 8));
    }
  }
  text.resize(std::min(text.size(), kLongest));
  return text;
}

void read_folder(const std::string& folder, std::vector<std::string>& corpus) {
  std::vector<std::filesystem::path> paths;
  for (const auto& file : std::filesystem::directory_iterator(folder)) paths.push_back(file.path());
  std::sort(paths.begin(), paths.end());
  for (const auto& path : paths) {
    std::ifstream file(path, std::ios::binary);
    corpus.emplace_back(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
  }
}

}  // namespace

int main(int argc, char** argv) {
  std::uint64_t runs = 0, seconds = 0, seed = 1;
  std::vector<std::string> corpus{""};
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    const auto number = [&](std::string_view name, std::uint64_t& into) {
      if (!word.starts_with(name)) return false;
      into = std::strtoull(word.c_str() + name.size(), nullptr, 10);
      return true;
    };
    if (!number("-runs=", runs) && !number("-max_total_time=", seconds) && !number("-seed=", seed)) {
      read_folder(word, corpus);
    }
  }
  for (const int signal : {SIGABRT, SIGSEGV, SIGFPE, SIGBUS, SIGILL}) std::signal(signal, keep_input);
  for (const auto& input : corpus) run(input);
  const std::size_t replayed = corpus.size();
  std::mt19937_64 random(seed);
  std::uint64_t done = 0;
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(seconds);
  while (done < runs || (seconds > 0 && (done % 64 != 0 || std::chrono::steady_clock::now() < end))) {
    auto input = mutated(random, corpus);
    run(input);
    ++done;
    // Mutations of mutations: some stay, so that distances grow.
    if (random() % 16 == 0 && corpus.size() < kMostKept) corpus.push_back(std::move(input));
  }
  std::printf("%zu inputs replayed, %llu mutated: all well\n", replayed, static_cast<unsigned long long>(done));
  return 0;
}
