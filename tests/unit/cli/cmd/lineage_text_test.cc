#include "cli/cmd/lineage_text.h"

#include "tests/unit/catch.h"

using namespace mlops;
using namespace mlops::cli;

namespace {

Json node(const char* id, const char* type, const char* label, const char* sensitivity = "none") {
  return {{"id", id}, {"type", type}, {"label", label}, {"sensitivity", sensitivity}};
}

// m ← masked ← masking ← raw, and m ← raw directly (a diamond).
Json diamond(const char* direction) {
  return {{"root", std::string(direction) == "up" ? "m" : "r"},
          {"direction", direction},
          {"nodes",
           {node("m", "model", "m@v1", "personal"), node("d", "dataset", "d@v1"), node("k", "masking", "run 1"),
            node("r", "dataset", "raw@v1", "personal")}},
          {"edges",
           {{{"from", "d"}, {"to", "m"}, {"role", "train"}},
            {{"from", "k"}, {"to", "d"}, {"role", ""}},
            {{"from", "r"}, {"to", "k"}, {"role", "source"}},
            {{"from", "r"}, {"to", "m"}, {"role", "test"}}}}};
}

}  // namespace

TEST_CASE("lineage tree upward walks against the edges and draws a shared node once") {
  CHECK(lineage_tree(diamond("up"), plain_style()) ==
        Lines{"model m@v1  personal", "├─ train: dataset d@v1", "│  └─ masking run 1",
              "│     └─ source: dataset raw@v1  personal", "└─ test: dataset raw@v1  personal"});
}

TEST_CASE("lineage tree downward walks along the edges and marks what is drawn above") {
  CHECK(lineage_tree(diamond("down"), plain_style()) ==
        Lines{"dataset raw@v1  personal", "├─ source: masking run 1", "│  └─ dataset d@v1",
              "│     └─ train: model m@v1  personal", "└─ test: model m@v1  personal"});
}

TEST_CASE("lineage tree of a cycle ends") {
  const Json graph = {
      {"root", "a"},
      {"direction", "down"},
      {"nodes", {node("a", "model", "a"), node("b", "model", "b")}},
      {"edges", {{{"from", "a"}, {"to", "b"}, {"role", ""}}, {{"from", "b"}, {"to", "a"}, {"role", ""}}}}};
  CHECK(lineage_tree(graph, plain_style()) == Lines{"model a", "└─ model b", "   └─ model a  (above)"});
}

TEST_CASE("lineage tree names a node cut off by the depth") {
  const Json graph = {{"root", "a"},
                      {"direction", "up"},
                      {"nodes", {node("a", "model", "a")}},
                      {"edges", {{{"from", "x"}, {"to", "a"}, {"role", "train"}}}}};
  CHECK(lineage_tree(graph, plain_style()).back() == "└─ train: x  (not in this graph)");
}

TEST_CASE("dot quotes hostile labels") {
  const Json graph = {{"root", "a\"b"},
                      {"direction", "up"},
                      {"nodes", {node("a\"b", "dataset", "x\\\"];\nevil", "child")}},
                      {"edges", Json::array()}};
  const auto lines = lineage_dot(graph);
  REQUIRE(lines.size() == 5);
  CHECK(lines[3] == R"(  "a\"b" [label="x\\\"]; evil\nchild", shape=cylinder, penwidth=2];)");
  CHECK(lines.back() == "}");
}

TEST_CASE("dot and mermaid carry every edge with its role") {
  const auto dot = lineage_dot(diamond("up"));
  CHECK(std::count(dot.begin(), dot.end(), R"(  "d" -> "m" [label="train"];)") == 1);
  CHECK(std::count(dot.begin(), dot.end(), R"(  "k" -> "d";)") == 1);
  const auto mermaid = lineage_mermaid(diamond("up"));
  CHECK(mermaid.front() == "flowchart LR");
  CHECK(std::count(mermaid.begin(), mermaid.end(), R"(  n1 -->|"train"| n0)") == 1);
  CHECK(std::count(mermaid.begin(), mermaid.end(), R"(  n3[("raw@v1, personal")])") == 1);
}

TEST_CASE("mermaid turns markup of labels into text and drops edges to unknown nodes") {
  const Json graph = {{"root", "a"},
                      {"direction", "up"},
                      {"nodes", {node("a", "model", "\"<script>#`")}},
                      {"edges", {{{"from", "x"}, {"to", "a"}, {"role", "train"}}}}};
  CHECK(lineage_mermaid(graph) == Lines{"flowchart LR", R"(  n0["#quot;#60;script#62;#35;#96;"])"});
}
