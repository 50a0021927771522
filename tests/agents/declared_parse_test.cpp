// A workflow's file: what it may say, and what a user reads who says it wrong.
#include "tests/agents/declared_support.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>

namespace troupe::declared {
namespace {

using declared_test::file_of;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string complaint(const std::string& yaml) {
  auto read = read_declared(yaml, "x.yaml");
  if (read) return "";
  EXPECT_EQ(read.error().code, Errc::bad_config);
  return read.error().what;
}
// Of a step with this line added.
std::string step_complaint(const std::string& line, const std::string& action = "prompt: hi") {
  return complaint(file_of("  - id: a\n    " + action + "\n    " + line + "\n"));
}

constexpr const char* kEverything = R"(
workflow: review
version: 2
accepts: [1, "1.1"]
description: All there is.
inputs:
  topic:
  rows: {kind: jsonl, description: one a line}
  level: {kind: json, default: {deep: true}}
defaults: {feature: summary, output_tokens_max: 300, temperature: 0.2, deadline: 90s, parallel: 3,
           system: "You review {{inputs.topic}}.", tenant: acme, retry: {attempts: 2, pause: 1s}}
budget: {usd: 0.5, tokens: 10000, calls: 20, tool_calls: -1, subagents: 2, depth: 1, wall: 2h}
steps:
  - id: judged
    for_each: inputs.rows
    when: item.text
    prompt: "{{item.text | data}}"
    schema: {type: object}
    on_error: collect
    join: {first: 2}
    parallel: 5
  - {id: asked, signal: {name: approve, timeout: 2d, otherwise: {ok: false}}, after: [judged]}
  - {id: rest, sleep: 90s, when: steps.asked.ok}
  - {id: child, run: {workflow: recap, input: {input: "{{inputs.topic}}"}, budget: {usd: 0.1}}, after: [rest]}
output: {made: "{{steps.child}}"}
)";

TEST(DeclaredFile, SaysEverythingItCan) {
  auto read = read_declared(kEverything, "x.yaml");
  ASSERT_TRUE(read) << read.error().what;
  EXPECT_EQ(read->name, "review");
  EXPECT_EQ(read->version, "2");
  EXPECT_THAT(read->accepts, ElementsAre("1", "1.1"));
  EXPECT_EQ(read->budget.usd, 0.5);
  EXPECT_EQ(read->budget.tool_calls, -1);
  EXPECT_EQ(read->budget.wall, std::chrono::hours(2));
  ASSERT_EQ(read->inputs.size(), 3u);
  EXPECT_TRUE(read->inputs[0].required);
  EXPECT_EQ(read->inputs[1].kind, InputKind::jsonl);
  EXPECT_FALSE(read->inputs[2].required);
  ASSERT_EQ(read->steps.size(), 4u);
}

TEST(DeclaredFile, StepsSayWhatDiffersFromTheDefaults) {
  auto read = read_declared(kEverything, "x.yaml");
  ASSERT_TRUE(read);
  const auto& judged = read->steps[0];
  EXPECT_EQ(judged.first_k, 2u);
  EXPECT_EQ(judged.for_each->parallel, 5u);
  EXPECT_EQ(judged.on_error, OnError::collect);
  EXPECT_EQ(judged.retry.attempts, 2);
  EXPECT_TRUE(judged.when);
  const auto& prompt = std::get<PromptStep>(judged.action);
  EXPECT_EQ(prompt.output_tokens_max, 300);
  EXPECT_EQ(prompt.deadline, std::chrono::seconds(90));
  EXPECT_EQ(prompt.schema->text, R"({"type":"object"})");
  EXPECT_THAT(read->steps[1].needs, ElementsAre(0u));
  EXPECT_THAT(read->steps[2].needs, ElementsAre(1u));
  EXPECT_EQ(std::get<SignalStep>(read->steps[1].action).timeout, std::chrono::hours(48));
  EXPECT_EQ(std::get<ChildStep>(read->steps[3].action).slice.usd, 0.1);
}

TEST(DeclaredFile, NamesFileLineKeyAndWhatWouldBeRight) {
  EXPECT_EQ(complaint(file_of("  - id: a\n    promt: hi\n")),
            "x.yaml:4: steps[0]: does nothing; write one of prompt, run, signal, sleep, value\n"
            "x.yaml:5: steps[0].promt: unknown key; did you mean \"prompt\"?");
  EXPECT_EQ(complaint("workflow: w\nsteps: [{id: a, value: 1}]\nstep: x\n"),
            "x.yaml:3: step: unknown key; did you mean \"steps\"?");
  EXPECT_EQ(complaint("workflow: w\nsteps:\n"),
            "x.yaml:2: steps: expected a list of steps, each after \"- \"; write e.g. - id: facts");
  EXPECT_THAT(complaint("steps: [{id: a, value: 1}]"), HasSubstr("workflow: is missing; write e.g."));
  EXPECT_THAT(complaint("workflow: a/b\nsteps: [{id: a, value: 1}]"),
              HasSubstr("x.yaml:1: workflow: is no name"));
  EXPECT_THAT(complaint("- just\n- a list\n"), HasSubstr("expected a workflow as \"key: value\""));
  EXPECT_THAT(complaint(""), HasSubstr("expected a workflow"));
}

TEST(DeclaredFile, ReferencesMustExist) {
  auto about = [](const std::string& prompt) {
    return complaint(file_of("  - {id: facts, value: 1}\n  - {id: b, prompt: \"" + prompt + "\"}\n",
                             "inputs: {topic: }\n"));
  };
  EXPECT_EQ(about("{{steps.fact}}"),
            "x.yaml:6: steps[1].prompt: there is no step fact; did you mean \"facts\"?");
  EXPECT_EQ(about("{{steps.zebra}}"),
            "x.yaml:6: steps[1].prompt: there is no step zebra; there are facts, b");
  EXPECT_EQ(about("{{inputs.topics}}"),
            "x.yaml:6: steps[1].prompt: there is no input topics; did you mean \"topic\"?");
  EXPECT_EQ(about("{{item.x}}"), "x.yaml:6: steps[1].prompt: item is there in a step with for_each only");
  EXPECT_EQ(about("{{steps}}"), "x.yaml:6: steps[1].prompt: write which step: steps.ID");
  EXPECT_EQ(about("{{run.id}}"), "x.yaml:6: steps[1].prompt: of a run there is run.date and run.started");
  EXPECT_THAT(about("{{facts}}"),
              HasSubstr("facts is not known; there are inputs.NAME, steps.ID, item, index, "
                        "run.date; write steps.facts"));
  EXPECT_EQ(about("{{inputs.topic}} {{inputs}} {{run.date}} {{steps.facts.any.thing}}"), "");
}

TEST(DeclaredFile, ReferencesMustExistWhereverTheyStand) {
  EXPECT_THAT(complaint(file_of("  - {id: a, value: 1}\n", "output: '{{steps.b}}'\n")),
              HasSubstr("x.yaml:3: output: there is no step b"));
  EXPECT_THAT(complaint(file_of("  - {id: a, value: 1, after: [b]}\n")),
              HasSubstr("steps[0].after: there is no step b"));
  EXPECT_THAT(complaint(file_of("  - {id: a, for_each: item, value: 1}\n")), HasSubstr("with for_each only"));
  EXPECT_THAT(
      complaint("workflow: w\ndefaults: {feature: f, system: '{{steps.a}}'}\nsteps: [{id: a, prompt: x}]"),
      HasSubstr("x.yaml:2: defaults.system: defaults know inputs and run only"));
}

TEST(DeclaredFile, CirclesAreShown) {
  EXPECT_EQ(
      complaint(file_of("  - {id: a, value: '{{steps.c}}'}\n"
                        "  - {id: b, value: '{{steps.a}}'}\n"
                        "  - {id: c, value: 1, after: [b]}\n")),
      "x.yaml:4: steps[0]: waits for itself: a needs c needs b needs a; take one of these references out");
  EXPECT_THAT(complaint(file_of("  - {id: a, value: 1, when: steps.a}\n")), HasSubstr("a needs a"));
  EXPECT_EQ(complaint(file_of("  - {id: a, value: '{{steps.b}}'}\n  - {id: b, value: 1}\n")), "")
      << "the order in the file does not matter";
}

TEST(DeclaredFile, IdsAndSignalsAreUnique) {
  EXPECT_EQ(complaint(file_of("  - {id: a, value: 1}\n  - {id: a, value: 2}\n")),
            "x.yaml:5: steps[1].id: a is there twice; every step needs an id of its own");
  EXPECT_THAT(complaint(file_of("  - {id: a, signal: go}\n  - {id: b, signal: go}\n")),
              HasSubstr("another step waits for go"));
  for (const char* id : {"1st", "a-b", "a/b", "item", "steps", "and", "\"\""})
    EXPECT_THAT(complaint(file_of(fmt::format("  - {{id: {}, value: 1}}\n", id))),
                HasSubstr("steps[0].id: is "));
}

TEST(DeclaredFile, ModifiersMustFit) {
  EXPECT_THAT(step_complaint("value: 1"), HasSubstr("steps[0]: does prompt and value at once"));
  EXPECT_THAT(step_complaint("parallel: 3"), HasSubstr("of no use without for_each"));
  EXPECT_THAT(step_complaint("join: {first: 2}"), HasSubstr("of no use without for_each"));
  EXPECT_THAT(step_complaint("join: some"), HasSubstr("expected all, or {first: 2}"));
  EXPECT_EQ(step_complaint("join: all"), "");
  EXPECT_THAT(step_complaint("on_error: ignore"), HasSubstr("\"ignore\" is none of fail, skip, collect"));
  EXPECT_THAT(step_complaint("when: {a: 1}"), HasSubstr("expected a condition"));
  EXPECT_THAT(step_complaint("when: 'a =='"), HasSubstr("steps[0].when: expected a path"));
  EXPECT_THAT(step_complaint("retry: {attempts: 0}"), HasSubstr("expected a whole number from 1 to 20"));
  EXPECT_THAT(step_complaint("retry: {attempts: 2}", "value: 1"), HasSubstr("is for prompt and run only"));
  EXPECT_THAT(step_complaint("for_each: [1]", "signal: x"), HasSubstr("a signal or a sleep is for one"));
  EXPECT_THAT(step_complaint("for_each: 7"), HasSubstr("expected a list, or an expression"));
  EXPECT_THAT(step_complaint("after: a"), HasSubstr("expected a list such as [a, b]"));
  EXPECT_THAT(step_complaint("temperature: hot"), HasSubstr("expected a number from 0 to 2"));
  EXPECT_THAT(step_complaint("deadline: soon"), HasSubstr("expected a length of time such as 90s"));
  EXPECT_THAT(step_complaint("output_tokens_max: 0"), HasSubstr("from 1 to 1000000"));
  EXPECT_THAT(step_complaint("schema: 7"), HasSubstr("expected a JSON Schema"));
  EXPECT_THAT(step_complaint("schema: {type: objekt}"), HasSubstr("malformed"));
  EXPECT_THAT(step_complaint("schema: {type: string, pattern: x}"), HasSubstr("pattern"));
}

TEST(DeclaredFile, ActionsAreChecked) {
  EXPECT_THAT(step_complaint("", "prompt: ''"), HasSubstr("is empty"));
  EXPECT_THAT(step_complaint("", "prompt: 'a {{ b'"), HasSubstr("steps[0].prompt: in {{ b: expected }}"));
  EXPECT_THAT(step_complaint("", "run: recap"), HasSubstr("expected workflow, input and budget"));
  EXPECT_THAT(step_complaint("", "run: {input: 1}"), HasSubstr("steps[0].run.workflow: is missing"));
  EXPECT_THAT(step_complaint("", "run: {workflow: w, budget: {usd: much}}"),
              HasSubstr("run.budget.usd: expected"));
  EXPECT_THAT(step_complaint("", "sleep: long"), HasSubstr("expected a length of time"));
  EXPECT_THAT(step_complaint("", "signal: {name: go, otherwise: 1}"),
              HasSubstr("of no use without a timeout"));
  EXPECT_THAT(step_complaint("", "signal: ''"), HasSubstr("expected a name of 1 to 200 bytes"));
  EXPECT_THAT(complaint("workflow: w\nsteps: [{id: a, prompt: hi}]"),
              HasSubstr("steps[0].feature: is missing; write e.g. feature: summary here or under defaults"));
}

TEST(DeclaredFile, InputsAreChecked) {
  auto of = [](const std::string& inputs) { return complaint(file_of("  - {id: a, value: 1}\n", inputs)); };
  EXPECT_THAT(of("inputs: {a: {kind: number}}\n"),
              HasSubstr("inputs.a.kind: \"number\" is none of text, json, "
                        "file, lines, jsonl"));
  EXPECT_THAT(of("inputs: {a: {default: x, required: true}}\n"),
              HasSubstr("cannot be true beside a default"));
  EXPECT_THAT(of("inputs: {'a b': }\n"), HasSubstr("is no name"));
  EXPECT_THAT(of("inputs: [a]\n"), HasSubstr("expected names, each with its own options"));
  EXPECT_EQ(of("inputs: {a: {required: false}, b: {default: null}}\n"), "");
}

TEST(DeclaredFile, AllProblemsAreSaidAtOnce) {
  std::string steps;
  for (int i = 0; i < 30; ++i) steps += fmt::format("  - {{id: s{}, prompt: '{{{{steps.no}}}}'}}\n", i);
  auto what = complaint(file_of(steps));
  EXPECT_EQ(std::ranges::count(what, '\n'), 20);
  EXPECT_THAT(what, HasSubstr("and 10 more"));
}

TEST(DeclaredFile, IsBounded) {
  std::string steps;
  for (std::size_t i = 0; i < kStepsMax; ++i) steps += fmt::format("  - {{id: s{}, value: 1}}\n", i);
  EXPECT_EQ(complaint(file_of(steps)), "");
  EXPECT_THAT(complaint(file_of(steps + "  - {id: more, value: 1}\n")), HasSubstr("more than 200 steps"));
}

TEST(DeclaredFile, HostileFilesEndInAMessage) {
  for (const char* yaml :
       {"workflow: [1]\nsteps: {a: 1}\ninputs: 7\nbudget: x\ndefaults: []\noutput: '{{'",
        "workflow: w\nsteps: [1, null, [], {}, {id: {}}, {id: [a], prompt: {}}]",
        "workflow: w\nsteps: [{id: a, run: null, when: null, join: null, retry: 1}]",
        "workflow: w\nsteps: [{id: a, signal: null}, {id: b, sleep: -1s}, {id: c, schema: '{'}]",
        "workflow: \"\\0\"\nsteps: [{id: \"\\0\", value: 1}]"})
    EXPECT_NE(complaint(yaml), "") << yaml;
}

TEST(DeclaredFile, AMissingFileIsSaid) {
  auto read = load_declared("no/such/file.yaml");
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code, Errc::input_missing);
  EXPECT_TRUE(names_declared_file("a.yaml") && names_declared_file("b/c.yml"));
  EXPECT_FALSE(names_declared_file("recap"));
}

TEST(DeclaredWorkflow, AVersionPinsItsRuns) {
  ManualClock clock;
  auto read = read_declared("workflow: w\nversion: 3\naccepts: [2]\nsteps: [{id: a, value: 1}]", "w.yaml");
  ASSERT_TRUE(read);
  auto type = declared_type(std::make_shared<const Declared>(std::move(*read)), clock);
  EXPECT_EQ(type.version, "3");
  EXPECT_TRUE(type.migrates("2"));
  EXPECT_FALSE(type.migrates("1"));
}

}  // namespace
}  // namespace troupe::declared
