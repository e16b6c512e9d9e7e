#include "cli/progress.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>

#include "cli/layout.h"
#include "cli/session.h"
#include "cli/terminal.h"
#include "core/base/text.h"

namespace mlops::cli {
namespace {

constexpr TimestampUs kSecondUs = 1'000'000;
constexpr TimestampUs kBarEveryUs = kSecondUs / 10;
constexpr TimestampUs kBarAfterUs = kSecondUs / 3;  // a short transfer does not flicker
constexpr TimestampUs kLineEveryUs = 10 * kSecondUs;
constexpr std::size_t kBarWidth = 24;

const Clock& system_clock() {
  static const SystemClock kClock;
  return kClock;
}

ProgressStyle style_of(const Session& session) {
  if (session.quiet()) return ProgressStyle::kSilent;
  return session.stderr_is_tty() ? ProgressStyle::kBar : ProgressStyle::kLines;
}

void to_stderr(std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), stderr);
  std::fflush(stderr);
}

std::string duration(std::int64_t seconds) {
  if (seconds < 60) return fmt::format("{} s", seconds);
  if (seconds < 3600) return fmt::format("{}:{:02} min", seconds / 60, seconds % 60);
  return fmt::format("{}:{:02} h", seconds / 3600, seconds % 3600 / 60);
}

}  // namespace

Progress::Progress(const Session& session, std::string title, std::uint64_t total_bytes)
    : Progress(style_of(session), std::move(title), total_bytes, system_clock(), stderr_columns(), to_stderr) {}

Progress::Progress(ProgressStyle style, std::string title, std::uint64_t total_bytes, const Clock& clock,
                   std::size_t width, std::function<void(std::string_view)> sink)
    : style_(style),
      title_(printable(title)),
      total_bytes_(total_bytes),
      clock_(clock),
      width_(width),
      sink_(std::move(sink)),
      started_us_(clock.now_us()),
      drawn_us_(started_us_) {}

Progress::~Progress() {
  if (visible_) sink_("\r\x1b[K");
}

void Progress::update(std::uint64_t done_bytes) {
  done_bytes_ = base_bytes_ + done_bytes;
  if (style_ == ProgressStyle::kSilent) return;
  const auto now_us = clock_.now_us();
  const auto every_us = style_ == ProgressStyle::kLines ? kLineEveryUs : visible_ ? kBarEveryUs : kBarAfterUs;
  if (now_us - drawn_us_ >= every_us) draw(now_us);
}

std::function<void(std::uint64_t)> Progress::callback() {
  return [this](std::uint64_t done_bytes) { update(done_bytes); };
}

std::function<void(std::uint64_t)> Progress::next_file(std::uint64_t file_bytes) {
  const auto base_bytes = base_bytes_;
  base_bytes_ += file_bytes;
  return [this, base_bytes](std::uint64_t done_bytes) {
    const auto next_base = base_bytes_;
    base_bytes_ = base_bytes;
    update(done_bytes);
    base_bytes_ = next_base;
  };
}

void Progress::draw(TimestampUs now_us) {
  drawn_us_ = now_us;
  if (style_ == ProgressStyle::kLines) {
    sink_(line(now_us) + "\n");
    return;
  }
  visible_ = true;
  sink_("\r" + line(now_us) + "\x1b[K");
}

std::string Progress::line(TimestampUs now_us) const {
  const double elapsed_s = static_cast<double>(now_us - started_us_) / static_cast<double>(kSecondUs);
  const double rate = elapsed_s > 0 ? static_cast<double>(done_bytes_) / elapsed_s : 0;
  auto numbers = fmt::format("{}  {}/s", human_size(done_bytes_), human_size(static_cast<std::uint64_t>(rate)));
  std::string bar;
  if (total_bytes_ > 0) {
    const double share = std::min(1.0, static_cast<double>(done_bytes_) / static_cast<double>(total_bytes_));
    const auto left_bytes = static_cast<double>(total_bytes_ - std::min(done_bytes_, total_bytes_));
    const auto filled = static_cast<std::size_t>(share * kBarWidth);
    bar = fmt::format("[{}{}]  ", std::string(filled, '#'), std::string(kBarWidth - filled, '.'));
    numbers = fmt::format("{:3.0f}%  {} of {}  {}/s", share * 100, human_size(done_bytes_), human_size(total_bytes_),
                          human_size(static_cast<std::uint64_t>(rate)));
    if (rate > 0) numbers += fmt::format("  {} left", duration(static_cast<std::int64_t>(left_bytes / rate)));
  }
  if (!note_.empty()) numbers += "  " + note_;
  if (style_ == ProgressStyle::kLines) return fmt::format("{}  {}", title_, numbers);
  // A line that wraps could not be cleared again, so the bar goes first and the title after it.
  for (const auto& text : {fmt::format("{}  {}{}", title_, bar, numbers), fmt::format("{}  {}", title_, numbers)}) {
    if (display_width(text) < width_) return text;
  }
  return numbers;
}

}  // namespace mlops::cli
