// Models that overlook passages, by the feature that asks.
#include "bench/research_tiers.hpp"

#include "agents/research/prompts.hpp"
#include "bench/figures.hpp"
#include "bench/research_price.hpp"
#include "bench/research_split.hpp"
#include "runtime/base/rng.hpp"

#include <fmt/format.h>

#include <array>
#include <map>
#include <memory>
#include <optional>
#include <utility>

namespace troupe::bench {
namespace {

constexpr std::size_t kTierAgents = 3;

struct SimulatedTier {
  const char* feature;
  const char* priced_as;
  /// Chance that a passage is overlooked.
  double overlooks;
};
constexpr std::array<SimulatedTier, 3> kSimulatedTiers = {
    {{"dear", "anthropic.claude-opus-5", 0.0},
     {"middling", "anthropic.claude-sonnet-4-6", 0.15},
     {"cheap", "anthropic.claude-haiku-4-5-20251001-v1:0", 0.3}}};

const SimulatedTier* tier_of(const std::string& feature) {
  for (const auto& tier : kSimulatedTiers)
    if (feature == tier.feature) return &tier;
  return nullptr;
}

// Lines "[S3] Title | text" go; everything else of a prompt is read by all.
std::string with_passages_overlooked(const std::string& text, double chance, std::uint64_t salt) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    auto end = std::min(text.find('\n', at), text.size() - 1) + 1;
    auto line = text.substr(at, end - at);
    at = end;
    bool passage = line.starts_with('[') && line.find(" | ") != std::string::npos;
    Rng rng(stable_hash(line, salt));
    if (!passage || rng.uniform() >= chance) out += line;
  }
  return out;
}

CompletionRequest as_read_by(const SimulatedTier& tier, CompletionRequest request) {
  std::uint64_t salt = stable_hash(tier.feature, request.messages.size());
  if (request.response_schema) salt = stable_hash(request.response_schema->name, salt);
  for (auto& message : request.messages) {
    for (auto& part : message.parts) {
      if (auto* text = std::get_if<TextPart>(&part))
        text->text = with_passages_overlooked(text->text, tier.overlooks, salt);
      if (auto* result = std::get_if<ToolResultPart>(&part))
        result->text = with_passages_overlooked(result->text, tier.overlooks, salt);
    }
  }
  return request;
}

/// What each tier was asked and cost, over one question.
struct TierBill {
  std::map<std::string, policy::Price> prices;
  std::map<std::string, std::int64_t> calls;
  double usd = 0;
  /// Calls that named no tier.
  std::size_t misrouted = 0;
};

// Pays for the whole prompt: overlooking is not cheaper.
research_test::ResearchWorld::Model tiered(research_test::ResearchWorld::Model model,
                                           std::shared_ptr<TierBill> bill) {
  return [model, bill](const std::string& run, const CompletionRequest& request) -> Result<Completion> {
    const auto* tier = tier_of(request.feature);
    if (tier == nullptr) {
      ++bill->misrouted;
      return model(run, request);
    }
    auto answer = model(run, as_read_by(*tier, request));
    if (!answer) return answer;
    answer->usage.input = model(run, request)->usage.input;
    ++bill->calls[request.feature];
    bill->usd += policy::cost_usd(bill->prices.at(request.feature), answer->usage);
    return answer;
  };
}

struct Staffing {
  const char* name;
  const char* lead;
  const char* agent;
  const char* critic;
};
constexpr std::array<Staffing, 4> kStaffings = {{{"all_dear", "dear", "dear", "dear"},
                                                 {"all_cheap", "cheap", "cheap", "cheap"},
                                                 {"pyramid", "dear", "cheap", "middling"},
                                                 {"upside_down", "cheap", "dear", "middling"}}};

struct StaffedSeries {
  std::vector<double> exact, f1, reached, usd_per_1000, dear, middling, cheap;
  std::size_t misrouted = 0;
};

