// The same questions twice, and the difference in bytes.
#include "bench/research_references.hpp"

#include "bench/figures.hpp"
#include "bench/research_split.hpp"

#include <fmt/format.h>

namespace troupe::bench {
namespace {

constexpr std::size_t kAgentsHandingOver = 3;

struct Handed {
  std::vector<double> handed, lead_prompts, prompts, journal, f1, altered;
};

void add_bytes(Handed& series, const Answered& answered, const KnownQuestion& question) {
  series.handed.push_back(answered.bytes.handed);
  series.lead_prompts.push_back(answered.bytes.lead_prompts);
  series.prompts.push_back(answered.bytes.prompts);
  series.journal.push_back(answered.bytes.journal);
  series.f1.push_back(answered.found ? answer_f1(answered.answer, question.answers) : 0);
  const auto* checks = find(answered.json, "checks");
  series.altered.push_back(checks == nullptr ? 0 : static_cast<double>(get_int(*checks, "altered_findings")));
}

Answered handing_over(const CorpusPtr& corpus, const KnownQuestion& question, bool by_reference) {
  auto way = split_among(question, kAgentsHandingOver);
  if (!by_reference) way.settings["without"] = "references";
  return by_agents_as(corpus, question, std::move(way));
}

void print_less(const std::string& name, const std::vector<double>& whole, const std::vector<double>& light) {
  print(name + ".by_reference", mean_of(light), "bytes/question");
  print(name + ".whole_texts", mean_of(whole), "bytes/question");
  print_with_interval(name + ".saved", paired_bootstrap(light, whole), "bytes/question");
}

}  // namespace

int measure_references(const CorpusPtr& corpus, const std::vector<KnownQuestion>& questions,
                       const std::string& half) {
  Handed light, whole;
  for (const auto& question : questions) {
    add_bytes(light, handing_over(corpus, question, true), question);
    add_bytes(whole, handing_over(corpus, question, false), question);
  }
  auto name = fmt::format("research.{}.references", half);
  print(name + ".questions", static_cast<double>(questions.size()), "questions");
  print_less(name + ".handed_to_lead", whole.handed, light.handed);
  print_less(name + ".lead_prompts", whole.lead_prompts, light.lead_prompts);
  print_less(name + ".all_prompts", whole.prompts, light.prompts);
  print_less(name + ".journal", whole.journal, light.journal);
  print(name + ".f1_by_reference", 100 * mean_of(light.f1), "%");
  print_with_interval(name + ".f1_by_reference_less_whole", paired_bootstrap(whole.f1, light.f1), "points",
                      100);
  print(name + ".altered_findings", mean_of(light.altered) + mean_of(whole.altered), "findings/question");
  return 0;
}

}  // namespace troupe::bench
