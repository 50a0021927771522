// Reading windows: three formats, and everything that can be wrong with them.
#include "agents/summary/read_window.hpp"
#include "tests/agents/summary_support.hpp"
#include "tests/support/temp_folder.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

namespace troupe::summary {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::vector<std::string> lines_in(const Window& window) {
  std::vector<std::string> out;
  for (const auto& line : window.lines) out.push_back(line.id + "|" + line.who + "|" + line.text);
  return out;
}

TEST(JsonlWindow, ReadsRecordsAndNamesTheLinesItCannot) {
  auto window = read_jsonl_window(
      "{\"id\":\"a\",\"who\":\"ann\",\"at\":\"2019-03-05T14:02:00Z\",\"text\":\"one\"}\n"
      "not "
      "json\n\n[1]\n{\"who\":\"bob\"}\n{\"id\":7,\"text\":\"two\",\"at\":1551794521}\r\n{\"text\":\"three\"}",
      "chat.jsonl", {});
  EXPECT_THAT(lines_in(window), ElementsAre("a|ann|one", "7||two", "L7||three"));
  ASSERT_EQ(window.problems.size(), 3u);
  EXPECT_EQ(window.problems[0].file, "chat.jsonl:2");
  EXPECT_EQ(window.problems[1].reason, "is no JSON object");
  EXPECT_EQ(window.problems[2].file, "chat.jsonl:5");
  EXPECT_EQ(window.lines[0].at->ms, 1551794520000);
}

TEST(JsonlWindow, NamesTwentyProblemsAndCountsTheRest) {
  std::string text = "{\"text\":\"good\"}\n";
  for (int i = 0; i < 50; ++i) text += "{\n";
  auto window = read_jsonl_window(text, "x", {});
  EXPECT_EQ(window.lines.size(), 1u);
  ASSERT_EQ(window.problems.size(), 21u);
  EXPECT_EQ(window.problems.back().reason, "30 more lines could not be used");
}

// 10 MB in one line, NULs, broken UTF-8, deep nesting: each costs its line and nothing else.
TEST(JsonlWindow, SurvivesHostileLines) {
  std::string text = "{\"text\":\"" + std::string(10u << 20, 'x') + "\"}\n";
  text += std::string("{\"text\":\"a\0b\"}\n", 15) + "{\"text\":\"\xff\xfe\"}\n";
  text += std::string(5000, '[') + "\n{\"text\":\"fine\",\"at\":1e300,\"who\":{}}\n";
  auto window = read_jsonl_window(text, "x", {});
  EXPECT_THAT(lines_in(window), ElementsAre("L5||fine"));
  EXPECT_EQ(window.problems.size(), 4u);
  EXPECT_THAT(window.problems[0].reason, HasSubstr("longer than"));
  EXPECT_FALSE(window.lines[0].at);
}

// K7: the same lines in any order of arrival are the same window.
TEST(JsonlWindow, IsTheSameInAnyOrderOfArrival) {
  std::vector<std::string> records;
  for (int i = 0; i < 40; ++i)
    records.push_back(
        fmt::format(R"({{"id":"m{}","who":"p{}","at":{},"text":"t{}"}})", i, i % 3, 100 + i / 4, i));
  records.push_back(records[3]);
  Rng rng(3);
  std::vector<std::string> first;
  for (int round = 0; round < 20; ++round) {
    for (auto i = records.size(); i > 1; --i) std::swap(records[i - 1], records[rng.below(i)]);
    auto window = read_jsonl_window(fmt::format("{}", fmt::join(records, "\n")), "x", {});
    if (round == 0) first = lines_in(window);
    ASSERT_EQ(lines_in(window), first);
    ASSERT_EQ(window.problems.size(), 1u);
  }
  EXPECT_EQ(first.size(), 40u);
}

TEST(JsonlWindow, KeepsToTheDaysAskedFor) {
  SummaryInput input;
  input.from = input.to = "2019-03-05";
  auto window = read_jsonl_window(R"({"text":"before","at":"2019-03-04T23:59:59Z"}
{"text":"first","at":"2019-03-05T00:00:00Z"}
{"text":"last","at":"2019-03-06T01:59:59.5+02:00"}
{"text":"after","at":"2019-03-06"}
{"text":"never"})",
                                  "x", input);
  EXPECT_THAT(lines_in(window), ElementsAre("L2||first", "L3||last"));
}

