#include "policies/data/inflate.h"

#include <zlib.h>

#include <algorithm>
#include <limits>

namespace mlops::data {
namespace {

constexpr int kGzipOrZlib = 15 + 32;
constexpr std::size_t kStepBytes = 64u << 10;

class Stream {
 public:
  Stream() { ready_ = inflateInit2(&state_, kGzipOrZlib) == Z_OK; }
  ~Stream() {
    if (ready_) inflateEnd(&state_);
  }
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
  bool is_ready() const { return ready_; }
  z_stream& state() { return state_; }

 private:
  z_stream state_{};
  bool ready_ = false;
};

bool begins_gzip(const z_stream& state) {
  return state.avail_in > 2 && state.next_in[0] == 0x1F && state.next_in[1] == 0x8B;
}

}  // namespace

Inflated inflate_bytes(std::string_view packed, std::size_t max_bytes) {
  Inflated result;
  Stream stream;
  if (!stream.is_ready() || packed.size() > std::numeric_limits<uInt>::max()) return result;
  auto& state = stream.state();
  // zlib reads through a pointer to non-const, and never writes through it.
  state.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));
  state.avail_in = static_cast<uInt>(packed.size());
  while (true) {
    const std::size_t before = result.bytes.size();
    const std::size_t room = std::min(kStepBytes, max_bytes + 1 - before);
    result.bytes.resize(before + room);
    state.next_out = reinterpret_cast<Bytef*>(result.bytes.data() + before);
    state.avail_out = static_cast<uInt>(room);
    const int code = inflate(&state, Z_NO_FLUSH);
    const std::size_t made = room - state.avail_out;
    result.bytes.resize(before + made);
    if (result.bytes.size() > max_bytes) {
      result.bytes.resize(max_bytes);
      result.end = InflateEnd::kTooLarge;
      return result;
    }
    if (code == Z_STREAM_END) {
      result.end = InflateEnd::kWhole;
      if (!begins_gzip(state) || inflateReset(&state) != Z_OK) return result;
      result.end = InflateEnd::kDamaged;  // until the next member is whole as well
    } else if (code != Z_OK || (made == 0 && state.avail_in == 0)) {
      return result;
    }
  }
}

}  // namespace mlops::data
