// A batch scheduler that embeds a node: submits jobs, looks how far they are, calls one off, and hands an
// interrupted one back to be submitted again.
//
// Usage: example_06_from_a_scheduler [FOLDER for the journal, default .troupe]
// Exit status: 0 done, 75 interrupted (submit the same again), 70 otherwise.
#include <troupe/node.hpp>

#include <cstdio>
#include <future>
#include <map>
#include <memory>
#include <string>

namespace {

// What the scheduler keeps of a job.
struct Job {
  std::string run_id;
  std::future<troupe::RunReport> ended;
};

troupe::Task<troupe::Result<troupe::JsonText>> ask(troupe::Workflow& wf, troupe::JsonText input) {
  troupe::CompletionRequest request;
  request.feature = "summary";
  request.messages = {{troupe::Role::user, {troupe::TextPart{"[1] ann: what of " + input.text + "?"}}}};
  troupe::StepKey key{"ask", input.text};
  auto answer = co_await wf.complete(key, std::move(request));
  if (!answer) co_return std::unexpected(answer.error());
  // The second job waits for a word that never comes, until it is called off.
  if (input.text == "\"for ever\"") {
    troupe::StepKey word{"word", "1"};
    (void)co_await wf.signal(word);
  }
  co_return input;
}

// The job's own id is the run's: submitted twice, after a crash for instance, it is still one run.
troupe::Result<Job> submit(troupe::Node& node, std::string job_id, std::string input) {
  auto ended = std::make_shared<std::promise<troupe::RunReport>>();
  Job job{job_id, ended->get_future()};
  troupe::Node::Watch watch;
  watch.on_done = [ended](troupe::RunReport report) { ended->set_value(std::move(report)); };
  auto run = node.submit({"ask", {std::move(input)}, std::move(job_id), "batch", {}, {}}, std::move(watch));
  if (!run) return std::unexpected(run.error());
  return job;
}

}  // namespace

int main(int argc, char** argv) {
  auto node = troupe::Node::start(troupe::Config::demo().with_state_dir(argc > 1 ? argv[1] : ".troupe"));
  if (!node) return std::fprintf(stderr, "%s\n", node.error().what.c_str()), 70;
  (*node)->add_workflow("ask", ask);
  std::map<std::string, Job> jobs;
  for (auto [id, input] :
       std::map<std::string, std::string>{{"job-1", "\"tides\""}, {"job-2", "\"for ever\""}}) {
    auto job = submit(**node, id, input);
    if (!job) return std::fprintf(stderr, "%s\n", job.error().what.c_str()), 70;
    jobs.emplace(id, std::move(*job));
  }
  auto first = jobs.at("job-1").ended.get();
  std::printf("%s: %s\n", first.run_id.c_str(), to_string(first.end));
  // How far is the other? Any thread may ask.
  auto shown = (*node)->ask("runs.show", {R"({"id":"job-2"})"});
  std::printf("job-2 %s\n",
              shown && shown->text.find("running") != std::string::npos ? "is running" : "is lost");
  if (auto told = (*node)->ask("runs.cancel", {R"({"id":"job-2"})"}); !told)
    return std::fprintf(stderr, "%s\n", told.error().what.c_str()), 70;
  auto second = jobs.at("job-2").ended.get();
  std::printf("%s: %s\n", second.run_id.c_str(), to_string(second.end));
  // The same job again: its result stands, nothing is bought.
  auto again = submit(**node, "job-1", "\"tides\"");
  if (!again) return std::fprintf(stderr, "%s\n", again.error().what.c_str()), 70;
  auto report = again->ended.get();
  std::printf("again: %s, %zu of %zu steps replayed\n", to_string(report.end), report.steps_replayed,
              report.steps);
  return report.end == troupe::RunEnd::interrupted ? 75 : 0;
}
