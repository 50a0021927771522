// What an asker is told, over random access lists, is what a library stripped to his rights would tell: the
// whole search and the whole research, and every word a model is shown on the way (MECHANISMS J4).
#include "tests/agents/research_support.hpp"
#include "tests/agents/search_support.hpp"

#include <algorithm>
#include <array>
#include <random>

namespace troupe {
namespace {

class RandomRights {
 public:
  explicit RandomRights(unsigned seed) : random_(seed) {}
  std::size_t below(std::size_t count) { return random_() % count; }
  std::vector<tools::Document> hide_some(std::vector<tools::Document> documents) {
    for (auto& document : documents) {
      document.readers.reset();
      if (below(3) == 0) continue;
      document.readers.emplace();
      for (const char* name : {"ann", "bob"})
        if (below(2) == 0) document.readers->push_back(name);
    }
    return documents;
  }
  std::string principal() { return std::array{"", "ann", "bob", "mallory"}[below(4)]; }

 private:
  std::mt19937 random_;
};

std::vector<tools::Document> opened(std::vector<tools::Document> documents) {
  for (auto& document : documents) document.readers.reset();
  return documents;
}

std::vector<tools::Document> only_for(std::vector<tools::Document> documents, const std::string& principal) {
  std::erase_if(documents, [&](const tools::Document& each) {
    return each.readers && std::ranges::find(*each.readers, principal) == each.readers->end();
  });
  return opened(std::move(documents));
}

/// Everything that was told to the asker and to the models on the way.
using Told = std::vector<std::string>;

void add_prompt(Told& told, const CompletionRequest& request) {
  std::string text;
  for (const auto& message : request.messages)
    for (const auto& part : message.parts)
      if (const auto* words = std::get_if<TextPart>(&part)) text += words->text + "\n";
  told.push_back(std::move(text));
}

Told searched_in(std::vector<tools::Document> documents, const Json& input) {
  Told told;
  testing::ScriptedDriver driver([&told](const StepKey&, const CompletionRequest& request) {
    add_prompt(told, request);
    return providers::simulator::answer(request);
  });
  auto output = search_test::searched(driver, input, search_test::shelves_of(std::move(documents)));
  told.push_back(output ? output->text : output.error().what);
  return told;
}

Told researched_in(std::vector<tools::Document> documents, const Json& input) {
  Told told;
  auto asks = [&told](const std::string& run, const CompletionRequest& request) {
    add_prompt(told, request);
    return research_test::extract(run, request);
  };
  research_test::ResearchWorld world(asks, research_test::shelves(std::move(documents)));
  auto output = world.run(input);
  told.push_back(!output ? "it did not end" : *output ? (*output)->text : output->error().what);
  return told;
}

using Asking = Told (*)(std::vector<tools::Document>, const Json&);

/// How often what is hidden would have changed what is told.
std::size_t compare_over(unsigned seeds, const std::vector<tools::Document>& library, Json input,
                         Asking ask) {
  std::size_t matters = 0;
  for (unsigned seed = 0; seed < seeds; ++seed) {
    RandomRights random(seed);
    auto documents = random.hide_some(library);
    auto principal = random.principal();
    input["principal"] = principal;
    auto mine = only_for(documents, principal);
    if (mine.empty()) continue;
    auto expected = ask(mine, input);
    EXPECT_EQ(ask(documents, input), expected) << "seed " << seed << ", asked by '" << principal << "'";
    matters += ask(opened(documents), input) != expected ? 1 : 0;
    if (::testing::Test::HasFailure()) break;
  }
  return matters;
}

TEST(AskersRights, ASearchTellsWhatAStrippedLibraryWouldTell) {
  EXPECT_GT(compare_over(1000, search_test::handbook(), search_test::kDesigner, searched_in), 300u);
}

TEST(AskersRights, AResearchTellsWhatAStrippedLibraryWouldTell) {
  EXPECT_GT(compare_over(300, research_test::library(), research_test::kBridge, researched_in), 100u);
}

}  // namespace
}  // namespace troupe
