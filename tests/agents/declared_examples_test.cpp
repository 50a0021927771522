// The example files do what their comments say.
#include "tests/agents/declared_support.hpp"

#include <fstream>
#include <sstream>

namespace troupe::declared {
namespace {

using declared_test::outcome;
using testing::ScriptedDriver;
using testing::text_completion;

const std::string kFolder = TROUPE_SOURCE_DIR "/examples/declared/";

std::string text_of(const std::string& name) {
  std::ostringstream out;
  out << std::ifstream(kFolder + name).rdbuf();
  return out.str();
}
ScriptedDriver::Model counting() {
  return [](const StepKey& key, const CompletionRequest&) -> Result<Completion> {
    return text_completion("made for " + key.name);
  };
}

TEST(DeclaredExamples, ABriefOnEachTopic) {
  ScriptedDriver driver(counting());
  auto out = outcome(driver, text_of("brief.yaml"), dump_json(Json{{"topics", kFolder + "topics.txt"}}));
  EXPECT_EQ(out, R"({"reader":"everyone","notes":["made for notes","made for notes","made for notes"],)"
                 R"("digest":"made for digest"})");
  EXPECT_EQ(driver.bought.size(), 4u);
}

TEST(DeclaredExamples, AnApprovalLetsTheDraftGo) {
  ScriptedDriver driver(counting());
  driver.signals["approve"] = {R"({"ok":true,"by":"ann"})"};
  EXPECT_EQ(outcome(driver, text_of("approval.yaml"), R"({"text":"fog"})"),
            R"x({"sent":"made for draft (approved by ann)","by":"ann"})x");
  ScriptedDriver stopped(counting());
  stopped.signals["approve"] = {R"({"ok":false,"by":"ben"})"};
  EXPECT_EQ(outcome(stopped, text_of("approval.yaml"), R"({"text":"fog"})"), R"({"sent":null,"by":"ben"})");
}

}  // namespace
}  // namespace troupe::declared
