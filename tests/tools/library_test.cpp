// Several corpora behind one door: whose document is whose, and who may read it.
#include "runtime/tools/library.hpp"

#include "tests/tools/support/call.hpp"

#include <gtest/gtest.h>

namespace troupe::tools {
namespace {

std::shared_ptr<Corpus> corpus_of(std::vector<Document> documents) {
  auto made = make_corpus(std::move(documents));
  return made ? *made : nullptr;
}

Document about(const std::string& id, const std::string& text) {
  return {.id = id, .title = id, .text = text, .url = {}, .authority = {}, .readers = {}};
}

class LibraryTest : public testing::Test {
 protected:
  LibraryTest() {
    auto own = corpus_of({about("fog", "Fog horns replaced guns."), about("same", "The run's own page.")});
    auto named = corpus_of({about("bees", "Bees make honey."), about("same", "The handbook's page.")});
    tools_ = make_library_tools({{"", own}, {"handbook", named}});
  }
  Tool& tool(const std::string& name) {
    for (auto& each : tools_)
      if (each->spec().name == name) return *each;
    ADD_FAILURE() << name;
    return *tools_.front();
  }
  std::string opened(const std::string& doc) {
    return get_string(call_json(tool("open_document"), dump_json(Json{{"doc", doc}})), "text");
  }
  std::vector<ToolPtr> tools_;
};

TEST_F(LibraryTest, OffersASearchForEachAndOneOpen) {
  ASSERT_EQ(tools_.size(), 3u);
  EXPECT_EQ(tools_[0]->spec().name, "search");
  EXPECT_EQ(tools_[1]->spec().name, "search_handbook");
  EXPECT_EQ(tools_[2]->spec().name, "open_document");
  EXPECT_TRUE(make_library_tools({}).empty());
}

TEST_F(LibraryTest, SearchesTakeFiltersOnlyWhereTheyAreOffered) {
  auto dated = about("old", "Bees were kept on the rock.");
  dated.date = "1899-01-01";
  dated.type = "wiki page";
  dated.people = {"Ann Lee"};
  auto tools = make_library_tools({{"handbook", corpus_of({dated, about("new", "Bees make honey.")})}}, true);
  auto found = [&](const std::string& input) { return call_json(*tools[0], input)["hits"].size(); };
  EXPECT_EQ(found(R"({"query":"bees"})"), 2u);
  EXPECT_EQ(found(R"({"query":"bees","to":"1900-01-01"})"), 1u);
  EXPECT_EQ(found(R"({"query":"bees","from":"1900-01-01"})"), 0u) << "one without a day is not of that time";
  EXPECT_EQ(found(R"({"query":"bees","types":"pdf,wiki"})"), 1u);
  EXPECT_EQ(found(R"({"query":"bees","people":"LEE"})"), 1u);
  EXPECT_EQ(found(R"({"query":"bees","people":"Le"})"), 0u) << "whole words of a name";
  EXPECT_FALSE(call(tool("search_handbook"), R"({"query":"bees","to":"1900-01-01"})")) << "not offered here";
}

TEST_F(LibraryTest, DocumentsOfOneNameAreNotTakenForEachOther) {
  EXPECT_EQ(opened("same"), "The run's own page.");
  EXPECT_EQ(opened("corpus:handbook/same"), "The handbook's page.");
  EXPECT_TRUE(call(tool("open_document"), R"({"doc":"corpus:other/same"})")->is_error);
}

TEST_F(LibraryTest, AHitOpensAsItWasShown) {
  auto output = call(tool("search_handbook"), R"({"query":"honey"})");
  ASSERT_TRUE(output);
  auto json = parse_json(output->text);
  ASSERT_TRUE(json);
  const auto& hit = (*json)["hits"][0];
  EXPECT_EQ(get_string(hit, "doc"), "corpus:handbook/bees");
  ASSERT_EQ(output->sources.size(), 1u);
  EXPECT_EQ(output->sources[0].doc, "corpus:handbook/bees");
  auto again = call_json(tool("open_document"),
                         dump_json(Json{{"doc", hit["doc"]},
                                        {"start", hit["start"]},
                                        {"length", get_int(hit, "end") - get_int(hit, "start")}}));
  EXPECT_EQ(get_string(again, "doc"), "corpus:handbook/bees");
  EXPECT_EQ(get_string(again, "text"), get_string(hit, "text"));
}

TEST_F(LibraryTest, PassesOnWhatIsNoDocument) {
  EXPECT_EQ(call(tool("open_document"), "{}").error().code, Errc::invalid_input);
  EXPECT_EQ(call(tool("open_document"), "[").error().code, Errc::invalid_input);
  EXPECT_EQ(call(tool("search_handbook"), "{}").error().code, Errc::invalid_input);
}

TEST(Library, KeepsToTheReadersOfEach) {  // J4
  auto secret = about("plan", "The secret plan of honey.");
  secret.readers = std::vector<std::string>{"ann"};
  auto tools = make_library_tools({{"vault", corpus_of({secret, about("open", "Honey for all.")})}});
  auto hits = [&](const std::string& principal) {
    ToolContext context;
    context.principal = principal;
    return call_json(*tools[0], R"({"query":"honey"})", context)["hits"].size();
  };
  EXPECT_EQ(hits("ann"), 2u);
  EXPECT_EQ(hits("bob"), 1u);
  ToolContext bob;
  bob.principal = "bob";
  EXPECT_TRUE(call(*tools[1], R"({"doc":"corpus:vault/plan"})", bob)->is_error);
}

}  // namespace
}  // namespace troupe::tools
