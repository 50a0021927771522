// What a node forgets by itself: runs that ended longer ago than it is told to keep them.
#include "tests/actors/host_world.hpp"

namespace troupe::actors::testing {
namespace {

class RunRetentionTest : public HostTest {
 protected:
  void end_three() {
    add("flow", [](Workflow&, JsonText) -> Task<Result<JsonText>> { co_return JsonText{"{}"}; });
    for (auto id : {"a", "b", "c"}) submit("flow", id);
    settle();
  }
  std::size_t known() { return journal_.runs(99, {})->size(); }
};

TEST_F(RunRetentionTest, ForgetsWhatEndedLongerAgoInSlices) {
  retention_ = 1h;
  new_process();
  end_three();
  clock_.pass(59min);
  EXPECT_FALSE(host_->forget_old());
  EXPECT_EQ(known(), 3u);
  clock_.pass(2min);
  // The journal in memory has slices of one.
  for (std::size_t left = 3; left > 0; --left) {
    EXPECT_EQ(known(), left);
    EXPECT_TRUE(host_->forget_old());
  }
  EXPECT_EQ(known(), 0u);
  EXPECT_FALSE(host_->forget_old());
}

TEST_F(RunRetentionTest, IsOffByDefault) {
  end_three();
  clock_.pass(24h * 3650);
  EXPECT_FALSE(host_->forget_old());
  EXPECT_EQ(known(), 3u);
}

}  // namespace
}  // namespace troupe::actors::testing
