// Reading, searching and quoting documents (MECHANISMS M7), and who may see which (J4).
#include "runtime/tools/corpus.hpp"

#include "runtime/tools/corpus_files.hpp"
#include "tests/support/temp_folder.hpp"
#include "tests/tools/support/call.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <fstream>
#include <random>

namespace troupe::tools {
namespace {

namespace fs = std::filesystem;

std::shared_ptr<Corpus> corpus_of(std::vector<Document> documents, const CorpusConfig& config = {}) {
  auto made = make_corpus(std::move(documents), config);
  EXPECT_TRUE(made) << made.error().what;
  return made ? *made : nullptr;
}

std::vector<std::string> docs_of(const std::vector<Hit>& hits) {
  std::vector<std::string> out;
  for (const auto& hit : hits) out.push_back(hit.doc);
  return out;
}

std::shared_ptr<Corpus> lighthouses() {
  return corpus_of(
      {{.id = "keeper", .title = "The keeper", .text = "The keeper of the lighthouse lights its lamp."},
       {.id = "ships", .title = "Ships", .text = "Ships run aground where no lighthouses stand."},
       {.id = "tea", .title = "Tea", .text = "Tea is poured at five."}});
}

TEST(Corpus, FindsByStemAndTitleAndShowsTheBytes) {
  auto corpus = lighthouses();
  auto hits = corpus->search("lighthouse keepers", "", 10);
  ASSERT_TRUE(hits);
  EXPECT_EQ(docs_of(*hits), (std::vector<std::string>{"keeper", "ships"}));
  for (const auto& hit : *hits) {
    EXPECT_EQ(corpus->find(hit.doc, "")->text.substr(hit.span.start, hit.span.end - hit.span.start),
              hit.snippet);
    EXPECT_TRUE(corpus->resolves(hit.span, ""));
  }
  EXPECT_EQ(docs_of(*corpus->search("TEA?", "", 1)), std::vector<std::string>{"tea"});
  EXPECT_TRUE(corpus->search("zeppelin", "", 10)->empty());
  EXPECT_TRUE(corpus->search("", "", 10)->empty());
}

TEST(Corpus, TakesAQueryAsWordsNeverAsSyntax) {
  auto corpus = lighthouses();
  for (std::string query :
       {"\"", "tea OR", "NEAR(tea", "title:tea", "tea*", "tea AND NOT tea", "{tea}", "tea \"\"", "^tea",
        "-tea", "tea' OR '1'='1", "(((tea", "tea\"\"\"; DROP TABLE words", "+tea+"}) {
    auto hits = corpus->search(query, "", 10);
    ASSERT_TRUE(hits) << query;
    bool asks = query != "\"";
    EXPECT_EQ(hits->size(), asks ? 1u : 0u) << query;
  }
  EXPECT_TRUE(corpus->search(std::string("\0tea\xff", 5), "", 10));
  EXPECT_TRUE(corpus->search(std::string(1 << 20, 'x'), "", 10));
}

TEST(Corpus, ResolvesOnlySpansThatAreThere) {
  auto corpus =
      corpus_of({{.id = "d", .text = "caf\u00e9s"}, {.id = "h", .text = "hidden", .readers = {{"ann"}}}});
  EXPECT_TRUE(corpus->resolves({"d", 0, 6}, ""));
  EXPECT_FALSE(corpus->resolves({"d", 0, 4}, ""));
  EXPECT_FALSE(corpus->resolves({"d", 0, 7}, ""));
  EXPECT_FALSE(corpus->resolves({"d", 3, 3}, ""));
  EXPECT_FALSE(corpus->resolves({"e", 0, 1}, ""));
  EXPECT_FALSE(corpus->resolves({"h", 0, 6}, ""));
  EXPECT_TRUE(corpus->resolves({"h", 0, 6}, "ann"));
}

TEST(Corpus, NamesMalformedLinesAndReadsTheRest) {
  const troupe::testing::TempFolder folder;
  folder.file(
      "c.jsonl",
      "{\"id\":\"a\",\"title\":\"A\",\"text\":\"alpha\"}\nnot json\n\n[1]\n{\"id\":\"b\"}\n"
      "{\"id\":\"a\",\"text\":\"again\"}\n{\"id\":7,\"text\":\"seven\",\"url\":\"u\",\"authority\":0.9}\n"
      "{\"id\":\"c\",\"text\":\"x\",\"acl\":\"ann\"}\n{\"id\":\"d\",\"text\":\"x\",\"authority\":2}\n"
      "{\"id\":\"e\",\"text\":\" \"}\n{\"id\":\"f\",\"text\":\"\\u0000\"}\n{\"id\":\"\",\"text\":\"x\"}");
  auto corpus = open_corpus(fs::path(folder.path()) / "c.jsonl", {.problems_max = 7});
  ASSERT_TRUE(corpus);
  ASSERT_EQ((*corpus)->documents().size(), 2u);
  EXPECT_EQ((*corpus)->documents()[1].id, "7");
  EXPECT_EQ((*corpus)->documents()[1].authority, 0.9);
  EXPECT_EQ((*corpus)->problem_count(), 9u);
  ASSERT_EQ((*corpus)->problems().size(), 7u);
  EXPECT_EQ((*corpus)->problems()[0].where, "c.jsonl:2");
  EXPECT_EQ((*corpus)->problems()[3],
            (CorpusProblem{"c.jsonl:6", "there is an earlier document with the id a"}));
  EXPECT_EQ(
      (*corpus)->left_out("ann"),
      "9 records that cannot be used are left out; c.jsonl:2: not JSON at byte 2; c.jsonl:4: it is no JSON "
      "object; c.jsonl:5: it has no text; and 6 more");
}

TEST(Corpus, TellsOfWhatIsLeftOutOnlyWhatACorpusWithoutHiddenDocumentsWould) {  // J4
  const std::string open = R"({"id":"a","text":"alpha"})", hidden = R"({"id":"h","text":"x","acl":["ann"]})";
  const auto told = [](const std::string& lines, const std::string& principal) {
    const troupe::testing::TempFolder folder;
    auto corpus = open_corpus(folder.file("c.jsonl", lines));
    return corpus ? (*corpus)->left_out(principal) : corpus.error().what;
  };
  EXPECT_EQ(told(open + "\n" + hidden, "ann"), "");
  const auto broken = open + "\n" + hidden + "\nnot json\n";
  EXPECT_NE(told(broken, "ann").find("c.jsonl:3: "), std::string::npos);
  // A place or a number would tell of the line before, and of how often it is there.
  EXPECT_EQ(told(broken, "eve"), "records that cannot be used are left out");
  EXPECT_EQ(told(broken + "{}\n", "eve"), told(broken, "eve"));
  EXPECT_EQ(told(open + "\n" + hidden + "\n" + hidden, "eve"), "");
  EXPECT_EQ(told(open + "\n" + hidden + "\n" + R"({"id":"h","text":"mine"})", "eve"), "");
  EXPECT_EQ(told(open + "\n" + hidden + "\n" + R"({"id":"u","text":"x","acl":"ann"})", "eve"), "");
}

TEST(Corpus, ReadsOnlyWhatItIsAskedForAndNoIdThatIsTheProgramsOwn) {
  const troupe::testing::TempFolder folder;
  folder.file("c.jsonl",
              "{\"id\":\"a\",\"text\":\"one\"}\n{\"id\":\"tool:b\",\"text\":\"two\"}\n"
              "{\"id\":\"corpus:c/d\",\"text\":\"three\"}\n{\"id\":\"b\",\"text\":\"four\"}\n");
  auto whole = read_corpus_files(fs::path(folder.path()) / "c.jsonl", {});
  ASSERT_TRUE(whole);
  EXPECT_EQ(whole->documents.size(), 2u);
  EXPECT_EQ(whole->problem_count, 2u);
  folder.file("notes/b.txt", "four");
  folder.file("notes/c.txt", std::string(1, '\0'));
  for (const char* path : {"c.jsonl", "notes"}) {
    std::set<std::string> only = {"b", "b.txt"};
    auto some = read_corpus_files(fs::path(folder.path()) / path, {}, &only);
    ASSERT_TRUE(some);
    ASSERT_EQ(some->documents.size(), 1u);
    EXPECT_EQ(some->documents[0].text, "four");
    EXPECT_EQ(some->problem_count, 0u) << path;
  }
}

TEST(Corpus, ReadsAFolderWithoutLeavingIt) {
  const troupe::testing::TempFolder folder;
  folder.file("b/two.md", "intro\n# Two things\nSecond.");
  folder.file("a.txt", "First.");
  folder.file("page.HTML", "<title>Page</title><p>Third &amp; last");
  folder.file("latin.txt", "caf\xe9");
  folder.file(".secret.txt", "hidden");
  folder.file(".git/x.txt", "hidden");
  folder.file("image.png", "png");
  fs::create_symlink("/etc/passwd", fs::path(folder.path()) / "link.txt");
  auto corpus = open_corpus(folder.path());
  ASSERT_TRUE(corpus);
  std::vector<std::string> got;
  for (const auto& document : (*corpus)->documents()) got.push_back(document.id + "|" + document.title);
  EXPECT_EQ(got, (std::vector<std::string>{"a.txt|a", "b/two.md|Two things", "page.HTML|Page"}));
  EXPECT_EQ((*corpus)->documents()[2].text, "Third & last");
  EXPECT_EQ((*corpus)->problems(), (std::vector<CorpusProblem>{{"latin.txt", "it is no UTF-8 text"}}));
}

TEST(Corpus, KeepsItsBounds) {
  const troupe::testing::TempFolder folder;
  folder.file("c.jsonl", "{\"id\":\"a\",\"text\":\"12345678\"}\n{\"id\":\"b\",\"text\":\"123456789\"}\n");
  auto corpus = open_corpus(fs::path(folder.path()) / "c.jsonl", {.document_bytes_max = 8});
  ASSERT_TRUE(corpus);
  EXPECT_EQ((*corpus)->problems(), (std::vector<CorpusProblem>{{"c.jsonl:2", "its text is too long"}}));
  EXPECT_EQ(open_corpus(fs::path(folder.path()) / "c.jsonl", {.documents_max = 1}).error().code,
            Errc::invalid_input);
  EXPECT_TRUE(open_corpus(fs::path(folder.path()) / "c.jsonl", {.documents_max = 2, .total_bytes_max = 17}));
  EXPECT_FALSE(open_corpus(fs::path(folder.path()) / "c.jsonl", {.total_bytes_max = 16}));
  EXPECT_EQ(open_corpus(fs::path(folder.path()) / "none").error().code, Errc::input_missing);
  EXPECT_FALSE(make_corpus({{.id = "a", .text = "x"}, {.id = "a", .text = "y"}}));
  EXPECT_FALSE(make_corpus({{.id = "a", .text = "\xff"}}));
}

TEST(SearchTool, SaysWhereEachPassageStands) {
  auto tool = make_search_tool(lighthouses());
  auto out = call(*tool, R"({"query":"lighthouse","limit":1})");
  ASSERT_TRUE(out);
  auto hits = *find(*parse_json(out->text), "hits");
  ASSERT_EQ(hits.size(), 1u);
  ASSERT_EQ(out->sources.size(), 1u);
  EXPECT_EQ(get_string(hits[0], "doc"), out->sources[0].doc);
  EXPECT_EQ(get_int(hits[0], "end"), static_cast<std::int64_t>(out->sources[0].end));
  for (std::string bad :
       {"{}", "[]", "x", R"({"query":1})", R"({"query":"a","lmit":2})", R"({"query":"a","limit":"2"})"})
    EXPECT_EQ(call(*tool, bad).error().code, Errc::invalid_input) << bad;
  EXPECT_TRUE(call(*tool, R"({"query":"a","limit":99999999999999999999})").error().code ==
              Errc::invalid_input);
  EXPECT_TRUE(call(*tool, R"({"query":"a","limit":18446744073709551615})"));
}

TEST(OpenTool, ShowsWholeCharactersOfAnyPart) {
  auto tool = make_open_tool(corpus_of({{.id = "d", .title = "T", .text = "\u2603a\u2603"}}));
  EXPECT_EQ(get_string(call_json(*tool, R"({"doc":"d"})"), "text"), "\u2603a\u2603");
  EXPECT_EQ(get_string(call_json(*tool, R"({"doc":"d","start":1,"length":1})"), "text"), "\u2603");
  EXPECT_EQ(get_string(call_json(*tool, R"({"doc":"d","start":3,"length":2})"), "text"), "a");
  EXPECT_EQ(get_int(call_json(*tool, R"({"doc":"d","start":6})"), "start"), 4);
  EXPECT_TRUE(call(*tool, R"({"doc":"d","start":7})")->is_error);
  EXPECT_TRUE(call(*tool, R"({"doc":"d","start":9223372036854775807})")->is_error);
}

// J4: hiding a document must leave no trace, not even in the ranking of others.
TEST(CorpusAcl, HiddenDocumentsAnswerLikeMissingOnes) {
  auto corpus = corpus_of({{.id = "h", .title = "Secret", .text = "lighthouse plans", .readers = {{"ann"}}},
                           {.id = "n", .title = "None", .text = "lighthouse", .readers = {{}}},
                           {.id = "o", .title = "Open", .text = "lighthouse keeper"}});
  auto open = make_open_tool(corpus);
  EXPECT_EQ(call(*open, R"({"doc":"h"})")->text, call(*open, R"({"doc":"not there"})")->text);
  EXPECT_FALSE(call(*open, R"({"doc":"h"})", {.principal = "ann"})->is_error);
  EXPECT_EQ(docs_of(*corpus->search("lighthouse", "", 10)), std::vector<std::string>{"o"});
  EXPECT_EQ(docs_of(*corpus->search("lighthouse", "ann", 10)).size(), 2u);
  EXPECT_EQ(call(*make_search_tool(corpus), R"({"query":"plans"})")->text, R"({"hits":[]})");
}

class RandomAcl {
 public:
  explicit RandomAcl(unsigned seed) : random_(seed) {}
  std::size_t below(std::size_t n) { return random_() % n; }
  std::string words(std::size_t count) {
    std::string out;
    for (std::size_t i = 0; i < count; ++i) out += fmt::format("{}w{}", i ? " " : "", below(30));
    return out;
  }
  std::vector<Document> documents(std::size_t count) {
    std::vector<Document> out;
    for (std::size_t i = 0; i < count; ++i) {
      Document document{.id = fmt::format("d{}", i), .title = words(2), .text = words(5 + below(60))};
      // Some are near copies of an earlier one, some are trusted more or less.
      if (i && below(4) == 0) document.text = out[below(i)].text + " " + words(1 + below(8));
      if (below(3) == 0) document.authority = static_cast<double>(below(11)) / 10;
      if (below(3)) document.readers = readers();
      out.push_back(std::move(document));
    }
    return out;
  }

