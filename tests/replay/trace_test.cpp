// Trace formats: what is read, and what is refused with its line.
#include "replay/trace.hpp"

#include "replay/azure_trace.hpp"
#include "replay/slack_shape.hpp"
#include "tests/replay/support/files.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace troupe::replay {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::HasSubstr;

Result<std::vector<TraceRow>> rows_of(const std::string& path, const SyntheticOptions& synthetic = {}) {
  auto trace = open_trace(path, synthetic);
  if (!trace) return std::unexpected(trace.error());
  std::vector<TraceRow> rows;
  TraceRow row;
  while (true) {
    auto got = (*trace)->next(row);
    if (!got) return std::unexpected(got.error());
    if (!*got) return rows;
    rows.push_back(row);
  }
}

std::string problem_of(const std::string& text) {
  TempFolder folder;
  auto rows = rows_of(folder.file("trace", text));
  return rows ? "none" : rows.error().what;
}

constexpr const char* kHeader = "TIMESTAMP,ContextTokens,GeneratedTokens\n";

TEST(AzureTrace, GivesTimesSinceTheFirstRequest) {
  TempFolder folder;
  auto rows = rows_of(folder.file("t.csv", std::string(kHeader) + "2031-02-03 18:15:46.2500000,300,40\r\n"
                                                                  "2031-02-03 18:15:50.7500010,250,90\n"
                                                                  "2031-02-04 00:00:00,1,0"));
  ASSERT_TRUE(rows) << rows.error().what;
  ASSERT_EQ(rows->size(), 3u);
  EXPECT_EQ((*rows)[0].at, Duration{});
  EXPECT_EQ((*rows)[0].input_tokens, 300u);
  EXPECT_EQ((*rows)[0].output_tokens, 40u);
  EXPECT_EQ((*rows)[1].at, Duration(4'500'001'000));
  EXPECT_EQ((*rows)[2].at, seconds(20653) + Duration(750'000'000));
}

TEST(AzureTrace, NamesTheLineThatIsWrong) {
  std::string good = std::string(kHeader) + "2031-02-03 18:15:46.68,300,40\n";
  EXPECT_THAT(problem_of(good + "2031-02-03 18:15:47,12\n"), HasSubstr(":3: three columns"));
  EXPECT_THAT(problem_of(good + "yesterday,12,13\n"), HasSubstr(":3: no time like"));
  EXPECT_THAT(problem_of(good + "2031-13-03 18:15:47,12,13\n"), HasSubstr(":3: no time like"));
  EXPECT_THAT(problem_of(good + "2031-02-03 18:15:47,-1,13\n"), HasSubstr(":3: columns two and three"));
  EXPECT_THAT(problem_of(good + "2031-02-03 18:15:47,1,99999999999\n"),
              HasSubstr(":3: columns two and three"));
  EXPECT_THAT(problem_of(good + "2031-02-03 18:15:45,1,1\n"), HasSubstr(":3: goes back in time"));
  EXPECT_THAT(problem_of("TIMESTAMP,Input,Output\n"), HasSubstr(":1: the header must be"));
}

TEST(AzureTrace, ReadsTimesInTheirVariants) {
  EXPECT_EQ(parse_timestamp("1970-01-01 00:00:01.5"), Duration(milliseconds(1500)));
  EXPECT_EQ(parse_timestamp("1970-01-01T00:00:01Z"), Duration(seconds(1)));
  EXPECT_EQ(parse_timestamp("1970-01-02 00:00:00.009930+00:00"),
            Duration(seconds(86'400)) + Duration(9'930'000));
  EXPECT_FALSE(parse_timestamp("1970-01-01 00:00:01."));
  EXPECT_FALSE(parse_timestamp("1970-01-01 24:00:01"));
  EXPECT_FALSE(parse_timestamp(""));
}

TEST(MooncakeTrace, GivesLengthsAndBlocks) {
  TempFolder folder;
  auto rows = rows_of(folder.file(
      "t.jsonl", R"({"timestamp": 5, "input_length": 1200, "output_length": 70, "hash_ids": [0, 1, 2]})"
                 "\n\n"
                 R"({"timestamp": 3005, "input_length": 10, "output_length": 0, "hash_ids": []})"));
  ASSERT_TRUE(rows) << rows.error().what;
  ASSERT_EQ(rows->size(), 2u);
  EXPECT_THAT((*rows)[0].blocks, ::testing::ElementsAre(0u, 1u, 2u));
  EXPECT_EQ((*rows)[1].at, Duration(seconds(3)));
  EXPECT_EQ((*rows)[1].input_tokens, 10u);
}

TEST(MooncakeTrace, NamesTheLineThatIsWrong) {
  std::string good = R"({"timestamp": 9, "input_length": 1, "output_length": 1, "hash_ids": [0]})"
                     "\n";
  EXPECT_THAT(problem_of(good + "{"), HasSubstr(":2: no object"));
  EXPECT_THAT(problem_of(good + R"({"input_length": 1, "output_length": 1})"), HasSubstr(":2: timestamp"));
  EXPECT_THAT(problem_of(good + R"({"timestamp": 10, "input_length": -1, "output_length": 1})"),
              HasSubstr(":2: input_length"));
  EXPECT_THAT(
      problem_of(good + R"({"timestamp": 10, "input_length": 1, "output_length": 1, "hash_ids": ["a"]})"),
      HasSubstr(":2: hash_ids"));
  EXPECT_THAT(problem_of(good + R"({"timestamp": 8, "input_length": 1, "output_length": 1})"),
              HasSubstr(":2: goes back in time"));
}

TEST(OpenTrace, SaysWhatItTakesWhenItIsNone) {
  EXPECT_THAT(problem_of("a,b,c\n1,2,3\n"), HasSubstr("neither the header"));
  EXPECT_THAT(problem_of(""), HasSubstr("neither the header"));
  auto missing = open_trace("/nowhere/at/all.csv", {});
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, Errc::input_missing);
}

TEST(OpenTrace, RefusesALineLongerThanItsBound) {
  std::string text = std::string(kHeader) + std::string(LineReader::line_bytes_max + 70'000, '1');
  EXPECT_THAT(problem_of(text), HasSubstr(":2: longer than 1048576 bytes"));
}

// Two Mondays with two messages each in hour 9, one Tuesday with one in hour 20.
std::string write_export(TempFolder& folder) {
  auto day = [](std::initializer_list<const char*> times) {
    std::string text = "[";
    for (const auto* ts : times)
      text += std::string(text.size() > 1 ? "," : "") + R"({"type":"message","ts":")" + ts + R"(.000100"})";
    return text + "]";
  };
  folder.file("export/channels.json", "[]");
  folder.file("export/general/2019-03-04.json", day({"1551690000", "1551690600"}));
  folder.file("export/general/2019-03-11.json", day({"1552294800", "1552295400"}));
  folder.file("export/random/2019-03-05.json", day({"1551816000"}));
  return folder.path() + "/export";
}

TEST(SlackShape, WeighsHoursByTheDaysSeen) {
  TempFolder folder;
  auto shape = learn_shape(write_export(folder));
  ASSERT_TRUE(shape) << shape.error().what;
  EXPECT_EQ(shape->messages, 5u);
  EXPECT_NEAR(shape->share[9], 2.0 / 3, 1e-12);
  EXPECT_NEAR(shape->share[24 + 20], 1.0 / 3, 1e-12);
  EXPECT_NEAR(shape->peak_to_mean(), 168 * 2.0 / 3, 1e-9);
}

TEST(SlackShape, NamesTheMalformedFile) {
  TempFolder folder;
  auto path = write_export(folder);
  folder.file("export/general/2019-03-12.json", "{}");
  auto shape = learn_shape(path);
  ASSERT_FALSE(shape);
  EXPECT_THAT(shape.error().what, HasSubstr("2019-03-12.json: must be a JSON array"));
}

TEST(SyntheticTrace, FollowsTheShapeAndTheSeed) {
  TempFolder folder;
  auto path = write_export(folder);
  auto rows = rows_of(path, {.requests_per_day = 3000, .days = 7, .seed = 5});
  ASSERT_TRUE(rows) << rows.error().what;
  // Poisson: 21,000 a week, give or take five standard deviations.
  EXPECT_NEAR(static_cast<double>(rows->size()), 21'000, 5 * 145);
  std::size_t early = 0;
  for (const auto& row : *rows) early += row.at < std::chrono::hours(1) ? 1 : 0;
  EXPECT_NEAR(static_cast<double>(early), 14'000, 5 * 118);
  auto again = rows_of(path, {.requests_per_day = 3000, .days = 7, .seed = 5});
  auto other = rows_of(path, {.requests_per_day = 3000, .days = 7, .seed = 6});
  ASSERT_EQ(again->size(), rows->size());
  EXPECT_EQ((*again)[100].at, (*rows)[100].at);
  EXPECT_EQ((*again)[100].input_tokens, (*rows)[100].input_tokens);
  EXPECT_NE((*other)[100].at, (*rows)[100].at);
}

TEST(SyntheticTrace, DrawsLengthsInPairsFromATrace) {
  TempFolder folder;
  auto path = write_export(folder);
  auto lengths =
      folder.file("l.csv", std::string(kHeader) + "2031-02-03 18:15:46,10,1\n2031-02-03 18:15:47,20,2\n");
  auto rows = rows_of(path, {.requests_per_day = 100, .days = 7, .lengths = lengths});
  ASSERT_TRUE(rows) << rows.error().what;
  for (const auto& row : *rows) EXPECT_EQ(row.input_tokens, 10 * row.output_tokens);
}

TEST(RecordedTraces, HaveTheKnownFigures) {
  auto azure = shared_data("azure_llm_2023/AzureLLMInferenceTrace_conv.csv");
  if (azure.empty()) GTEST_SKIP() << "SKIPPED LOUDLY: the recorded traces are not on this machine";
  auto trace = open_trace(azure, {});
  ASSERT_TRUE(trace);
  auto facts = measure_trace(**trace);
  ASSERT_TRUE(facts);
  EXPECT_EQ(facts->requests, 19'366u);
  EXPECT_EQ(facts->input_tokens, 22'361'870);
  EXPECT_EQ(facts->output_tokens, 4'088'665);
  auto mooncake = open_trace(shared_data("mooncake/conversation_trace.jsonl"), {});
  ASSERT_TRUE(mooncake);
  EXPECT_EQ(measure_trace(**mooncake)->requests, 12'031u);
  auto shape = learn_shape(shared_data("slack_export"));
  ASSERT_TRUE(shape);
  EXPECT_EQ(shape->messages, 21'267u);
  EXPECT_GT(shape->peak_to_mean(), 3);
}

}  // namespace
}  // namespace troupe::replay
