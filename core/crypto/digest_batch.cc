#include "core/crypto/digest_batch.h"

#if defined(__x86_64__)
#include <cpuid.h>
#endif

#include <algorithm>
#include <bit>
#include <limits>
#include <utility>

#include "core/crypto/sha256_lanes.h"
#include "core/crypto/sha256_padding.h"

namespace mlops::crypto {
namespace {

using lanes::kBlockBytes;
using lanes::Kernel;
using lanes::kInitialState;
using lanes::kMaxLanes;
using lanes::kStateWords;
using lanes::put_word;
using lanes::Tail;

std::size_t full_blocks(ByteView bytes) {
  return bytes.size() / kBlockBytes;
}

// `stride` is the distance of two words of the state.
Digest to_digest(const std::uint32_t* state, std::size_t stride) {
  std::array<std::uint8_t, 4 * kStateWords> bytes;
  for (std::size_t i = 0; i < kStateWords; ++i) put_word(&bytes[4 * i], state[i * stride]);
  return Digest(bytes);
}

void compress_one(const Kernel& kernel, std::uint32_t* state, const std::uint8_t* data, std::size_t blocks) {
  if (blocks > 0) kernel.compress(state, {&data, 1}, blocks);
}

// A class of lengths: four to each power of two.
std::size_t size_class(ByteView input) {
  const std::size_t blocks = full_blocks(input);
  if (blocks < 4) return blocks;
  const auto power = static_cast<std::size_t>(std::bit_width(blocks)) - 1;
  return 4 * (power - 1) + (blocks >> (power - 2)) % 4;
}

// Which inputs are to be begun first, if that matters: a long one begun last would end alone in its lane. By classes,
// because lanes that end a little apart cost little; inputs of one class stay in their order, as they lie in memory.
std::vector<std::size_t> longest_first(std::span<const ByteView> inputs) {
  std::array<std::size_t, 4 * std::numeric_limits<std::size_t>::digits> starts{};
  for (const ByteView input : inputs) ++starts[size_class(input)];
  if (starts[size_class(inputs.front())] == inputs.size()) return {};
  std::size_t before = 0;
  for (auto count = starts.rbegin(); count != starts.rend(); ++count) before += std::exchange(*count, before);
  std::vector<std::size_t> order(inputs.size());
  for (std::size_t i = 0; i < inputs.size(); ++i) order[starts[size_class(inputs[i])]++] = i;
  return order;
}

// Keeps the lanes of a kernel full: a lane goes through the full blocks of an input, then its tail, then takes the next
// input. The kernel runs until the first lane needs something new. Invariant: lanes 0 … active_-1 have blocks left.
class Scheduler {
 public:
  Scheduler(const Kernel& kernel, std::span<const ByteView> inputs, std::span<Digest> digests)
      : kernel_(kernel), inputs_(inputs), digests_(digests) {
    if (inputs.size() > kernel.width) order_ = longest_first(inputs);
    for (std::size_t i = 0; i < kernel.width; ++i) lanes_[i].tail = &tails_[i];
  }
  Scheduler(const Scheduler&) = delete;
  Scheduler& operator=(const Scheduler&) = delete;

  void run() {
    while (active_ < kernel_.width && begin_next(active_)) ++active_;
    while (active_ >= kernel_.worthwhile) step();
    while (active_ > 0) finish_alone(--active_);
  }

 private:
  enum class Part { kBody, kTail };

  struct Lane {
    std::size_t input;
    const std::uint8_t* data;
    std::size_t blocks;
    Part part;
    Tail* tail;
  };

  std::uint32_t& word(std::size_t lane, std::size_t i) {
    return states_[i * kernel_.word_stride + lane * kernel_.lane_stride];
  }

  // Whether there was an input left for this lane.
  bool begin_next(std::size_t index) {
    if (next_ == inputs_.size()) return false;
    Lane& lane = lanes_[index];
    lane.input = order_.empty() ? next_ : order_[next_];
    ++next_;
    for (std::size_t i = 0; i < kStateWords; ++i) word(index, i) = kInitialState[i];
    const ByteView input = inputs_[lane.input];
    lane.data = input.data();
    lane.blocks = full_blocks(input);
    lane.part = Part::kBody;
    if (lane.blocks == 0) begin_tail(lane);
    return true;
  }

