// What agents hand the lead (MECHANISMS M11): quotes with references, read as they were written or not at
// all.
#include "agents/research/evidence.hpp"
#include "agents/research/job.hpp"
#include "tests/agents/research_support.hpp"

namespace troupe::research_test {
namespace {

/// Says one sentence and names no document: nothing can be opened again to compare.
class Teller final : public Tool {
 public:
  const ToolSpec& spec() const override { return spec_; }
  void call(const ToolContext&, const JsonText&, std::function<void(Result<ToolOutput>)> done) override {
    done(ToolOutput{.text = "Skerry Light was designed by the engineer Aline Moor in 1899."});
  }

 private:
  ToolSpec spec_{"lore",
                 "What is told of lighthouses.",
                 {R"({"type":"object","properties":{"query":{"type":"string"}},"required":["query"]})"}};
};

research::ToolSource told() {
  return [](const JsonText&) -> Result<Toolbox> {
    Toolbox out;
    if (auto added = out.add(std::make_shared<Teller>()); !added) return std::unexpected(added.error());
    return out;
  };
}

const Json kDesigner = Json{{"question", "Who designed Skerry Light?"}};

// What the lead makes of recorded reports in which one name was replaced by another of the same length.
Json with_another_name(bool digests) {
  ResearchWorld first(extract, told());
  EXPECT_EQ(get_string(outcome(first, kDesigner), "answer"), "Aline Moor");
  ResearchWorld second(extract, told());
  second.journal.started_ms = first.journal.started_ms;
  for (auto& [id, output] : first.journal.children) {
    auto report = *parse_json(output.text);
    for (auto& finding : report["findings"]) {
      for (const char* key : {"text", "quote"}) {
        auto text = get_string(finding, key);
        if (auto at = text.find("Aline Moor"); at != std::string::npos) text.replace(at, 10, "Bruno Vale");
        finding[key] = text;
      }
      if (!digests) finding.erase("digest");
    }
    second.journal.children[id] = {dump_json(report)};
  }
  return outcome(second, kDesigner);
}

TEST(ResearchArtefacts, WhatWasAlteredOnTheWayToTheLeadIsNotRead) {  // M11
  auto json = with_another_name(true);
  EXPECT_GT(get_int(json["checks"], "altered_findings"), 0);
  EXPECT_EQ(get_string(json, "report").find("Bruno Vale"), std::string::npos);
  EXPECT_FALSE(get_bool(json, "found", true));
  auto believed = with_another_name(false);
  EXPECT_EQ(get_string(believed, "answer"), "Bruno Vale") << "without digests nobody notices";
}

TEST(ResearchArtefacts, AFindingIsReadOnlyAsItWasWritten) {  // M11
  research::Finding finding{.text = "It was lit in 1866.",
                            .quote = "lit in 1866",
                            .title = "Elbow Light",
                            .url = "https://wiki.example/elbow",
                            .span = {"elbow", 7, 18},
                            .artefact = "0123456789abcdef"};
  auto written = research::to_json(finding);
  auto read = research::finding_from(written);
  ASSERT_TRUE(read);
  EXPECT_EQ(*read, finding);
  for (const char* key : {"text", "quote", "title", "url", "doc", "artefact"}) {
    auto altered = written;
    auto text = get_string(altered, key);
    text.back() = text.back() == 'x' ? 'y' : 'x';
    altered[key] = text;
    EXPECT_FALSE(research::finding_from(altered)) << key;
  }
  auto moved = written;
  moved["start"] = 8;
  moved["end"] = 19;
  EXPECT_FALSE(research::finding_from(moved));
  written.erase("digest");
  EXPECT_TRUE(research::finding_from(written)) << "a run of older code";
}

TEST(ResearchArtefacts, OnlyWhatWasAlteredCountsAsAltered) {  // M11
  research::Finding finding{.text = "It was lit.", .quote = "lit", .span = {"elbow", 7, 10}};
  auto altered = research::to_json(finding), bare = research::to_json(finding);
  altered["text"] = "It was not lit.";
  bare.erase("digest");
  bare.erase("quote");
  Json written{{"findings", {research::to_json(finding), altered, bare}}, {"dropped_findings", 1}};
  auto report = research::read_agent_report({dump_json(written)});
  ASSERT_TRUE(report);
  EXPECT_EQ(report->findings.size(), 1u);
  EXPECT_EQ(report->altered_findings, 1u);
  EXPECT_EQ(report->dropped_findings, 2u);
}

TEST(ResearchArtefacts, WhatWasAlteredOnTheWayToAnAgentIsCountedToo) {  // M11
  research::AgentJob job;
  job.input.given = {R"({"question":"Who lit it?"})"};
  job.task.objective = "Who lit it?";
  job.known.push_back({.text = "It was lit.", .quote = "lit", .span = {"elbow", 7, 10}});
  auto input = *parse_json(research::to_input(job).text);
  input["agent"]["known"][0]["quote"] = "out";
  auto read = research::read_agent_job({dump_json(input)});
  ASSERT_TRUE(read);
  EXPECT_TRUE(read->known.empty());
  research::AgentReport report;
  report.altered_known = read->altered_known;
  EXPECT_EQ(research::read_agent_report(research::to_text(report))->altered_findings, 1u);
}

TEST(ResearchArtefacts, AWholePassageIsWhole) {
  research::Shelf shelf(10);
  std::string text;
  while (text.size() < 5000) text += "Nothing of note happened there. ";
  shelf.add("lore", "1", ToolOutput{.text = text});
  auto findings = research::whole_passages(shelf);
  ASSERT_EQ(findings.size(), 1u);
  EXPECT_EQ(findings[0].quote, text);
}

std::size_t handed(const ResearchWorld& world) {
  std::size_t out = 0;
  for (const auto& [id, output] : world.journal.children) out += output.text.size();
  return out;
}

TEST(ResearchArtefacts, ReferencesAreLighterThanWholeTextsForTheSameAnswer) {  // M11
  auto pages = library();
  for (auto& page : pages)
    for (int i = 0; i < 12; ++i) page.text += fmt::format(" Nothing of note happened there in week {}.", i);
  ResearchWorld light(extract, shelves(pages)), heavy(extract, shelves(pages));
  auto by_reference = outcome(light, kBridge);
  auto whole = kBridge;
  whole["without"] = "references";
  EXPECT_EQ(get_string(outcome(heavy, whole), "answer"), get_string(by_reference, "answer"));
  EXPECT_LT(2 * handed(light), handed(heavy));
}

TEST(ResearchArtefacts, TheRecordedPassageIsWhatTheFindingNames) {  // M11
  ResearchWorld world(extract, shelves());
  outcome(world, kBridge);
  std::size_t compared = 0;
  for (const auto& [id, output] : world.journal.children) {
    auto report = *parse_json(output.text);
    for (const auto& finding : report["findings"]) {
      auto key = id + "|artefact/" + get_string(finding, "artefact");
      ASSERT_TRUE(world.journal.steps.contains(key)) << key;
      auto kept = *parse_json(world.journal.steps.at(key).text);
      auto from = static_cast<std::size_t>(get_int(finding, "start") - get_int(kept, "start"));
      auto quote = get_string(finding, "quote");
      EXPECT_EQ(get_string(kept, "text").substr(from, quote.size()), quote);
      ++compared;
    }
  }
  EXPECT_GT(compared, 0u);
}

}  // namespace
}  // namespace troupe::research_test
