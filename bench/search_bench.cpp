// Search on public data: what the ranking finds against plain BM25, what answers by rule cite, and how
// queries' intents are guessed: ./dev bench search. TROUPE_REFDATA names the folder of the data, which is not
// part of the repository; without it nothing is measured. `search_bench weights` chooses the ranking's
// weights on the dev half; all that is printed otherwise is of the other half, unless its name says "dev" or
// "all".
#include "agents/evaluation/bootstrap.hpp"
#include "agents/search/intent.hpp"
#include "agents/search/prompts.hpp"
#include "agents/search/search.hpp"
#include "bench/figures.hpp"
#include "bench/search_data.hpp"
#include "providers/simulator/extractive.hpp"
#include "tests/support/scripted_driver.hpp"

#include <array>
#include <cctype>
#include <cmath>
#include <ctime>
#include <map>
#include <unordered_map>

namespace troupe::bench {
namespace {

constexpr std::size_t kShown = 3;  // as the set's publishers count
constexpr std::size_t kDeep = 10;

using Ranking = std::vector<std::string>;

double cpu_seconds_now() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

// ---- plain BM25: k1 1.2, b 0.75, no stemming, no stop words, whole chunks ----

class PlainBm25 {
 public:
  explicit PlainBm25(const std::vector<tools::Document>& documents) : documents_(documents) {
    for (const auto& document : documents) {
      auto words = words_of(document.text);
      std::unordered_map<std::string, double> counts;
      for (auto& word : words) ++counts[word];
      for (const auto& [word, count] : counts) ++holding_[word];
      length_ += static_cast<double>(words.size());
      lengths_.push_back(static_cast<double>(words.size()));
      counts_.push_back(std::move(counts));
    }
    length_ /= static_cast<double>(documents.size());
  }
  Ranking ranked(const std::string& query) const {
    std::vector<std::pair<double, std::size_t>> scored;
    for (std::size_t i = 0; i < documents_.size(); ++i) scored.emplace_back(score(query, i), i);
    std::ranges::stable_sort(scored, [](const auto& a, const auto& b) { return a.first > b.first; });
    Ranking out;
    for (std::size_t i = 0; i < std::min(kDeep, scored.size()); ++i)
      out.push_back(documents_[scored[i].second].id);
    return out;
  }

 private:
  static std::vector<std::string> words_of(const std::string& text) {
    std::vector<std::string> out(1);
    for (unsigned char c : text) {
      if (std::isalnum(c) != 0) {
        out.back() += static_cast<char>(std::tolower(c));
      } else if (!out.back().empty()) {
        out.emplace_back();
      }
    }
    if (out.back().empty()) out.pop_back();
    return out;
  }
  double score(const std::string& query, std::size_t at) const {
    double out = 0, all = static_cast<double>(documents_.size());
    for (const auto& word : words_of(query)) {
      auto count = counts_[at].find(word);
      if (count == counts_[at].end()) continue;
      auto holding = holding_.at(word);
      auto rarity = std::log(1 + (all - holding + 0.5) / (holding + 0.5));
      out += rarity * count->second * 2.2 / (count->second + 1.2 * (0.25 + 0.75 * lengths_[at] / length_));
    }
    return out;
  }

