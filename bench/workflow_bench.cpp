// Durable steps per second through the whole node: N no-op workflows at once, each step journaled and fsynced
// before the workflow goes on. ./dev bench journal
#include "runtime/base/clock.hpp"

#include <troupe/node.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <future>
#include <string>
#include <vector>

namespace troupe {
namespace {

constexpr int kRepetitions = 3;

Task<Result<JsonText>> no_op(Workflow& wf, JsonText input) {
  auto steps = std::stoul(input.text);
  for (std::size_t i = 0; i < steps; ++i) {
    StepKey key{"step", std::to_string(i)};
    std::function<Result<JsonText>()> body = [] { return Result<JsonText>(JsonText{"{\"done\":true}"}); };
    auto done = co_await wf.step(std::move(key), std::move(body));
    if (!done) co_return std::unexpected(done.error());
  }
  co_return JsonText{"{}"};
}

double steps_per_second(Node& node, std::size_t concurrent, std::size_t steps, int round) {
  std::vector<std::promise<RunReport>> ended(concurrent);
  auto began = system_clock().now();
  for (std::size_t i = 0; i < concurrent; ++i) {
    RunSpec spec{
        "noop", {std::to_string(steps)}, fmt::format("bench-{}-{}-{}", concurrent, round, i), "bench"};
    auto id = node.submit(std::move(spec),
                          {{}, [&ended, i](RunReport report) { ended[i].set_value(std::move(report)); }});
    if (!id) return 0;
  }
  std::size_t done = 0;
  for (auto& each : ended) done += each.get_future().get().steps;
  return static_cast<double>(done) / seconds(system_clock().now() - began);
}

int measure() {
  auto folder = std::filesystem::temp_directory_path() /
                fmt::format("troupe-bench-{}", std::hash<std::string>{}(to_iso8601(system_clock().wall())));
  auto config = Config::parse("node: {id: bench}\n", "bench");
  if (!config) return std::fprintf(stderr, "%s\n", config.error().what.c_str()), 1;
  auto node = Node::start(config->with_state_dir(folder.string()));
  if (!node) return std::fprintf(stderr, "%s\n", node.error().what.c_str()), 1;
  (*node)->add_workflow("noop", no_op);
  for (auto [concurrent, steps] : {std::pair<std::size_t, std::size_t>{1, 400}, {64, 400}, {512, 100}}) {
    std::vector<double> rates;
    for (int round = 0; round < kRepetitions; ++round)
      rates.push_back(steps_per_second(**node, concurrent, steps, round));
    std::sort(rates.begin(), rates.end());
    std::printf("journal.workflow.sqlite.c%zu %.0f steps/s\n", concurrent, rates[rates.size() / 2]);
    std::printf(
        "journal.workflow.sqlite.c%zu.min %.0f steps/s\njournal.workflow.sqlite.c%zu.max %.0f steps/s\n",
        concurrent, rates.front(), concurrent, rates.back());
  }
  (*node)->stop();
  std::filesystem::remove_all(folder);
  return 0;
}

}  // namespace
}  // namespace troupe

int main(int argc, char** argv) {
  if (argc > 1 && std::strlen(argv[1]) > 0 &&
      std::string("journal workflow").find(argv[1]) == std::string::npos)
    return 0;
  return troupe::measure();
}
