// Requests routed per second of CPU by `troupe replay`'s driver, policy troupe, over four endpoints; one
// core. ./dev bench replay
#include "bench/figures.hpp"
#include "replay/driver.hpp"
#include "replay/policies.hpp"

#include <ctime>
#include <memory>

namespace troupe::replay {
namespace {

constexpr std::uint32_t kRequests = 200'000;

/// Forty requests a second, lengths of two kinds.
class BenchTrace final : public TraceSource {
 public:
  Result<bool> next(TraceRow& row) override {
    if (given_ == kRequests) return false;
    row.at = std::chrono::milliseconds(25) * given_;
    bool large = ++given_ % 5 == 0;
    row.input_tokens = large ? 3000 : 800;
    row.output_tokens = large ? 400 : 120;
    return true;
  }

 private:
  std::uint32_t given_ = 0;
};

config::Config bench_config() {
  auto config = config::demo_config();
  for (auto& endpoint : config.endpoints.list) endpoint.limits = {}, endpoint.breaker = {};
  for (auto& model : config.simulator.endpoints) model.limits = {}, model.faults.clear();
  for (auto& [name, feature] : config.features) feature.admission.running_max = 0;
  return config;
}

double cpu_now() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

double requests_per_second(const Clouds& clouds, const std::string& name) {
  std::vector<std::string> features{"summary"};
  auto policy = make_policy(name, clouds, features, 1, replay_start, replay_wall);
  if (!policy) return 0;
  Driver driver(clouds, features, {});
  Arrivals arrivals(std::make_unique<BenchTrace>(), {.mix = {{"summary", 1}}});
  auto began = cpu_now();
  auto result = driver.run(arrivals, **policy, std::chrono::milliseconds(25) * kRequests);
  return result && result->served == kRequests ? kRequests / (cpu_now() - began) : 0;
}

void measure() {
  auto clouds = make_clouds(bench_config());
  if (!clouds) return;
  for (const char* name : {"troupe", "round-robin"}) {
    std::vector<double> rates;
    for (int repetition = 0; repetition < 5; ++repetition)
      rates.push_back(requests_per_second(*clouds, name));
    bench::print_repeated(std::string("replay.") + name, rates, "requests/s");
  }
}

}  // namespace
}  // namespace troupe::replay

int main(int argc, char** argv) {
  if (troupe::bench::wanted(argc, argv, "replay")) troupe::replay::measure();
}