  void begin_tail(Lane& lane) {
    const ByteView input = inputs_[lane.input];
    lane.blocks = lane.tail->fill(input.subspan(full_blocks(input) * kBlockBytes), input.size());
    lane.data = lane.tail->data();
    lane.part = Part::kTail;
  }

  void step() {
    std::array<const std::uint8_t*, kMaxLanes> data;
    std::size_t blocks = lanes_[0].blocks;
    for (std::size_t i = 0; i < active_; ++i) {
      data[i] = lanes_[i].data;
      blocks = std::min(blocks, lanes_[i].blocks);
    }
    kernel_.compress(states_.data(), {data.data(), active_}, blocks);
    for (std::size_t i = active_; i-- > 0;) {  // backwards, because a lane that closes is replaced by the last one
      lanes_[i].data += blocks * kBlockBytes;
      lanes_[i].blocks -= blocks;
      if (lanes_[i].blocks == 0) advance(i);
    }
  }

  void advance(std::size_t index) {
    if (lanes_[index].part == Part::kBody) return begin_tail(lanes_[index]);
    digests_[lanes_[index].input] = to_digest(&word(index, 0), kernel_.word_stride);
    if (begin_next(index)) return;
    --active_;
    if (index == active_) return;
    lanes_[index] = lanes_[active_];  // with its tail; the closed one is not needed any more
    for (std::size_t i = 0; i < kStateWords; ++i) word(index, i) = word(active_, i);
  }

  void finish_alone(std::size_t index) {
    const Kernel& alone = lanes::openssl_kernel();
    Lane& lane = lanes_[index];
    lanes::State state;
    for (std::size_t i = 0; i < kStateWords; ++i) state[i] = word(index, i);
    compress_one(alone, state.data(), lane.data, lane.blocks);
    if (lane.part == Part::kBody) {
      begin_tail(lane);
      compress_one(alone, state.data(), lane.data, lane.blocks);
    }
    digests_[lane.input] = to_digest(state.data(), 1);
  }

  const Kernel& kernel_;
  std::span<const ByteView> inputs_;
  std::span<Digest> digests_;
  std::vector<std::size_t> order_;  // empty: as they come
  std::size_t next_ = 0;
  std::size_t active_ = 0;
  std::array<Lane, kMaxLanes> lanes_;
  std::array<Tail, kMaxLanes> tails_;
  alignas(64) std::array<std::uint32_t, kMaxLanes * kStateWords> states_{};
};

#if defined(__x86_64__)

bool has_sha_instructions() {
  unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
  return __get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) != 0 && (ebx & bit_SHA) != 0;
}

// Best first, as measured where one processor has all. The compiler's question about AVX includes whether the system
// saves those registers; SHA-NI uses those of SSE, which every system saves.
std::vector<Sha256Engine> find_engines() {
  std::vector<Sha256Engine> engines;
  if (has_sha_instructions() && __builtin_cpu_supports("sse4.1")) engines.push_back(Sha256Engine::kShaNi);
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw")) {
    engines.push_back(Sha256Engine::kAvx512);
  }
  if (__builtin_cpu_supports("avx2")) engines.push_back(Sha256Engine::kAvx2);
  engines.push_back(Sha256Engine::kOpenssl);
  return engines;
}

const Kernel& kernel(Sha256Engine engine) {
  switch (engine) {
    case Sha256Engine::kShaNi:
      return lanes::shani_kernel();
    case Sha256Engine::kAvx512:
      return lanes::avx512_kernel();
    case Sha256Engine::kAvx2:
      return lanes::avx2_kernel();
    case Sha256Engine::kOpenssl:
      break;
  }
  return lanes::openssl_kernel();
}

#else

std::vector<Sha256Engine> find_engines() {
  return {Sha256Engine::kOpenssl};
}

const Kernel& kernel(Sha256Engine) {
  return lanes::openssl_kernel();
}

#endif

}  // namespace

const Kernel& lanes::kernel_of(Sha256Engine engine) {
  return kernel(engine);
}

std::string_view to_word(Sha256Engine engine) {
  switch (engine) {
    case Sha256Engine::kShaNi:
      return "sha-ni";
    case Sha256Engine::kAvx512:
      return "avx-512";
    case Sha256Engine::kAvx2:
      return "avx2";
    case Sha256Engine::kOpenssl:
      break;
  }
  return "openssl";
}

