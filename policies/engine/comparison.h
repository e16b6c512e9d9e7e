// The list compare_policies fills, and the comparisons its parts share. Private to policies/engine.
// Thread-safety: belongs to one thread.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "policies/engine/body.h"
#include "policies/engine/compare.h"

namespace mlops::policy {

inline constexpr std::string_view kNone = "none";

// Whether more of a value takes away more.
enum class MoreIs { kStricter, kLooser };

class Comparison {
 public:
  void add(Change change, std::string subject, std::string before, std::string after) {
    const auto or_none = [](std::string text) { return text.empty() ? std::string(kNone) : std::move(text); };
    list_.push_back({change, std::move(subject), or_none(std::move(before)), or_none(std::move(after))});
  }

  // Numbers, periods, enums in the order of strictness: nothing said is the loosest.
  template <class T, class Show>
  void limit(const std::string& subject, const std::optional<T>& before, const std::optional<T>& after, MoreIs more,
             Show show) {
    const bool same =
        before.has_value() == after.has_value() && (!before || (!(*before < *after) && !(*after < *before)));
    if (same) return;
    const bool stricter = after && (!before || (more == MoreIs::kStricter ? *before < *after : *after < *before));
    add(stricter ? Change::kTightened : Change::kLoosened, subject, before ? show(*before) : std::string{},
        after ? show(*after) : std::string{});
  }
  template <class T>
  void limit(const std::string& subject, const std::optional<T>& before, const std::optional<T>& after, MoreIs more) {
    limit(subject, before, after, more, [](const T& value) { return fmt::format("{}", value); });
  }

  // Texts without a direction.
  void text(const std::string& subject, const std::string& before, const std::string& after,
            Change change = Change::kNeutral) {
    if (before != after) add(change, subject, before, after);
  }

  // A set: what a member more, and a member less, means.
  void set(const std::string& subject, const std::vector<std::string>& before, const std::vector<std::string>& after,
           MoreIs more) {
    const auto lacks = [](const std::vector<std::string>& list, const std::string& one) {
      return std::find(list.begin(), list.end(), one) == list.end();
    };
    for (const auto& one : before) {
      if (lacks(after, one)) add(more == MoreIs::kStricter ? Change::kLoosened : Change::kTightened, subject, one, {});
    }
    for (const auto& one : after) {
      if (lacks(before, one)) add(more == MoreIs::kStricter ? Change::kTightened : Change::kLoosened, subject, {}, one);
    }
  }

  std::vector<Difference> take() { return std::move(list_); }

 private:
  std::vector<Difference> list_;
};

void compare_gates(const Policy::Body& before, const Policy::Body& after, Comparison& out);
void compare_terms(const Policy::Body& before, const Policy::Body& after, Comparison& out);

}  // namespace mlops::policy
