// How well search finds (MECHANISMS M7), and that stuffed copies do not stand for their originals (M8).
#include "runtime/json/json.hpp"
#include "runtime/tools/corpus.hpp"
#include "runtime/tools/words.hpp"

#include "tests/tools/support/shared_data.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <map>
#include <set>

namespace troupe::tools {
namespace {

struct Question {
  std::string source, text;
  std::set<std::string> gold;
};

std::vector<Question> questions_of(const std::filesystem::path& path) {
  std::vector<Question> out;
  std::ifstream in(path);
  for (std::string line; std::getline(in, line);) {
    auto json = *parse_json(line);
    Question question{get_string(json, "source"), get_string(json, "question"), {}};
    for (const auto& title : *find(json, "gold_titles")) question.gold.insert(title.get<std::string>());
    out.push_back(std::move(question));
  }
  return out;
}

bool all_found(const std::vector<Hit>& hits, std::set<std::string> gold) {
  for (const auto& hit : hits) gold.erase(hit.title);
  return gold.empty();
}

// FACTS 3.1: plain BM25 has all gold titles among its first ten for 83.9 % and 86.6 % of the questions.
TEST(SearchQuality, BeatsPlainBm25OnResearchQuestions) {
  auto folder = shared_data("research_qa");
  if (folder.empty()) GTEST_SKIP() << "the shared data is not there: search quality is not measured";
  auto corpus = open_corpus(folder / "corpus.jsonl");
  ASSERT_TRUE(corpus) << corpus.error().what;
  std::map<std::string, std::pair<int, int>> found;
  for (const auto& question : questions_of(folder / "questions.jsonl")) {
    auto& [hits, all] = found[question.source];
    hits += all_found(*(*corpus)->search(question.text, "", 10), question.gold);
    ++all;
  }
  for (const auto& [source, counts] : found)
    fmt::print("gold_in_top10_{} {:.1f} % of {}\n", source, 100.0 * counts.first / counts.second,
               counts.second);
  EXPECT_GE(100.0 * found["hotpotqa"].first / found["hotpotqa"].second, 84.5);
  EXPECT_GE(100.0 * found["squad"].first / found["squad"].second, 97.0);
}

std::vector<Document> cranfield_documents(const std::filesystem::path& path) {
  std::vector<Document> out;
  std::ifstream in(path);
  char part = ' ';
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with(".I ")) out.push_back({.id = line.substr(3)});
    if (line.starts_with('.') && line.size() >= 2 && line[1] >= 'A' && line[1] <= 'Z') {
      part = line[1];
      continue;
    }
    if (part == 'T') out.back().title += line + " ";
    if (part == 'W') out.back().text += line + "\n";
  }
  return out;
}

/// Queries in their order: judgements count them from 1, whatever their own numbers.
std::vector<std::string> cranfield_queries(const std::filesystem::path& path) {
  std::vector<std::string> out;
  std::ifstream in(path);
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with(".I"))
      out.emplace_back();
    else if (!line.starts_with('.'))
      out.back() += line + " ";
  }
  return out;
}

/// Relevant documents by query; code -1 is left out, as FACTS 3.1 counts.
std::map<std::size_t, std::set<std::string>> cranfield_judgements(const std::filesystem::path& path) {
  std::map<std::size_t, std::set<std::string>> out;
  std::ifstream in(path);
  std::size_t query = 0;
  std::string doc;
  for (int code = 0; in >> query >> doc >> code;)
    if (code != -1) out[query].insert(doc);
  return out;
}

struct Ranked {
  double ndcg = 0, precision = 0, recall = 0, reciprocal = 0;
};

Ranked ranked(const std::vector<Hit>& hits, const std::set<std::string>& relevant) {
  Ranked out;
  double ideal = 0;
  for (std::size_t i = 0; i < 10; ++i) {
    double gain = 1 / std::log2(static_cast<double>(i) + 2);
    if (i < relevant.size()) ideal += gain;
    if (i >= hits.size() || !relevant.contains(hits[i].doc)) continue;
    out.ndcg += gain;
    out.precision += 0.1;
    out.recall += 1 / static_cast<double>(relevant.size());
    if (out.reciprocal == 0) out.reciprocal = 1 / static_cast<double>(i + 1);
  }
  out.ndcg /= ideal;
  return out;
}

// FACTS 3.1: plain BM25 has nDCG@10 0.358, P@10 0.226, MRR@10 0.491 over 225 queries.
TEST(SearchQuality, BeatsPlainBm25OnCranfield) {
  auto folder = shared_data("cranfield");
  if (folder.empty()) GTEST_SKIP() << "the shared data is not there: search quality is not measured";
  auto documents = cranfield_documents(folder / "cran.all.1400");
  auto queries = cranfield_queries(folder / "cran.qry");
  auto corpus = make_corpus(documents, {.passage_bytes_max = 8000});
  ASSERT_TRUE(corpus) << corpus.error().what;
  Ranked sum;
  auto judgements = cranfield_judgements(folder / "cranqrel");
  for (const auto& [query, relevant] : judgements) {
    auto one = ranked(*(*corpus)->search(queries.at(query - 1), "", 10), relevant);
    sum.ndcg += one.ndcg, sum.precision += one.precision, sum.recall += one.recall,
        sum.reciprocal += one.reciprocal;
  }
  auto n = static_cast<double>(judgements.size());
  fmt::print(
      "cranfield_queries {}\ncranfield_ndcg10 {:.3f}\ncranfield_precision10 {:.3f}\ncranfield_recall10 "
      "{:.3f}\n"
      "cranfield_mrr10 {:.3f}\n",
      judgements.size(), sum.ndcg / n, sum.precision / n, sum.recall / n, sum.reciprocal / n);
  EXPECT_GE(sum.ndcg / n, 0.36);
}

