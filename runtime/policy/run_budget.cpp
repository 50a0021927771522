#include "runtime/policy/run_budget.hpp"

#include "runtime/base/clock.hpp"

#include <algorithm>
#include <array>
#include <span>
#include <type_traits>

namespace troupe::policy {
namespace {

// A part of a budget as a number, with its name.
struct BudgetPart {
  const char* name;
  double (*get)(const Budget&);
};
constexpr std::array kBudgetParts{
    BudgetPart{"usd", [](const Budget& b) { return b.usd; }},
    BudgetPart{"tokens", [](const Budget& b) { return static_cast<double>(b.tokens); }},
    BudgetPart{"calls", [](const Budget& b) { return static_cast<double>(b.calls); }},
    BudgetPart{"tool_calls", [](const Budget& b) { return static_cast<double>(b.tool_calls); }},
    BudgetPart{"subagents", [](const Budget& b) { return static_cast<double>(b.subagents); }},
};
// Those that model calls use up.
constexpr std::size_t kBoughtParts = 3;
// Sums of dollars are compared with room for their rounding.
constexpr double kRounding = 1e-9;

// A cap that is used up must not read as no cap.
template <class T>
T left_of(T cap, T taken, T wish, std::size_t sharers) {
  if (cap < 0 || wish < 0) return T{-1};
  if (cap == 0) return wish;
  auto left = std::max(cap - taken, T{});
  auto share = left / static_cast<T>(sharers);
  // What cannot be divided is given to those who come first.
  if constexpr (std::is_integral_v<T>) share = std::max(share, T{1});
  auto got = std::min(wish > 0 ? wish : share, left);
  return got > 0 ? got : T{-1};
}

}  // namespace

Budget operator+(Budget a, const Budget& b) {
  a.usd += b.usd;
  a.tokens += b.tokens;
  a.calls += b.calls;
  a.tool_calls += b.tool_calls;
  a.subagents += b.subagents;
  return a;
}

Budget operator-(Budget a, const Budget& b) {
  a.usd -= b.usd;
  a.tokens -= b.tokens;
  a.calls -= b.calls;
  a.tool_calls -= b.tool_calls;
  a.subagents -= b.subagents;
  return a;
}

Budget taken_by_slice(Budget slice) {
  slice.usd = std::max(slice.usd, 0.0);
  for (auto part : {&Budget::tokens, &Budget::calls, &Budget::tool_calls, &Budget::subagents})
    slice.*part = std::max<std::int64_t>(slice.*part, 0);
  ++slice.subagents;
  return slice;
}

std::optional<std::string> RunBudget::broken_by(const Budget& amount, Duration elapsed) const {
  if (cap_.wall != Duration{} && elapsed >= cap_.wall) return "wall";
  auto after = taken() + amount;
  for (const auto& part : kBudgetParts) {
    auto cap = part.get(cap_);
    if (part.get(amount) <= 0 || cap == 0) continue;
    if (part.get(after) > std::max(cap, 0.0) * (1 + kRounding)) return part.name;
  }
  if (amount.subagents > 0 && cap_.depth < 0) return "depth";
  return std::nullopt;
}

void RunBudget::reserve(const std::string& step, const Budget& amount) {
  auto& kept = steps_[step];
  reserved_ = reserved_ - kept + amount;
  kept = amount;
}

void RunBudget::settle(const std::string& step, const Budget& used) {
  if (auto it = steps_.find(step); it != steps_.end()) {
    reserved_ = reserved_ - it->second;
    steps_.erase(it);
  }
  spent_ = spent_ + used;
}

void RunBudget::write_off(const std::string& step) {
  if (auto it = steps_.find(step); it != steps_.end()) settle(step, Budget(it->second));
}

bool RunBudget::wants_cheaper() const {
  return std::ranges::any_of(std::span(kBudgetParts).first(kBoughtParts), [this](const BudgetPart& part) {
    auto cap = part.get(cap_);
    return cap > 0 && part.get(spent_) >= kBudgetDegrades * cap;
  });
}

BudgetView RunBudget::view(Duration elapsed) const {
  BudgetView out{cap_, spent_, reserved_, BudgetStage::plenty, 0};
  out.spent.wall = elapsed;
  double used = 0;
  for (const auto& part : std::span(kBudgetParts).first(kBoughtParts))
    // A run without tools or children of its own may go on; one that may ask no model is at its end.
    if (part.get(cap_) < 0) used = 1;
  for (const auto& part : kBudgetParts) {
    auto cap = part.get(cap_);
    if (cap > 0) used = std::max(used, part.get(spent_) / cap);
  }
  if (cap_.wall != Duration{}) used = std::max(used, seconds(elapsed) / seconds(cap_.wall));
  out.used = used;
  if (used >= kBudgetWarns) out.stage = BudgetStage::warn;
  if (used >= kBudgetDegrades || refused_) out.stage = BudgetStage::degrade;
  if (used >= 1) out.stage = BudgetStage::spent;
  return out;
}

Budget RunBudget::slice(const Budget& wish, Duration elapsed, std::size_t sharers) const {
  auto used = taken();
  Budget out = wish;
  out.usd = left_of(cap_.usd, used.usd, wish.usd, sharers);
  out.tokens = left_of(cap_.tokens, used.tokens, wish.tokens, sharers);
  out.calls = left_of(cap_.calls, used.calls, wish.calls, sharers);
  out.tool_calls = left_of(cap_.tool_calls, used.tool_calls, wish.tool_calls, sharers);
  // Each of the sharers is a child run itself.
  auto own = used.subagents + static_cast<std::int64_t>(sharers);
  out.subagents = left_of(cap_.subagents, own, wish.subagents, sharers);
  // Levels are not used up: a child of the last level may have none of its own.
  if (cap_.depth != 0) out.depth = cap_.depth > 1 ? cap_.depth - 1 : -1;
  if (cap_.wall != Duration{}) {
    auto left = std::max<Duration>(cap_.wall - elapsed, std::chrono::milliseconds(1));
    out.wall = wish.wall != Duration{} ? std::min(wish.wall, left) : left;
  }
  return out;
}

}  // namespace troupe::policy
