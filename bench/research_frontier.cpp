// Ways of answering at several costs, and which of them no other beats.
#include "bench/research_frontier.hpp"

#include "bench/figures.hpp"
#include "bench/research_price.hpp"
#include "bench/research_split.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <functional>
#include <optional>
#include <utility>

namespace troupe::bench {
namespace {

// One model for all calls: what is compared is how many there are, and what they read.
constexpr const char* kPricedAs = "anthropic.claude-sonnet-4-6";

struct FrontierPoint {
  std::string name;
  std::function<Answered(const CorpusPtr&, const KnownQuestion&)> answer;
  std::vector<double> exact, f1, reached, usd_per_1000, tokens, calls, agents;
  /// Questions after which the run's own books did not say what was paid.
  std::size_t books_differ = 0;
};

FrontierPoint reading_once(std::size_t passages) {
  FrontierPoint point;
  point.name = fmt::format("single_shot_{}", passages);
  point.answer = [passages](const CorpusPtr& corpus, const KnownQuestion& question) {
    return by_queries(corpus, question, {question.question}, passages);
  };
  return point;
}

FrontierPoint working_agents(std::size_t agents, std::size_t calls) {
  FrontierPoint point;
  point.name = fmt::format("agents_{}_calls_{}", agents, calls);
  point.answer = [agents, calls](const CorpusPtr& corpus, const KnownQuestion& question) {
    auto way = split_among(question, agents);
    way.settings["calls_max"] = calls;
    return by_agents_as(corpus, question, std::move(way));
  };
  return point;
}

std::vector<FrontierPoint> frontier_points() {
  std::vector<FrontierPoint> out;
  for (std::size_t passages : {10u, 20u, 50u}) out.push_back(reading_once(passages));
  for (std::size_t agents : {1u, 2u, 3u, 5u})
    for (std::size_t calls : {3u, 6u, 12u}) out.push_back(working_agents(agents, calls));
  return out;
}

void add_answer(FrontierPoint& point, const Answered& answered, const KnownQuestion& question,
                const policy::Price& price) {
  point.exact.push_back(answered.found && exact_match(answered.answer, question.answers) ? 1 : 0);
  point.f1.push_back(answered.found ? answer_f1(answered.answer, question.answers) : 0);
  point.reached.push_back(reached_gold(answered, question) ? 1 : 0);
  point.usd_per_1000.push_back(1000 * policy::cost_usd(price, answered.bought));
  point.tokens.push_back(tokens_of(answered.bought));
  point.calls.push_back(static_cast<double>(answered.calls));
  point.agents.push_back(agents_of(answered));
  point.books_differ += answered.tokens == tokens_of(answered.bought) ? 0 : 1;
}

void print_between(const std::string& name, const std::vector<double>& from, const std::vector<double>& to,
                   double times, std::string_view unit) {
  print_with_interval(name, paired_bootstrap(from, to), unit, times);
}

void print_mean(const std::string& name, const std::vector<double>& values, double times,
                std::string_view unit) {
  print_between(name, std::vector<double>(values.size(), 0), values, times, unit);
}

using Quality = std::vector<double> FrontierPoint::*;

// No other way is as good for less, or better for as little.
bool unbeaten(const FrontierPoint& point, const std::vector<FrontierPoint>& all, Quality quality) {
  auto cost = mean_of(point.usd_per_1000), worth = mean_of(point.*quality);
  return std::ranges::none_of(all, [&](const FrontierPoint& other) {
    auto its_cost = mean_of(other.usd_per_1000), its_worth = mean_of(other.*quality);
    bool no_worse = its_cost <= cost && its_worth >= worth;
    return no_worse && (its_cost < cost || its_worth > worth);
  });
}

void print_point(const std::string& half, const FrontierPoint& point, const std::vector<FrontierPoint>& all) {
  auto name = fmt::format("research.{}.frontier.{}", half, point.name);
  print_mean(name + ".usd_per_1000_questions", point.usd_per_1000, 1, "USD");
  print_mean(name + ".exact_match", point.exact, 100, "%");
  print_mean(name + ".f1", point.f1, 100, "%");
  print_mean(name + ".gold_reached", point.reached, 100, "%");
  print(name + ".tokens", mean_of(point.tokens), "tokens/question");
  print(name + ".tool_calls", mean_of(point.calls), "calls/question");
  print(name + ".agents_started", mean_of(point.agents), "agents/question");
  print(name + ".books_differ", static_cast<double>(point.books_differ), "questions");
  print(name + ".unbeaten.exact_match", unbeaten(point, all, &FrontierPoint::exact) ? 1 : 0, "yes");
  print(name + ".unbeaten.gold_reached", unbeaten(point, all, &FrontierPoint::reached) ? 1 : 0, "yes");
  print_between(name + ".exact_match_less_single_shot", all.front().exact, point.exact, 100, "points");
  print_between(name + ".gold_reached_less_single_shot", all.front().reached, point.reached, 100, "points");
}

}  // namespace

int measure_frontier(const CorpusPtr& corpus, const std::vector<KnownQuestion>& questions,
                     const std::string& half) {
  auto price = list_price(kPricedAs);
  if (!price) {
    fmt::print(stderr, "no price of {} in configs/prices.yaml: nothing measured\n", kPricedAs);
    return 66;
  }
  print(fmt::format("research.{}.frontier.questions", half), static_cast<double>(questions.size()),
        "questions");
  auto points = frontier_points();
  for (const auto& question : questions)
    for (auto& point : points) add_answer(point, point.answer(corpus, question), question, *price);
  for (const auto& point : points) print_point(half, point, points);
  return 0;
}

}  // namespace troupe::bench
