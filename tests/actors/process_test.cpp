// Programs run beside the loop: what they print, and that none outlives its limits.
#include "actors/process.hpp"

#include "runtime/http/loop.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <future>

namespace troupe::actors {
namespace {

using namespace std::chrono_literals;
using Words = std::vector<std::string>;

TEST(SplitCommand, SplitsAsAShellWould) {
  EXPECT_EQ(split_command(R"(  /bin/get  --name "a b"  'c "d"' e\ f "g\"h" '' i"j"k )"),
            (Words{"/bin/get", "--name", "a b", "c \"d\"", "e f", "g\"h", "", "ijk"}));
  EXPECT_EQ(split_command("a $HOME `b` ; c | d"), (Words{"a", "$HOME", "`b`", ";", "c", "|", "d"}));
  for (const char* bad : {"", "   ", "a \"b", "a 'b", "a \\"}) EXPECT_FALSE(split_command(bad)) << bad;
  std::string long_line;
  for (int i = 0; i < 256; ++i) long_line += "a ";
  EXPECT_TRUE(split_command(long_line));
  EXPECT_FALSE(split_command(long_line + "a"));
}

class ProcessRun : public ::testing::Test {
 protected:
  ~ProcessRun() override { loop_.stop(); }
  std::future<Result<std::string>> begin(std::string command, Duration timeout,
                                         std::size_t output_max = 65536) {
    auto ended = std::make_shared<std::promise<Result<std::string>>>();
    runner_->run({std::move(command), timeout, output_max}, loop_,
                 [ended](Result<std::string> printed) { ended->set_value(std::move(printed)); });
    return ended->get_future();
  }
  Result<std::string> run(std::string command, Duration timeout = 20s, std::size_t output_max = 65536) {
    return begin(std::move(command), timeout, output_max).get();
  }
  http::Loop loop_;
  std::unique_ptr<ProcessRunner> runner_ = std::make_unique<ProcessRunner>();
};

TEST_F(ProcessRun, GivesWhatWasPrinted) {
  EXPECT_EQ(run("printf '%s-%s' a 'b c'"), "a-b c");
  EXPECT_EQ(run("true"), "");
}

TEST_F(ProcessRun, SaysWhatWentWrongWithoutTheArguments) {
  for (const char* bad : {"false canary", "/no/such/program canary", "sh -c 'echo canary; exit 3'"}) {
    auto printed = run(bad);
    ASSERT_FALSE(printed) << bad;
    EXPECT_EQ(printed.error().code, Errc::auth);
    EXPECT_EQ(printed.error().what.find("canary"), std::string::npos) << printed.error().what;
  }
}

TEST_F(ProcessRun, KillsWhatTakesTooLong) {
  auto printed = run("sleep 600", 100ms);
  ASSERT_FALSE(printed);
  EXPECT_NE(printed.error().what.find("longer than 100ms"), std::string::npos) << printed.error().what;
  // It has closed its output, and goes on.
  EXPECT_FALSE(run("sh -c 'exec >&-; sleep 600'", 100ms));
}

TEST_F(ProcessRun, StopsReadingAtTheBound) {
  EXPECT_EQ(run("printf 1234", 20s, 4), "1234");
  EXPECT_FALSE(run("printf 12345", 20s, 4));
  EXPECT_FALSE(run("yes", 20s));
}

TEST_F(ProcessRun, KillsWhatIsLeftAtTheEnd) {
  auto began = std::chrono::steady_clock::now();
  auto printed = begin("sleep 600", 600s);
  runner_.reset();
  EXPECT_FALSE(printed.get());
  EXPECT_LT(std::chrono::steady_clock::now() - began, 60s);
}

}  // namespace
}  // namespace troupe::actors
