// Differences, resampled by task.
#include "agents/tool_tester/gate.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace troupe::tool_tester {
namespace {

constexpr std::uint64_t kResamplingSeed = 20;

evaluation::Interval saved(const std::vector<Pair>& pairs, std::int64_t Outcome::*measure) {
  std::vector<std::vector<double>> groups;
  for (const auto& pair : pairs) {
    auto& group = groups.emplace_back();
    for (std::size_t i = 0; i < std::min(pair.before.size(), pair.after.size()); ++i)
      group.push_back(static_cast<double>(pair.before[i].*measure - pair.after[i].*measure));
  }
  Rng rng(kResamplingSeed);
  return evaluation::mean_interval(groups, rng);
}

std::size_t solved(const std::vector<Outcome>& outcomes) {
  return static_cast<std::size_t>(std::ranges::count_if(outcomes, &Outcome::solved));
}

std::string why_not(const Verdict& verdict, std::size_t pairs) {
  if (pairs < kHeldOutMin) return fmt::format("{} tasks are too few to tell", pairs);
  if (verdict.solved_after < verdict.solved_before)
    return fmt::format("fewer tasks are solved: {} instead of {} of {}", verdict.solved_after,
                       verdict.solved_before, verdict.worked);
  if (verdict.calls_saved.low <= 0)
    return fmt::format("calls saved per task are {:.2f} [{:.2f}, {:.2f}], which may be none",
                       verdict.calls_saved.mean, verdict.calls_saved.low, verdict.calls_saved.high);
  if (verdict.ms_saved.high < 0)
    return fmt::format("each task takes {:.0f} ms longer", -verdict.ms_saved.mean);
  return {};
}

}  // namespace

Verdict judge(const std::vector<Pair>& pairs) {
  Verdict out;
  for (const auto& pair : pairs) {
    out.worked += std::min(pair.before.size(), pair.after.size());
    out.solved_before += solved(pair.before);
    out.solved_after += solved(pair.after);
  }
  out.calls_saved = saved(pairs, &Outcome::calls);
  out.ms_saved = saved(pairs, &Outcome::ms);
  out.why = why_not(out, pairs.size());
  out.accepted = out.why.empty();
  if (out.accepted)
    out.why = fmt::format("calls saved per task: {:.2f} [{:.2f}, {:.2f}]", out.calls_saved.mean,
                          out.calls_saved.low, out.calls_saved.high);
  return out;
}

}  // namespace troupe::tool_tester