 private:
  std::vector<std::string> readers() {
    std::vector<std::string> out;
    for (std::string name : {"ann", "bob", "eve"})
      if (below(2)) out.push_back(name);
    return out;
  }
  std::mt19937 random_;
};

std::vector<Document> stripped_to(const std::vector<Document>& all, const std::string& principal) {
  std::vector<Document> out;
  for (const auto& document : all) {
    bool open = !document.readers;
    bool named = !open && !principal.empty() &&
                 std::ranges::find(*document.readers, principal) != document.readers->end();
    if (open || named) out.push_back(document);
  }
  for (auto& document : out) document.readers.reset();
  return out;
}

void expect_same_hits(const std::vector<Hit>& a, const std::vector<Hit>& b) {
  ASSERT_EQ(docs_of(a), docs_of(b));
  for (std::size_t i = 0; i < a.size(); ++i) {
    EXPECT_EQ(a[i].score, b[i].score);
    EXPECT_EQ(a[i].span, b[i].span);
    EXPECT_EQ(a[i].snippet, b[i].snippet);
  }
}

// J4: 1000 random ACLs; the whole corpus asked by U answers as one physically stripped to what U may read.
TEST(CorpusAcl, TellsWhatAStrippedCorpusWouldTell) {
  std::size_t hidden_matter = 0;
  for (unsigned seed = 0; seed < 1000; ++seed) {
    RandomAcl random(seed);
    auto all = random.documents(12 + random.below(20));
    std::string principal = std::array{"", "ann", "bob", "mallory"}[random.below(4)];
    CorpusConfig config{.passage_bytes_max = 80};
    auto whole = corpus_of(all, config), part = corpus_of(stripped_to(all, principal), config);
    auto unguarded = all;
    for (auto& document : unguarded) document.readers.reset();
    auto open = corpus_of(unguarded, config);
    for (int i = 0; i < 3; ++i) {
      auto query = random.words(1 + random.below(4));
      auto got = whole->search(query, principal, 10), expected = part->search(query, principal, 10);
      ASSERT_TRUE(got && expected);
      expect_same_hits(*got, *expected);
      hidden_matter += docs_of(*open->search(query, principal, 10)) != docs_of(*expected);
    }
  }
  // Without the guard the answers differ: the comparison can fail.
  EXPECT_GT(hidden_matter, 1000u);
}

}  // namespace
}  // namespace troupe::tools
