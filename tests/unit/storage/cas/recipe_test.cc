// Recipes: the same file has the same tree however it was sent, an edit changes little of it, damage is refused.
#include "storage/cas/recipe.h"

#include <map>

#include "storage/cas/little_endian.h"
#include "tests/unit/catch.h"

using namespace mlops;
using namespace mlops::cas;

namespace {

// By index; so that about one in 64 ends a node, as with real digests.
RecipeEntry chunk(std::uint64_t index) {
  return {crypto::sha256("chunk " + std::to_string(index)), 1000 + index % 7};
}

struct Tree {
  std::map<crypto::Digest, Node> nodes;
  std::vector<std::pair<crypto::Digest, Node>> leaves;  // of level 0, in order
  crypto::Digest root;
  std::uint64_t size_bytes = 0;
};

Tree build(const std::function<Status(RecipeBuilder&)>& feed) {
  Tree tree;
  RecipeBuilder builder([&tree](const Node& node, const crypto::Digest& digest, const std::string& bytes) -> Status {
    if (crypto::sha256(bytes) != digest) return fail(ErrorCode::kInternal, "digest", "not its digest");
    tree.nodes.emplace(digest, node);
    if (node.level == 0) tree.leaves.emplace_back(digest, node);
    return {};
  });
  REQUIRE(feed(builder));
  auto root = builder.finish();
  REQUIRE(root);
  tree.root = *root;
  tree.size_bytes = builder.size_bytes();
  return tree;
}

Tree build_of(const std::vector<RecipeEntry>& chunks) {
  return build([&](RecipeBuilder& builder) -> Status {
    for (const auto& entry : chunks) MLOPS_TRY(builder.add(entry));
    return {};
  });
}

std::vector<RecipeEntry> chunks_upto(std::size_t count) {
  std::vector<RecipeEntry> chunks;
  for (std::size_t i = 0; i < count; ++i) chunks.push_back(chunk(i));
  return chunks;
}

// What a reader would make of the tree.
void flatten(const Tree& tree, const crypto::Digest& digest, std::vector<RecipeEntry>& out, std::uint64_t wanted_size) {
  const auto node = tree.nodes.find(digest);
  REQUIRE(node != tree.nodes.end());
  REQUIRE(node->second.size_bytes() == wanted_size);
  for (const auto& entry : node->second.entries) {
    if (node->second.level == 0) {
      out.push_back(entry);
    } else {
      REQUIRE(tree.nodes.at(entry.digest).level + 1 == node->second.level);
      flatten(tree, entry.digest, out, entry.size_bytes);
    }
  }
}

// The reference: level by level, cut by the rule, until one node is left.
crypto::Digest root_by_rule(std::vector<RecipeEntry> entries) {
  for (unsigned level = 0;; ++level) {
    std::vector<RecipeEntry> above;
    Node node{level, {}};
    const auto close = [&] {
      above.push_back({crypto::sha256(node_bytes(node)), node.size_bytes()});
      node.entries.clear();
    };
    for (const auto& entry : entries) {
      node.entries.push_back(entry);
      if (ends_node(node)) close();
    }
    if (!node.entries.empty()) close();
    if (above.size() == 1) return above.front().digest;
    entries = std::move(above);
  }
}

bool same(const std::vector<RecipeEntry>& a, const std::vector<RecipeEntry>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const auto& x, const auto& y) { return x.digest == y.digest && x.size_bytes == y.size_bytes; });
}

}  // namespace

TEST_CASE("the tree of a file of any number of chunks is the one of the rule and lists them all") {
  const auto all = chunks_upto(3000);
  for (std::size_t count = 1; count <= all.size(); count += count < 600 ? 1 : 97) {
    INFO(count << " chunks");
    const std::vector<RecipeEntry> chunks(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(count));
    const auto tree = build_of(chunks);
    std::vector<RecipeEntry> listed;
    flatten(tree, tree.root, listed, tree.size_bytes);
    REQUIRE(same(listed, chunks));
    REQUIRE(tree.root == root_by_rule(chunks));
  }
}

TEST_CASE("whole nodes and single chunks make the same tree") {
  const auto all = chunks_upto(3000);
  for (std::size_t count = 1; count <= all.size(); count += count < 300 ? 1 : 61) {
    INFO(count << " chunks");
    const auto plain = build_of({all.begin(), all.begin() + static_cast<std::ptrdiff_t>(count)});
    // Of each leaf either the node as a whole or its chunks; the short one at the end too.
    for (const unsigned pattern : {0u, 1u, 2u}) {
      const auto mixed = build([&](RecipeBuilder& builder) -> Status {
        for (std::size_t i = 0; i < plain.leaves.size(); ++i) {
          const auto& [digest, node] = plain.leaves[i];
          REQUIRE(builder.at_node_start());
          if (pattern != 0 && i % pattern == 0) {
            MLOPS_TRY(builder.add_node({digest, node.size_bytes()}));
          } else {
            for (const auto& entry : node.entries) MLOPS_TRY(builder.add(entry));
          }
        }
        return {};
      });
      REQUIRE(mixed.root == plain.root);
      REQUIRE(mixed.size_bytes == plain.size_bytes);
    }
  }
}