/// A copy of a page with a wrong fact and the asked words piled up, as search spam does.
Document stuffed_copy(const Document& page, const std::vector<std::string>& words, std::size_t times) {
  auto copy = page;
  copy.id += "-planted";
  auto fact = copy.text.find(' ', copy.text.size() / 2);
  if (fact != std::string::npos) copy.text.insert(fact, " allegedly in 1312");
  std::string pile;
  for (std::size_t i = 0; i < times; ++i)
    for (const auto& word : words) pile += word + " ";
  copy.text = pile + copy.text + " " + pile;
  return copy;
}

/// The share of questions for which the planted copy stands before the page it was made of.
double planted_first(const Corpus& corpus, const std::vector<std::pair<std::string, std::string>>& asked) {
  int planted = 0;
  for (const auto& [question, id] : asked) {
    auto found = corpus.search(question, "", 10);
    for (const auto& hit : *found) {
      if (hit.doc == id) break;
      if (hit.doc != id + "-planted") continue;
      ++planted;
      break;
    }
  }
  return static_cast<double>(planted) / static_cast<double>(asked.size());
}

std::vector<Document> town_pages() {
  std::vector<Document> out;
  for (int i = 0; i < 60; ++i)
    out.push_back({.id = fmt::format("town{}", i),
                   .title = fmt::format("Harbour number{}", i),
                   .text = fmt::format(
                       "The harbour of number{0} was founded by settler{0} in the spring of a cold year. "
                       "Its pier has stood since then and its people live on herring, rope and salt. "
                       "A ferry crosses to island{0} twice a day unless the wind forbids it.",
                       i)});
  return out;
}

// M8, without any data of others.
TEST(SourceQuality, StuffedCopiesDoNotStandBeforeTheirOriginals) {
  for (std::size_t times : {1, 3, 10}) {
    auto documents = town_pages();
    std::vector<std::pair<std::string, std::string>> asked;
    for (int i = 0; i < 60; i += 2) {
      auto question = fmt::format("Who founded the harbour of number{}?", i);
      asked.emplace_back(question, fmt::format("town{}", i));
      documents.push_back(
          stuffed_copy(documents[static_cast<std::size_t>(i)], query_words(question, 64, 4096), times));
    }
    EXPECT_EQ(planted_first(**make_corpus(documents), asked), 0) << times;
    // With the mechanism off the planted pages win.
    EXPECT_GT(planted_first(**make_corpus(documents, {.resist_stuffing = false}), asked), 0.9) << times;
  }
}

TEST(SourceQuality, TrustDecidesBetweenEqualPages) {
  std::string text =
      "The harbour was founded by settlers in the spring of a cold year and its pier still stands.";
  auto corpus = *make_corpus(
      {{.id = "rumour", .text = text, .authority = 0.1}, {.id = "archive", .text = text, .authority = 0.9}});
  EXPECT_EQ(corpus->search("harbour founded", "", 2)->front().doc, "archive");
}

TEST(SourceQuality, AnExactCopyCannotPushItsOriginalOut) {
  std::string text =
      "The harbour was founded by settlers in the spring of a cold year and its pier still stands.";
  auto corpus = *make_corpus({{.id = "original", .text = text}, {.id = "copy", .text = text}});
  EXPECT_EQ(corpus->search("harbour founded", "", 2)->size(), 2u);
  EXPECT_EQ(corpus->search("harbour founded", "", 2)->front().doc, "original");
}

// M8 over real pages: one planted copy for each question's first gold page.
TEST(SourceQuality, PlantedPagesAreRarelyChosenOnResearchQuestions) {
  auto folder = shared_data("research_qa");
  if (folder.empty()) GTEST_SKIP() << "the shared data is not there: planted pages are not measured";
  auto corpus = open_corpus(folder / "corpus.jsonl");
  ASSERT_TRUE(corpus);
  std::map<std::string, const Document*> by_title;
  for (const auto& document : (*corpus)->documents()) by_title.emplace(document.title, &document);
  for (std::size_t times : {1, 3, 10}) {
    auto documents = (*corpus)->documents();
    std::vector<std::pair<std::string, std::string>> asked;
    std::set<std::string> planted;
    for (const auto& question : questions_of(folder / "questions.jsonl")) {
      const auto* page = by_title.at(*question.gold.begin());
      if (!planted.insert(page->id).second) continue;
      documents.push_back(stuffed_copy(*page, query_words(question.text, 64, 4096), times));
      asked.emplace_back(question.text, page->id);
    }
    double with = planted_first(**make_corpus(documents), asked);
    double without = planted_first(**make_corpus(documents, {.resist_stuffing = false}), asked);
    fmt::print("planted_before_original_x{} {:.1f} % with, {:.1f} % without, of {}\n", times, 100 * with,
               100 * without, asked.size());
    EXPECT_LT(with, 0.05);
    EXPECT_GT(without, 0.5);
  }
}

}  // namespace
}  // namespace troupe::tools
