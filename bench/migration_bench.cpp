// Customers are moved from one model to another while things go wrong, over seeds; with and without shadow
// and ramp.
//   migration_bench                     the table of RESULTS.md
//   migration_bench run SEED [VARIANT]  one history, told; VARIANT: full, no-shadow, no-ramp, neither,
//                                       strays-pass, not-held-back
//   migration_bench table SEEDS
#include "bench/figures.hpp"
#include "replay/migration.hpp"
#include "runtime/base/clock.hpp"

#include <cstdlib>
#include <map>

namespace troupe::replay {
namespace {

struct Variant {
  const char* name;
  bool shadow, ramp, strays_fail = true, hold_back = true;
};
constexpr std::array kVariants{Variant{"full", true, true},
                               Variant{"no-shadow", false, true},
                               Variant{"no-ramp", true, false},
                               Variant{"neither", false, false},
                               Variant{"strays-pass", true, true, false},
                               Variant{"not-held-back", true, true, true, false}};

MigrationOptions options_of(std::uint64_t seed, const Variant& variant) {
  MigrationOptions options;
  options.seed = seed;
  options.shift.shadow = variant.shadow;
  options.shift.ramp = variant.ramp;
  options.shift.strays_fail = variant.strays_fail;
  options.shift.hold_back = variant.hold_back;
  return options;
}

struct VariantSum {
  std::uint64_t calls = 0, failed = 0, slow = 0, poor = 0, hurt = 0;
  double shadow_usd = 0, usd = 0;
  std::map<std::string, int> ends;
  std::vector<double> minutes;
};

VariantSum sum_of(const Variant& variant, std::uint64_t seeds) {
  VariantSum sum;
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    auto result = migrate(options_of(seed, variant));
    sum.calls += result.calls;
    sum.failed += result.failed;
    sum.slow += result.slow;
    sum.poor += result.poor;
    sum.hurt += result.failed > 0 ? 1 : 0;
    sum.usd += result.usd;
    sum.shadow_usd += result.shadow_usd;
    ++sum.ends[to_string(result.state)];
    if (result.state == ShiftState::completed && result.took)
      sum.minutes.push_back(seconds(*result.took) / 60);
  }
  return sum;
}

void print_table(std::uint64_t seeds) {
  fmt::print("{} seeds\n\n", seeds);
  fmt::print(
      "| variant | failed calls | of | seeds with any | slow | poor | completed | rolled back | halted | "
      "kept "
      "back | minutes to complete, p50 (p90) | copies, % of cost "
      "|\n|---|---|---|---|---|---|---|---|---|---|---|---|\n");
  for (const auto& variant : kVariants) {
    auto sum = sum_of(variant, seeds);
    auto p50 = bench::quantile(sum.minutes, 0.5), p90 = bench::quantile(sum.minutes, 0.9);
    fmt::print("| {} | {} | {} | {} | {} | {} | {} | {} | {} | {} | {:.0f} ({:.0f}) | {:.1f} |\n",
               variant.name, sum.failed, sum.calls, sum.hurt, sum.slow, sum.poor, sum.ends["completed"],
               sum.ends["rolled back"], sum.ends["halted"], sum.ends["kept back"], p50, p90,
               100 * sum.shadow_usd / (sum.usd + sum.shadow_usd));
    std::fflush(stdout);
  }
}

int tell(std::uint64_t seed, std::string_view name) {
  for (const auto& variant : kVariants) {
    if (name != variant.name) continue;
    auto options = options_of(seed, variant);
    options.story = [](Duration at, const std::string& what) {
      fmt::print("{:8.1f} s  {}\n", seconds(at), what);
    };
    auto result = migrate(options);
    for (const auto& what : result.chaos) fmt::print("chaos: {}\n", what);
    fmt::print(
        "{}: {}; {} calls, {} failed, {} slow, {} poor, {} by the new model, {} copies; digest {:016x}\n",
        to_string(result.state), result.why, result.calls, result.failed, result.slow, result.poor,
        result.on_new, result.copies, result.digest);
    return 0;
  }
  fmt::print(stderr,
             "there is no variant {}; there are full, no-shadow, no-ramp, neither, strays-pass, "
             "not-held-back\n",
             name);
  return 1;
}

}  // namespace
}  // namespace troupe::replay

int main(int argc, char** argv) {
  using namespace troupe::replay;
  std::vector<std::string> words(argv + 1, argv + argc);
  auto number = [&](std::size_t i) { return std::strtoull(words[i].c_str(), nullptr, 10); };
  if (words.size() >= 2 && words[0] == "run") return tell(number(1), words.size() > 2 ? words[2] : "full");
  if (words.size() >= 2 && words[0] == "table") return print_table(number(1)), 0;
  if (troupe::bench::wanted(argc, argv, "migration")) print_table(200);
  return 0;
}