TEST_CASE("nodes keep their bounds, and long runs without a boundary end at the largest") {
  std::vector<RecipeEntry> same_chunk(1000, chunk(1));
  REQUIRE((same_chunk[0].digest.bytes()[31] & 0x3f) != 0);
  for (const auto& leaf : build_of(same_chunk).leaves) CHECK(leaf.second.entries.size() <= kNodeMax);
  CHECK(build_of(same_chunk).leaves.size() == 4);
  std::array<std::uint8_t, 32> zeros{};
  const std::vector<RecipeEntry> all_ends(1000, RecipeEntry{crypto::Digest(zeros), 1});
  const auto tree = build_of(all_ends);
  for (std::size_t i = 0; i + 1 < tree.leaves.size(); ++i) CHECK(tree.leaves[i].second.entries.size() == kNodeMin);
}

TEST_CASE("an edit in the middle changes few nodes") {
  const auto before_chunks = chunks_upto(3000);
  const auto before = build_of(before_chunks);
  std::size_t most = 0;
  for (const std::size_t at : {1u, 700u, 1500u, 2222u, 2998u}) {
    for (const int kind : {0, 1, 2}) {
      auto chunks = before_chunks;
      const auto place = chunks.begin() + static_cast<std::ptrdiff_t>(at);
      if (kind == 0) *place = chunk(99'999);
      if (kind == 1) chunks.insert(place, chunk(99'999));
      if (kind == 2) chunks.erase(place);
      std::size_t new_nodes = 0;
      for (const auto& node : build_of(chunks).nodes) new_nodes += before.nodes.contains(node.first) ? 0 : 1;
      most = std::max(most, new_nodes);
    }
  }
  CHECK(before.nodes.size() > 30);
  CHECK(most <= 6);  // a leaf or two, what is above them, and a boundary that moved
}

TEST_CASE("a node's bytes are read back, and cut or changed ones are refused") {
  const Node node{3, chunks_upto(20)};
  const auto bytes = node_bytes(node);
  const auto parsed = parse_node(as_bytes(bytes));
  REQUIRE(parsed);
  CHECK(parsed->level == 3);
  CHECK(same(parsed->entries, node.entries));
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    const auto cut = parse_node(as_bytes(bytes).first(size));
    if (cut) FAIL("cut at " << size);
    if (size == 0) CHECK(cut.error().slug == "node_damaged");
  }
  CHECK_FALSE(parse_node(as_bytes(bytes + "x")));
  auto version = bytes;
  version[0] = 2;
  CHECK_FALSE(parse_node(as_bytes(version)));
  auto level = bytes;
  level[1] = 13;
  CHECK_FALSE(parse_node(as_bytes(level)));
  CHECK_FALSE(parse_node(as_bytes(node_bytes({0, {}}))));
  CHECK(parse_node(as_bytes(node_bytes({0, chunks_upto(kNodeMax)}))));
  CHECK_FALSE(parse_node(as_bytes(node_bytes({0, chunks_upto(kNodeMax + 1)}))));
}

TEST_CASE("the records of a file are read back, and cut ones are refused") {
  const BlobRecord record{123'456'789'012, chunk(5).digest};
  const auto bytes = blob_record_bytes(record);
  const auto parsed = parse_blob_record(as_bytes(bytes));
  REQUIRE(parsed);
  CHECK(parsed->size_bytes == record.size_bytes);
  CHECK(parsed->root == record.root);
  for (std::size_t size = 0; size < bytes.size(); ++size) CHECK_FALSE(parse_blob_record(as_bytes(bytes).first(size)));
  CHECK_FALSE(parse_blob_record(as_bytes(bytes + "x")));
  const auto blob = chunk(6).digest;
  CHECK(parse_root_record(blob.bytes()).value() == blob);
  for (std::size_t size = 0; size < 32; ++size) CHECK_FALSE(parse_root_record(blob.bytes().first(size)));
}

TEST_CASE("a recipe of nothing is an error, and an error of the receiver ends it") {
  RecipeBuilder empty([](const Node&, const crypto::Digest&, const std::string&) -> Status { return {}; });
  CHECK(empty.finish().error().code == ErrorCode::kCorrupt);
  RecipeBuilder refused([](const Node&, const crypto::Digest&, const std::string&) -> Status {
    return fail(ErrorCode::kUnavailable, "no", "no");
  });
  Status status;
  for (std::size_t i = 0; i < kNodeMax && status; ++i) status = refused.add(chunk(1));
  CHECK(status.error().slug == "no");
}
