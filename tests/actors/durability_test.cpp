// Which durability class a run gets, that it keeps it and gives it to its children, and that its commits are
// of that class: on a disk that counts its syncs.
#include <troupe/node.hpp>

#include "tests/actors/host_world.hpp"
#include "tests/support/faulty_vfs.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>

namespace troupe::actors::testing {
namespace {

using ::testing::HasSubstr;

class DurabilityTest : public HostTest {
 protected:
  void SetUp() override {
    HostTest::SetUp();
    add_flow(Durability::unsaid);
  }
  void add_flow(Durability durability) {
    WorkflowType type{"flow", [](Workflow&, JsonText input) -> Task<Result<JsonText>> { co_return input; }};
    types_ = {type};
    host_->add(type, durability);
  }
  /// A new run of "flow" is recorded as this.
  Durability recorded(Durability asked = Durability::unsaid) {
    RunSpec spec{"flow", {"{}"}, fmt::format("run-{}", ++runs_)};
    spec.durability = asked;
    auto id = host_->submit(std::move(spec), {});
    EXPECT_TRUE(id);
    settle();
    return id ? journal_.run(*id).value()->durability : Durability::unsaid;
  }
  int runs_ = 0;
};

TEST_F(DurabilityTest, TheNearestWordCounts) {
  EXPECT_EQ(recorded(), Durability::power) << "nobody said";
  durability_ = {{"flow", Durability::crash}, {"other", Durability::power}};
  new_process();
  EXPECT_EQ(recorded(), Durability::crash) << "the configuration did";
  add_flow(Durability::power);
  EXPECT_EQ(recorded(), Durability::power) << "its file goes before that";
  EXPECT_EQ(recorded(Durability::crash), Durability::crash) << "and whoever asked before both";
}

TEST_F(DurabilityTest, AStoreThatNeverWaitsSaysSo) {
  power_safe_ = false;
  new_process();
  EXPECT_EQ(recorded(), Durability::crash);
  add_flow(Durability::power);
  EXPECT_EQ(recorded(), Durability::crash) << "a habit is overruled";
  RunSpec spec{"flow", {"{}"}, "asked"};
  spec.durability = Durability::power;
  auto refused = host_->submit(std::move(spec), {});
  ASSERT_FALSE(refused) << "a wish is not";
  EXPECT_THAT(refused.error().what, HasSubstr("power_safe: false"));
}

TEST_F(DurabilityTest, AResumedRunKeepsItsClassAndChildrenHaveIt) {
  add("parent", [](Workflow& wf, JsonText) -> Task<Result<JsonText>> {
    auto going = wf.child({"part", ""}, {"flow", {"{}"}, {}});
    auto end = co_await going;
    if (!end) co_return std::unexpected(end.error());
    co_return end->output;
  });
  RunSpec spec{"parent", {"{}"}, "tree"};
  spec.durability = Durability::crash;
  ASSERT_TRUE(host_->submit(spec, {}));
  run();
  new_process();
  spec.durability = Durability::power;
  ASSERT_TRUE(host_->submit(spec, {}));
  settle();
  EXPECT_EQ(journal_.run("tree").value()->state, journal::RunState::done);
  EXPECT_EQ(journal_.run("tree").value()->durability, Durability::crash);
  auto children = journal_.children("tree").value();
  ASSERT_EQ(children.size(), 1u);
  EXPECT_EQ(children[0].durability, Durability::crash);
}

// ---- a whole node ----

class DurabilityNodeTest : public ::testing::Test {
 protected:
  DurabilityNodeTest() {
    std::string pattern = (std::filesystem::temp_directory_path() / "troupe_durability_XXXXXX").string();
    folder_ = ::mkdtemp(pattern.data());
    troupe::testing::FaultyVfs::install();
    disk_.emplace(folder_);
    start();
  }
  ~DurabilityNodeTest() override {
    node_.reset();
    disk_.reset();
    std::filesystem::remove_all(folder_);
  }
  void start() {
    std::ofstream(folder_ / "filed.yaml")
        << "workflow: filed\ndurability: power\nsteps:\n  - {id: a, value: 1}\n";
    std::ofstream(folder_ / "node.yaml") << fmt::format(
        "node: {{id: n, state_dir: {0}}}\nstore: {{durability: {{steps: crash, filed: crash}}}}\n"
        "workflows: [{0}/filed.yaml]\n",
        folder_.string());
    auto node = Node::start(Config::load((folder_ / "node.yaml").string()).value());
    ASSERT_TRUE(node) << node.error().what;
    node_ = std::move(*node);
    node_->add_workflow("steps", [](Workflow& wf, JsonText) -> Task<Result<JsonText>> {
      for (std::uint64_t i = 0; i < kSteps; ++i) {
        std::function<Result<JsonText>()> body = [] { return Result<JsonText>(JsonText{"1"}); };
        auto step = wf.step({"step", std::to_string(i)}, std::move(body));
        (void)co_await step;
      }
      co_return JsonText{"{}"};
    });
  }
  std::uint64_t syncs_of_run(Durability durability) {
    RunSpec spec;
    spec.workflow = "steps";
    spec.durability = durability;
    auto before = disk_->counts().syncs;
    EXPECT_EQ(node_->run(std::move(spec)).end, RunEnd::done);
    return disk_->counts().syncs - before;
  }

  static constexpr std::uint64_t kSteps = 40;
  std::filesystem::path folder_;
  std::optional<troupe::testing::FaultyDisk> disk_;
  std::unique_ptr<Node> node_;
};

TEST_F(DurabilityNodeTest, EachStepOfAPowerRunIsSyncedAndNoneOfACrashRun) {
  EXPECT_GE(syncs_of_run(Durability::power), kSteps);
  // The node may write something of its own meanwhile.
  EXPECT_LT(syncs_of_run(Durability::crash), kSteps / 4);
  EXPECT_LT(syncs_of_run(Durability::unsaid), kSteps / 4) << "by the configuration";
}

TEST_F(DurabilityNodeTest, AFileOfANodeGoesBeforeTheConfiguration) {
  RunSpec spec;
  spec.workflow = "filed";
  spec.run_id = "f";
  EXPECT_EQ(node_->run(std::move(spec)).end, RunEnd::done);
  auto shown = node_->ask("runs.show", {R"({"id": "f"})"});
  ASSERT_TRUE(shown) << shown.error().what;
  EXPECT_THAT(shown->text, ::testing::HasSubstr(R"("durability":"power")"));
}

}  // namespace
}  // namespace troupe::actors::testing