const std::vector<Sha256Engine>& sha256_engines() {
  static const std::vector<Sha256Engine> engines = find_engines();
  return engines;
}

void sha256_batch(std::span<const ByteView> inputs, std::span<Digest> digests) {
  sha256_batch_with(sha256_engines().front(), inputs, digests);
}

void sha256_batch_with(Sha256Engine engine, std::span<const ByteView> inputs, std::span<Digest> digests) {
  if (engine != Sha256Engine::kOpenssl) return Scheduler(kernel(engine), inputs, digests).run();
  std::transform(inputs.begin(), inputs.end(), digests.begin(), [](ByteView input) { return sha256(input); });
}

StreamHasher::StreamHasher() : StreamHasher(sha256_engines().front()) {}

StreamHasher::StreamHasher(Sha256Engine engine)
    : kernel_(engine == Sha256Engine::kShaNi ? &kernel(engine) : &lanes::openssl_kernel()) {
  std::copy(kInitialState.begin(), kInitialState.end(), states_.begin());
}

ByteView StreamHasher::fill_partial(ByteView bytes) {
  const std::size_t used = partial_bytes();
  const ByteView taken = bytes.first(used == 0 ? 0 : std::min(bytes.size(), kBlockBytes - used));
  std::copy(taken.begin(), taken.end(), partial_.begin() + static_cast<std::ptrdiff_t>(used));
  size_bytes_ += taken.size();
  return bytes.subspan(taken.size());
}

void StreamHasher::update(ByteView bytes) {
  const bool waited = partial_bytes() > 0;
  const ByteView rest = fill_partial(bytes);
  if (partial_bytes() > 0) return;
  if (waited) compress_one(*kernel_, states_.data(), partial_.data(), 1);
  compress_one(*kernel_, states_.data(), rest.data(), full_blocks(rest));
  const ByteView kept = rest.subspan(full_blocks(rest) * kBlockBytes);
  std::copy(kept.begin(), kept.end(), partial_.begin());
  size_bytes_ += rest.size();
}

void StreamHasher::compress_both(const std::uint8_t* of_stream, const std::uint8_t* of_piece, std::size_t blocks) {
  const std::array<const std::uint8_t*, 2> data = {of_stream, of_piece};
  if (blocks > 0) kernel_->compress(states_.data(), data, blocks);
}

ByteView StreamHasher::compress_bodies(ByteView piece) {
  std::size_t blocks = full_blocks(piece);
  if (blocks == 0) return piece;
  ByteView of_stream = piece, of_piece = piece;
  if (partial_bytes() > 0) {
    of_stream = fill_partial(piece);
    compress_both(partial_.data(), of_piece.data(), 1);
    of_piece = of_piece.subspan(kBlockBytes);
    --blocks;
  }
  compress_both(of_stream.data(), of_piece.data(), blocks);
  size_bytes_ += blocks * kBlockBytes;
  return of_stream.subspan(blocks * kBlockBytes);
}

Digest StreamHasher::update_and_digest(ByteView piece) {
  std::uint32_t* const state = states_.data() + kStateWords;
  std::copy(kInitialState.begin(), kInitialState.end(), state);
  ByteView left = compress_bodies(piece);
  Tail tail;
  std::size_t tail_blocks = tail.fill(piece.subspan(full_blocks(piece) * kBlockBytes), piece.size());
  const std::uint8_t* of_tail = tail.data();
  if (full_blocks(left) > 0) {  // the stream's blocks lie a little behind those of the piece: one more may fit
    compress_both(left.data(), of_tail, 1);
    size_bytes_ += kBlockBytes;
    left = left.subspan(kBlockBytes);
    of_tail += kBlockBytes;
    --tail_blocks;
  }
  update(left);
  compress_one(*kernel_, state, of_tail, tail_blocks);
  return to_digest(state, 1);
}

Digest StreamHasher::finish() {
  Tail tail;
  const std::size_t blocks = tail.fill(ByteView(partial_).first(partial_bytes()), size_bytes_);
  compress_one(*kernel_, states_.data(), tail.data(), blocks);
  return to_digest(states_.data(), 1);
}

}  // namespace mlops::crypto
