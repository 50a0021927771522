// A model that says all it can find, and when it had better not.
#include "bench/research_curve.hpp"

#include "agents/research/prompts.hpp"
#include "bench/figures.hpp"
#include "providers/simulator/research_answers.hpp"

#include <fmt/format.h>

#include <functional>
#include <utility>

namespace troupe::bench {
namespace {

/// Says all it can find, and how certain it is of it.
struct Candid {
  double certainty = 0;
  Result<Completion> operator()(const std::string& run, const CompletionRequest& request) {
    auto answer = extract(run, request);
    bool reports = request.response_schema && request.response_schema->name == research::kReportShape;
    if (!reports || !answer) return answer;
    certainty = providers::simulator::research_certainty(request);
    auto parts = providers::simulator::research_answer(request, {.found_min = 0});
    if (parts) answer->parts = std::move(*parts);
    return answer;
  }
};

/// How certain of an answer, if there is any, and how right it is.
struct Candour {
  double certainty = -1, exact = 0, f1 = 0;
};

Candour candid_answer(const CorpusPtr& corpus, const KnownQuestion& question, std::set<std::string> hidden) {
  Candid model;
  auto answered = by_agents(corpus, question, std::move(hidden), std::ref(model));
  if (!answered.found) return {};
  return {model.certainty, exact_match(answered.answer, question.answers) ? 1.0 : 0.0,
          answer_f1(answered.answer, question.answers)};
}

double share_of(const std::vector<Candour>& all, const std::function<double(const Candour&)>& counts) {
  double sum = 0;
  for (const auto& one : all) sum += counts(one);
  return all.empty() ? 0 : 100 * sum / static_cast<double>(all.size());
}

}  // namespace

void measure_curve(const CorpusPtr& corpus, const std::vector<KnownQuestion>& questions,
                   const std::string& half) {
  std::vector<Candour> present, gone;
  for (const auto& question : questions) {
    present.push_back(candid_answer(corpus, question, {}));
    gone.push_back(candid_answer(corpus, question, gold_of(question)));
  }
  for (int step = 0; step <= 20; ++step) {
    double least = 0.05 * step;
    auto silent = [least](const Candour& c) { return c.certainty < least ? 1.0 : 0.0; };
    auto name = fmt::format("research.{}.certainty_{:.2f}", half, least);
    print(name + ".false_abstention", share_of(present, silent), "%");
    print(name + ".right_abstention", share_of(gone, silent), "%");
    print(name + ".exact_match",
          share_of(present, [least](const Candour& c) { return c.certainty < least ? 0 : c.exact; }), "%");
    print(name + ".right_answers_withheld",
          share_of(present, [least](const Candour& c) { return c.certainty < least ? c.exact : 0; }), "%");
  }
}

}  // namespace troupe::bench
