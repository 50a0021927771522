// What the reader makes of whole exports: days, channels, people, folder and ZIP.
#include "agents/slack/reader.hpp"

#include "tests/agents/export_fixture.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>

namespace troupe::slack {
namespace {

using test::array;
using test::ExportDir;
using test::message;
using test::problems_text;
using testing::ElementsAre;
using testing::HasSubstr;

// Two channels over three days; the newest day of "general" is empty.
void write_two_channels(const ExportDir& dir) {
  test::write_people(dir);
  dir.write("general/2019-03-04.json", array({message("U1", "1551657500.000100", "one")}));
  dir.write("general/2019-03-05.json",
            array({message("U2", "1551757500.444300", "three"), message("U1", "1551757400.000200", "two")}));
  dir.write("general/2019-03-06.json", "[]");
  dir.write("dev/2019-03-05.json", array({message("U3", "1551757600.000300", "deployed")}));
}

std::vector<std::string> days_of(const Workspace& workspace) {
  std::vector<std::string> out;
  for (const auto& day : workspace.days) out.push_back(day.channel + "/" + day.date);
  return out;
}

std::string error_of(const Result<Workspace>& result) {
  return result ? "no error" : std::string(to_string(result.error().code)) + ": " + result.error().what;
}

TEST(ReadExport, TakesTheNewestDayThatHasMessages) {
  ExportDir dir;
  write_two_channels(dir);
  auto workspace = read_export(dir.path(), {});
  ASSERT_TRUE(workspace) << error_of(workspace);
  EXPECT_THAT(days_of(*workspace), ElementsAre("dev/2019-03-05", "general/2019-03-05"));
  EXPECT_EQ(workspace->from, "2019-03-05");
  EXPECT_EQ(workspace->to, "2019-03-05");
  EXPECT_EQ(problems_text(workspace->problems), "");
}

TEST(ReadExport, GivesMessagesInTsOrderWithNamesAndTimes) {
  ExportDir dir;
  write_two_channels(dir);
  auto workspace = read_export(dir.path(), {.channels = {"general"}});
  ASSERT_TRUE(workspace) << error_of(workspace);
  const auto& messages = workspace->days.at(0).messages;
  ASSERT_EQ(messages.size(), 2u);
  EXPECT_EQ(messages[0].text, "two");
  EXPECT_EQ(messages[0].user, "Ann");
  EXPECT_EQ(messages[1].user, "bob.b");
  EXPECT_EQ(messages[1].ts, "1551757500.444300");
  EXPECT_EQ(messages[1].time.ms, 1551757500444);
}

TEST(ReadExport, KnowsBotsDeletedPeopleAndSharedChannels) {
  ExportDir dir;
  write_two_channels(dir);
  auto workspace = read_export(dir.path(), {});
  ASSERT_TRUE(workspace) << error_of(workspace);
  EXPECT_TRUE(workspace->users.at("U3").bot);
  EXPECT_EQ(workspace->users.at("U3").name, "deploybot");
  EXPECT_TRUE(workspace->users.at("U2").deleted);
  EXPECT_TRUE(workspace->days.at(0).messages.at(0).bot);
  ASSERT_EQ(workspace->channels.size(), 2u);
  EXPECT_EQ(workspace->channels[0].name, "dev");
  EXPECT_TRUE(workspace->channels[0].shared);
  EXPECT_THAT(workspace->channels[1].member_ids, ElementsAre("U1", "U2"));
}

TEST(ReadExport, ReadsAnInclusiveRange) {
  ExportDir dir;
  write_two_channels(dir);
  auto all = read_export(dir.path(), {.from = "2019-03-04", .to = "2019-03-05"});
  ASSERT_TRUE(all) << error_of(all);
  EXPECT_THAT(days_of(*all), ElementsAre("dev/2019-03-05", "general/2019-03-04", "general/2019-03-05"));
  auto open = read_export(dir.path(), {.to = "2019-03-04"});
  ASSERT_TRUE(open) << error_of(open);
  EXPECT_THAT(days_of(*open), ElementsAre("general/2019-03-04"));
  EXPECT_EQ(open->from, "2019-03-04");
}

TEST(ReadExport, DoesNotOpenDayFilesOutsideTheRange) {
  ExportDir dir;
  write_two_channels(dir);
  dir.write("general/2019-03-01.json", "broken");
  auto within = read_export(dir.path(), {.from = "2019-03-02"});
  ASSERT_TRUE(within) << error_of(within);
  EXPECT_EQ(problems_text(within->problems), "");
  auto beyond = read_export(dir.path(), {.from = "2019-03-01"});
  ASSERT_TRUE(beyond) << error_of(beyond);
  EXPECT_EQ(problems_text(beyond->problems), "general/2019-03-01.json: not JSON at byte 1\n");
}

TEST(ReadExport, RefusesDatesThatAreNoneOrAreTheWrongWayRound) {
  ExportDir dir;
  write_two_channels(dir);
  EXPECT_EQ(error_of(read_export(dir.path(), {.from = "2019-02-30"})),
            "invalid_input: \"2019-02-30\" is no date; write YYYY-MM-DD");
  EXPECT_THAT(error_of(read_export(dir.path(), {.to = "yesterday"})), HasSubstr("is no date"));
  EXPECT_EQ(error_of(read_export(dir.path(), {.from = "2019-03-05", .to = "2019-03-04"})),
            "invalid_input: from 2019-03-05 is after to 2019-03-04");
}

TEST(ReadExport, SaysWhichDaysThereAreWhenTheRangeHasNone) {
  ExportDir dir;
  write_two_channels(dir);
  EXPECT_EQ(error_of(read_export(dir.path(), {.from = "2020-01-01"})),
            "invalid_input: no messages from 2020-01-01 to the end; the export has days from 2019-03-04 to "
            "2019-03-06");
}

TEST(ReadExport, KeepsToTheChannelsAskedFor) {
  ExportDir dir;
  write_two_channels(dir);
  auto by_id = read_export(dir.path(), {.channels = {"C2"}});
  ASSERT_TRUE(by_id) << error_of(by_id);
  EXPECT_THAT(days_of(*by_id), ElementsAre("dev/2019-03-05"));
  EXPECT_EQ(error_of(read_export(dir.path(), {.channels = {"genral"}})),
            "invalid_input: no channel \"genral\"; did you mean general?");
}

// K2: a personal recap is the channels a person is in.
TEST(ReadExport, KeepsToTheChannelsOfAUser) {
  ExportDir dir;
  write_two_channels(dir);
  for (std::string name : {"U2", "bob", "@bob", "bob.b", "Bob.B"}) {
    auto workspace = read_export(dir.path(), {.user = name});
    ASSERT_TRUE(workspace) << name << " " << error_of(workspace);
    EXPECT_THAT(days_of(*workspace), ElementsAre("general/2019-03-05")) << name;
  }
  EXPECT_EQ(error_of(read_export(dir.path(), {.user = "anne"})),
            "invalid_input: no user \"anne\"; did you mean Ann, ann?");
  EXPECT_EQ(error_of(read_export(dir.path(), {.user = "zzzzzzzz"})), "invalid_input: no user \"zzzzzzzz\"");
}

TEST(ReadExport, AsksWhichOfTwoPeopleOfOneNameIsMeant) {
  ExportDir dir;
  write_two_channels(dir);
  dir.write("users.json", R"([{"id":"U1","name":"a1","profile":{"display_name":"Sam"}},
                              {"id":"U2","name":"a2","profile":{"display_name":"Sam"}}])");
  EXPECT_EQ(error_of(read_export(dir.path(), {.user = "Sam"})),
            "invalid_input: \"Sam\" is the name of 2 people: U1, U2");
}

TEST(ReadExport, LeavesDirectMessagesAlone) {
  ExportDir dir;
  write_two_channels(dir);
  dir.write("dms.json", R"([{"id":"D1","members":["U1","U2"]}])");
  dir.write("mpims.json", R"([{"id":"G1","name":"mpdm-ann--bob-1","members":["U1","U2"]}])");
  dir.write("D1/2019-03-05.json", array({message("U1", "1551757500.000000", "secret")}));
  dir.write("mpdm-ann--bob-1/2019-03-05.json", array({message("U1", "1551757500.000000", "secret")}));
  auto workspace = read_export(dir.path(), {});
  ASSERT_TRUE(workspace) << error_of(workspace);
  EXPECT_THAT(days_of(*workspace), ElementsAre("dev/2019-03-05", "general/2019-03-05"));
}

std::string fingerprint(const Workspace& workspace) {
  std::string out = workspace.name + workspace.from + workspace.to + problems_text(workspace.problems);
  for (const auto& [id, user] : workspace.users) out += id + user.name;
  for (const auto& channel : workspace.channels) out += channel.id + channel.name;
  for (const auto& day : workspace.days) {
    out += fmt::format("\n{}/{} {}", day.channel, day.date, day.noise);
    for (const auto& m : day.messages) out += fmt::format("\n{} {} {} {}", m.ts, m.user, m.thread_ts, m.text);
  }
  return out;
}

test::ZipFiles files_of(const std::filesystem::path& root, const std::string& prefix) {
  test::ZipFiles out;
  for (const auto& file : std::filesystem::recursive_directory_iterator(root)) {
    if (!file.is_regular_file()) continue;
    std::ifstream in(file.path(), std::ios::binary);
    out.emplace_back(prefix + std::filesystem::relative(file.path(), root).generic_string(),
                     std::string(std::istreambuf_iterator<char>(in), {}));
  }
  return out;
}

TEST(ReadExport, ReadsTheSameFromAFolderAndFromAZip) {
  ExportDir dir, zips;
  write_two_channels(dir);
  ReadOptions all{.from = "2019-03-01"};
  auto name = dir.path().filename().string();
  auto folder = read_export(dir.path(), all);
  auto flat = read_export(zips.write(name + ".zip", test::stored_zip(files_of(dir.path(), ""))), all);
  auto nested =
      read_export(zips.write("n/" + name + ".zip", test::stored_zip(files_of(dir.path(), "acme/"))), all);
  ASSERT_TRUE(folder) << error_of(folder);
  ASSERT_TRUE(flat) << error_of(flat);
  ASSERT_TRUE(nested) << error_of(nested);
  EXPECT_EQ(fingerprint(*folder), fingerprint(*flat));
  EXPECT_EQ(fingerprint(*folder), fingerprint(*nested));
}

TEST(ReadExport, ReadsTheSampleWorkspaceWithoutAProblem) {
  auto workspace = read_export(TROUPE_SOURCE_DIR "/examples/workspace", {.from = "2000-01-01"});
  ASSERT_TRUE(workspace) << error_of(workspace);
  EXPECT_EQ(problems_text(workspace->problems), "");
  std::size_t messages = 0, in_threads = 0, bots = 0, edited = 0, noise = 0;
  for (const auto& day : workspace->days) {
    messages += day.messages.size();
    noise += day.noise;
    for (const auto& m : day.messages) {
      in_threads += m.thread_ts.empty() ? 0 : 1;
      bots += m.bot ? 1 : 0;
      edited += m.edited ? 1 : 0;
    }
  }
  EXPECT_GE(messages, 400u);
  EXPECT_GE(workspace->channels.size(), 6u);
  EXPECT_GT(in_threads, 50u);
  EXPECT_GT(bots, 5u);
  EXPECT_GT(edited, 0u);
  EXPECT_GT(noise, 0u);
}

// The whole public export: nothing in it is broken, so nothing may be reported or lost.
TEST(ReadExport, ReadsTwentyThousandRealMessagesWithoutAProblem) {
  const char* data = std::getenv("TROUPE_DATA");
  auto root =
      std::filesystem::path(data != nullptr ? data : TROUPE_SOURCE_DIR "/../shared/data") / "slack_export";
  if (!std::filesystem::exists(root)) GTEST_SKIP() << root << " is not there: the real export was NOT read";
  auto workspace = read_export(root, {.from = "2000-01-01"});
  ASSERT_TRUE(workspace) << error_of(workspace);
  std::size_t messages = 0;
  for (const auto& day : workspace->days) messages += day.messages.size();
  EXPECT_EQ(problems_text(workspace->problems), "");
  EXPECT_EQ(workspace->days.size(), 358u);
  EXPECT_EQ(messages, 21267u);
  EXPECT_EQ(workspace->users.size(), 703u);
}

}  // namespace
}  // namespace troupe::slack
