#include "core/base/log.h"

#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <utility>

#include "core/base/clock.h"
#include "core/base/json_text.h"
#include "core/base/text.h"

namespace mlops::log {
namespace {

// A pipe takes up to 4 KiB in one piece; a longer field is cut so that lines of two threads rarely interleave.
constexpr std::size_t kFieldLimitBytes = 1024;

constexpr std::array<std::pair<Level, std::string_view>, 4> kLevels{
    {{Level::kDebug, "debug"}, {Level::kInfo, "info"}, {Level::kWarn, "warn"}, {Level::kError, "error"}}};

std::atomic<Level> threshold{Level::kInfo};

void append_text(std::string& line, std::string_view text) {
  const bool cut = text.size() > kFieldLimitBytes;
  // printable() first: what acts on a terminal must not survive a viewer that decodes the JSON escapes.
  std::string shown = printable(text.substr(0, kFieldLimitBytes));
  if (cut) shown += "...";
  append_json_string(line, shown);
}

struct ValueWriter {
  std::string& line;
  void operator()(std::string_view value) const { append_text(line, value); }
  void operator()(std::int64_t value) const { line += std::to_string(value); }
  void operator()(double value) const { append_json_number(line, value); }
  void operator()(bool value) const { line += value ? "true" : "false"; }
};

}  // namespace

void set_level(Level level) {
  threshold.store(level, std::memory_order_relaxed);
}

bool set_level_word(std::string_view word) {
  for (const auto& [level, name] : kLevels) {
    if (name != word) continue;
    set_level(level);
    return true;
  }
  return false;
}

void write(Level level, std::string_view event, std::initializer_list<Field> fields) {
  if (level < threshold.load(std::memory_order_relaxed)) return;
  std::string line = "{\"time\":\"" + format_rfc3339(SystemClock().now_us()) + "\",\"level\":\"";
  line += kLevels[static_cast<std::size_t>(level)].second;
  line += "\",\"event\":";
  append_text(line, event);
  for (const auto& field : fields) {
    line += ',';
    append_text(line, field.key);
    line += ':';
    std::visit(ValueWriter{line}, field.value);
  }
  line += "}\n";
  // One attempt: a log that cannot be written must not stop or slow the work that is logged.
  while (::write(STDERR_FILENO, line.data(), line.size()) < 0 && errno == EINTR) {
  }
}

}  // namespace mlops::log
