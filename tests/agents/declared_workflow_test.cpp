// Declared workflows by script: the order of steps, what is paid for twice (nothing), what becomes of errors.
#include "tests/agents/declared_support.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <set>

namespace troupe::declared {
namespace {

using declared_test::asked_text;
using declared_test::echo;
using declared_test::file_of;
using declared_test::made_of;
using declared_test::outcome;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::ScriptedDriver;
using testing::text_completion;
using ::testing::UnorderedElementsAre;

std::vector<std::string> keys(const std::vector<StepKey>& steps) {
  std::vector<std::string> out;
  for (const auto& step : steps) out.push_back(step.str());
  return out;
}

TEST(DeclaredWorkflow, StepsGoWhenWhatTheyReferToIsThere) {
  ScriptedDriver driver(echo());
  EXPECT_EQ(outcome(driver,
                    file_of("  - {id: last, prompt: '{{steps.left}}{{steps.right}}'}\n"
                            "  - {id: left, prompt: 'l{{steps.root}}'}\n"
                            "  - {id: right, prompt: 'r{{steps.root}}'}\n"
                            "  - {id: root, prompt: '{{inputs.topic}}'}\n",
                            "inputs: {topic: }\noutput: '{{steps.last}}'\n"),
                    R"({"topic":"t"})"),
            "\"<<l<t>><r<t>>>\"");
  EXPECT_THAT(keys(driver.asked), ElementsAre("root", "left", "right", "last"));
  EXPECT_EQ(driver.in_flight_max, 2u) << "left and right go at once";
  EXPECT_EQ(driver.planned.back(), 4u);
}

TEST(DeclaredWorkflow, AfterHoldsBackWhatNeedsNoValue) {
  ScriptedDriver driver(echo());
  outcome(driver, file_of("  - {id: b, prompt: b, after: [a]}\n  - {id: a, prompt: a}\n"));
  EXPECT_THAT(keys(driver.asked), ElementsAre("a", "b"));
  EXPECT_EQ(driver.in_flight_max, 1u);
}

TEST(DeclaredWorkflow, AsksAsItIsTold) {
  ScriptedDriver driver(echo());
  outcome(driver, R"(
workflow: w
defaults: {feature: summary, system: be brief, output_tokens_max: 50, deadline: 9s, tenant: acme}
steps:
  - {id: a, prompt: hi}
  - {id: b, prompt: hi, feature: chat, system: be long, temperature: 0.5, output_tokens_max: 60, after: [a]}
)");
  ASSERT_EQ(driver.bought_requests.size(), 2u);
  const auto& a = driver.bought_requests[0];
  EXPECT_EQ(a.feature, "summary");
  EXPECT_EQ(a.tenant, "acme");
  EXPECT_EQ(a.messages.front().role, Role::system);
  EXPECT_EQ(std::get<TextPart>(a.messages.front().parts[0]).text, "be brief");
  EXPECT_EQ(a.output_tokens_max, 50);
  EXPECT_EQ(a.deadline, std::chrono::seconds(9));
  EXPECT_FALSE(a.sampling.temperature);
  const auto& b = driver.bought_requests[1];
  EXPECT_EQ(b.feature, "chat");
  EXPECT_EQ(std::get<TextPart>(b.messages.front().parts[0]).text, "be long");
  EXPECT_EQ(b.sampling.temperature, 0.5);
}

TEST(DeclaredWorkflow, ForEachKeepsTheOrderOfItsItemsWhateverOrderAnswersCome) {
  auto file = file_of("  - {id: each, for_each: [c, a, b], prompt: '{{item}}{{index}}', parallel: 2}\n");
  for (std::uint64_t seed = 0; seed < 10; ++seed) {
    ScriptedDriver driver(echo(), seed);
    EXPECT_EQ(outcome(driver, file), R"(["<c0>","<a1>","<b2>"])");
    EXPECT_EQ(driver.in_flight_max, 2u);
    EXPECT_EQ(driver.planned.back(), 3u);
  }
}

TEST(DeclaredWorkflow, EqualItemsAreBoughtOnce) {
  ScriptedDriver driver(echo());
  EXPECT_EQ(outcome(driver, file_of("  - {id: each, for_each: [a, b, a], prompt: '{{item}}'}\n")),
            R"(["<a>","<b>","<a>"])");
  EXPECT_EQ(driver.bought.size(), 2u);
}

// The key follows the item, not its place: a list that grew or was turned round asks for what is new only.
TEST(DeclaredWorkflow, KeysFollowTheItem) {
  auto file = [](const char* list) {
    return file_of(fmt::format("  - {{id: each, for_each: {}, prompt: '{{{{item}}}}'}}\n", list));
  };
  ScriptedDriver first(echo());
  outcome(first, file("[a, b]"));
  ScriptedDriver second(echo());
  second.recorded = first.recorded;
  EXPECT_EQ(outcome(second, file("[c, b, a]")), R"(["<c>","<b>","<a>"])");
  EXPECT_EQ(second.bought.size(), 1u);
}

TEST(DeclaredWorkflow, AnEditedPromptDoesNotWedgeARun) {
  ScriptedDriver first(echo());
  outcome(first, file_of("  - {id: a, prompt: old}\n"));
  ScriptedDriver second(echo());
  second.recorded = first.recorded;
  EXPECT_EQ(outcome(second, file_of("  - {id: b, prompt: 'new {{steps.a}}'}\n  - {id: a, prompt: edited}\n",
                                    "output: '{{steps.b}}'\n")),
            "\"<new <old>>\"");
}

TEST(DeclaredWorkflow, ForEachOverAValueOfAStepAndOverNothing) {
  ScriptedDriver driver(echo());
  EXPECT_EQ(outcome(driver, file_of("  - {id: words, value: [x, y]}\n"
                                    "  - {id: each, for_each: steps.words | first 1, value: '{{item}}!'}\n"
                                    "  - {id: none, for_each: '{{steps.skipped}}', value: '{{item}}'}\n"
                                    "  - {id: skipped, value: 1, when: false}\n",
                                    "output: ['{{steps.each}}', '{{steps.none}}', '{{steps.skipped}}']\n")),
            R"([["x!"],[],null])");
}

TEST(DeclaredWorkflow, ForEachWantsAListOfBoundedLength) {
  ScriptedDriver driver(echo());
  EXPECT_EQ(outcome(driver, file_of("  - {id: a, value: text}\n  - {id: b, for_each: steps.a, value: 1}\n")),
            "FAIL invalid_input: step b, for_each: expected a list of at most 10000 items, not string");
  auto list = Json::array();
  for (std::size_t i = 0; i < kItemsMax; ++i) list.push_back(i);
  auto file = file_of("  - {id: b, for_each: inputs.l, value: 1}\n",
                      "inputs: {l: {kind: json}}\noutput: '{{steps.b | length}}'\n");
  EXPECT_EQ(outcome(driver, file, dump_json(Json{{"l", list}})), "10000");
  list.push_back("one more");
  EXPECT_THAT(outcome(driver, file, dump_json(Json{{"l", list}})), HasSubstr("not one of 10001"));
}

TEST(DeclaredWorkflow, WhenDecidesStepsAndItems) {
  auto file = file_of(
      "  - {id: only, prompt: p, when: inputs.level == \"high\"}\n"
      "  - {id: each, for_each: [1, 2, 3], when: item > 1 and index < 2, value: '{{item}}'}\n"
      "  - {id: then, value: 'v{{steps.only}}'}\n",
      "inputs: {level: }\noutput: '{{steps.each}} {{steps.then}}'\n");
  ScriptedDriver low(echo()), high(echo());
  EXPECT_EQ(outcome(low, file, R"({"level":"low"})"), "\"[2] v\"");
  EXPECT_TRUE(low.asked.empty());
  EXPECT_EQ(outcome(high, file, R"({"level":"high"})"), "\"[2] v<p>\"");
}

// ---- errors ----

ScriptedDriver::Model failing(const std::string& prompt, Errc code = Errc::no_endpoint) {
  return [=](const StepKey&, const CompletionRequest& request) -> Result<Completion> {
    if (asked_text(request) == prompt) return std::unexpected(make_error(code, "nobody"));
    return text_completion("<" + asked_text(request) + ">");
  };
}

TEST(DeclaredWorkflow, AFailureEndsTheRunAndNamesTheStep) {
  ScriptedDriver driver(failing("b"));
  EXPECT_EQ(
      outcome(driver, file_of("  - {id: each, for_each: [a, b, c], prompt: '{{item}}', parallel: 1}\n")),
      "FAIL no_endpoint: step each: nobody");
  EXPECT_EQ(driver.bought.size(), 2u) << "nothing is bought after that";
}

TEST(DeclaredWorkflow, FailuresAreSkippedOrCollectedIfTheStepSaysSo) {
  auto file = [](const char* what) {
    return file_of(
        fmt::format("  - {{id: each, for_each: [a, b, c], prompt: '{{{{item}}}}', on_error: {0}}}\n"
                    "  - {{id: one, prompt: b, on_error: {0}}}\n",
                    what),
        "output: ['{{steps.each}}', '{{steps.one}}']\n");
  };
  ScriptedDriver skipping(failing("b")), collecting(failing("b"));
  EXPECT_EQ(outcome(skipping, file("skip")), R"([["<a>","<c>"],null])");
  EXPECT_EQ(outcome(collecting, file("collect")),
            R"([["<a>",{"error":{"code":"no_endpoint","what":"step each: nobody"}},"<c>"],)"
            R"({"error":{"code":"no_endpoint","what":"step one: nobody"}}])");
}

TEST(DeclaredWorkflow, StoppingIsNoFailureToCollect) {
  ScriptedDriver driver(failing("a", Errc::cancelled));
  EXPECT_THAT(outcome(driver, file_of("  - {id: a, prompt: a, on_error: collect}\n")),
              HasSubstr("FAIL cancelled"));
}

TEST(DeclaredWorkflow, RetriesUnderKeysOfTheirOwnAfterAPause) {
  int asked = 0;
  ScriptedDriver driver([&](const StepKey&, const CompletionRequest&) -> Result<Completion> {
    if (++asked < 3) return std::unexpected(make_error(Errc::no_endpoint, "nobody"));
    return text_completion("at last");
  });
  auto before = driver.clock;
  EXPECT_EQ(outcome(driver, file_of("  - {id: a, prompt: a, retry: {attempts: 3, pause: 10m}}\n")),
            "\"at last\"");
  EXPECT_THAT(keys(driver.bought), ElementsAre("a", "a/try-2", "a/try-3"));
  EXPECT_GE(driver.clock.ms - before.ms, 10 * 60'000);
  ScriptedDriver hopeless(failing("a", Errc::bad_request));
  EXPECT_THAT(outcome(hopeless, file_of("  - {id: a, prompt: a, retry: {attempts: 3}}\n")),
              HasSubstr("FAIL bad_request"));
  EXPECT_EQ(hopeless.bought.size(), 1u) << "the same request would be refused again";
}

TEST(DeclaredWorkflow, AnAnswerThatWasCutIsNone) {
  ScriptedDriver driver([](const StepKey&, const CompletionRequest&) -> Result<Completion> {
    auto cut = text_completion("half of");
    cut.stop = StopReason::length;
    return cut;
  });
  EXPECT_EQ(outcome(driver, file_of("  - {id: a, prompt: a, output_tokens_max: 7}\n")),
            "FAIL invalid_input: step a: the answer was cut at 7 tokens; raise output_tokens_max");
}

TEST(DeclaredWorkflow, MissingDataIsNamedWithItsStep) {
  ScriptedDriver driver(echo());
  EXPECT_EQ(outcome(driver, file_of("  - {id: a, value: {x: 1}}\n  - {id: b, value: '{{steps.a.y}}'}\n")),
            "FAIL invalid_input: step b: there is no steps.a.y");
  EXPECT_EQ(outcome(driver, file_of("  - {id: a, value: 1}\n", "output: '{{steps.a.y}}'\n")),
            "FAIL invalid_input: output: there is no steps.a.y");
}

// ---- joins ----

TEST(DeclaredWorkflow, JoinTakesTheFirstToEndWellAndStopsTheRest) {
  ScriptedDriver driver(failing("a"));
  EXPECT_EQ(outcome(driver, file_of("  - {id: each, for_each: [a, b, c, d], prompt: '{{item}}',"
                                    " join: {first: 2}, on_error: skip}\n")),
            R"(["<b>","<c>"])");
  EXPECT_EQ(driver.abandoned.size(), 1u) << "nobody waits for d";
}

TEST(DeclaredWorkflow, AJoinThatCannotBeMetGivesWhatThereIs) {
  ScriptedDriver driver(echo());
  EXPECT_EQ(outcome(driver, file_of("  - {id: each, for_each: [a], prompt: '{{item}}', join: {first: 2}}\n")),
            R"(["<a>"])");
}

// ---- JSON answers ----

TEST(DeclaredWorkflow, ASchemaGivesAValueWithMembers) {
  ScriptedDriver driver([](const StepKey&, const CompletionRequest& request) -> Result<Completion> {
    EXPECT_TRUE(request.response_schema);
    return text_completion("Here it is:\n```json\n{\"score\": 7}\n```\nBye");
  });
  EXPECT_EQ(outcome(driver, file_of("  - {id: a, prompt: p, schema: {type: object}}\n"
                                    "  - {id: b, value: '{{steps.a.score}}', when: steps.a.score > 5}\n")),
            "7");
}

TEST(DeclaredWorkflow, WhatIsNoJsonIsAskedForAgainWithAnEnd) {
  int asked = 0;
  ScriptedDriver driver([&](const StepKey&, const CompletionRequest& request) -> Result<Completion> {
    if (++asked == 2) {
      EXPECT_EQ(request.messages.size(), 3u) << "it sees what it said";
      return text_completion("[1]");
    }
    return text_completion("sorry");
  });
  auto file = file_of("  - {id: a, prompt: p, schema: {type: array}}\n");
  EXPECT_EQ(outcome(driver, file), "[1]");
  EXPECT_THAT(keys(driver.bought), ElementsAre("a", "a/repair-1"));
  ScriptedDriver never([](const StepKey&, const CompletionRequest&) -> Result<Completion> {
    return text_completion("never");
  });
  EXPECT_EQ(outcome(never, file),
            "FAIL invalid_input: step a: no usable answer in 3 tries: the answer holds no JSON");
  EXPECT_EQ(never.bought.size(), 3u);
}

TEST(DeclaredWorkflow, AnAnswerOfAnotherShapeIsAskedForAgainWithTheReason) {
  int asked = 0;
  ScriptedDriver driver([&](const StepKey&, const CompletionRequest& request) -> Result<Completion> {
    if (++asked == 1) return text_completion(R"({"score": "high"})");
    EXPECT_THAT(std::get<TextPart>(request.messages.back().parts[0]).text, HasSubstr("score"));
    return text_completion(R"({"score": 7})");
  });
  auto file = file_of("  - {id: a, prompt: p, schema: {properties: {score: {type: integer}}}}\n");
  EXPECT_EQ(outcome(driver, file), R"({"score":7})");
}

// ---- children, signals, time ----

TEST(DeclaredWorkflow, AChildGetsItsInputAndItsSlice) {
  ScriptedDriver driver(echo());
  driver.child_workflow = [](const StepKey& key, ChildSpec spec) -> Result<ChildEnd> {
    EXPECT_EQ(key.name, "kid");
    return ChildEnd{{R"({"got":)" + spec.input.text + "}"}, {}, false};
  };
  EXPECT_EQ(
      outcome(driver, file_of("  - id: kid\n    for_each: [1, 2]\n"
                              "    run: {workflow: recap, input: {n: '{{item}}'}, budget: {usd: 0.25}}\n")),
      R"([{"got":{"n":1}},{"got":{"n":2}}])");
  ASSERT_EQ(driver.children.size(), 2u);
  EXPECT_EQ(driver.children[0].workflow, "recap");
  EXPECT_EQ(driver.children[0].slice.usd, 0.25);
}

TEST(DeclaredWorkflow, ASignalIsAnApproval) {
  ScriptedDriver driver(echo());
  driver.signals["approve"] = {R"({"by":"ann","ok":true})"};
  EXPECT_EQ(outcome(driver, file_of("  - {id: ok, signal: approve}\n"
                                    "  - {id: sent, prompt: 'by {{steps.ok.by}}', when: steps.ok.ok}\n")),
            "\"<by ann>\"");
}

// The script answers in the order of asking, so turned round by the seed either may come first.
TEST(DeclaredWorkflow, ASignalThatDoesNotComeInTimeEndsInItsTimeout) {
  auto file = [](const char* more) {
    return file_of(fmt::format("  - {{id: ok, signal: {{name: approve, timeout: 2d{}}}}}\n", more));
  };
  std::set<std::string> ends;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    ManualClock clock;
    ScriptedDriver driver(echo(), seed);
    driver.signals["approve"] = {"\"yes\""};
    ends.insert(outcome(driver, file(", otherwise: nobody"), "{}", &clock));
    ScriptedDriver strict(echo(), seed);
    strict.signals["approve"] = {"\"yes\""};
    ends.insert(outcome(strict, file("")));
  }
  EXPECT_THAT(ends,
              UnorderedElementsAre("\"yes\"", "\"nobody\"",
                                   "FAIL deadline_exceeded: step ok: nobody signalled approve in time"));
}

TEST(DeclaredWorkflow, SleepsFromTheMomentItGotThere) {
  ManualClock clock;
  ScriptedDriver driver(echo());
  outcome(driver, file_of("  - {id: nap, sleep: 90s}\n"), "{}", &clock);
  EXPECT_EQ(driver.clock.ms, clock.wall().ms + 90'000);
  // A resumed run sleeps until the moment it first meant, however late it is now.
  auto began = clock.wall();
  clock.pass(std::chrono::hours(1));
  ScriptedDriver later(echo());
  later.recorded_steps = driver.recorded_steps;
  outcome(later, file_of("  - {id: nap, sleep: 90s}\n"), "{}", &clock);
  EXPECT_EQ(later.clock.ms, began.ms + 90'000);
}

// ---- resuming ----

constexpr const char* kWhole = R"(
workflow: whole
inputs: {words: {kind: json}}
defaults: {feature: summary}
steps:
  - {id: each, for_each: inputs.words, prompt: "about {{item}}", parallel: 2}
  - {id: scored, prompt: "score {{steps.each | join ' '}}", schema: {type: object}}
  - {id: nap, sleep: 1h, after: [scored]}
  - {id: sure, prompt: "sure {{steps.scored | json}}", when: steps.scored.score > 3, after: [nap]}
output: {all: "{{steps.each}}", sure: "{{steps.sure}}"}
)";

ScriptedDriver::Model scoring() {
  return [](const StepKey& key, const CompletionRequest& request) -> Result<Completion> {
    if (key.name == "scored" && key.id.empty()) return text_completion("no JSON today");
    if (key.name == "scored") return text_completion(R"({"score": 5})");
    return text_completion("<" + asked_text(request) + ">");
  };
}

// M12: killed after any number of answers, the next life pays only for the rest and says the same.
TEST(DeclaredWorkflow, ResumesAfterACrashAnywhere) {
  const std::string input = R"({"words":["fog","tides","lamps"]})";
  ManualClock clock;
  ScriptedDriver reference(scoring());
  auto whole = outcome(reference, kWhole, input, &clock);
  ASSERT_THAT(whole, HasSubstr("sure {"));
  ASSERT_EQ(reference.bought.size(), 6u);
  auto file = made_of(kWhole);
  for (std::size_t answers = 0; answers < 8; ++answers) {
    ScriptedDriver crashed(scoring(), answers);
    {
      auto workflow = declared_workflow(file, clock);
      Workflow wf(crashed);
      auto task = workflow(wf, {input});
      task.start([](Result<JsonText>) { FAIL() << "ended early"; });
      crashed.run(answers);
    }
    ScriptedDriver resumed(scoring());
    resumed.recorded = crashed.recorded;
    resumed.recorded_steps = crashed.recorded_steps;
    EXPECT_EQ(outcome(resumed, kWhole, input, &clock), whole);
    EXPECT_EQ(resumed.bought.size() + crashed.bought.size(), reference.bought.size());
  }
}

}  // namespace
}  // namespace troupe::declared
