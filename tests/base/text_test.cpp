// Texts cut, taken line by line, and read from files.
#include "runtime/base/characters.hpp"
#include "runtime/base/lines.hpp"
#include "runtime/base/read_file.hpp"

#include <gtest/gtest.h>

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <vector>

namespace troupe {
namespace {

TEST(CutTo, KeepsTheWholeCharactersThatFit) {
  const std::string text = "a\xC3\xA9\xE2\x80\xA6\xF0\x9F\x8C\x8A!";  // 1, 2, 3, 4 and 1 bytes
  const std::vector<std::size_t> kept = {0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10, 11, 11};
  for (std::size_t bytes = 0; bytes < kept.size(); ++bytes) {
    EXPECT_EQ(cut_to(std::string_view(text), bytes), text.substr(0, kept[bytes])) << bytes;
    auto cut = text;
    cut_to(cut, bytes);
    EXPECT_EQ(cut.size(), kept[bytes]) << bytes;
  }
}

TEST(TakeLine, GivesEachLineOnceWithOrWithoutALastEnd) {
  for (std::string_view text : {"a\n\nb\n", "a\n\nb"}) {
    std::vector<std::string_view> lines;
    while (!text.empty()) lines.push_back(take_line(text));
    EXPECT_EQ(lines, (std::vector<std::string_view>{"a", "", "b"}));
  }
}

TEST(ReadBounded, ReadsAFileWholeOrSaysWhyNot) {
  auto folder = std::filesystem::temp_directory_path() / ("troupe-read-" + std::to_string(::getpid()));
  std::filesystem::create_directories(folder);
  auto path = (folder / "text").string();
  std::ofstream(path, std::ios::binary) << "12345";
  EXPECT_EQ(read_bounded(path, 5).value(), "12345");
  EXPECT_EQ(read_bounded(path, 4).error().code, Errc::invalid_input);
  EXPECT_EQ(read_bounded(folder.string(), 4).error().code, Errc::invalid_input);
  std::filesystem::remove_all(folder);
  EXPECT_EQ(read_bounded(path, 5).error().code, Errc::input_missing);
}

}  // namespace
}  // namespace troupe
