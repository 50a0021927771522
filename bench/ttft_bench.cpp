// How long until the first word of an interactive summary is on the screen (MECHANISMS K1), against the first
// word of one plain call at the same moment: ./dev bench summary_ttft. The node, the wire and the streams are
// real; the cloud is the simulator's, without faults, whose latency was fitted to public measurements.
//
//   ttft_bench [summary_ttft] [MEETINGS]
#include "agents/summary/live.hpp"
#include "bench/figures.hpp"
#include "bench/meetings.hpp"
#include "runtime/base/log.hpp"

#include <troupe/config.hpp>
#include <troupe/node.hpp>
#include <troupe/workflow.hpp>

#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdlib>

namespace troupe::bench {
namespace {

// Two regions, because a configuration with one alone is refused.
constexpr const char* kTwoRegions = R"(
providers:
  east: {dialect: openai, base_url: simulator, region: us-east, auth: {kind: simulated}}
  west: {dialect: openai, base_url: simulator, region: us-west, auth: {kind: simulated}}
models:
  llama-70b: {description: "the only one"}
endpoints:
  list:
    - id: east-70b
      provider: east
      model: llama-70b
      remote_model: a
      boundary: us
      limits: {in_flight_max: 64}
    - id: west-70b
      provider: west
      model: llama-70b
      remote_model: b
      boundary: us
      limits: {in_flight_max: 64}
features:
  summary: {hierarchy: [llama-70b], class: interactive}
simulator:
  seed: 7
  endpoints:
    - name: east-70b
      dialect: openai
      latency: &law
        {ttft_median: 384ms, ttft_sigma: 0.19, inter_token_median: 46.2ms, inter_token_sigma: 0.07}
      limits: {in_flight_max: 64}
    - name: west-70b
      dialect: openai
      latency: *law
      limits: {in_flight_max: 64}
)";

std::filesystem::path qmsum_file() {
  const char* data = std::getenv("TROUPE_DATA");
  std::filesystem::path root = data != nullptr ? data : "";
  for (auto up = std::filesystem::current_path(); root.empty() && up != up.parent_path();
       up = up.parent_path())
    if (std::filesystem::exists(up / "../shared/data")) root = up / "../shared/data";
  return root / "qmsum/val.jsonl";
}

// A workflow of one call and nothing else.
Task<Result<JsonText>> one_plain_call(Workflow& wf, JsonText) {
  CompletionRequest request;
  request.feature = "summary";
  request.messages.push_back({Role::user, {TextPart{.text = "Say something."}}});
  StepKey key{"plain", ""};
  auto asking = wf.complete(key, std::move(request));
  auto answer = co_await asking;
  if (!answer) co_return std::unexpected(answer.error());
  co_return JsonText{"{}"};
}

struct Heard {
  double first_ms = -1;
  std::uint64_t calls = 0;
  bool done = false;
};

// Until the first text that is for the reader; -1: none came.
Heard listen(Node& node, const char* workflow, const Json& input) {
  using Clock = std::chrono::steady_clock;
  std::atomic<std::int64_t> first{0};
  std::atomic<std::uint64_t> calls{0};
  auto begun = Clock::now();
  auto heard = [&first, plain = std::string_view(workflow) == "plain"](const LiveText& text) {
    bool for_reader = plain || summary::live_step(text.step).has_value();
    if (text.what != LiveText::What::delta || text.text.empty() || !for_reader) return;
    std::int64_t none = 0;
    first.compare_exchange_strong(none, Clock::now().time_since_epoch().count());
  };
  auto report = node.run(
      {.workflow = workflow, .input = {dump_json(input)}},
      [&calls](const RunProgress& progress) { calls = progress.calls; }, heard);
  Heard out;
  out.done = report.end == RunEnd::done;
  out.calls = calls;
  if (first != 0) {
    auto at = Clock::time_point(Clock::duration(first));
    out.first_ms = std::chrono::duration<double, std::milli>(at - begun).count();
  }
  return out;
}

std::string transcript_file(const std::filesystem::path& folder, const Meeting& meeting, std::size_t number) {
  auto path = folder / fmt::format("{}.jsonl", number);
  std::ofstream out(path);
  for (const auto& line : meeting.window.lines)
    out << dump_json(Json{{"id", line.id}, {"who", line.who}, {"text", line.text}}) << "\n";
  return path.string();
}

struct FirstWords {
  std::vector<double> summary_ms, plain_ms, ratio;
  std::size_t silent = 0;
  void add(const Heard& summary, const Heard& plain) {
    if (summary.first_ms < 0 || plain.first_ms < 0) {
      ++silent;
      return;
    }
    summary_ms.push_back(summary.first_ms);
    plain_ms.push_back(plain.first_ms);
    ratio.push_back(summary.first_ms / plain.first_ms);
  }
};

void print_first_words(const std::string& name, const FirstWords& words) {
  print(name + ".summaries", static_cast<double>(words.ratio.size()), "runs");
  print(name + ".without_a_word", static_cast<double>(words.silent), "runs");
  if (words.ratio.empty()) return;
  print_spread(name + ".ttft", words.summary_ms, {0.9, 0.99}, "ms");
  print_spread(name + ".plain_call_ttft", words.plain_ms, {0.9, 0.99}, "ms");
  print_spread(name + ".over_plain_call", words.ratio, {0.9, 0.99}, "x");
}

// A thread's length of it, and the whole meeting: one call, and chunks that are read before the text begins.
int measure(Node& node, const std::filesystem::path& folder, std::size_t meetings_max) {
  auto meetings = read_meetings(qmsum_file());
  if (meetings.empty()) {
    fmt::print(stderr, "no meetings at {}: nothing measured\n", qmsum_file().string());
    return 0;
  }
  FirstWords threads, one_call, many_calls;
  for (std::size_t i = 0; i < std::min(meetings.size(), meetings_max); ++i) {
    auto& meeting = meetings[i];
    auto whole = listen(node, "summary", Json{{"input", transcript_file(folder, meeting, i)}});
    auto plain = listen(node, "plain", Json::object());
    (whole.calls > 1 ? many_calls : one_call).add(whole, plain);
    meeting.window.lines.resize(std::min<std::size_t>(meeting.window.lines.size(), 60));
    auto thread = listen(node, "summary", Json{{"input", transcript_file(folder, meeting, i)}});
    threads.add(thread, listen(node, "plain", Json::object()));
  }
  print_first_words("summary_ttft.first_60_turns", threads);
  print_first_words("summary_ttft.meeting.one_call", one_call);
  print_first_words("summary_ttft.meeting.several_calls", many_calls);
  return 0;
}

int run(std::size_t meetings_max) {
  log::to_stderr(log::Level::error);
  auto folder = std::filesystem::temp_directory_path() / fmt::format("troupe-ttft-{}", ::getpid());
  std::filesystem::create_directories(folder);
  auto config = Config::parse(kTwoRegions);
  auto node = config ? Node::start(config->with_state_dir((folder / "state").string()))
                     : Result<std::unique_ptr<Node>>(std::unexpected(config.error()));
  int status = 70;
  if (!node) fmt::print(stderr, "{}\n", node.error().what);
  if (node) {
    (*node)->add_workflow("plain", one_plain_call);
    status = measure(**node, folder, meetings_max);
    (*node)->stop();
  }
  std::filesystem::remove_all(folder);
  return status;
}

}  // namespace
}  // namespace troupe::bench

int main(int argc, char** argv) {
  if (!troupe::bench::wanted(argc, argv, "summary_ttft")) return 0;
  return troupe::bench::run(argc > 2 ? std::strtoul(argv[2], nullptr, 10) : SIZE_MAX);
}
