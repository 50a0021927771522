// A night over an export, by script: what it is told wrongly, what it cannot read, and where it cannot write.
#include "agents/recap_night/export_world.hpp"
#include "agents/recap_night/joining.hpp"
#include "agents/recap_night/night_times.hpp"
#include "agents/recap_night/workflows.hpp"
#include "agents/recap_night/zone_plan.hpp"
#include "runtime/base/log.hpp"
#include "runtime/base/read_file.hpp"
#include "runtime/base/time_zone.hpp"
#include "tests/agents/export_fixture.hpp"
#include "tests/support/scripted_driver.hpp"
#include "tests/support/temp_folder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace troupe::recap_night {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::ScriptedDriver;
using ::testing::SizeIs;

/// Every run that can be read is made, and has no points.
class MadeRuns final : public SharedRuns {
 public:
  void join(RunSpec spec, WallTime, std::function<void(RunReport)> ended) override {
    RunReport report;
    report.run_id = spec.run_id;
    auto asked = *parse_json(spec.input.text);
    auto day = world->source->read(get_string(asked, "channel"), get_string(asked, "date"));
    if (!day) report.end = RunEnd::failed;
    if (!day) report.error = day.error();
    if (day) made.push_back(spec.run_id);
    ended(std::move(report));
  }
  Result<JsonText> output(const std::string& run_id) override {
    if (std::ranges::find(made, run_id) == made.end()) return fail(Errc::not_found, run_id);
    return summary_text({}, {});
  }

  std::optional<NightWorld> world;
  std::vector<std::string> made;
};

/// Ann and Bea read #general, Ann also #dev; Cay has left. All that follows is of 2026-03-12.
class NightOverAnExport : public ::testing::Test {
 protected:
  NightOverAnExport() {
    dir.write("users.json", R"([{"id":"U1","name":"ann","profile":{"display_name":"Ann"}},
        {"id":"U2","name":"bea","profile":{"display_name":"Bea"}},
        {"id":"U3","name":"cay","profile":{"display_name":"Cay"},"deleted":true}])");
    dir.write("channels.json", R"([{"id":"C1","name":"general","members":["U1","U2"]},
        {"id":"C2","name":"dev","members":["U1"]}])");
    auto said = slack::test::message("U1", "1773302400.000100", "the release is out");
    dir.write("general/2026-03-12.json", slack::test::array({said}));
    input["input"] = dir.path().string();
    input["recaps"] = folder.path() + "/recaps";
    input["date"] = "2026-03-13";
    input["last"] = "2026-03-12";
  }

  Result<NightWorld> open_with(const std::string& people) {
    input["people"] = folder.file("people.json", people);
    return open_export_world(input);
  }
  std::string refusal_of(const std::string& people) {
    auto world = open_with(people);
    if (world) return "taken";
    return world.error().code == Errc::invalid_input ? world.error().what : "another code";
  }

  Result<Json> night() {
    auto runs = std::make_shared<MadeRuns>();
    auto ports = std::make_shared<NightPorts>();
    ports->runs = runs;
    ports->open = [runs](const Json& asked) {
      auto world = open_export_world(asked);
      if (world) runs->world = *world;
      return world;
    };
    driver.child_workflow = [ports](const StepKey&, const ChildSpec& spec) -> Result<ChildEnd> {
      ScriptedDriver own({});
      Workflow wf(own);
      auto output = *testing::drive(own, serve_readers(wf, spec.input, ports));
      if (!output) return std::unexpected(output.error());
      return ChildEnd{*output, {}};
    };
    Workflow wf(driver);
    auto output = *testing::drive(driver, zone_night(wf, {dump_json(input)}, ports));
    if (!output) return std::unexpected(output.error());
    return *parse_json(output->text);
  }
  std::string letter_of(const std::string& id) {
    auto text = read_bounded(folder.path() + "/recaps/" + id + ".md", 1 << 20);
    return text ? *text : "none";
  }

  slack::test::ExportDir dir;
  testing::TempFolder folder;
  Json input;
  ScriptedDriver driver{{}};
};

TEST_F(NightOverAnExport, TakesNumbersThatAreText) {
  input["batch"] = "1";
  input["parallel"] = "2";
  auto ended = night();
  ASSERT_TRUE(ended) << ended.error().what;
  EXPECT_EQ(get_int(*ended, "delivered"), 2);
  EXPECT_THAT(driver.children, SizeIs(2));
  input["hour"] = "9";
  EXPECT_EQ(times_of(input, {0})->due.ms, end_of("2026-03-12").ms + 9 * 3'600'000);
}

TEST_F(NightOverAnExport, NamesTheNumberThatIsNone) {
  for (const auto& [key, value] :
       {std::pair{"hour", "99"}, {"hour", "six"}, {"batch", "abc"}, {"batch", "0"}, {"parallel", "-4"}}) {
    auto asked = input;
    input[key] = value;
    auto ended = night();
    std::swap(asked, input);
    ASSERT_FALSE(ended) << key;
    EXPECT_EQ(ended.error().code, Errc::invalid_input);
    EXPECT_THAT(ended.error().what, AllOf(HasSubstr(key), HasSubstr("a whole number from")));
  }
}

TEST_F(NightOverAnExport, AsksNobodyWhenItsFolderCannotBeWritten) {
  input["recaps"] = folder.file("a_file", "in the way") + "/recaps";
  auto ended = night();
  ASSERT_FALSE(ended);
  EXPECT_EQ(ended.error().code, Errc::storage);
  EXPECT_THAT(ended.error().what, AllOf(HasSubstr("recaps"), HasSubstr("a_file")));
  EXPECT_THAT(driver.tools_used, IsEmpty());
}

