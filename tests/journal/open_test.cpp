// What may be opened as a journal, by whom, and what is said otherwise.
#include "tests/journal/journal_support.hpp"

#include "runtime/journal/database.hpp"
#include "runtime/journal/schema.hpp"

#include <gmock/gmock.h>

#include <sys/stat.h>

#include <fstream>

namespace troupe::journal {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

void write_file(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

std::string read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

class OpenTest : public JournalTest {
 protected:
  void fill(int entries = 50) {
    auto journal = open();
    ASSERT_TRUE(journal->claim(run_row("r")));
    for (int seq = 1; seq <= entries; ++seq) {
      auto e = entry("r", static_cast<std::uint64_t>(seq));
      e.payload = std::string(2000, 'x');
      ASSERT_TRUE(append_now(*journal, e));
    }
  }
  void execute(const char* sql) {
    auto connection = Connection::open(path(), Connection::Mode::create);
    ASSERT_TRUE(connection && connection->execute(sql));
  }
  void expect_refused(const std::string& words) {
    auto writing = open_sqlite(config());
    ASSERT_FALSE(writing);
    EXPECT_EQ(writing.error().code, Errc::storage);
    EXPECT_THAT(writing.error().what, HasSubstr(words));
    auto reading = open_sqlite_readonly(path());
    ASSERT_FALSE(reading);
    EXPECT_THAT(reading.error().what, HasSubstr(words));
  }
};

TEST_F(OpenTest, CreatesTheFolder) {
  EXPECT_TRUE(open({.path = path("new/folder/runs.db")}));
  EXPECT_TRUE(std::filesystem::exists(path("new/folder/runs.db")));
}

TEST_F(OpenTest, RefusesWhatIsNoFile) {
  for (const auto& name : {std::string(":memory:"), std::string(), folder_.string()}) {
    auto opened = open_sqlite({.path = name});
    ASSERT_FALSE(opened) << name;
    EXPECT_EQ(opened.error().code, Errc::storage);
  }
}

TEST_F(OpenTest, SaysWhenTheFolderCannotBeMade) {
  write_file(path("file"), "x");
  auto opened = open_sqlite({.path = path("file/below/runs.db")});
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, Errc::storage);
  EXPECT_THAT(opened.error().what, HasSubstr("folder cannot be made"));
}

TEST_F(OpenTest, SaysWhenTheFolderMayNotBeWritten) {
  std::filesystem::permissions(folder_, std::filesystem::perms(0555));
  int status = in_child([&] {
    // Root may write anywhere.
    if (geteuid() == 0 && setuid(65534) != 0) return 2;
    auto opened = open_sqlite(config());
    return !opened && opened.error().code == Errc::storage ? 0 : 1;
  });
  EXPECT_EQ(status, 0);
}

TEST_F(OpenTest, RefusesAFileThatIsNoDatabase) {
  write_file(path(), std::string(4096, 'x'));
  expect_refused("no journal");
  EXPECT_EQ(read_file(path()), std::string(4096, 'x')) << "and leaves it alone";
}

TEST_F(OpenTest, RefusesAnotherProgramsDatabase) {
  execute("CREATE TABLE theirs(x)");
  auto before = read_file(path());
  expect_refused("no journal");
  EXPECT_EQ(read_file(path()), before);
}

TEST_F(OpenTest, RefusesANewerVersion) {
  fill(1);
  auto newer = std::to_string(kSchemaVersion + 1);
  execute(("PRAGMA user_version=" + newer).c_str());
  expect_refused("version " + newer);
}

TEST_F(OpenTest, RefusesACutFile) {
  fill();
  auto whole = std::filesystem::file_size(path());
  for (auto size : {whole - 1, whole / 2, std::uintmax_t{100}, std::uintmax_t{50}}) {
    std::filesystem::resize_file(path(), size);
    expect_refused("damaged");
  }
}

TEST_F(OpenTest, SaysWhenPagesAreDamaged) {
  fill(200);
  auto bytes = read_file(path());
  ASSERT_GT(bytes.size(), 200'000u);
  for (std::size_t at = 16 << 10; at < bytes.size(); ++at) bytes[at] = '\x5a';
  write_file(path(), bytes);
  auto opened = open_sqlite(config());
  if (!opened) {
    EXPECT_EQ(opened.error().code, Errc::storage);
    return;
  }
  auto history = (*opened)->history("r");
  auto found = (*opened)->check();
  EXPECT_TRUE(!history || history->empty());
  EXPECT_TRUE(!found || !found->empty()) << "damage must be seen";
}

TEST_F(OpenTest, RefusesASecondWriterAndNamesTheFirst) {
  auto first = open();
  auto second = open_sqlite(config());
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Errc::storage);
  EXPECT_THAT(second.error().what, HasSubstr("process " + std::to_string(getpid())));
  // By another name it is still the same file.
  std::filesystem::create_symlink(path(), path("alias.db"));
  EXPECT_FALSE(open_sqlite({.path = path("alias.db")}));
  first.reset();
  EXPECT_TRUE(open_sqlite(config()));
}

TEST_F(OpenTest, RefusesAnotherProcessWhileTheHolderLives) {
  int ready[2] = {}, leave[2] = {};
  ASSERT_EQ(pipe(ready), 0);
  ASSERT_EQ(pipe(leave), 0);
  auto child = fork();
  if (child == 0) {
    close(leave[1]);
    auto journal = open_sqlite(config());
    char byte = journal ? 'y' : 'n';
    bool told = write(ready[1], &byte, 1) == 1;
    _exit(told && read(leave[0], &byte, 1) == 0 ? 0 : 1);
  }
  char byte = 0;
  ASSERT_EQ(read(ready[0], &byte, 1), 1);
  ASSERT_EQ(byte, 'y');
  auto refused = open_sqlite(config());
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().what, HasSubstr("process " + std::to_string(child)));
  for (int end : {leave[0], leave[1], ready[0], ready[1]}) close(end);
  waitpid(child, nullptr, 0);
  EXPECT_TRUE(open_sqlite(config())) << "a process that ended without closing holds nothing";
}

TEST_F(OpenTest, ReadsWhileAnotherWrites) {
  auto journal = open();
  ASSERT_TRUE(journal->claim(run_row("r")));
  auto reader = open_sqlite_readonly(path()).value();
  for (std::uint64_t seq = 1; seq <= 20; ++seq) {
    ASSERT_TRUE(append_now(*journal, entry("r", seq)));
    ASSERT_EQ(reader->history("r")->size(), seq);
  }
  EXPECT_THAT(faults(*reader), IsEmpty());
  EXPECT_EQ(append_now(*reader, entry("r", 21)).error().code, Errc::unsupported);
  EXPECT_EQ(reader->claim(run_row("r")).error().code, Errc::unsupported);
  journal.reset();
  EXPECT_EQ(reader->history("r")->size(), 20u) << "and after the writer has gone";
}

TEST_F(OpenTest, ReadingNeverCreates) {
  auto reader = open_sqlite_readonly(path());
  ASSERT_FALSE(reader);
  EXPECT_EQ(reader.error().code, Errc::input_missing);
  EXPECT_FALSE(std::filesystem::exists(path()));
}

TEST_F(OpenTest, OnlyItsOwnerMayReadIt) {
  fill(1);
  struct stat facts {};
  ASSERT_EQ(stat(path().c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 0777, 0600u) << "it holds what users wrote";
}

}  // namespace
}  // namespace troupe::journal
