// Offsets of places: the same as another implementation says, and nothing but an error from broken files.
#include "runtime/base/time_zone.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

namespace troupe {
namespace {

using ::testing::HasSubstr;

bool no_zones_here() { return !std::filesystem::exists("/usr/share/zoneinfo/Europe/Berlin"); }

std::string file_of_zone(const std::string& name) {
  std::ifstream file("/usr/share/zoneinfo/" + name, std::ios::binary);
  std::ostringstream out;
  out << file.rdbuf();
  return out.str();
}

// Made by tests/golden/zones/make.py with Python's zoneinfo.
TEST(TimeZone, SaysWhatAnotherReaderSaysAroundEveryChangeOfTwentyYears) {
  if (no_zones_here()) GTEST_SKIP() << "no zoneinfo on this machine (package tzdata)";
  std::ifstream table(TROUPE_SOURCE_DIR "/tests/golden/zones/offsets.txt");
  std::map<std::string, TimeZone> zones;
  std::string name;
  std::int64_t moment = 0;
  std::int32_t offset = 0;
  std::size_t rows = 0;
  for (; table >> name >> moment >> offset; ++rows) {
    auto it = zones.find(name);
    if (it == zones.end()) {
      auto zone = TimeZone::load(name);
      ASSERT_TRUE(zone) << zone.error().what;
      it = zones.emplace(name, std::move(*zone)).first;
    }
    ASSERT_EQ(it->second.offset_at(moment), offset) << name << " at " << moment;
  }
  EXPECT_GE(zones.size(), 12u);
  EXPECT_GT(rows, 900u);
}

TEST(TimeZone, TheFootersRuleHoldsForFarDates) {
  if (no_zones_here()) GTEST_SKIP() << "no zoneinfo on this machine (package tzdata)";
  auto berlin = TimeZone::load("Europe/Berlin");
  ASSERT_TRUE(berlin);
  EXPECT_EQ(berlin->offset_at(4'102'444'800), 3600) << "2100-01-01";
  EXPECT_EQ(berlin->offset_at(4'118'083'200), 7200) << "2100-07-01";
}

TEST(TimeZone, ATimeThatIsSkippedIsTheMomentAfterTheGap) {
  if (no_zones_here()) GTEST_SKIP() << "no zoneinfo on this machine (package tzdata)";
  auto berlin = TimeZone::load("Europe/Berlin");
  ASSERT_TRUE(berlin);
  constexpr std::int64_t sunday = 1'774'742'400;  // 2026-03-29T00:00, when clocks go from 02:00 to 03:00
  EXPECT_EQ(berlin->moment_of(sunday + 3600), sunday);
  EXPECT_EQ(berlin->moment_of(sunday + 2 * 3600), sunday + 3600);
  EXPECT_EQ(berlin->moment_of(sunday + 2 * 3600 + 1800), sunday + 3600);
  EXPECT_EQ(berlin->moment_of(sunday + 3 * 3600), sunday + 3600);
  EXPECT_EQ(berlin->moment_of(sunday + 4 * 3600), sunday + 2 * 3600);
}

TEST(TimeZone, OfATimeThatComesTwiceTheFirstCounts) {
  if (no_zones_here()) GTEST_SKIP() << "no zoneinfo on this machine (package tzdata)";
  auto york = TimeZone::load("America/New_York");
  ASSERT_TRUE(york);
  constexpr std::int64_t sunday = 1'793'491'200;  // 2026-11-01T00:00, when clocks go from 02:00 to 01:00
  EXPECT_EQ(york->moment_of(sunday + 3600 + 1800), sunday + 5 * 3600 + 1800);
  EXPECT_EQ(york->moment_of(sunday + 2 * 3600), sunday + 7 * 3600);
}

TEST(TimeZone, UtcNeedsNoFile) {
  auto utc = TimeZone::load("UTC");
  ASSERT_TRUE(utc);
  EXPECT_EQ(utc->offset_at(0), 0);
  EXPECT_EQ(utc->moment_of(1'700'000'000), 1'700'000'000);
}

TEST(TimeZone, NamesAreNoPaths) {
  for (const char* name : {"", "../etc/passwd", "/etc/passwd", "Europe/../Berlin", "a b", "a\nb"}) {
    auto zone = TimeZone::load(name);
    ASSERT_FALSE(zone) << name;
    EXPECT_EQ(zone.error().code, Errc::bad_config);
  }
  auto gone = TimeZone::load("Europe/Atlantis");
  ASSERT_FALSE(gone);
  EXPECT_EQ(gone.error().code, Errc::input_missing);
  EXPECT_THAT(gone.error().what, HasSubstr("write e.g. Europe/Berlin"));
}

TEST(TimeZone, BrokenFilesAreRefusedWhereverTheyBreak) {
  if (no_zones_here()) GTEST_SKIP() << "no zoneinfo on this machine (package tzdata)";
  auto whole = file_of_zone("Europe/Berlin");
  ASSERT_TRUE(TimeZone::parse(whole, "x"));
  for (std::size_t length = 0; length < whole.size(); ++length)
    EXPECT_FALSE(TimeZone::parse(whole.substr(0, length), "x")) << length;
  for (std::size_t at = 0; at < whole.size(); ++at) {
    auto changed = whole;
    changed[at] = static_cast<char>(changed[at] ^ 0xff);
    auto zone = TimeZone::parse(changed, "x");
    if (!zone) continue;
    EXPECT_LT(std::abs(zone->offset_at(1'700'000'000)), 200 * 3600);
  }
}

}  // namespace
}  // namespace troupe
