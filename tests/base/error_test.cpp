// The error vocabulary: names that read back, and flags that say whose turn it is.
#include <troupe/error.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

namespace troupe {
namespace {

TEST(Error, EveryNameReadsBack) {
  for (int i = 0; i <= static_cast<int>(Errc::internal); ++i) {
    auto code = static_cast<Errc>(i);
    EXPECT_EQ(errc_from_string(to_string(code)), code) << to_string(code);
  }
}

TEST(Error, EveryCodeIsExplained) {
  std::ifstream file(TROUPE_SOURCE_DIR "/docs/ERRORS.md");
  ASSERT_TRUE(file) << "docs/ERRORS.md is missing";
  std::stringstream page;
  page << file.rdbuf();
  for (int i = 0; i <= static_cast<int>(Errc::internal); ++i) {
    std::string heading = std::string("\n### ") + to_string(static_cast<Errc>(i)) + "\n**Happened:** ";
    EXPECT_THAT(page.str(), ::testing::HasSubstr(heading));
  }
}

TEST(Error, CallerFaultsNeverCountForTheBreaker) {  // F3
  for (int i = 0; i <= static_cast<int>(Errc::internal); ++i) {
    auto error = make_error(static_cast<Errc>(i), "");
    EXPECT_FALSE(error.fault == Fault::caller && error.counts_for_breaker) << to_string(error.code);
  }
}

TEST(Error, ThrottlingIsCapacityNotSickness) {  // F4
  auto error = make_error(Errc::rate_limited, "slow down");
  EXPECT_TRUE(error.retryable);
  EXPECT_TRUE(error.failover);
  EXPECT_FALSE(error.counts_for_breaker);
}

}  // namespace
}  // namespace troupe
