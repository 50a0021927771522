// A recorded summary is shown as its sources stand now, by whoever shows it (MECHANISMS J5).
#include "tests/actors/host_world.hpp"

#include "actors/shown_output.hpp"
#include "agents/research/standing.hpp"
#include "agents/summary/result.hpp"
#include "agents/summary/standing.hpp"

#include <gmock/gmock.h>

#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace troupe::actors::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class ShownOutputTest : public HostTest {
 protected:
  ShownOutputTest() { write("The lamp is out.", "The mast is down."); }
  ~ShownOutputTest() override { std::filesystem::remove(path_); }

  void write(const std::string& first, const std::string& second) {
    std::ofstream out(path_, std::ios::binary | std::ios::trunc);
    out << dump_json(Json{{"id", "a"}, {"text", first}}) << "\n"
        << dump_json(Json{{"id", "b"}, {"text", second}});
  }
  std::string input() const { return dump_json(Json{{"input", path_}}); }
  /// Of both lines, a statement each.
  std::string summary() const {
    summary::Window window{.name = "talk"};
    window.lines = {{.id = "a", .text = "The lamp is out."}, {.id = "b", .text = "The mast is down."}};
    summary::SummaryResult result;
    result.points = {{.text = "No lamp.", .lines = {0}, .marks = {1}},
                     {.text = "No mast.", .lines = {1}, .marks = {2}}};
    result.marks = {{1, {0}}, {2, {1}}};
    return dump_json(summary::summary_json(window, {}, result));
  }
  journal::RunRow row() const {
    journal::RunRow out;
    out.workflow = "summary";
    out.state = journal::RunState::done;
    out.input = input();
    out.output = summary();
    return out;
  }

  std::string path_ =
      (std::filesystem::temp_directory_path() / ("troupe-shown-" + std::to_string(::getpid()) + ".jsonl"))
          .string();
};

TEST_F(ShownOutputTest, LeavesOutWhatWentSince) {
  EXPECT_EQ(shown_output(row()), summary());
  write("The lamp is lit.", "The mast is down.");
  EXPECT_THAT(shown_output(row()), Not(HasSubstr("lamp")));
  EXPECT_THAT(shown_output(row()), HasSubstr("No mast."));
  std::filesystem::remove(path_);
  EXPECT_THAT(shown_output(row()), Not(HasSubstr("mast")));
  auto other = row();
  other.workflow = "flow";
  EXPECT_EQ(shown_output(other), summary()) << "somebody else's result is none of our business";
  other = row();
  other.state = journal::RunState::failed;
  EXPECT_EQ(shown_output(other), summary()) << "no result but what went wrong";
}

TEST_F(ShownOutputTest, OfResearchTooAndByWhoseRightsItWas) {
  const std::string report = "# Is there light?\n\n**Answer:** The lamp is out.\n\nThe lamp is out. [1]\n";
  Json citation{{"number", 1}, {"doc", "a"}, {"start", 0}, {"end", 16}};
  citation["digest"] = research::digest_of("The lamp is out.");
  Json claim{{"text", "The lamp is out."}, {"citations", {citation}}};
  Json result{{"found", true}, {"answer", "The lamp is out."}, {"claims", {claim}}, {"report", report}};
  research::place_claims(result, {"The lamp is out. [1]"});
  auto told = row();
  told.workflow = "research";
  told.output = dump_json(result);
  EXPECT_EQ(shown_output(told), told.output);
  write("The lamp is lit.", "The mast is down.");
  EXPECT_THAT(shown_output(told), Not(HasSubstr("lamp")));
  std::ofstream(path_, std::ios::binary | std::ios::trunc)
      << dump_json(Json{{"id", "a"}, {"text", "The lamp is out."}, {"acl", {"ann"}}});
  EXPECT_THAT(shown_output(told), Not(HasSubstr("lamp"))) << "it may be read by ann alone now";
  told.input = dump_json(Json{{"input", path_}, {"principal", "ann"}});
  EXPECT_EQ(shown_output(told), told.output);
  std::filesystem::remove(path_);
  EXPECT_THAT(shown_output(told), Not(HasSubstr("lamp")));
}

TEST_F(ShownOutputTest, ARunThatIsRepeatedTellsWhatStillStands) {
  int lives = 0;
  add("summary", [&lives, text = summary()](Workflow&, JsonText) -> Task<Result<JsonText>> {
    ++lives;
    co_return JsonText{text};
  });
  submit("summary", "run-1", {}, input());
  settle();
  EXPECT_THAT(report().output.text, HasSubstr("No lamp."));
  write("The lamp is lit.", "The mast is down.");
  reports_.clear();
  submit("summary", "run-1", {}, input());
  settle();
  EXPECT_EQ(lives, 1);
  EXPECT_THAT(report().output.text, Not(HasSubstr("lamp")));
  EXPECT_THAT(report().output.text, HasSubstr("No mast."));
}

}  // namespace
}  // namespace troupe::actors::testing