TEST(Moment, IsReadFromWhatLogsHold) {
  EXPECT_EQ(parse_moment("1551757500.4443")->ms, 1551757500444);
  EXPECT_EQ(parse_moment("1970-01-02")->ms, 86'400'000);
  EXPECT_EQ(parse_moment("1970-01-01T01:00:00+0100")->ms, 0);
  EXPECT_EQ(parse_moment("2000-02-29T00:00:00.999Z")->ms, 951782400000);
  for (auto wrong : {"", "yesterday", "1970-13-01", "2001-02-29", "1970-01-01T25:00:00Z", "1970-01-01T00:00",
                     "1970-01-01T00:00:00+1", "1970-01-01T00:00:00+1:000", "-5", "99999999999999999999",
                     "1970-01-0a", "12.x", "1970-01-01T00:00:00Zulu"})
    EXPECT_FALSE(parse_moment(wrong)) << wrong;
}

TEST(TextWindow, TellsTurnsFromProse) {
  auto turns = read_text_window(
      "Minutes\n\nAnn Lee: hello\nand more\n**Bob:** hi\n[14:02] <cy> yo\n"
      "00:01:22 Dr. O'Hara: see https://x.org/a\n",
      "m.txt", {});
  EXPECT_THAT(lines_in(turns), ElementsAre("L1||Minutes", "L3|Ann Lee|hello\nand more", "L5|Bob|hi",
                                           "L6|cy|yo", "L7|Dr. O'Hara|see https://x.org/a"));
  auto prose = read_text_window(
      "Note: a long story.\nIt goes on.\n\nSecond paragraph at 12:30.\nhttps://x.org\n\n\nThird.", "p.md",
      {});
  EXPECT_THAT(lines_in(prose), ElementsAre("b0||Note: a long story.\nIt goes on.",
                                           "b33||Second paragraph at 12:30.\nhttps://x.org", "b76||Third."));
}

TEST(TextWindow, ReplacesWhatIsNoText) {
  auto window = read_text_window(std::string("Ann: a\0\x01z\nBob: \xff\xfe\n: empty\nCy:\n", 30), "x", {});
  EXPECT_THAT(lines_in(window), ElementsAre("L1|Ann|a  z", "L2|Bob|\xef\xbf\xbd\xef\xbf\xbd\n: empty"));
  auto huge = read_text_window(std::string(10u << 20, 'x'), "x", {});
  EXPECT_EQ(huge.lines.size(), 1u);
  EXPECT_THAT(read_text_window("\n \n\t\n", "x", {}).lines, IsEmpty());
}

class SummaryFiles : public ::testing::Test {
 protected:
  void SetUp() override {
    std::filesystem::create_directories(folder_ / "export" / "general");
    std::filesystem::create_directories(folder_ / "export" / "random");
  }

  std::string write(const std::string& name, std::string_view text) {
    std::ofstream(folder_ / name, std::ios::binary) << text;
    return (folder_ / name).string();
  }

  std::string write_export() {
    write("export/users.json", R"([{"id":"U1","name":"ann"},{"id":"U2","name":"bob"}])");
    write("export/channels.json",
          R"([{"id":"C1","name":"general","members":["U1"]},{"id":"C2","name":"random"}])");
    write(
        "export/general/2019-03-05.json",
        R"([{"type":"message","user":"U1","ts":"1551744000.000100","thread_ts":"1551744000.000100","text":"root"},
              {"type":"message","user":"U2","ts":"1551744060.000100","text":"aside"}])");
    write(
        "export/general/2019-03-06.json",
        R"([{"type":"message","user":"U2","ts":"1551830400.000100","thread_ts":"1551744000.000100","text":"late reply"}])");
    write("export/random/2019-03-06.json",
          R"([{"type":"message","user":"U2","ts":"1551830400.000200","text":"x"}])");
    return (folder_ / "export").string();
  }

  troupe::testing::TempFolder made_;
  const std::filesystem::path folder_ = made_.path();
};

TEST_F(SummaryFiles, ASlackWindowIsOneChannelsDays) {
  SummaryInput input{.path = write_export(), .format = Format::slack, .channel = "general"};
  EXPECT_THAT(lines_in(*read_window(input)), ElementsAre("1551830400.000100|bob|late reply"));
  input.from = "2019-03-05";
  auto both = read_window(input);
  EXPECT_EQ(both->lines.size(), 3u);
  EXPECT_EQ(both->name, "#general, 2019-03-05 to 2019-03-06");
  input.channel = "";
  auto several = read_window(input);
  ASSERT_FALSE(several);
  EXPECT_THAT(several.error().what, HasSubstr("general, random"));
}

