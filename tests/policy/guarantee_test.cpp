// A feature's guarantee is served whatever its calls borrow, and one kind without room holds up no other of
// its tenant (C6, A10).
#include "tests/policy/dispatcher_world.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>

namespace troupe::policy {
namespace {

using namespace std::chrono_literals;
using testing_dispatch::endpoint_at;
using testing_dispatch::usual_policy;
using testing_dispatch::World;

/// Batch work with a guarantee of a hundred tokens a second, at an endpoint that is eight tenths full while
/// interactive work asks: nothing borrowed finds room there, for batch work leaves a quarter with it, and a
/// tenth with what is its own.
struct Lender {
  std::shared_ptr<QuotaTree> tree;
  World world;
  std::vector<std::uint64_t> served;
  std::map<std::uint64_t, std::uint64_t> input_of;

  explicit Lender(double guaranteed_per_minute)
      : tree(shares(guaranteed_per_minute)), world(places(), batch()) {
    world.dispatcher.set_quota_tree(tree);
    auto view = std::make_shared<HealthView>();
    view->in_flight = 8'000;
    view->in_flight_max = 10'000;
    world.dispatcher.set_health(0, view);
  }
  static std::vector<FactsPtr> places() { return {endpoint_at("a")}; }
  static std::shared_ptr<QuotaTree> shares(double guaranteed) {
    QuotaTreePolicy policy{.tokens_per_minute = 1e9};
    policy.features["summary"].guaranteed_tokens_per_minute = guaranteed;
    return std::make_shared<QuotaTree>(policy, Instant{});
  }
  static DispatchPolicy batch() {
    auto policy = usual_policy();
    policy.admission.running_max = 0;
    policy.rules.work_class = WorkClass::batch;
    return policy;
  }
  void answer() {
    while (!world.actions.send.empty())
      for (const auto& order : std::exchange(world.actions.send, {})) {
        served.push_back(order.call);
        AttemptReport report{.id = order.id, .ttft = 1s};
        report.input_tokens = input_of[order.call];
        report.output_tokens = 50;
        world.dispatcher.on_ended(report, world.moment(), world.actions);
      }
  }
  /// 150 tokens each, if not said otherwise.
  void call(std::uint64_t input_tokens = 100, Duration deadline = 10h) {
    auto facts = world.facts(deadline);
    facts.input_tokens = input_of[facts.id] = input_tokens;
    world.dispatcher.on_call(std::move(facts), world.moment(), world.actions);
    answer();
  }
  void pass(Duration span) {
    for (; span > Duration{}; span -= 50ms) {
      tree->take("chat", "t", 1, world.clock.now(), WorkClass::interactive);
      world.pass(50ms);
      answer();
    }
  }
};

TEST(Guarantee, IsServedWhileBorrowersWaitForRoomThatIsKeptFromThem) {  // C6
  Lender lender(6000);
  lender.pass(50ms);
  for (int i = 0; i < 200; ++i) lender.call();
  auto burst = lender.served.size();
  EXPECT_EQ(burst, 4u) << "the bucket of a tenth of a minute";
  lender.pass(60s);
  EXPECT_NEAR(static_cast<double>(lender.served.size() - burst), 40, 2) << "6000 tokens, 150 each";
  EXPECT_TRUE(std::ranges::is_sorted(lender.served)) << "the oldest first";
  Lender nothing(0);
  nothing.pass(50ms);
  for (int i = 0; i < 200; ++i) nothing.call();
  nothing.pass(60s);
  EXPECT_TRUE(nothing.served.empty()) << "without a guarantee there is none to serve";
}

TEST(Guarantee, GoesToALargeCallThoughSmallOnesKeepComing) {  // C6
  Lender lender(6000);
  lender.pass(50ms);
  for (int i = 0; i < 4; ++i) lender.call();
  lender.call(500);
  auto large = lender.world.last_call;
  for (int i = 0; i < 600 && !std::ranges::count(lender.served, large); ++i) {
    lender.call(10);
    lender.pass(50ms);
  }
  EXPECT_TRUE(std::ranges::count(lender.served, large)) << "550 of the 600 tokens a full bucket has";
}

TEST(Guarantee, ManyBorrowersDoNotKeepItFromCallsThatComeLater) {  // C6
  Lender lender(60'000);
  lender.pass(50ms);
  for (int i = 0; i < 100; ++i) lender.call();
  lender.pass(20s);
  ASSERT_EQ(lender.served.size(), 100u) << "40 of the bucket, then 6.7 a second";
  for (int i = 0; i < 20; ++i) lender.call();
  EXPECT_EQ(lender.served.size(), 120u) << "at once";
}

/// Calls of one tenant that may be processed in the one place or the other.
TEST(Guarantee, AKindWithoutRoomHoldsUpNoOtherOfItsTenant) {  // C3
  auto bound = [](const char* name) {
    EndpointFacts facts{.id = name, .provider = name, .region = "r", .model = "sonnet"};
    facts.boundary = name;
    return std::make_shared<const EndpointFacts>(std::move(facts));
  };
  auto policy = usual_policy();
  policy.admission.running_max = 0;
  World world({bound("eu"), bound("us")}, policy);
  auto call_in = [&](const char* boundary) {
    auto facts = world.facts();
    facts.boundary = boundary;
    world.dispatcher.on_call(std::move(facts), world.moment(), world.actions);
  };
  for (int i = 0; i < 500; ++i) {
    call_in("eu");
    while (!world.actions.send.empty())
      for (const auto& order : std::exchange(world.actions.send, {})) world.refused(order.id);
  }
  call_in("us");
  EXPECT_EQ(world.sent().endpoint, 1u);
}

TEST(QuotaTree, ClaimsOfItsGuaranteeWhatItBorrowed) {  // C6
  QuotaTreePolicy policy{.tokens_per_minute = 60'000, .class_room = {1, 1, 1}};
  policy.features["a"].guaranteed_tokens_per_minute = 6000;
  QuotaTree tree(policy, Instant{});
  EXPECT_EQ(tree.take("a", "t", 600, Instant{}).source, QuotaTree::Source::own);
  auto borrowed = tree.take("a", "t", 300, Instant{});
  ASSERT_EQ(borrowed.source, QuotaTree::Source::elsewhere);
  EXPECT_FALSE(tree.take("a", "t", 300, Instant{}, WorkClass::interactive, {.may_borrow = false}));
  EXPECT_FALSE(tree.claim("a", "t", 300, Instant{} + 2s));
  EXPECT_TRUE(tree.claim("a", "t", 300, Instant{} + 3s));
  EXPECT_NEAR(tree.headroom("a", Instant{} + 3s), 0, 1);
  EXPECT_FALSE(tree.claim("b", "t", 1, Instant{})) << "nothing is guaranteed to it";
}

}  // namespace
}  // namespace troupe::policy
