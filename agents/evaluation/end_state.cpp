// Walks two states side by side, and pairs checkpoints with calls.
#include "agents/evaluation/end_state.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <utility>

namespace troupe::evaluation {
namespace {

using Member = std::pair<const std::string*, const Json*>;

std::vector<Member> sorted_members(const Json& object) {
  std::vector<Member> out;
  out.reserve(object.size());
  for (auto it = object.begin(); it != object.end(); ++it) out.emplace_back(&it.key(), &it.value());
  auto before = [](const Member& a, const Member& b) { return *a.first < *b.first; };
  if (!std::is_sorted(out.begin(), out.end(), before)) std::sort(out.begin(), out.end(), before);
  return out;
}

std::string escaped_token(const std::string& key) {
  std::string out;
  for (char c : key) {
    if (c == '~') out += "~0";
    if (c == '/') out += "~1";
    if (c != '~' && c != '/') out += c;
  }
  return out;
}

// A double that holds a whole number of 64 bits is compared as that, since rounding an integer to a double
// would make neighbours beyond 2^53 equal.
bool whole_equals(const Json& whole, double number) {
  if (std::trunc(number) != number) return false;
  if (whole.is_number_unsigned())
    return number >= 0 && number < 0x1p64 && static_cast<std::uint64_t>(number) == whole.get<std::uint64_t>();
  return number >= -0x1p63 && number < 0x1p63 &&
         static_cast<std::int64_t>(number) == whole.get<std::int64_t>();
}

bool numbers_equal(const Json& a, const Json& b) {
  if (a.is_number_float() && b.is_number_float()) return a.get<double>() == b.get<double>();
  if (a.is_number_float()) return whole_equals(b, a.get<double>());
  if (b.is_number_float()) return whole_equals(a, b.get<double>());
  if (a.is_number_unsigned() && b.is_number_unsigned())
    return a.get<std::uint64_t>() == b.get<std::uint64_t>();
  if (a.is_number_unsigned()) return std::cmp_equal(a.get<std::uint64_t>(), b.get<std::int64_t>());
  if (b.is_number_unsigned()) return std::cmp_equal(a.get<std::int64_t>(), b.get<std::uint64_t>());
  return a.get<std::int64_t>() == b.get<std::int64_t>();
}

// One comparison. The pointer is kept as one string that grows and shrinks with the walk.
class StateWalk {
 public:
  explicit StateWalk(const StateLimits& limits) : limits_(limits) {}

  void compare(const Json& right, const Json& found, std::size_t depth) {
    if (verdict.cut) return;
    bool nested = right.is_structured() && right.type() == found.type();
    if (nested && depth >= limits_.depth_max && !(right.empty() && found.empty()))
      return note(Departure::changed);
    if (nested) return right.is_object() ? members(right, found, depth) : elements(right, found, depth);
    bool same = right.is_number() && found.is_number() ? numbers_equal(right, found) : right == found;
    if (!same) note(Departure::changed);
  }

  StateVerdict verdict;

 private:
  void note(Departure kind) {
    verdict.equal = false;
    verdict.cut = verdict.differences.size() >= limits_.differences_max;
    if (!verdict.cut) verdict.differences.push_back({pointer_, kind});
  }
  // A null side is one that has nothing there.
  void child(const std::string& token, const Json* right, const Json* found, std::size_t depth) {
    auto length = pointer_.size();
    pointer_ += '/';
    pointer_ += token;
    if (right != nullptr && found != nullptr)
      compare(*right, *found, depth + 1);
    else
      note(found == nullptr ? Departure::missing : Departure::extra);
    pointer_.resize(length);
  }
  void members(const Json& right, const Json& found, std::size_t depth) {
    auto ours = sorted_members(right), theirs = sorted_members(found);
    auto a = ours.begin(), b = theirs.begin();
    while ((a != ours.end() || b != theirs.end()) && !verdict.cut) {
      bool take_a = a != ours.end() && (b == theirs.end() || *a->first <= *b->first);
      bool take_b = b != theirs.end() && (a == ours.end() || *b->first <= *a->first);
      const auto& key = take_a ? *a->first : *b->first;
      child(escaped_token(key), take_a ? a->second : nullptr, take_b ? b->second : nullptr, depth);
      a += take_a ? 1 : 0;
      b += take_b ? 1 : 0;
    }
  }
  void elements(const Json& right, const Json& found, std::size_t depth) {
    for (std::size_t i = 0; i < std::max(right.size(), found.size()) && !verdict.cut; ++i)
      child(fmt::to_string(i), i < right.size() ? &right[i] : nullptr, i < found.size() ? &found[i] : nullptr,
            depth);
  }