  const std::vector<tools::Document>& documents_;
  std::vector<std::unordered_map<std::string, double>> counts_;
  std::unordered_map<std::string, double> holding_;
  std::vector<double> lengths_;
  double length_ = 0;
};

// ---- ours: the queries of the understanding by rule, looked up and fused ----

struct LookedUp {
  std::vector<search::FoundList> lists;
  research::Shelf shelf{1000};
};

search::SearchInput input_of(const DocsQuestion& question) {
  search::SearchInput out;
  out.question = question.text;
  return out;
}

search::Understanding understood_by_rule(const search::SearchInput& input) {
  auto answer = providers::simulator::answer(search::understanding_request(input, "2026-01-01"));
  auto json = parse_json(answer.text());
  return json ? search::understanding_from(*json, input) : search::plain_understanding(input);
}

LookedUp look_everything_up(const DocsQuestion& question, const ToolPtr& tool) {
  LookedUp out;
  for (const auto& query : search::queries_of(understood_by_rule(input_of(question)))) {
    search::FoundList list{query, out.lists.empty(), {}};
    JsonText input{dump_json(Json{{"query", query}, {"limit", search::kFoundByQuery}})};
    tool->call({}, input, [&](Result<ToolOutput> found) {
      if (found) list.passages = out.shelf.add("search", query, *found);
    });
    out.lists.push_back(std::move(list));
  }
  return out;
}

Ranking ranked_by(const search::RankPolicy& policy, const LookedUp& found) {
  Ranking out;
  for (const auto& document : search::rank_found(found.lists, found.shelf.passages(), policy, kDeep))
    out.push_back(document.doc);
  return out;
}

struct Judged {
  double recall = 0, precision = 0, reciprocal = 0;
};

Judged judged(const Ranking& ranking, const std::set<std::string>& gold) {
  Judged out;
  for (std::size_t i = 0; i < std::min(kShown, ranking.size()); ++i) {
    if (!gold.contains(ranking[i])) continue;
    out.recall += 1 / static_cast<double>(gold.size());
    out.precision += 1 / static_cast<double>(kShown);
    if (out.reciprocal == 0) out.reciprocal = 1 / static_cast<double>(i + 1);
  }
  return out;
}

void print_mean(const std::string& name, const std::vector<double>& values) {
  std::vector<std::vector<double>> alone;
  for (auto value : values) alone.push_back({value});
  Rng rng(20260101);
  auto interval = evaluation::mean_interval(alone, rng);
  print(name, interval.mean,
        fmt::format("mean_of_{}_interval_{:.3f}_{:.3f}", values.size(), interval.low, interval.high));
}

struct Series {
  std::vector<double> recall, precision, reciprocal;
  void add(const Judged& one) {
    recall.push_back(one.recall);
    precision.push_back(one.precision);
    reciprocal.push_back(one.reciprocal);
  }
  void print_all(const std::string& name) const {
    print_mean(name + ".recall_at_3", recall);
    print_mean(name + ".precision_at_3", precision);
    print_mean(name + ".mrr_at_3", reciprocal);
  }
};

std::vector<double> differences(const std::vector<double>& ours, const std::vector<double>& theirs) {
  std::vector<double> out;
  for (std::size_t i = 0; i < ours.size(); ++i) out.push_back(ours[i] - theirs[i]);
  return out;
}

struct Halves {
  std::vector<DocsQuestion> dev, sealed;
};

Halves halves_of(const DocsSet& set) {
  Halves out;
  for (const auto& question : set.questions)
    (in_dev_half(question.id) ? out.dev : out.sealed).push_back(question);
  return out;
}

void print_retrieval(const std::string& half, const std::vector<DocsQuestion>& questions, const DocsSet& set,
                     const ToolPtr& tool) {
  PlainBm25 plain(set.documents);
  Series theirs, core, ours;
  double began = cpu_seconds_now();
  for (const auto& question : questions) theirs.add(judged(plain.ranked(question.text), question.gold));
  double between = cpu_seconds_now();
  for (const auto& question : questions) {
    auto found = look_everything_up(question, tool);
    ours.add(judged(ranked_by({}, found), question.gold));
    Ranking alone;
    for (auto at : found.lists.front().passages) alone.push_back(found.shelf.passages()[at].span.doc);
    core.add(judged(alone, question.gold));
  }
  auto each = static_cast<double>(questions.size());
  theirs.print_all("search." + half + ".plain_bm25");
  core.print_all("search." + half + ".index_alone");
  ours.print_all("search." + half + ".ours");
  print_mean("search." + half + ".ours_less_plain.recall_at_3", differences(ours.recall, theirs.recall));
  print_mean("search." + half + ".ours_less_plain.mrr_at_3", differences(ours.reciprocal, theirs.reciprocal));
  print("search." + half + ".plain_bm25.cpu_ms_a_question", (between - began) * 1000 / each, "ms");
  print("search." + half + ".ours.cpu_ms_a_question", (cpu_seconds_now() - between) * 1000 / each, "ms");
}

// ---- choosing weights, on the dev half ----

double worth_of(const search::RankPolicy& policy, const std::vector<DocsQuestion>& questions,
                const std::vector<LookedUp>& found) {
  double out = 0;
  for (std::size_t i = 0; i < questions.size(); ++i) {
    auto one = judged(ranked_by(policy, found[i]), questions[i].gold);
    out += one.recall + one.reciprocal / 2;
  }
  return out / static_cast<double>(questions.size());
}

// One weight after the other, as long as any helps.
void choose_weights(const std::vector<DocsQuestion>& dev, const ToolPtr& tool) {
  std::vector<LookedUp> found;
  for (const auto& question : dev) found.push_back(look_everything_up(question, tool));
  std::vector<double> reached;
  for (std::size_t i = 0; i < dev.size(); ++i) {
    std::set<std::string> there;
    for (const auto& list : found[i].lists)
      for (auto at : list.passages) there.insert(found[i].shelf.passages()[at].span.doc);
    auto held =
        std::ranges::count_if(dev[i].gold, [&](const std::string& doc) { return there.contains(doc); });
    reached.push_back(static_cast<double>(held) / static_cast<double>(dev[i].gold.size()));
  }
  print_mean("search.dev.gold_among_found", reached);
  search::RankPolicy best;
  const std::vector<std::pair<double search::RankPolicy::*, std::vector<double>>> choices{
      {&search::RankPolicy::k, {5, 20, 60}},
      {&search::RankPolicy::variant_weight, {0, 0.25, 0.5, 0.75, 1}},
      {&search::RankPolicy::title_weight, {0, 0.8, 1.6, 3.2, 6.4}},
      {&search::RankPolicy::address_weight, {0, 0.8, 1.6, 3.2, 6.4}},
      {&search::RankPolicy::text_weight, {0, 1.6, 3.2, 6.4, 12.8}},
      {&search::RankPolicy::copy_min, {0.8, 1}}};
  double most = worth_of(best, dev, found);
  for (bool better = true; std::exchange(better, false);) {
    for (const auto& [weight, values] : choices) {
      for (double value : values) {
        auto other = best;
        other.*weight = value;
        auto worth = worth_of(other, dev, found);
        if (worth <= most + 1e-9) continue;
        most = worth;
        best = other;
        better = true;
      }
    }
  }
  fmt::print("k {} variant {} title {} address {} text {} copy {}: {:.4f} on dev\n", best.k,
             best.variant_weight, best.title_weight, best.address_weight, best.text_weight, best.copy_min,
             most);
}

// ---- whole runs: what is cited ----

ToolPtr shelf_without(const DocsSet& set, const std::set<std::string>& hidden, bool opens) {
  std::vector<tools::Document> documents;
  for (const auto& document : set.documents)
    if (!hidden.contains(document.id)) documents.push_back(document);
  auto corpus = tools::make_corpus(std::move(documents));
  if (!corpus) return nullptr;
  return opens ? tools::make_open_tool(*corpus) : tools::make_filtering_search_tool(*corpus);
}

std::optional<Json> whole_run(const DocsQuestion& question, const Toolbox& shelves) {
  testing::ScriptedDriver driver(
      [](const StepKey&, const CompletionRequest& request) { return providers::simulator::answer(request); });
  auto workflow = search::make_search([shelves](const JsonText&) -> Result<Toolbox> { return shelves; });
  Workflow wf(driver);
  auto output = testing::drive(driver, workflow(wf, {dump_json(Json{{"question", question.text}})}));
  if (!output || !*output) return std::nullopt;
  auto json = parse_json((*output)->text);
  return json ? std::optional(std::move(*json)) : std::nullopt;
}

Toolbox box_of(const ToolPtr& search, const ToolPtr& open) {
  Toolbox out;
  for (const auto& tool : {search, open})
    if (auto added = out.add(tool); !added) fmt::print(stderr, "{}\n", added.error().what);
  return out;
}

std::set<std::string> cited_by(const Json& search) {
  std::set<std::string> out;
  for (const auto& claim : search["claims"])
    for (const auto& citation : claim["citations"]) out.insert(get_string(citation, "doc"));
  return out;
}

void print_citations(const std::vector<DocsQuestion>& questions, const DocsSet& set) {
  auto shelves = box_of(shelf_without(set, {}, false), shelf_without(set, {}, true));
  std::vector<double> found, precision, recall, wrongly, unresolved, informational;
  for (const auto& question : questions) {
    auto run = whole_run(question, shelves);
    if (!run) continue;
    auto cited = cited_by(*run);
    auto right = static_cast<double>(
        std::ranges::count_if(cited, [&](const std::string& doc) { return question.gold.contains(doc); }));
    found.push_back(get_bool(*run, "found") ? 1 : 0);
    if (!cited.empty()) precision.push_back(right / static_cast<double>(cited.size()));
    recall.push_back(right / static_cast<double>(question.gold.size()));
    unresolved.push_back(static_cast<double>(get_int((*run)["checks"], "unresolved_citations")));
    informational.push_back(get_string((*run)["intent"], "kind") == "informational" ? 1 : 0);
    auto without = box_of(shelf_without(set, question.gold, false), shelf_without(set, question.gold, true));
    if (auto blind = whole_run(question, without)) wrongly.push_back(get_bool(*blind, "found") ? 1 : 0);
  }
  print_mean("search.answers.found", found);
  print_mean("search.answers.found_with_gold_removed", wrongly);
  print_mean("search.citations.precision_by_gold", precision);
  print_mean("search.citations.recall_by_gold", recall);
  print_mean("search.citations.unresolved", unresolved);
  print_mean("search.answers.taken_as_informational", informational);
}

// ---- intents (K4): refiners of entity types ("acme" + login), which are not whole queries ----

search::IntentKind kind_of(const std::string& category) {
  if (category == "website") return search::IntentKind::navigational;
  return category == "property" ? search::IntentKind::informational : search::IntentKind::other;
}

using Confusion = std::array<std::array<std::size_t, 3>, 3>;

void print_confusion(const std::string& name, const Confusion& table) {
  constexpr std::array kinds = {"navigational", "informational", "other"};
  std::size_t right = 0, all = 0;
  for (std::size_t i = 0; i < 3; ++i) {
    for (std::size_t j = 0; j < 3; ++j) {
      all += table[i][j];
      right += i == j ? table[i][j] : 0;
      print(fmt::format("{}.{}.guessed_{}", name, kinds[i], kinds[j]), static_cast<double>(table[i][j]),
            "refiners");
    }
  }
  print(name + ".right", static_cast<double>(right) / static_cast<double>(all), "share");
}

void print_intents(const std::vector<Refiner>& refiners) {
  Confusion forced{}, navigating{};
  std::size_t sure = 0, all = 0;
  std::array<std::size_t, 3> kinds{};
  double began = cpu_seconds_now();
  for (const auto& refiner : refiners) {
    if (in_dev_half(refiner.text)) continue;
    auto truth = static_cast<std::size_t>(kind_of(refiner.category));
    auto guess = search::classify_query(refiner.text);
    ++all;
    ++kinds[truth];
    ++forced[truth][static_cast<std::size_t>(guess.kind)];
    if (!search::is_sure(guess)) continue;
    ++sure;
    ++navigating[truth][static_cast<std::size_t>(guess.kind)];
  }
  auto spent = cpu_seconds_now() - began;
  print_confusion("search.intent.all", forced);
  print_confusion("search.intent.sure", navigating);
  print("search.intent.sure_share", static_cast<double>(sure) / static_cast<double>(all), "share");
  print("search.intent.always_other_right", static_cast<double>(kinds[2]) / static_cast<double>(all),
        "share");
  print("search.intent.cpu_us_a_query", spent * 1e6 / static_cast<double>(all), "us");
}

int run(const std::string& what) {
  auto set = read_docs_set();
  auto refiners = read_refiners();
  if (!set || refiners.empty()) {
    fmt::print(stderr, "search_bench: SKIPPED, no data in {} (TROUPE_REFDATA names the folder)\n",
               search_data().string());
    return 0;
  }
  auto halves = halves_of(*set);
  auto tool = shelf_without(*set, {}, false);
  if (tool == nullptr) return 1;
  if (what == "weights") {
    choose_weights(halves.dev, tool);
    print_retrieval("dev", halves.dev, *set, tool);
    return 0;
  }
  if (what == "dev") return print_citations(halves.dev, *set), 0;
  print_retrieval("all", set->questions, *set, tool);
  print_retrieval("sealed", halves.sealed, *set, tool);
  print_citations(halves.sealed, *set);
  print_intents(refiners);
  return 0;
}

}  // namespace
}  // namespace troupe::bench

int main(int argc, char** argv) { return troupe::bench::run(argc > 1 ? argv[1] : ""); }
