// One question answered by the research workflow, in virtual time, perhaps without some documents.
#pragma once

#include "bench/research_questions.hpp"
#include "runtime/json/json.hpp"
#include "runtime/tools/corpus.hpp"
#include "tests/agents/research_world.hpp"

#include <cstddef>
#include <memory>
#include <set>
#include <string>

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
  double tokens = 0;
};

std::set<std::string> gold_of(const KnownQuestion& question);
/// The simulator's model.
Result<Completion> extract(const std::string& run, const CompletionRequest& request);

/// `hidden`: titles that no search shows.
Answered by_agents(CorpusPtr corpus, const KnownQuestion& question, std::set<std::string> hidden,
                   research_test::ResearchWorld::Model model = extract);

}  // namespace troupe::bench
