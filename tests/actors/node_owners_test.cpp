// Two nodes whose files are not changed at the same moment: an endpoint that moves is served by one (F14).
#include "tests/actors/node_world.hpp"

namespace troupe::actors::testing {
namespace {

/// The large model's endpoint is to move from `b` to `a`.
class NodeOwnersTest : public TwoNodesTest {
 protected:
  static bool serves(Node& node, const std::string& id) {
    auto line = line_of(node, "l");
    return get_string(line, "home") == id && get_string(line, "state") == "closed" &&
           get_bool(line, "reachable", true);
  }
  /// Who serves it now. Who lets it go is asked last: if it still serves then, it did when the other was
  /// asked.
  std::string serving() {
    bool a = serves(*a_, "a");
    bool b = serves(*b_, "b");
    both_ += a && b;
    return std::string(a ? "a" : "") + (b ? "b" : "");
  }
  bool comes_to(const std::string& whom) {
    return eventually([&] { return serving() == whom; });
  }
  int both_ = 0;
};

TEST_F(NodeOwnersTest, MovesWhenTheNodeThatGetsItIsToldFirst) {
  ASSERT_TRUE(comes_to("b"));
  ASSERT_TRUE(reload(*a_, a_with_large_on("a")));
  // Until its cast has followed, what it knows of b's endpoint looks like its own.
  ASSERT_TRUE(comes_to("b"));
  both_ = 0;
  for (int looks = 0; looks < 300; ++looks) ASSERT_EQ(serving(), "b") << "b's file still says so";
  ASSERT_TRUE(reload(*b_, b_with_large_on("a")));
  EXPECT_TRUE(comes_to("a"));
  EXPECT_EQ(both_, 0);
  EXPECT_TRUE(eventually([&] { return leads(*b_, "recap") == "large"; })) << "b asks a for it";
}

TEST_F(NodeOwnersTest, MovesWhenTheNodeThatLosesItIsToldFirst) {
  ASSERT_TRUE(comes_to("b"));
  ASSERT_TRUE(reload(*b_, b_with_large_on("a")));
  EXPECT_TRUE(comes_to("")) << "a does not know yet that it is its own";
  ASSERT_TRUE(reload(*a_, a_with_large_on("a")));
  EXPECT_TRUE(comes_to("a"));
  EXPECT_EQ(both_, 0);
}

TEST_F(NodeOwnersTest, OneThatDiedDoesNotKeepItFromTheOther) {
  ASSERT_TRUE(comes_to("b"));
  ASSERT_TRUE(reload(*a_, a_with_large_on("a")));
  b_->stop();
  EXPECT_TRUE(eventually([&] { return serves(*a_, "a"); }));
}

}  // namespace
}  // namespace troupe::actors::testing