TEST_F(SummaryFiles, ASlackThreadIsReadOverAllItsDays) {
  SummaryInput input{
      .path = write_export(), .format = Format::slack, .channel = "general", .thread = "1551744000.000100"};
  EXPECT_THAT(lines_in(*read_window(input)),
              ElementsAre("1551744000.000100|ann|root", "1551830400.000100|bob|late reply"));
  input.thread = "1.0";
  EXPECT_EQ(read_window(input).error().code, Errc::invalid_input);
}

TEST_F(SummaryFiles, WhatIsNotThereOrHoldsNothingIsAClearError) {
  SummaryInput input{.path = (folder_ / "none.txt").string()};
  EXPECT_EQ(read_window(input).error().code, Errc::input_missing);
  input = {.path = write("empty.txt", "")};
  EXPECT_EQ(read_window(input).error().code, Errc::invalid_input);
  input = {.path = write("bad.jsonl", "{]"), .format = Format::jsonl};
  EXPECT_THAT(read_window(input).error().what, HasSubstr("bad.jsonl:1"));
  input = {.path = write("big.txt", std::string(2000, 'x')), .file_bytes_max = 1999};
  EXPECT_THAT(read_window(input).error().what, HasSubstr("larger than 1999 bytes"));
  input = {.path = folder_.string(), .format = Format::text};
  EXPECT_EQ(read_window(input).error().code, Errc::invalid_input);
}

TEST_F(SummaryFiles, AWindowOfTooManyLinesIsReadUpToItsBound) {
  SummaryInput input{.path = write("t.txt", "A: x\nB: y\nC: z\n"), .lines_max = 2};
  auto window = read_window(input);
  EXPECT_EQ(window->lines.size(), 2u);
  EXPECT_THAT(window->problems.at(0).reason, HasSubstr("only the first 2"));
}

TEST_F(SummaryFiles, TheWorkflowReadsWhatItsInputNames) {
  auto path = write("talk.txt", "Ann: the release ships on Monday\nBob: I will test it\nCy: fine\n");
  testing::ScriptedDriver driver(summary_test::marking_model());
  Workflow wf(driver);
  auto result = testing::drive(driver, summarise(wf, JsonText{dump_json(Json{{"input", path}})}));
  ASSERT_TRUE(result && *result);
  auto json = parse_json((*result)->text);
  EXPECT_THAT(get_string(*json, "text"), HasSubstr("- Bob: I will test it [2]"));
  EXPECT_THAT((*json)["points"][1]["sources"], ElementsAre("L2"));
}

Error wrong(const char* json) {
  auto read = read_summary_input({json});
  return read ? Error{} : read.error();
}

TEST(SummaryInput, NamesTheKeyThatIsWrong) {
  EXPECT_THAT(wrong("{}").what, HasSubstr("input:"));
  EXPECT_THAT(wrong(R"({"input":"x","format":"pdf"})").what, HasSubstr("format: expected slack"));
  EXPECT_THAT(wrong(R"({"input":"x","chunk_tokens_max":"many"})").what, HasSubstr("chunk_tokens_max"));
  EXPECT_THAT(wrong(R"({"input":"x","statements_max":65})").what, HasSubstr("statements_max"));
  EXPECT_THAT(wrong(R"({"input":"x","prepass_tokens_max":5})").what, HasSubstr("prepass_tokens_max"));
  EXPECT_THAT(wrong(R"({"input":"x","disentangle":"maybe"})").what, HasSubstr("disentangle"));
  EXPECT_THAT(wrong(R"({"input":"x","from":"yesterday"})").what, HasSubstr("yesterday"));
  EXPECT_EQ(wrong("]").code, Errc::invalid_input);
}

TEST(SummaryInput, TakesNumbersAsTextAndGuessesTheFormat) {
  auto read = read_summary_input(
      {R"({"input":"a.jsonl","channel":"#x","deadline_s":"5","prepass_tokens_max":"0","disentangle":"off"})"});
  ASSERT_TRUE(read);
  EXPECT_EQ(read->format, Format::jsonl);
  EXPECT_EQ(read->channel, "x");
  EXPECT_EQ(read->deadline, std::chrono::seconds(5));
  EXPECT_EQ(read->prepass_tokens_max, 0u);
  EXPECT_FALSE(read->disentangle);
  EXPECT_EQ(read_summary_input({R"({"input":"x.zip"})"})->format, Format::slack);
  EXPECT_EQ(read_summary_input({R"({"input":"x.md"})"})->format, Format::text);
}

}  // namespace
}  // namespace troupe::summary
