// Nothing of a summary is served whose source went or changed, whenever that happened (MECHANISMS J5).
#include "agents/summary/standing.hpp"
#include "tests/agents/summary_support.hpp"

#include "runtime/base/rng.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <optional>

namespace troupe::summary {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

/// A file of talk that people delete from and edit. Every text ever written holds a word of its own.
class Talk {
 public:
  explicit Talk(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i)
      lines_.push_back({fmt::format("m{}", i), fmt::format("word{}w", words_++)});
    write();
  }
  ~Talk() { std::filesystem::remove(path_); }
  Talk(const Talk&) = delete;
  Talk& operator=(const Talk&) = delete;

  void change(Rng& rng) {
    if (lines_.empty()) return;
    auto at = rng.below(lines_.size());
    gone_.push_back(lines_[at].word);
    if (rng.below(2) == 0)
      lines_.erase(lines_.begin() + static_cast<std::ptrdiff_t>(at));
    else
      lines_[at].word = fmt::format("word{}w", words_++);
    write();
  }
  void lose() const { std::filesystem::remove(path_); }
  const std::vector<std::string>& gone() const { return gone_; }
  JsonText input(std::size_t chunk_tokens) const {
    return {dump_json(Json{{"input", path_}, {"chunk_tokens_max", chunk_tokens}, {"statements_max", 64}})};
  }

 private:
  struct Said {
    std::string id, word;
  };
  void write() const {
    std::ofstream out(path_, std::ios::binary | std::ios::trunc);
    for (const auto& line : lines_)
      out << dump_json(Json{{"id", line.id},
                            {"who", "ann"},
                            {"text", "we spoke at length about the release of " + line.word}})
          << "\n";
  }

  std::string path_ =
      (std::filesystem::temp_directory_path() / fmt::format("troupe-talk-{}.jsonl", ::getpid())).string();
  std::vector<Said> lines_;
  std::vector<std::string> gone_;
  std::size_t words_ = 0;
};

/// The summary of a talk that changes after `answers` answers, shown when all is over.
std::string made_while_changing(Talk& talk, const JsonText& input, Rng& rng, std::size_t answers) {
  testing::ScriptedDriver driver(summary_test::marking_model(2));
  Workflow wf(driver);
  std::optional<Result<JsonText>> out;
  auto task = summarise(wf, input);
  task.start([&](Result<JsonText> result) { out.emplace(std::move(result)); });
  driver.run(answers);
  bool ended = out.has_value();
  for (auto changes = 1 + rng.below(3); changes > 0; --changes) talk.change(rng);
  driver.run();
  if (!out || !*out) ADD_FAILURE() << (out ? (*out).error().what : "it did not end");
  auto text = out && *out ? (*out)->text : std::string();
  return ended ? summary_as_of_now({text}, input).value_or(summary_withheld({text})).text : text;
}

TEST(SummaryStanding, WhenTheSourceCannotBeReadAtItsEndARunFailsAndIsNotEmptied) {  // J5
  Rng rng(1);
  Talk talk(24);
  auto input = talk.input(16'000);
  testing::ScriptedDriver driver(summary_test::marking_model(2));
  Workflow wf(driver);
  std::optional<Result<JsonText>> out;
  auto task = summarise(wf, input);
  task.start([&](Result<JsonText> result) { out.emplace(std::move(result)); });
  talk.lose();
  driver.run();
  ASSERT_TRUE(out);
  ASSERT_FALSE(*out);
  EXPECT_EQ(out->error().code, Errc::input_missing) << out->error().what;
}

std::size_t statements(const std::string& summary) {
  auto json = parse_json(summary);
  return json ? (*json)["points"].size() : 0;
}

TEST(SummaryStanding, NothingStaleIsServedWheneverASourceGoes) {  // J5
  std::size_t shown = 0, withdrawn = 0;
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    Rng rng(seed);
    Talk talk(24);
    // One chunk, or several whose points are merged.
    auto input = talk.input(seed % 2 == 0 ? 16'000 : 200);
    auto summary = made_while_changing(talk, input, rng, rng.below(seed % 2 == 0 ? 1 : 8));
    for (int later = 0; later < 6; ++later) {
      for (const auto& word : talk.gone()) ASSERT_THAT(summary, Not(HasSubstr(word))) << seed;
      auto before = statements(summary);
      shown += before;
      talk.change(rng);
      summary = summary_as_of_now({summary}, input).value_or(summary_withheld({summary})).text;
      withdrawn += before - statements(summary);
    }
  }
  EXPECT_GT(shown, 500u);
  EXPECT_GT(withdrawn, 20u);
}

Window three_lines() {
  Window out{.name = "talk"};
  for (const char* id : {"a", "b", "c"})
    out.lines.push_back({.id = id, .who = "ann", .text = std::string(300, *id)});
  return out;
}

Json summary_of_three() {
  testing::ScriptedDriver driver([](const StepKey&, const CompletionRequest&) -> Result<Completion> {
    return testing::text_completion("- One and two. [1, 2]\n- Three. [3]\n");
  });
  return summary_test::made(driver, three_lines());
}

TEST(SummaryStanding, TakesOutOneStatementAndLeavesTheOtherWhole) {
  auto summary = summary_of_three();
  EXPECT_EQ(still_stands(summary, three_lines()), summary);
  auto now = three_lines();
  now.lines.erase(now.lines.begin() + 1);
  auto left = still_stands(summary, now);
  EXPECT_EQ(get_string(left, "text"), "- Three. [3]");
  EXPECT_EQ(left["points"].size(), 1u);
  EXPECT_EQ(left["cited"].size(), 1u);
  EXPECT_EQ(left["marks"].size(), 1u);
  EXPECT_EQ(get_int(left, "withdrawn"), 1);
  EXPECT_TRUE(get_bool(left, "found"));
  EXPECT_EQ(still_stands(left, now), left) << "said again it takes out nothing more";
  auto none = still_stands(left, Window{});
  EXPECT_EQ(get_string(none, "text"), "");
  EXPECT_EQ(get_int(none, "withdrawn"), 2);
  EXPECT_FALSE(get_bool(none, "found", true));
}

TEST(SummaryStanding, AnEditBeyondWhatIsQuotedIsAnEditToo) {
  auto summary = summary_of_three();
  auto now = three_lines();
  now.lines[2].text.back() = '!';
  EXPECT_EQ(get_string(still_stands(summary, now), "text"), "- One and two. [1, 2]");
  for (auto& cited : summary["cited"]) cited.erase("digest");  // of older code: only the quote can tell
  EXPECT_EQ(still_stands(summary, now), summary);
  now.lines[2].text.front() = '!';
  EXPECT_EQ(get_string(still_stands(summary, now), "text"), "- One and two. [1, 2]");
}

TEST(SummaryStanding, WhatIsNoSummaryStaysAsItIs) {
  EXPECT_EQ(summary_as_of_now({"text"}, {"{}"})->text, "text");
  EXPECT_EQ(summary_as_of_now({"[1]"}, {"{}"})->text, "[1]");
}

}  // namespace
}  // namespace troupe::summary
