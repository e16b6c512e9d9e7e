// Splitting and merging is checked against its definition, at every length and alignment that a block could miss.
#include "storage/cas/planes.h"

#include <algorithm>
#include <string>
#include <vector>

#include "tests/unit/catch.h"

using namespace mlops;
using namespace mlops::cas;

namespace {

using Bytes = std::vector<std::uint8_t>;

constexpr std::uint8_t kGuard = 0xa5;

Bytes counted(std::size_t size) {
  Bytes bytes(size);
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::uint8_t>(i * 37 + i / 251);
  return bytes;
}

void check_both_ways(ByteView raw, std::size_t width) {
  const std::size_t plane_bytes = raw.size() / width;
  std::vector<Bytes> planes(width, Bytes(plane_bytes + 1, kGuard));
  PlaneTargets targets{};
  PlaneSources sources{};
  for (std::size_t plane = 0; plane < width; ++plane) sources[plane] = targets[plane] = planes[plane].data();
  split_planes(raw, width, targets);
  bool is_split = true;
  for (std::size_t plane = 0; plane < width; ++plane) {
    for (std::size_t at = 0; at < plane_bytes; ++at) {
      is_split = is_split && planes[plane][at] == raw[at * width + plane];
    }
    is_split = is_split && planes[plane].back() == kGuard;
  }
  CHECK(is_split);
  Bytes back(raw.size() + 1, kGuard);
  merge_planes(sources, width, {back.data(), raw.size()});
  CHECK(std::equal(raw.begin(), raw.begin() + static_cast<std::ptrdiff_t>(plane_bytes * width), back.begin()));
  CHECK(std::all_of(back.begin() + static_cast<std::ptrdiff_t>(plane_bytes * width), back.end(),
                    [](std::uint8_t byte) { return byte == kGuard; }));
}

// Two planes of three bytes and a tail of one.
const Bytes kPayload{2, 0, 3, 0, 0, 0, 0, 3, 0, 0, 0, 'a', 'c', 'e', 'b', 'd', 'f', 'g'};

}  // namespace

TEST_CASE("planes hold every width-th byte, and come back") {
  const Bytes bytes = counted(1100);
  for (const std::size_t width : {2, 4, 8}) {
    for (std::size_t size = 0; size <= 300; ++size) check_both_ways(ByteView(bytes).subspan(size % 17, size), width);
    for (std::size_t size = 1000; size <= 1040; ++size)
      check_both_ways(ByteView(bytes).subspan(size % 19, size), width);
  }
}

TEST_CASE("a plane payload is taken apart by its grammar") {
  const PlanePayload payload = parse_planes(kPayload, 7);
  REQUIRE(payload.width == 2);
  CHECK(payload.planes[0].method == PlaneMethod::kRaw);
  CHECK(std::string(payload.planes[0].bytes.begin(), payload.planes[0].bytes.end()) == "ace");
  CHECK(std::string(payload.planes[1].bytes.begin(), payload.planes[1].bytes.end()) == "bdf");
  CHECK(std::string(payload.tail.begin(), payload.tail.end()) == "g");
}

TEST_CASE("the heads that are written are the ones that are read") {
  const Bytes plane(70'000, 1);
  std::array<StoredPlane, kMaxPlanes> planes;
  planes[0] = {PlaneMethod::kZstd, ByteView(plane).first(0x1234)};
  planes[1] = {PlaneMethod::kRaw, plane};
  Bytes payload(plane_heads_bytes(2) + 0x1234 + plane.size());
  write_plane_heads(2, planes, payload.data());
  CHECK(Bytes(payload.begin(), payload.begin() + 11) == Bytes{2, 1, 0x34, 0x12, 0, 0, 0, 0x70, 0x11, 1, 0});
  const PlanePayload read = parse_planes(payload, 140'000);
  REQUIRE(read.width == 2);
  CHECK(read.planes[0].bytes.size() == 0x1234);
  CHECK(read.planes[1].bytes.size() == plane.size());
}

TEST_CASE("what the grammar does not allow is not taken apart") {
  CHECK(parse_planes({}, 0).width == 0);
  CHECK(parse_planes(kPayload, 6).width == 0);
  CHECK(parse_planes(kPayload, 8).width == 0);
  for (std::size_t size = 0; size < kPayload.size(); ++size)
    CHECK(parse_planes(ByteView(kPayload).first(size), 7).width == 0);
  const auto changed = [](std::size_t at, int value) {
    Bytes bytes = kPayload;
    bytes[at] = static_cast<std::uint8_t>(value);
    return parse_planes(bytes, 7).width;
  };
  for (const int width : {0, 1, 3, 4, 8, 16, 255}) CHECK(changed(0, width) == 0);
  CHECK(changed(1, 2) == 0);
  for (const std::size_t at : {2, 3, 4, 5, 7, 8, 9, 10}) CHECK(changed(at, 0xff) == 0);
  Bytes longer = kPayload;
  longer.push_back(0);
  CHECK(parse_planes(longer, 7).width == 0);
}
