// What a run of a declared workflow is given: named, checked, read once.
#include "tests/agents/declared_support.hpp"
#include "tests/support/temp_folder.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <fstream>

namespace troupe::declared {
namespace {

using declared_test::echo;
using declared_test::file_of;
using declared_test::outcome;
using ::testing::HasSubstr;
using testing::ScriptedDriver;

TEST(DeclaredInputs, AreCheckedBeforeAnyCall) {
  auto file = file_of("  - {id: a, prompt: '{{inputs.topic}} {{inputs.more}}'}\n",
                      "inputs: {topic: , more: {default: m}, j: {kind: json, required: false}}\n");
  ScriptedDriver driver(echo());
  EXPECT_EQ(outcome(driver, file, R"({"topic":"t"})"), "\"<t m>\"");
  EXPECT_EQ(outcome(driver, file, "{}"),
            "FAIL invalid_input: input topic is missing; give it with --set topic=…");
  EXPECT_EQ(outcome(driver, file, R"({"topc":"t"})"),
            "FAIL invalid_input: test has no input topc; there are topic, more, j");
  EXPECT_EQ(outcome(driver, file, R"({"topic":7})"), "FAIL invalid_input: input topic is to be text");
  EXPECT_THAT(outcome(driver, file, R"({"topic":"t","j":"{"})"),
              HasSubstr("FAIL invalid_input: input j: not JSON"));
  EXPECT_THAT(outcome(driver, file, "[]"), HasSubstr("no object with a member for each input"));
  EXPECT_EQ(driver.bought.size(), 1u);
}

struct InputFile {
  troupe::testing::TempFolder folder;
  std::string path = folder.path() + "/input.txt";
  explicit InputFile(const std::string& text) { write(text); }
  void write(const std::string& text) const { std::ofstream(path, std::ios::binary) << text; }
  std::string json() const { return dump_json(Json{{"f", path}}); }
};

std::string reads(const char* kind) {
  return file_of("  - {id: a, value: '{{inputs.f}}'}\n", fmt::format("inputs: {{f: {{kind: {}}}}}\n", kind));
}

TEST(DeclaredInputs, FilesAreTextLinesOrValues) {
  InputFile file("{\"a\":1}\r\n\n[2]\n");
  ScriptedDriver driver(echo()), lines(echo()), rows(echo());
  EXPECT_EQ(outcome(driver, reads("file"), file.json()), R"("{\"a\":1}\r\n\n[2]\n")");
  EXPECT_EQ(outcome(lines, reads("lines"), file.json()), R"(["{\"a\":1}","[2]"])");
  EXPECT_EQ(outcome(rows, reads("jsonl"), file.json()), R"([{"a":1},[2]])");
  file.write("{}\n\noops\n");
  ScriptedDriver broken(echo());
  EXPECT_THAT(outcome(broken, reads("jsonl"), file.json()), HasSubstr(".txt:3: not JSON at byte"));
  EXPECT_THAT(outcome(broken, reads("jsonl"), R"({"f":"no/such"})"),
              HasSubstr("FAIL input_missing: no/such"));
  EXPECT_EQ(outcome(broken, reads("jsonl"), R"({"f":[1]})"), "[1]") << "the list itself, over the wire";
}

TEST(DeclaredInputs, AResumedRunSeesTheFileItBeganWith) {
  InputFile file("first");
  ScriptedDriver before(echo()), after(echo());
  EXPECT_EQ(outcome(before, reads("file"), file.json()), "\"first\"");
  file.write("second");
  after.recorded_steps = before.recorded_steps;
  EXPECT_EQ(outcome(after, reads("file"), file.json()), "\"first\"");
}

TEST(DeclaredInputs, AFileHasABound) {
  InputFile file(std::string((4u << 20) + 1, 'x'));
  ScriptedDriver driver(echo());
  EXPECT_THAT(outcome(driver, reads("file"), file.json()), HasSubstr("larger than 4194304 bytes"));
}

}  // namespace
}  // namespace troupe::declared