TEST_F(NightOverAnExport, ListsTheDaysItCannotReadAndNamesTheirChannelsInLetters) {
  dir.write("dev/2026-03-12.json", "[{\"type\":");
  dir.write("dev/2025-01-01.json", "[{\"type\":");
  auto ended = night();
  ASSERT_TRUE(ended) << ended.error().what;
  const auto& problems = (*ended)["problems"];
  ASSERT_THAT(problems, SizeIs(1));
  EXPECT_EQ(get_string(problems[0], "file"), "dev/2026-03-12.json");
  EXPECT_NE(get_string(problems[0], "reason"), "");
  EXPECT_EQ(get_int(*ended, "missing"), 1);
  EXPECT_EQ(get_int(*ended, "delivered"), 2);
  EXPECT_THAT(letter_of("U1"), HasSubstr("#dev could not be read"));
  EXPECT_THAT(letter_of("U2"), ::testing::Not(HasSubstr("dev")));
}

TEST_F(NightOverAnExport, SaysThatNoReaderLivesInTheZone) {
  if (!TimeZone::load("Europe/Berlin")) GTEST_SKIP() << "there is no time zone database here";
  input["zone"] = "Europe/Berlin";
  auto ended = night();
  ASSERT_TRUE(ended) << ended.error().what;
  EXPECT_EQ(get_int(*ended, "readers"), 0);
  ASSERT_THAT((*ended)["problems"], SizeIs(1));
  EXPECT_EQ(get_string((*ended)["problems"][0], "reason"), "no reader lives in Europe/Berlin");
  // Somebody lives there, and only wants none.
  input["people"] =
      folder.file("people.json", R"({"people":{"Ann":{"zone":"Europe/Berlin","recaps":false}}})");
  driver.recorded_steps.clear();
  ended = night();
  ASSERT_TRUE(ended) << ended.error().what;
  EXPECT_THAT((*ended)["problems"], IsEmpty());
}

TEST_F(NightOverAnExport, TakesPeopleByNameOrIdAndThoseWhoLeft) {
  auto world = open_with(R"({"people":{"Ann":{"recaps":false},"U2":{"zone":"UTC"},"Cay":{"recaps":false}},
      "closed_channels":["dev"]})");
  ASSERT_TRUE(world) << world.error().what;
  EXPECT_FALSE(world->source->reader("U1").opted_in);
  EXPECT_TRUE(world->source->reader("U2").opted_in);
  EXPECT_THAT(*world->source->readers("UTC"), ElementsAre("U1", "U2"));
  EXPECT_FALSE(world->source->allowed("dev"));
  EXPECT_TRUE(world->source->allowed("general"));
}

TEST_F(NightOverAnExport, RefusesAPeopleFileOfWhichItWouldIgnoreSomething) {
  EXPECT_THAT(refusal_of(R"({"people":{"Ann":{"zoone":"UTC"}}})"), HasSubstr("Ann: zoone: unknown"));
  EXPECT_THAT(refusal_of(R"({"people":{"Ann":{"recaps":"no"}}})"),
              HasSubstr("Ann: recaps: expected true or false"));
  EXPECT_THAT(refusal_of(R"({"people":{"Ann":{"zone":1}}})"), HasSubstr("Ann: zone: expected a name"));
  EXPECT_THAT(refusal_of(R"({"people":{"Ann":{"zone":"Mars/Phobos"}}})"),
              AllOf(HasSubstr("Ann: zone: "), HasSubstr("Mars/Phobos")));
  EXPECT_THAT(refusal_of(R"({"people":{"Ann":false}})"), HasSubstr("Ann: expected an object"));
  EXPECT_THAT(refusal_of(R"({"people":{"Anne":{"recaps":false}}})"), HasSubstr("Anne: nobody"));
  EXPECT_THAT(refusal_of(R"({"people":{"Ann":{},"U1":{"recaps":false}}})"), HasSubstr("U1 is named twice"));
  EXPECT_THAT(refusal_of(R"({"people":[]})"), HasSubstr("people: expected an object"));
  EXPECT_THAT(refusal_of(R"({"poeple":{}})"), HasSubstr("poeple: unknown"));
  EXPECT_THAT(refusal_of(R"({"closed_channels":"dev"})"), HasSubstr("closed_channels: expected a list"));
  EXPECT_THAT(refusal_of(R"({"closed_channels":["devv"]})"), HasSubstr("no channel devv"));
}

class FullMailbox final : public Mailbox {
 public:
  Result<bool> put(const Letter&) override { return fail(Errc::storage, "/recaps/U1.md cannot be written"); }
};

std::vector<std::string>& warnings() {
  static std::vector<std::string> lines;
  return lines;
}

TEST_F(NightOverAnExport, LogsTheFirstLetterThatIsNotTakenAndNoMore) {
  auto world = open_export_world(input);
  ASSERT_TRUE(world) << world.error().what;
  world->mailbox = std::make_shared<FullMailbox>();
  log::set_sink([](log::Level, std::string_view, std::string_view line) { warnings().emplace_back(line); },
                log::Level::warn);
  auto delivery = make_delivery(*world);
  int failed = 0;
  for (const char* user : {"U1", "U2"}) {
    Letter letter{std::string("k/") + user, user, "2026-03-13", {}, {}, false, {}};
    for (int attempt = 0; attempt < 3; ++attempt)
      delivery->call({}, to_text(letter), [&](const Result<ToolOutput>& put) { failed += put ? 0 : 1; });
  }
  log::set_sink(nullptr, log::Level::off);
  EXPECT_EQ(failed, 6);
  EXPECT_THAT(warnings(), ElementsAre(AllOf(HasSubstr("U1"), HasSubstr("cannot be written"))));
}

}  // namespace
}  // namespace troupe::recap_night
