// A harbour office with three tools, tasks for each, and the tester at work there in the driver's own time.
#pragma once

#include "agents/tool_tester/tool_test.hpp"
#include "providers/simulator/extractive.hpp"
#include "runtime/json/json.hpp"
#include "tests/support/scripted_driver.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <unistd.h>

#include <array>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace troupe::tool_tester_test {

using testing::ScriptedDriver;

inline constexpr std::int64_t kToolMs = 200, kModelMs = 100;

/// Knows only what its words stand in; each call takes its time on the driver's clock.
class OfficeTool final : public Tool {
 public:
  OfficeTool(ToolSpec spec, std::vector<std::string> knows, ScriptedDriver& driver)
      : spec_(std::move(spec)), knows_(std::move(knows)), driver_(driver) {}
  const ToolSpec& spec() const override { return spec_; }
  bool repeatable() const override { return !has_effects; }
  void call(const ToolContext&, const JsonText& input,
            std::function<void(Result<ToolOutput>)> done) override {
    driver_.clock.ms += kToolMs;
    for (const auto& word : knows_)
      if (input.text.find(word) != std::string::npos)
        return done(ToolOutput{.text = spec_.name + ": here it is"});
    done(ToolOutput{.text = failure, .is_error = true});
  }
  std::string failure = "Nothing is known of that; subject is missing here.";
  bool has_effects = false;

 private:
  ToolSpec spec_;
  std::vector<std::string> knows_;
  ScriptedDriver& driver_;
};

inline constexpr const char* kTakesSubject =
    R"({"type":"object","properties":{"subject":{"type":"string"}},"required":["subject"]})";

/// By tool: what it says of itself unless a test says otherwise.
inline std::map<std::string, std::string> honest() {
  return {{"almanac", "When high water and low water are: the times of the tide at a harbour."},
          {"ledger", "What harbour dues and mooring fees cost, by length of the boat."},
          {"roster", "Which keeper or pilot is on duty or has the watch."}};
}

struct Office {
  explicit Office(ScriptedDriver& driver, const std::map<std::string, std::string>& says = honest()) {
    std::map<std::string, std::vector<std::string>> knows{
        {"almanac", {"water", "tide"}}, {"ledger", {"dues", "fee"}}, {"roster", {"duty", "watch"}}};
    for (const auto& [name, words] : knows) {
      tools[name] =
          std::make_shared<OfficeTool>(ToolSpec{name, says.at(name), {kTakesSubject}}, words, driver);
      EXPECT_TRUE(box.add(tools[name]));
    }
  }
  std::map<std::string, std::shared_ptr<OfficeTool>> tools;
  Toolbox box;
};

/// `each` tasks for each tool.
inline std::string harbour_tasks(std::size_t each = 16) {
  constexpr std::array places = {"Skerry", "Port Varr", "Gannet Rock", "Elbow", "Marl Sound", "Holm"};
  constexpr std::array tides = {"When is high water at {} on Monday?",
                                "At what time does the tide turn at {}?",
                                "When is low water at {} tomorrow?"};
  constexpr std::array fees = {"What do the harbour dues at {} come to for nine metres?",
                               "How high is the mooring fee at {}?", "What fee does a cutter pay at {}?"};
  constexpr std::array duties = {"Which keeper is on duty at {} tonight?", "Who has the watch at {}?",
                                 "Which pilot is on duty at {} on Sunday?"};
  std::string out;
  auto add = [&](const char* tool, const auto& forms) {
    for (std::size_t i = 0; i < each; ++i) {
      auto task =
          fmt::format(fmt::runtime(forms[i % forms.size()]), places[i / forms.size() % places.size()]);
      out += dump_json(Json{{"id", fmt::format("{}-{}", tool, i)}, {"task", task}, {"tool", tool}}) + "\n";
    }
  };
  add("almanac", tides);
  add("ledger", fees);
  add("roster", duties);
  return out;
}

/// A file of tasks that is gone with it.
class TaskFile {
 public:
  explicit TaskFile(const std::string& text = harbour_tasks()) {
    static int number = 0;
    path_ = (std::filesystem::temp_directory_path() /
             fmt::format("troupe-tasks-{}-{}.jsonl", ::getpid(), number++))
                .string();
    std::ofstream(path_, std::ios::binary) << text;
  }
  ~TaskFile() { std::filesystem::remove(path_); }
  TaskFile(const TaskFile&) = delete;
  TaskFile& operator=(const TaskFile&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

using ModelOf = std::function<Result<Completion>(const CompletionRequest&)>;

inline Result<Completion> extract(const CompletionRequest& request) {
  return providers::simulator::answer(request);
}

/// Proposes `text`, whatever happened; else by rule.
inline ModelOf proposing(std::string text) {
  return [text](const CompletionRequest& request) -> Result<Completion> {
    if (!request.response_schema) return extract(request);
    return testing::text_completion(dump_json(Json{{"description", text}, {"why", "so"}}));
  };
}

/// Everything a test of the tester needs. `model` is asked through the driver, whose clock it moves.
struct Bench {
  explicit Bench(ModelOf model = extract, const std::map<std::string, std::string>& says = honest())
      : driver([this, model](const StepKey& key, const CompletionRequest& request) {
          driver.clock.ms += kModelMs;
          if (before_answer) before_answer(key);
          return model(request);
        }),
        office(driver, says) {
    driver.attempts.push_back({.endpoint = "up", .total = std::chrono::milliseconds(kModelMs)});
  }

  /// Nothing when it had not ended after `answers_max`.
  std::optional<Result<JsonText>> run(Json input, std::size_t answers_max = SIZE_MAX) {
    if (!input.contains("input")) input["input"] = file.path();
    auto source = [box = office.box](const JsonText&) -> Result<Toolbox> { return box; };
    auto workflow = tool_tester::make_tool_test(source);
    Workflow wf(driver);
    std::optional<Result<JsonText>> out;
    auto task = workflow(wf, {dump_json(input)});
    task.start([&](Result<JsonText> result) { out.emplace(std::move(result)); });
    driver.run(answers_max);
    return out;
  }
  Json outcome(const Json& input) {
    auto result = run(input);
    if (!result || !*result) {
      ADD_FAILURE() << (result ? (*result).error().what : "it did not end");
      return Json::object();
    }
    auto json = parse_json((*result)->text);
    return json ? *json : Json::object();
  }

  std::function<void(const StepKey&)> before_answer;
  ScriptedDriver driver;
  Office office;
  TaskFile file;
};

}  // namespace troupe::tool_tester_test
