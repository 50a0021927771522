// A night of recaps at scale: 50,000 readers of 300 channels in 12 zones, clouds in trouble, the process
// killed again and again, a real journal file. ./dev bench night NIGHT_READERS, NIGHT_CHANNELS, NIGHT_DEATHS
// and NIGHT_SEED change it; NIGHT_ONLY=1 leaves the ablations out.
#include "bench/figures.hpp"
#include "tests/actors/night_node.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <cstdlib>

namespace troupe::actors::testing {
namespace {

std::size_t number_from(const char* name, std::size_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

NightPlan full_night() {
  NightPlan plan;
  plan.seed = plan.town.seed = plan.clouds.seed = number_from("NIGHT_SEED", 7);
  plan.town.users = number_from("NIGHT_READERS", 50'000);
  plan.town.channels = number_from("NIGHT_CHANNELS", 300);
  plan.town.teams = std::max<std::size_t>(10, plan.town.users / 125);
  plan.town.deletions = plan.town.users / 250;
  plan.town.revocations = plan.town.users / 150;
  plan.town.opt_outs = plan.town.users / 500;
  plan.deaths = number_from("NIGHT_DEATHS", 200);
  plan.folder = std::filesystem::temp_directory_path() / fmt::format("troupe-night-bench-{}", ::getpid());
  return plan;
}

void tell(const char* name, const NightPlan& plan, const NightFigures& figures) {
  fmt::print("{}: {}", name, night_table(plan, figures));
  std::fflush(stdout);
}

void ablations() {
  auto small = full_night();
  small.town.users = std::min<std::size_t>(small.town.users, 2000);
  small.town.channels = std::min<std::size_t>(small.town.channels, 60);
  small.town.teams = 40;
  small.town.deletions = small.town.revocations = 60;
  small.deaths = 40;
  auto play = [](const char* name, const NightPlan& plan) { tell(name, plan, NightNode(plan).play()); };
  play("with everything", small);
  auto off = small;
  off.shared = false;
  play("zones share nothing", off);
  off = small;
  off.town.mailbox_knows_keys = false;
  play("mailboxes without keys", off);
  off = small;
  off.town.checked_when_read = false;
  play("access and messages as of the evening", off);
  small.clouds.room = 1;
  small.clouds.latency = std::chrono::seconds(100);
  play("scarce, by urgency", small);
  small.line_up.by_urgency = false;
  play("scarce, in order of arrival", small);
}

int measure() {
  auto plan = full_night();
  auto figures = NightNode(plan).play();
  tell("night", plan, figures);
  rusage used{};
  getrusage(RUSAGE_SELF, &used);
  bench::print("night.wall", figures.took_s, "s");
  bench::print("night.rss_peak", static_cast<double>(used.ru_maxrss) / 1024, "MiB");
  bench::print("night.journal", static_cast<double>(figures.journal_bytes) / 1e6, "MB");
  bench::print("night.letters", static_cast<double>(figures.town.letters), "letters");
  if (number_from("NIGHT_ONLY", 0) == 0) ablations();
  return 0;
}

}  // namespace
}  // namespace troupe::actors::testing

int main(int argc, char** argv) {
  if (!troupe::bench::wanted(argc, argv, "night")) return 0;
  return troupe::actors::testing::measure();
}
