// The same work in four orders, with drawn latencies that depend on the call and not on its order.
#include "bench/research_parallel.hpp"

#include "bench/figures.hpp"
#include "bench/research_split.hpp"
#include "providers/simulator/law.hpp"
#include "runtime/base/rng.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <map>
#include <memory>
#include <utility>

namespace troupe::bench {
namespace {

using research_test::ResearchWorld;

constexpr std::size_t kToolsAtOnce = 4;
// A turn of a model writes about so much; the world draws before it knows the answer.
constexpr std::int64_t kTokensOfTurn = 100;
constexpr double kToolSigma = 0.6;
constexpr std::size_t kCallsWanted = 3;

// As the simulator's 70b endpoint of configs/demo.yaml, which was fitted to public measurements.
config::LatencyLaw law_of_model() {
  using std::chrono::microseconds;
  using std::chrono::milliseconds;
  return {.ttft_median = milliseconds(384),
          .ttft_sigma = 0.19,
          .ttft_per_1k_input = {},
          .inter_token_median = microseconds(46'200),
          .inter_token_sigma = 0.07};
}

std::int64_t drawn_ms(const std::string& what, double tool_median_ms, Rng& rng) {
  if (what != "model") return std::llround(tool_median_ms * std::exp(kToolSigma * rng.normal()));
  auto pace = providers::simulator::draw_pace(law_of_model(), 0, 1, rng);
  return std::chrono::duration_cast<std::chrono::milliseconds>(pace.ttft + kTokensOfTurn * pace.per_token)
      .count();
}

/// The n-th call of its kind of the n-th agent takes as long whatever else goes on.
void draw_latencies(ResearchWorld& world, double tool_median_ms, std::uint64_t seed) {
  auto counts = std::make_shared<std::map<std::string, int>>();
  world.latency = [&world, tool_median_ms, seed, counts](const std::string& run, const std::string& what) {
    auto agent = std::ranges::find(world.children, run) - world.children.begin();
    auto call = fmt::format("{} {}", run == "run" ? -1 : agent, what);
    Rng rng(stable_hash(fmt::format("{} {}", call, (*counts)[call]++), seed));
    return drawn_ms(what, tool_median_ms, rng);
  };
}

struct Order {
  std::size_t agents = 0, agents_at_once = 1, tools_at_once = 1;
  double tool_median_ms = 0;
};

Answered in_order(const CorpusPtr& corpus, const KnownQuestion& question, const Order& order) {
  auto way = split_among(question, order.agents);
  way.settings["parallel"] = order.agents_at_once;
  way.settings["tools_parallel"] = order.tools_at_once;
  // So that every order does the same work: what siblings share, and who is added to the slow, depends on it.
  way.settings["without"] = "share";
  way.settings["patience_s"] = 0;
  way.prepare = [&question, median = order.tool_median_ms](ResearchWorld& world) {
    draw_latencies(world, median, stable_hash(question.id));
  };
  return by_agents_as(corpus, question, std::move(way));
}

bool fans_out(const Answered& answered, std::size_t agents) {
  const auto* list = find(answered.json, "agents");
  return list != nullptr && list->size() == agents && std::ranges::all_of(*list, [](const Json& agent) {
           return get_int(agent, "tool_calls") >= static_cast<std::int64_t>(kCallsWanted);
         });
}

struct Walls {
  std::vector<double> serial_s, parallel_s, ratio, ratio_of_agents, ratio_of_tools, calls_of_agent;
  std::size_t agents_at_once = 0, tools_at_once = 0, other_work = 0;
};

double over(const Answered& one, const Answered& other) {
  return static_cast<double>(one.wall_ms) / static_cast<double>(std::max<std::int64_t>(other.wall_ms, 1));
}

void add_question(Walls& walls, const CorpusPtr& corpus, const KnownQuestion& question, Order order) {
  auto n = order.agents;
  auto ordered = [&](std::size_t agents_at_once, std::size_t tools_at_once) {
    order.agents_at_once = agents_at_once;
    order.tools_at_once = tools_at_once;
    return in_order(corpus, question, order);
  };
  auto parallel = ordered(n, kToolsAtOnce);
  if (!fans_out(parallel, n)) return;
  auto serial = ordered(1, 1);
  walls.serial_s.push_back(static_cast<double>(serial.wall_ms) / 1000);
  walls.parallel_s.push_back(static_cast<double>(parallel.wall_ms) / 1000);
  walls.ratio.push_back(over(serial, parallel));
  walls.ratio_of_agents.push_back(over(serial, ordered(n, 1)));
  walls.ratio_of_tools.push_back(over(serial, ordered(1, kToolsAtOnce)));
  walls.calls_of_agent.push_back(static_cast<double>(parallel.calls) / static_cast<double>(n));
  walls.agents_at_once = std::max(walls.agents_at_once, parallel.agents_at_once);
  walls.tools_at_once = std::max(walls.tools_at_once, parallel.tools_at_once);
  bool same = serial.calls == parallel.calls && tokens_of(serial.bought) == tokens_of(parallel.bought) &&
              serial.answer == parallel.answer;
  walls.other_work += same ? 0 : 1;
}

void print_wall(const std::string& name, const std::vector<double>& values, std::string_view unit) {
  print_with_interval(name, paired_bootstrap(std::vector<double>(values.size(), 0), values), unit);
}

void print_walls(const std::string& name, const Walls& walls) {
  print(name + ".questions", static_cast<double>(walls.ratio.size()), "questions");
  if (walls.ratio.empty()) return;
  print_wall(name + ".serial", walls.serial_s, "s");
  print_wall(name + ".parallel", walls.parallel_s, "s");
  print_wall(name + ".serial_over_parallel", walls.ratio, "x");
  print(name + ".serial_over_parallel.least", std::ranges::min(walls.ratio), "x");
  print_wall(name + ".agents_at_once_alone", walls.ratio_of_agents, "x");
  print_wall(name + ".tools_at_once_alone", walls.ratio_of_tools, "x");
  print_wall(name + ".tool_calls_an_agent", walls.calls_of_agent, "calls");
  print(name + ".agents_at_once_max", static_cast<double>(walls.agents_at_once), "agents");
  print(name + ".tools_at_once_max", static_cast<double>(walls.tools_at_once), "calls");
  print(name + ".other_work", static_cast<double>(walls.other_work), "questions");
}

}  // namespace

int measure_parallel(const CorpusPtr& corpus, const std::vector<KnownQuestion>& questions,
                     const std::string& half) {
  for (int tool_ms : {200, 1000, 3000}) {
    for (std::size_t agents : {3u, 4u, 5u}) {
      Walls walls;
      Order order{.agents = agents, .tool_median_ms = static_cast<double>(tool_ms)};
      for (const auto& question : questions) add_question(walls, corpus, question, order);
      print_walls(fmt::format("research.{}.parallel.agents_{}.tool_{}ms", half, agents, tool_ms), walls);
    }
  }
  return 0;
}

}  // namespace troupe::bench
