#include "policies/evaluate/score.h"

#include <algorithm>
#include <string_view>

#include "policies/evaluate/classes.h"

namespace mlops::evaluate {
namespace {

constexpr std::string_view kLocation = "location";
constexpr double kCovered = 0.9;

struct Piece {
  std::size_t begin = 0;
  std::size_t end = 0;
  double score = 0;
};
using Pieces = std::vector<Piece>;

double ratio(std::uint64_t part, std::uint64_t whole) {
  return whole == 0 ? 1 : static_cast<double>(part) / static_cast<double>(whole);
}

bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

bool is_continuation(char c) {
  return (static_cast<unsigned char>(c) & 0xC0) == 0x80;
}

std::size_t count_characters(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) { return !is_continuation(c); }));
}

Pieces united(Pieces pieces, std::string_view text, std::string_view class_name) {
  std::sort(pieces.begin(), pieces.end(), [](const Piece& a, const Piece& b) { return a.begin < b.begin; });
  const auto joins = [&](char c) { return is_blank(c) || (class_name == kLocation && c == ','); };
  Pieces out;
  for (const Piece& next : pieces) {
    if (!out.empty()) {
      Piece& last = out.back();
      const bool touches =
          next.begin <= last.end || std::all_of(text.begin() + static_cast<std::ptrdiff_t>(last.end),
                                                text.begin() + static_cast<std::ptrdiff_t>(next.begin), joins);
      if (touches) {
        last.end = std::max(last.end, next.end);
        last.score = std::max(last.score, next.score);
        continue;
      }
    }
    out.push_back(next);
  }
  return out;
}

double overlap(std::string_view text, const Piece& a, const Piece& b) {
  const std::size_t begin = std::max(a.begin, b.begin), end = std::min(a.end, b.end);
  if (begin >= end) return 0;
  const std::size_t from = std::min(a.begin, b.begin), to = std::max(a.end, b.end);
  return static_cast<double>(count_characters(text.substr(begin, end - begin))) /
         static_cast<double>(count_characters(text.substr(from, to - from)));
}

// Both lists are disjoint and sorted, so a label has at most one partner with IoU above one half.
void match(std::string_view text, const Pieces& gold, const Pieces& found, const std::string& class_name,
           DocumentScore& score) {
  Tally& tally = score.by_class[class_name];
  tally.gold += gold.size();
  tally.found += found.size();
  std::vector<bool> used(found.size());
  for (const Piece& label : gold) {
    double best = 0;
    std::size_t partner = 0;
    for (std::size_t i = 0; i < found.size(); ++i) {
      const double iou = used[i] ? 0 : overlap(text, label, found[i]);
      if (iou > best) best = iou, partner = i;
    }
    if (best < 0.5) {
      score.misses.push_back({0, label.begin, label.end, class_name, false, 0});
      continue;
    }
    used[partner] = true;
    ++tally.iou50;
    if (best >= 0.9) ++tally.iou90;
    if (found[partner].begin == label.begin && found[partner].end == label.end) ++tally.strict;
  }
  for (std::size_t i = 0; i < found.size(); ++i) {
    if (!used[i]) score.misses.push_back({0, found[i].begin, found[i].end, class_name, true, found[i].score});
  }
}

void measure_leak(const Document& document, const std::vector<bool>& hidden, const Piece& label, Tally& tally) {
  std::uint64_t characters = 0, leaked = 0;
  for (std::size_t at = label.begin; at < label.end; ++at) {
    if (is_blank(document.text[at]) || is_continuation(document.text[at])) continue;
    ++characters;
    if (!hidden[at]) ++leaked;
  }
  tally.characters += characters;
  tally.leaked += leaked;
  if (static_cast<double>(leaked) <= (1 - kCovered) * static_cast<double>(characters)) ++tally.covered;
}

using ByClass = std::map<std::string, Pieces, std::less<>>;

// Where findings of several classes overlap, the most certain one says what it is, of equal ones the longest.
void give_way(ByClass& found) {
  struct Claim {
    std::string_view class_name;
    Piece piece;
  };
  std::vector<Claim> claims;
  for (const auto& [name, pieces] : found) {
    for (const Piece& piece : pieces) claims.push_back({name, piece});
  }
  std::stable_sort(claims.begin(), claims.end(), [](const Claim& a, const Claim& b) {
    if (a.piece.score != b.piece.score) return a.piece.score > b.piece.score;
    return a.piece.end - a.piece.begin > b.piece.end - b.piece.begin;
  });
  ByClass kept;
  std::map<std::size_t, std::size_t> taken;  // begin → end, disjoint
  for (const Claim& claim : claims) {
    const auto next = taken.lower_bound(claim.piece.begin);
    if (next != taken.end() && next->first < claim.piece.end) continue;
    if (next != taken.begin() && std::prev(next)->second > claim.piece.begin) continue;
    taken.emplace(claim.piece.begin, claim.piece.end);
    kept[std::string(claim.class_name)].push_back(claim.piece);
  }
  for (auto& [name, pieces] : kept)
    std::sort(pieces.begin(), pieces.end(), [](const Piece& a, const Piece& b) { return a.begin < b.begin; });
  found = std::move(kept);
}

}  // namespace

void Tally::add(const Tally& other) {
  gold += other.gold;
  found += other.found;
  strict += other.strict;
  iou90 += other.iou90;
  iou50 += other.iou50;
  covered += other.covered;
  characters += other.characters;
  leaked += other.leaked;
}

double Tally::recall(std::uint64_t hits) const {
  return ratio(hits, gold);
}
double Tally::precision(std::uint64_t hits) const {
  return ratio(hits, found);
}
double Tally::f(double beta, std::uint64_t hits) const {
  const double p = precision(hits), r = recall(hits), weight = beta * beta;
  return p + r == 0 ? 0 : (1 + weight) * p * r / (weight * p + r);
}
double Tally::coverage() const {
  return ratio(covered, gold);
}
double Tally::leakage() const {
  return characters == 0 ? 0 : ratio(leaked, characters);
}

DocumentScore score_document(const Document& document, const std::vector<detect::TypedSpan>& findings) {
  DocumentScore score;
  ByClass gold, found;
  std::vector<bool> hidden(document.text.size());
  for (const auto& [span, detector] : findings) {
    found[std::string(class_of_detector(detector->id()))].push_back({span.begin, span.end, span.score});
    for (std::size_t at = span.begin; at < span.end; ++at) hidden[at] = true;
  }
  for (auto& [name, pieces] : found) pieces = united(std::move(pieces), document.text, name);
  give_way(found);
  for (const GoldSpan& label : document.gold) {
    const std::string name(class_of_label(label.type));
    if (!name.empty()) {
      gold[name].push_back({label.begin, label.end});
      continue;
    }
    ++score.out_of_scope.gold;
    measure_leak(document, hidden, {label.begin, label.end}, score.out_of_scope);
  }
  for (auto& [name, pieces] : gold) {
    pieces = united(std::move(pieces), document.text, name);
    Tally& tally = score.by_class[name];
    for (const Piece& piece : pieces) measure_leak(document, hidden, piece, tally);
    score.has_gold = true;
    score.leaks = score.leaks || tally.leaked > 0;
    match(document.text, pieces, found[name], name, score);
  }
  for (const auto& [name, pieces] : found) {
    if (!gold.contains(name)) match(document.text, {}, pieces, name, score);
  }
  return score;
}

}  // namespace mlops::evaluate
