// Broken and hostile exports: a clear error or a listed problem, never a crash, never silence.
#include "agents/slack/reader.hpp"

#include "tests/agents/export_fixture.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

namespace troupe::slack {
namespace {

using test::array;
using test::ExportDir;
using test::message;
using test::problems_text;
using testing::HasSubstr;

const std::string kGoodDay = array({message("U1", "1551757500.000100", "all is well")});

// An export with one good day beside whatever is broken.
Result<Workspace> read_beside_good(const ExportDir& dir, ReadOptions options = {.from = "2019-01-01"}) {
  if (!std::filesystem::exists(dir.path() / "users.json")) test::write_people(dir);
  dir.write("dev/2019-03-05.json", kGoodDay);
  return read_export(dir.path(), options);
}

std::string failure(const Result<Workspace>& result) {
  return result ? "no error" : std::string(to_string(result.error().code)) + ": " + result.error().what;
}

void expect_problem(const ExportDir& dir, const std::string& problem,
                    ReadOptions options = {.from = "2019-01-01"}) {
  auto workspace = read_beside_good(dir, options);
  ASSERT_TRUE(workspace) << failure(workspace);
  EXPECT_EQ(problems_text(workspace->problems), problem);
  ASSERT_FALSE(workspace->days.empty());
  EXPECT_EQ(workspace->days[0].messages.at(0).text, "all is well");
}

TEST(HostileExport, SaysThatNothingIsThere) {
  EXPECT_EQ(failure(read_export("/nonexistent/export", {})),
            "input_missing: /nonexistent/export: no such file or folder");
}

TEST(HostileExport, SaysThatAFolderIsNoExport) {
  ExportDir dir;
  dir.write("notes.txt", "hello");
  EXPECT_THAT(failure(read_export(dir.path(), {})), HasSubstr("invalid_input: not a Slack export"));
}

TEST(HostileExport, SaysThatAFileIsNoArchive) {
  ExportDir dir;
  auto file = dir.write("export.txt", "hello, this is no archive");
  EXPECT_THAT(failure(read_export(file, {})), HasSubstr("neither a folder nor a ZIP archive"));
}

TEST(HostileExport, SaysThatThereAreNoMessages) {
  ExportDir dir;
  test::write_people(dir);
  EXPECT_EQ(failure(read_export(dir.path(), {})), "invalid_input: no messages");
  dir.write("general/2019-03-05.json", "[]");
  EXPECT_THAT(failure(read_export(dir.path(), {})),
              HasSubstr("no messages; the export has days from 2019-03-05"));
}

TEST(HostileExport, NamesTheProblemWhenItLeftNothingToRead) {
  ExportDir dir;
  test::write_people(dir);
  dir.write("general/2019-03-05.json", "[{");
  EXPECT_THAT(failure(read_export(dir.path(), {})),
              HasSubstr("1 problems, the first: general/2019-03-05.json: cut short"));
}

TEST(HostileExport, ListsADayCutShort) {
  ExportDir dir;
  dir.write("general/2019-03-05.json", kGoodDay.substr(0, kGoodDay.size() - 9));
  expect_problem(dir, "general/2019-03-05.json: cut short: JSON ends early at byte " +
                          std::to_string(kGoodDay.size() - 9) + "\n");
}

// Wherever a day is cut, the rest of the export is read and the cut is named.
TEST(HostileExport, SurvivesACutAtEveryByte) {
  auto day = array({message("U1", "1551757500.000100", R"(caf\u00e9 <@U2> \ud83d\ude00 &amp;)")});
  ExportDir dir;
  for (std::size_t cut = 0; cut < day.size(); ++cut) {
    dir.write("general/2019-03-05.json", day.substr(0, cut));
    auto workspace = read_beside_good(dir);
    ASSERT_TRUE(workspace) << cut << " " << failure(workspace);
    EXPECT_EQ(workspace->problems.size(), 1u) << cut << problems_text(workspace->problems);
  }
}

TEST(HostileExport, ListsInvalidUtf8) {
  ExportDir dir;
  dir.write("general/2019-03-05.json", array({message("U1", "1551757500.000100", "bad \xff\xfe byte")}));
  auto workspace = read_beside_good(dir);
  ASSERT_TRUE(workspace) << failure(workspace);
  EXPECT_THAT(problems_text(workspace->problems),
              HasSubstr("general/2019-03-05.json: not valid UTF-8 near byte"));
}

TEST(HostileExport, ListsWhatIsNoArray) {
  ExportDir dir;
  dir.write("general/2019-03-05.json", R"({"messages":[]})");
  dir.write("general/2019-03-06.json", "42");
  dir.write("general/2019-03-07.json", " \n");
  expect_problem(dir,
                 "general/2019-03-05.json: not a JSON array\n"
                 "general/2019-03-06.json: not a JSON array\n"
                 "general/2019-03-07.json: empty file\n");
}

TEST(HostileExport, ReadsAFileAtTheLimitAndListsOneByteMore) {
  ExportDir dir;
  test::write_people(dir);
  std::size_t limit = 1000;
  auto day = kGoodDay;
  day.insert(1, limit - day.size(), ' ');
  dir.write("dev/2019-03-05.json", kGoodDay);
  dir.write("general/2019-03-05.json", day);
  ReadOptions options{.from = "2019-01-01", .file_bytes_max = limit};
  auto at_limit = read_export(dir.path(), options);
  ASSERT_TRUE(at_limit) << failure(at_limit);
  EXPECT_EQ(problems_text(at_limit->problems), "");
  dir.write("general/2019-03-05.json", day + " ");
  expect_problem(dir, "general/2019-03-05.json: 1001 bytes; at most 1000 are read\n", options);
}

// A sparse file takes no disk; the reader must decide by its size and not read it.
TEST(HostileExport, ListsAFileOfAbsurdSizeWithoutReadingIt) {
  ExportDir dir;
  auto file = dir.write("general/2019-03-05.json", "[");
  std::filesystem::resize_file(file, 200ull << 30);
  expect_problem(dir, "general/2019-03-05.json: 214748364800 bytes; at most 67108864 are read\n");
}

TEST(HostileExport, StopsAtTheTotalOfAllBytes) {
  ExportDir dir;
  test::write_people(dir);
  auto lists = std::filesystem::file_size(dir.path() / "users.json") +
               std::filesystem::file_size(dir.path() / "channels.json");
  dir.write("general/2019-03-05.json", kGoodDay);
  ReadOptions options{.from = "2019-01-01", .archive_bytes_max = lists + kGoodDay.size()};
  expect_problem(
      dir,
      "general/2019-03-05.json: more than " + std::to_string(options.archive_bytes_max) + " bytes in all\n",
      options);
}

TEST(HostileExport, RefusesMoreFilesThanTheLimit) {
  ExportDir dir;
  EXPECT_TRUE(read_beside_good(dir, {.files_max = 4}));
  EXPECT_EQ(failure(read_beside_good(dir, {.files_max = 3})), "invalid_input: more than 3 files");
}

TEST(HostileExport, BoundsNesting) {
  ExportDir dir;
  dir.write("general/2019-03-05.json", std::string(100'000, '['));
  expect_problem(dir, "general/2019-03-05.json: nested deeper than 512 levels\n");
}

// A tree of JSON values would look each key up among all before it: a million keys would take hours.
TEST(HostileExport, ReadsAnObjectOfManyKeysInItsLength) {
  ExportDir dir;
  std::string keys;
  for (int i = 0; i < 200'000; ++i) keys += ",\"k" + std::to_string(i) + "\":0";
  dir.write("general/2019-03-05.json", array({message("U1", "1551757500.000100", "x", keys)}));
  expect_problem(dir, "");
}

TEST(HostileExport, KeepsTheFirstOfTwoMessagesWithOneTs) {
  ExportDir dir;
  dir.write("general/2019-03-05.json",
            array({message("U1", "1551757500.000100", "first"), message("U2", "1551757500.000100", "second"),
                   message("U2", "1551757500.0001", "third")}));
  auto workspace = read_beside_good(dir);
  ASSERT_TRUE(workspace) << failure(workspace);
  ASSERT_EQ(workspace->days.at(1).messages.size(), 1u);
  EXPECT_EQ(workspace->days[1].messages[0].text, "first");
  EXPECT_EQ(problems_text(workspace->problems),
            "general/2019-03-05.json: 2 messages repeat a ts (first: 1551757500.000100); the first of each "
            "is kept\n");
}

TEST(HostileExport, DropsEntriesThatAreNoMessagesAndSaysHowMany) {
  ExportDir dir;
  dir.write("general/2019-03-05.json",
            array({"1", "null", "[{\"ts\":\"1.0\"}]", message("U1", "soon", "a"), R"({"type":"message"})",
                   message("U1", "1551757500.000100", "b")}));
  auto workspace = read_beside_good(dir);
  ASSERT_TRUE(workspace) << failure(workspace);
  EXPECT_EQ(workspace->days.at(1).messages.size(), 1u);
  EXPECT_EQ(problems_text(workspace->problems),
            "general/2019-03-05.json: 2 messages without a usable ts; dropped\n"
            "general/2019-03-05.json: 3 entries are no messages; dropped\n");
}

TEST(HostileExport, ListsAFileWhereAFolderShouldBeAndTheReverse) {
  ExportDir dir;
  dir.write("general", "I am a file");
  std::filesystem::create_directories(dir.path() / "dev/2019-03-06.json");
  dir.write("dev/2019-13-01.json", kGoodDay);
  expect_problem(dir,
                 "dev/2019-03-06.json: a folder where a day's file should be\n"
                 "dev/2019-13-01.json: not named YYYY-MM-DD.json; not read\n"
                 "general: a file where a channel's folder should be\n");
}

TEST(HostileExport, ListsUnreadableFilesAndFolders) {
  if (geteuid() == 0) GTEST_SKIP() << "root reads everything";
  ExportDir dir;
  auto file = dir.write("general/2019-03-05.json", kGoodDay);
  std::filesystem::permissions(file, std::filesystem::perms::none);
  expect_problem(dir, "general/2019-03-05.json: file cannot be opened\n");
}

TEST(HostileExport, DoesNotFollowLinks) {
  ExportDir dir, elsewhere;
  auto secret = elsewhere.write("secret.json", kGoodDay);
  std::filesystem::create_directories(dir.path() / "general");
  std::filesystem::create_symlink(secret, dir.path() / "general/2019-03-05.json");
  expect_problem(dir, "general/2019-03-05.json: a link; links are not followed\n");
}

TEST(HostileExport, GoesOnWithoutBrokenLists) {
  ExportDir dir;
  dir.write("users.json", "[{\"id\":\"U1\",\"name\":\"ann\"}");
  dir.write("channels.json", R"([{"name":"nameless id"},7])");
  expect_problem(dir,
                 "channels.json: 2 entries without id or name; dropped\n"
                 "users.json: cut short: JSON ends early at byte 25\n");
}

TEST(HostileExport, ShowsIdsWhenTheListsAreMissing) {
  ExportDir dir;
  dir.write("dev/2019-03-05.json", kGoodDay);
  auto workspace = read_export(dir.path(), {});
  ASSERT_TRUE(workspace) << failure(workspace);
  EXPECT_EQ(workspace->days.at(0).messages.at(0).user, "U1");
  EXPECT_EQ(workspace->channels.at(0).name, "dev");
  EXPECT_EQ(workspace->problems.size(), 2u);
}

// Slack's ZIP, cut anywhere, must not look like a smaller export.
TEST(HostileExport, SaysThatAZipIsCutShort) {
  auto whole =
      test::stored_zip({{"channels.json", "[]"}, {"users.json", "[]"}, {"dev/2019-03-05.json", kGoodDay}});
  ExportDir dir;
  for (std::size_t cut = 2; cut < whole.size(); ++cut) {
    auto read = read_export(dir.write("export.zip", whole.substr(0, cut)), {});
    EXPECT_THAT(failure(read), HasSubstr("the ZIP archive is cut short or damaged")) << cut;
  }
  EXPECT_TRUE(read_export(dir.write("export.zip", whole), {}));
}

TEST(HostileExport, SurvivesEveryFlippedByteOfAZip) {
  auto whole = test::stored_zip({{"users.json", "[]"}, {"dev/2019-03-05.json", kGoodDay}});
  ExportDir dir;
  std::size_t refused = 0;
  for (std::size_t at = 0; at < whole.size(); ++at) {
    auto damaged = whole;
    damaged[at] = static_cast<char>(damaged[at] ^ 0xff);
    auto read = read_export(dir.write("export.zip", damaged), {});
    if (read) continue;
    ++refused;
    EXPECT_EQ(read.error().code, Errc::invalid_input) << at;
  }
  EXPECT_GT(refused, 0u);
}

TEST(HostileExport, IgnoresNamesThatLeaveTheArchive) {
  auto zip = test::stored_zip({{"users.json", "[]"},
                               {"channels.json", "[]"},
                               {"../2019-03-05.json", kGoodDay},
                               {"/etc/2019-03-05.json", kGoodDay},
                               {"dev\\2019-03-05.json", kGoodDay},
                               {"dev/../../2019-03-05.json", kGoodDay},
                               {"__MACOSX/dev/2019-03-05.json", "junk"},
                               {"dev/2019-03-05.json", kGoodDay}});
  ExportDir dir;
  auto workspace = read_export(dir.write("export.zip", zip), {});
  ASSERT_TRUE(workspace) << failure(workspace);
  EXPECT_EQ(workspace->days.size(), 1u);
  EXPECT_EQ(workspace->problems.size(), 4u) << problems_text(workspace->problems);
  EXPECT_THAT(problems_text(workspace->problems),
              HasSubstr("../2019-03-05.json: name leads out of the archive"));
}

TEST(HostileExport, ReadsTheFirstOfAnEntryThatIsTwiceInTheArchive) {
  auto zip = test::stored_zip({{"users.json", "[]"},
                               {"channels.json", "[]"},
                               {"dev/2019-03-05.json", kGoodDay},
                               {"dev/2019-03-05.json", "[]"}});
  ExportDir dir;
  auto workspace = read_export(dir.write("export.zip", zip), {});
  ASSERT_TRUE(workspace) << failure(workspace);
  EXPECT_EQ(problems_text(workspace->problems),
            "dev/2019-03-05.json: twice in the archive; the first is read\n");
}

// bomb.zip: general/2019-03-05.json says it has 10 bytes and unpacks to 4 MiB of blanks.
TEST(HostileExport, StopsUnpackingWhatIsLargerThanItSays) {
  auto bomb = std::filesystem::path(TROUPE_SOURCE_DIR "/tests/golden/slack/bomb.zip");
  ASSERT_LT(std::filesystem::file_size(bomb), 8192u);
  auto workspace = read_export(bomb, {.from = "2019-01-01", .file_bytes_max = 1u << 20});
  ASSERT_TRUE(workspace) << failure(workspace);
  EXPECT_THAT(problems_text(workspace->problems), HasSubstr("general/2019-03-05.json: "));
  ASSERT_EQ(workspace->days.size(), 1u);
  EXPECT_EQ(workspace->days[0].channel, "dev");
}

}  // namespace
}  // namespace troupe::slack
