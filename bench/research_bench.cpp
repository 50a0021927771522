// The research workflow over questions with known answers (EVALUATION 4.4, experiment 7): in one process, in
// virtual time, with the simulator's extractive model. What is measured is the machinery around a model, not
// a language model.
//
//   research_bench [held|dev|all] [FIRST_N] [tell|curve|frontier|parallel|references|tiers]
//   ./dev bench research_frontier, and so for parallel, references, tiers: both halves
//
// `curve`: how often "not found" is said rightly (gold documents hidden) and falsely, by the certainty asked
// for. `frontier`: quality against cost (M17). `parallel`: time saved by working at once (M5). `references`:
// bytes that cross (M11). `tiers`: cheap workers under a dear lead (M21). Questions are
// split in two by a hash of their id: rules were tried on some of `dev`, `held` is what is reported.
#include "agents/research/prompts.hpp"
#include "agents/research/words.hpp"
#include "bench/figures.hpp"
#include "bench/research_curve.hpp"
#include "bench/research_frontier.hpp"
#include "bench/research_parallel.hpp"
#include "bench/research_references.hpp"
#include "bench/research_tiers.hpp"
#include "runtime/base/rng.hpp"

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <set>

namespace troupe::bench {
namespace {

// As many queries as the agents made, all from the question alone: it, its names by form, and ever shorter
// stretches of it.
std::vector<std::string> queries_of_question(const std::string& question, std::size_t count) {
  std::vector<std::string> out{question};
  for (const auto& name : research::names_and_numbers(question)) out.push_back(name);
  auto words = research::telling_words(question);
  for (std::size_t size = words.size() / 2; size >= 1 && out.size() < count; --size) {
    for (std::size_t i = 0; i + size <= words.size() && out.size() < count; i += size)
      out.push_back(fmt::format("{}", fmt::join(words.begin() + static_cast<std::ptrdiff_t>(i),
                                                words.begin() + static_cast<std::ptrdiff_t>(i + size), " ")));
  }
  if (out.size() > count) out.resize(std::max<std::size_t>(count, 1));
  return out;
}

/// Scores of one way of answering, question by question.
struct Series {
  std::vector<double> reached, exact, f1, found, calls, tokens;
  void add(const Answered& answered, const KnownQuestion& question) {
    reached.push_back(reached_gold(answered, question) ? 1 : 0);
    exact.push_back(answered.found && exact_match(answered.answer, question.answers) ? 1 : 0);
    f1.push_back(answered.found ? answer_f1(answered.answer, question.answers) : 0);
    found.push_back(answered.found ? 1 : 0);
    calls.push_back(static_cast<double>(answered.calls));
    tokens.push_back(answered.tokens);
  }
};

void print_series(const std::string& name, const Series& s) {
  print(name + ".gold_reached", 100 * mean_of(s.reached), "%");
  print(name + ".exact_match", 100 * mean_of(s.exact), "%");
  print(name + ".f1", 100 * mean_of(s.f1), "%");
  print(name + ".said_found", 100 * mean_of(s.found), "%");
  print(name + ".tool_calls", mean_of(s.calls), "calls/question");
  print(name + ".tokens", mean_of(s.tokens), "tokens/question");
}

void print_difference(const std::string& name, const std::vector<double>& from,
                      const std::vector<double>& to) {
  auto difference = paired_bootstrap(from, to);
  print(name, 100 * difference.mean, "points");
  print(name + ".low", 100 * difference.low, "points");
  print(name + ".high", 100 * difference.high, "points");
}

struct Citations {
  double citations = 0, unresolved = 0, claims = 0, gold = 0;
  void add(const Json& json, const tools::Corpus& corpus, const KnownQuestion& question) {
    const auto* list = find(json, "claims");
    if (list == nullptr) return;
    auto titles = gold_of(question);
    for (const auto& claim : *list) {
      ++claims;
      for (const auto& c : *find(claim, "citations")) {
        ++citations;
        Span span{get_string(c, "doc"), static_cast<std::size_t>(get_int(c, "start")),
                  static_cast<std::size_t>(get_int(c, "end"))};
        unresolved += corpus.resolves(span, "") ? 0 : 1;
        const auto* doc = corpus.find(span.doc, "");
        gold += doc != nullptr && titles.contains(doc->title) ? 1 : 0;
      }
    }
  }
};

/// Plants a mark of a source that does not exist, and one of a source that says something else, into every
/// citation pass.
struct Planting {
  double fakes = 0, wrong = 0;
  Result<Completion> operator()(const std::string& run, const CompletionRequest& request) {
    auto answer = extract(run, request);
    bool citing = request.response_schema && request.response_schema->name == research::kCitationsShape;
    auto json = citing ? parse_json(answer->text()) : Result<Json>(Json());
    auto text = json ? get_string(*json, "report") : std::string();
    auto mark = text.find(" [");
    if (mark == std::string::npos) return answer;
    text.insert(mark, " [999]");
    ++fakes;
    answer->parts = {TextPart{.text = dump_json(Json{{"report", text}})}};
    return answer;
  }
};

struct Halves {
  bool operator()(const KnownQuestion& question) const {
    bool held = stable_hash(question.id) % 2 == 1;
    return which == "all" || (which == "held") == held;
  }
  std::string which;
};

std::string data_folder() {
  if (const char* given = std::getenv("TROUPE_DATA")) return given;
  return std::string(TROUPE_SOURCE_DIR) + "/../shared/data";
}

void measure(const CorpusPtr& corpus, const std::vector<KnownQuestion>& questions, const std::string& half,
             bool tell) {
  Series agents, one, same_calls, same_reading, multi_hop_agents, multi_hop_calls;
  Series gone;
  Citations citations;
  double planted = 0, caught = 0, agents_started = 0;
  auto begun = std::chrono::steady_clock::now();
  for (const auto& question : questions) {
    auto looped = by_agents(corpus, question, {});
    agents.add(looped, question);
    citations.add(looped.json, *corpus, question);
    if (const auto* list = find(looped.json, "agents")) agents_started += static_cast<double>(list->size());
    one.add(by_queries(corpus, question, {question.question}, kHits), question);
    auto queries = queries_of_question(question.question, std::max<std::size_t>(looped.calls, 1));
    auto flat = by_queries(corpus, question, queries, kHits);
    same_calls.add(flat, question);
    auto reading = std::clamp<std::size_t>(looped.passages, kHits, 50);
    same_reading.add(by_queries(corpus, question, {question.question}, reading), question);
    if (question.source == "hotpotqa") {
      multi_hop_agents.add(looped, question);
      multi_hop_calls.add(flat, question);
    }
    if (tell)
      fmt::print(stderr, "{} [{}] right {} | agents {} | flat {}\n", question.source, question.question,
                 fmt::join(question.answers, " / "), looped.found ? looped.answer : "-",
                 flat.found ? flat.answer : "-");
    gone.add(by_agents(corpus, question, gold_of(question)), question);
    Planting planting;
    auto spoiled = by_agents(corpus, question, {}, std::ref(planting));
    planted += planting.fakes;
    if (const auto* checks = find(spoiled.json, "checks"))
      caught += static_cast<double>(get_int(*checks, "fake_citations"));
  }
  std::chrono::duration<double> took = std::chrono::steady_clock::now() - begun;
  auto name = "research." + half;
  print(name + ".questions", static_cast<double>(questions.size()), "questions");
  print_series(name + ".agents", agents);
  print_series(name + ".one_search", one);
  print_series(name + ".same_calls", same_calls);
  print_series(name + ".same_reading", same_reading);
  print_series(name + ".multi_hop.agents", multi_hop_agents);
  print_series(name + ".multi_hop.same_calls", multi_hop_calls);
  print_difference(name + ".gold_reached.agents_less_one_search", one.reached, agents.reached);
  print_difference(name + ".gold_reached.agents_less_same_calls", same_calls.reached, agents.reached);
  print_difference(name + ".f1.agents_less_one_search", one.f1, agents.f1);
  print_difference(name + ".f1.agents_less_same_calls", same_calls.f1, agents.f1);
  print_difference(name + ".f1.agents_less_same_reading", same_reading.f1, agents.f1);
  print_difference(name + ".multi_hop.gold_reached.agents_less_same_calls", multi_hop_calls.reached,
                   multi_hop_agents.reached);
  print_difference(name + ".multi_hop.f1.agents_less_same_calls", multi_hop_calls.f1, multi_hop_agents.f1);
  print(name + ".gold_removed.abstained", 100 * (1 - mean_of(gone.found)), "%");
  print(name + ".gold_present.abstained", 100 * (1 - mean_of(agents.found)), "%");
  print(name + ".gold_removed.tool_calls", mean_of(gone.calls), "calls/question");
  print(name + ".citations", citations.citations, "citations");
  print(name + ".citations.unresolved", citations.unresolved, "citations");
  print(name + ".citations.of_gold_documents",
        citations.citations == 0 ? 0 : 100 * citations.gold / citations.citations, "%");
  print(name + ".claims", citations.claims, "claims");
  print(name + ".fake_citations.planted", planted, "citations");
  print(name + ".fake_citations.caught", caught, "citations");
  print(name + ".agents_started", agents_started / static_cast<double>(questions.size()), "agents/question");
  print(name + ".tokens.agents_over_one_search", mean_of(agents.tokens) / mean_of(one.tokens), "x");
  print(name + ".wall", took.count() / static_cast<double>(questions.size()) * 1000, "ms/question");
}

int run(const std::string& which, std::size_t first, const std::string& how) {
  auto folder = data_folder() + "/research_qa";
  auto questions = read_questions(folder + "/questions.jsonl");
  if (questions.empty()) {
    fmt::print(stderr, "no questions at {}: nothing measured\n", folder);
    return 0;
  }
  std::erase_if(questions, [half = Halves{which}](const auto& question) { return !half(question); });
  questions.resize(std::min(questions.size(), first));
  auto corpus = tools::open_corpus(folder + "/corpus.jsonl");
  if (!corpus) {
    fmt::print(stderr, "{}\n", corpus.error().what);
    return 65;
  }
  if (how == "frontier") return measure_frontier(*corpus, questions, which);
  if (how == "parallel") return measure_parallel(*corpus, questions, which);
  if (how == "references") return measure_references(*corpus, questions, which);
  if (how == "tiers") return measure_tiers(*corpus, questions, which);
  if (how == "curve") {
    measure_curve(*corpus, questions, which);
  } else {
    measure(*corpus, questions, which, how == "tell");
  }
  return 0;
}

}  // namespace
}  // namespace troupe::bench

int main(int argc, char** argv) {
  std::string_view first_word = argc > 1 ? argv[1] : "";
  std::size_t first = argc > 2 ? std::strtoul(argv[2], nullptr, 10) : SIZE_MAX;
  if (first_word == "held" || first_word == "dev" || first_word == "all")
    return troupe::bench::run(std::string(first_word), first, argc > 3 ? argv[3] : "");
  // The filter of ./dev bench, which every program is given.
  if (!troupe::bench::wanted(argc, argv, "research")) return 0;
  for (std::string how : {"frontier", "parallel", "references", "tiers"}) {
    if (first_word != "research_" + how) continue;
    auto failed = troupe::bench::run("dev", first, how);
    return failed != 0 ? failed : troupe::bench::run("held", first, how);
  }
  return troupe::bench::run("held", first, "");
}