  StateLimits limits_;
  std::string pointer_;
};

using Reaches = std::vector<std::vector<bool>>;  // by checkpoint, by call

// Kuhn's augmenting paths: a checkpoint may take another's call when that one finds a new one.
class CheckpointMatching {
 public:
  CheckpointMatching(const Reaches& reaches, std::size_t uses) : reaches_(reaches), taker_(uses) {}

  std::vector<std::optional<std::size_t>> largest() {
    for (std::size_t point = 0; point < reaches_.size(); ++point) {
      seen_.assign(taker_.size(), false);
      seat(point);
    }
    std::vector<std::optional<std::size_t>> out(reaches_.size());
    for (std::size_t use = 0; use < taker_.size(); ++use)
      if (taker_[use]) out[*taker_[use]] = use;
    return out;
  }

 private:
  // A free call first, so that nobody moves without need. As deep as there are checkpoints.
  bool seat(std::size_t point) {
    for (std::size_t use = 0; use < taker_.size(); ++use) {
      if (!reaches_[point][use] || taker_[use]) continue;
      taker_[use] = point;
      return true;
    }
    for (std::size_t use = 0; use < taker_.size(); ++use) {
      if (!reaches_[point][use] || seen_[use]) continue;
      seen_[use] = true;
      if (!seat(*taker_[use])) continue;
      taker_[use] = point;
      return true;
    }
    return false;
  }

  const Reaches& reaches_;
  std::vector<std::optional<std::size_t>> taker_;
  std::vector<bool> seen_;
};

std::vector<std::optional<std::size_t>> longest_in_order(const Reaches& reaches, std::size_t uses) {
  // best[p][u]: how many of the checkpoints from p on the calls from u on can reach.
  std::vector<std::vector<std::size_t>> best(reaches.size() + 1, std::vector<std::size_t>(uses + 1, 0));
  for (std::size_t p = reaches.size(); p-- > 0;)
    for (std::size_t u = uses; u-- > 0;)
      best[p][u] =
          std::max({best[p + 1][u], best[p][u + 1], reaches[p][u] ? best[p + 1][u + 1] + 1 : std::size_t{0}});
  std::vector<std::optional<std::size_t>> out(reaches.size());
  std::size_t p = 0, u = 0;
  while (p < reaches.size() && u < uses) {
    if (reaches[p][u] && best[p][u] == best[p + 1][u + 1] + 1)
      out[p++] = u++;
    else if (best[p][u] == best[p][u + 1])
      ++u;
    else
      ++p;
  }
  return out;
}

bool has_arguments(const ToolUse& use, const ToolUse& wanted,
                   const std::optional<std::vector<std::string>>& compared) {
  if (!compared) return compare_states(wanted.arguments, use.arguments).equal;
  return std::all_of(compared->begin(), compared->end(), [&](const std::string& key) {
    const auto* should = find(wanted.arguments, key);
    const auto* is = find(use.arguments, key);
    if (should == nullptr || is == nullptr) return should == is;
    return compare_states(*should, *is).equal;
  });
}

}  // namespace

const char* to_string(Departure kind) {
  if (kind == Departure::missing) return "missing";
  return kind == Departure::extra ? "extra" : "changed";
}

StateVerdict compare_states(const Json& right, const Json& found, const StateLimits& limits) {
  StateWalk walk(limits);
  walk.compare(right, found, 0);
  return std::move(walk.verdict);
}

Checkpoint call_checkpoint(std::string name, ToolUse wanted,
                           std::optional<std::vector<std::string>> compared) {
  auto reached_by = [wanted = std::move(wanted), compared = std::move(compared)](const ToolUse& use) {
    return use.name == wanted.name && has_arguments(use, wanted, compared);
  };
  return {std::move(name), std::move(reached_by)};
}

Result<CheckpointVerdict> judge_checkpoints(std::span<const Checkpoint> checkpoints,
                                            std::span<const ToolUse> uses, CheckpointOrder order,
                                            const CheckpointLimits& limits) {
  if (checkpoints.size() > limits.checkpoints_max)
    return fail(Errc::invalid_input, fmt::format("more than {} checkpoints", limits.checkpoints_max));
  if (uses.size() > limits.uses_max)
    return fail(Errc::invalid_input, fmt::format("more than {} tool calls", limits.uses_max));
  Reaches reaches;
  for (const auto& point : checkpoints) {
    auto& row = reaches.emplace_back(uses.size());
    for (std::size_t i = 0; i < uses.size(); ++i) row[i] = point.reached_by(uses[i]);
  }
  CheckpointVerdict out;
  out.reached = order == CheckpointOrder::any ? CheckpointMatching(reaches, uses.size()).largest()
                                              : longest_in_order(reaches, uses.size());
  for (const auto& at : out.reached) out.count += at ? 1 : 0;
  return out;
}

}  // namespace troupe::evaluation