void answer_with(const Staffing& staffing, StaffedSeries& series, const CorpusPtr& corpus,
                 const KnownQuestion& question, const std::map<std::string, policy::Price>& prices) {
  auto bill = std::make_shared<TierBill>(TierBill{.prices = prices});
  auto way = split_among(question, kTierAgents);
  way.settings["lead_feature"] = staffing.lead;
  way.settings["cite_feature"] = staffing.lead;
  way.settings["agent_feature"] = staffing.agent;
  way.settings["critic_feature"] = staffing.critic;
  way.model = tiered(way.model, bill);
  auto answered = by_agents_as(corpus, question, std::move(way));
  series.exact.push_back(answered.found && exact_match(answered.answer, question.answers) ? 1 : 0);
  series.f1.push_back(answered.found ? answer_f1(answered.answer, question.answers) : 0);
  series.reached.push_back(reached_gold(answered, question) ? 1 : 0);
  series.usd_per_1000.push_back(1000 * bill->usd);
  series.dear.push_back(static_cast<double>(bill->calls["dear"]));
  series.middling.push_back(static_cast<double>(bill->calls["middling"]));
  series.cheap.push_back(static_cast<double>(bill->calls["cheap"]));
  series.misrouted += bill->misrouted;
}

std::optional<std::map<std::string, policy::Price>> tier_prices() {
  std::map<std::string, policy::Price> out;
  for (const auto& tier : kSimulatedTiers) {
    auto price = list_price(tier.priced_as);
    if (!price) return std::nullopt;
    out[tier.feature] = *price;
  }
  return out;
}

void print_staffing(const std::string& name, const StaffedSeries& series, const StaffedSeries& dear) {
  std::vector<double> none(series.f1.size(), 0);
  print_with_interval(name + ".usd_per_1000_questions", paired_bootstrap(none, series.usd_per_1000), "USD");
  print_with_interval(name + ".exact_match", paired_bootstrap(none, series.exact), "%", 100);
  print_with_interval(name + ".f1", paired_bootstrap(none, series.f1), "%", 100);
  print_with_interval(name + ".gold_reached", paired_bootstrap(none, series.reached), "%", 100);
  print_with_interval(name + ".usd_less_all_dear", paired_bootstrap(dear.usd_per_1000, series.usd_per_1000),
                      "USD");
  print_with_interval(name + ".exact_match_less_all_dear", paired_bootstrap(dear.exact, series.exact),
                      "points", 100);
  print_with_interval(name + ".f1_less_all_dear", paired_bootstrap(dear.f1, series.f1), "points", 100);
  print(name + ".calls.dear", mean_of(series.dear), "calls/question");
  print(name + ".calls.middling", mean_of(series.middling), "calls/question");
  print(name + ".calls.cheap", mean_of(series.cheap), "calls/question");
  print(name + ".calls.of_no_tier", static_cast<double>(series.misrouted), "calls");
}

}  // namespace

int measure_tiers(const CorpusPtr& corpus, const std::vector<KnownQuestion>& questions,
                  const std::string& half) {
  auto prices = tier_prices();
  if (!prices) {
    fmt::print(stderr, "configs/prices.yaml lacks a tier's model: nothing measured\n");
    return 66;
  }
  std::array<StaffedSeries, kStaffings.size()> all;
  for (const auto& question : questions)
    for (std::size_t i = 0; i < all.size(); ++i)
      answer_with(kStaffings[i], all[i], corpus, question, *prices);
  print(fmt::format("research.{}.tiers.questions", half), static_cast<double>(questions.size()), "questions");
  for (std::size_t i = 0; i < all.size(); ++i)
    print_staffing(fmt::format("research.{}.tiers.{}", half, kStaffings[i].name), all[i], all[0]);
  auto& pyramid = all[2];
  auto& cheap = all[1];
  auto name = fmt::format("research.{}.tiers.pyramid", half);
  print_with_interval(name + ".f1_less_all_cheap", paired_bootstrap(cheap.f1, pyramid.f1), "points", 100);
  print_with_interval(name + ".usd_less_all_cheap",
                      paired_bootstrap(cheap.usd_per_1000, pyramid.usd_per_1000), "USD");
  return 0;
}

}  // namespace troupe::bench
