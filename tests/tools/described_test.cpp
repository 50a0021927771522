// Accepted descriptions (MECHANISMS M20): a file that only grows, and what tools are called because of it.
#include "runtime/tools/described.hpp"

#include "runtime/base/spec_hash.hpp"
#include "runtime/tools/calculator.hpp"

#include <gtest/gtest.h>

#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace troupe::tools {
namespace {

struct TextsFile {
  std::string path = (std::filesystem::temp_directory_path() /
                      ("troupe-texts-" + std::to_string(::getpid()) + "/state/texts.jsonl"))
                         .string();
  ~TextsFile() { std::filesystem::remove_all(std::filesystem::path(path).parent_path().parent_path()); }
};

DescriptionRow row_for(const ToolSpec& spec, std::string after) {
  return {.tool = spec.name, .spec = spec_hash(spec), .before = spec.description, .after = std::move(after)};
}

DescriptionRow back(const std::string& tool) { return {.tool = tool, .taken_back = true}; }

TEST(Described, ATextStandsForWhatItWasAcceptedForAndOnlyThat) {
  auto own = make_calculator();
  auto first = described(own, {row_for(own->spec(), "Sums.")});
  EXPECT_EQ(first->spec().description, "Sums.");
  EXPECT_EQ(first->spec().input_schema, own->spec().input_schema);
  auto second = described(own, {row_for(own->spec(), "Sums."), row_for(first->spec(), "Sums and roots.")});
  EXPECT_EQ(second->spec().description, "Sums and roots.");
  // The tool's own words have changed since.
  auto older = own->spec();
  older.description += " (old)";
  EXPECT_EQ(described(own, {row_for(older, "Sums.")})->spec(), own->spec());
}

TEST(Described, TakingBackBringsTheOneBeforeBack) {
  auto own = make_calculator();
  auto one = row_for(own->spec(), "one");
  auto two = row_for(described(own, {one})->spec(), "two");
  auto words = [&](const std::vector<DescriptionRow>& rows) {
    return described(own, standing(rows))->spec().description;
  };
  EXPECT_EQ(words({one, two}), "two");
  EXPECT_EQ(words({one, two, back("calculator")}), "one");
  EXPECT_EQ(words({one, two, back("calculator"), back("calculator")}), own->spec().description);
  EXPECT_EQ(words({back("calculator"), one}), "one");
  EXPECT_EQ(words({one, back("other")}), "one");
}

TEST(DescriptionFile, OnlyGrowsAndSurvivesHalfALine) {
  TextsFile file;
  std::vector<std::string> problems;
  EXPECT_TRUE(read_descriptions(file.path, problems)->empty()) << "no file: none";
  auto row = row_for(make_calculator()->spec(), "one");
  ASSERT_TRUE(append_description(file.path, row));
  std::ofstream(file.path, std::ios::app) << R"({"tool":"calc)";
  row.after = "two";
  ASSERT_TRUE(append_description(file.path, row));
  auto rows = read_descriptions(file.path, problems);
  ASSERT_TRUE(rows);
  ASSERT_EQ(rows->size(), 2u);
  EXPECT_EQ((*rows)[0].after, "one");
  EXPECT_EQ((*rows)[1].after, "two");
  EXPECT_EQ(problems.size(), 1u);
}

TEST(DescriptionFile, IsReadToItsNewestLineAndTakesNoneBeyondItsBound) {
  constexpr std::size_t rows = 30'000;
  TextsFile file;
  ASSERT_TRUE(append_description(file.path, {.tool = "a", .after = "first"}));
  std::ofstream out(file.path, std::ios::app);
  for (std::size_t i = 0; i < rows; ++i)
    out << R"({"tool":"a","after":"b"})"
        << "\n";
  out.close();
  ASSERT_TRUE(append_description(file.path, {.tool = "a", .after = "newest"}));
  std::vector<std::string> problems;
  auto read = read_descriptions(file.path, problems);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->size(), rows + 2);
  EXPECT_EQ(read->back().after, "newest");
  EXPECT_TRUE(problems.empty());
  std::filesystem::resize_file(file.path, kDescriptionFileBytesMax);
  auto full = append_description(file.path, {.tool = "a", .after = "one more"});
  ASSERT_FALSE(full);
  EXPECT_EQ(full.error().code, Errc::refused);
  EXPECT_EQ(std::filesystem::file_size(file.path), kDescriptionFileBytesMax) << "nothing is added unread";
}

TEST(DescriptionFile, NamesTheLinesThatAreNoDescription) {
  std::vector<std::string> problems;
  for (const char* odd : {"[]", "7", "{}", R"({"tool":"a"})", R"({"tool":7,"after":"b"})", "\xFF"}) {
    problems.clear();
    EXPECT_TRUE(description_rows(odd, problems).empty()) << odd;
    EXPECT_EQ(problems.size(), 1u) << odd;
  }
}

}  // namespace
}  // namespace troupe::tools
