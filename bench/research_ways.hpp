// One question answered by the research workflow, in virtual time, perhaps without some documents; or without
// any workflow.
#pragma once

#include "bench/research_questions.hpp"
#include "runtime/json/json.hpp"
#include "runtime/tools/corpus.hpp"
#include "tests/agents/research_world.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace troupe::bench {

/// Of one search.
inline constexpr std::size_t kHits = 10;

using CorpusPtr = std::shared_ptr<const tools::Corpus>;

struct Answered {
  std::string answer;
  bool found = false;
  std::set<std::string> titles;
  Json json;
  std::size_t passages = 0, calls = 0;
  /// As the run itself says.
  double tokens = 0;
  /// All answers of models that were paid for, whoever asked, also those of agents that were stopped.
  Usage bought;
  std::int64_t wall_ms = 0;
  /// What agents gave the lead, what stood in its prompts and in all prompts, and everything recorded.
  struct Bytes {
    double handed = 0, lead_prompts = 0, prompts = 0, journal = 0;
  } bytes;
  std::size_t agents_at_once = 0, tools_at_once = 0;
};

double tokens_of(const Usage& usage);
/// Has some search shown all gold documents?
bool reached_gold(const Answered& answered, const KnownQuestion& question);

std::set<std::string> gold_of(const KnownQuestion& question);
/// The simulator's model.
Result<Completion> extract(const std::string& run, const CompletionRequest& request);

/// How the workflow is run, beside its defaults.
struct AgentsWay {
  Json settings = Json::object();
  /// Titles that no search shows.
  std::set<std::string> hidden;
  research_test::ResearchWorld::Model model = extract;
  /// Before the run begins.
  std::function<void(research_test::ResearchWorld&)> prepare;
};
Answered by_agents_as(CorpusPtr corpus, const KnownQuestion& question, AgentsWay way);

/// `hidden`: titles that no search shows.
Answered by_agents(CorpusPtr corpus, const KnownQuestion& question, std::set<std::string> hidden,
                   research_test::ResearchWorld::Model model = extract);

/// Everything these queries show, read at once and answered from by the same rules: nothing read leads to a
/// further query.
Answered by_queries(const CorpusPtr& corpus, const KnownQuestion& question,
                    const std::vector<std::string>& queries, std::size_t hits_each);

}  // namespace troupe::bench
