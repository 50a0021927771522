// Rights come from the key a question came under, not from its text (MECHANISMS J4).
#include "actors/desk_principal.hpp"

#include "tests/support/memory_journal.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace troupe::actors {
namespace {

using ::testing::HasSubstr;

class DeskPrincipalTest : public ::testing::Test {
 protected:
  void have_run(const std::string& id, const std::string& input) {
    journal::RunRow row;
    row.run_id = id;
    row.workflow = "research";
    row.input = input;
    ASSERT_TRUE(journal_.claim(row));
  }
  Result<Json> ann_asks(const std::string& verb, Json question) {
    return asked_by("ann", verb, std::move(question), journal_);
  }
  journal::testing::MemoryJournal journal_;
};

TEST_F(DeskPrincipalTest, ASubmissionHasTheRightsOfItsKey) {
  auto plain = ann_asks("submit", {{"workflow", "research"}, {"input", {{"question", "?"}}}});
  ASSERT_TRUE(plain);
  EXPECT_EQ(get_string((*plain)["input"], "principal"), "ann");
  EXPECT_EQ(get_string((*plain)["input"], "question"), "?");
  EXPECT_EQ(get_string((*ann_asks("submit", {{"workflow", "research"}}))["input"], "principal"), "ann");
  EXPECT_TRUE(ann_asks("submit", {{"input", {{"principal", "ann"}}}}));
  auto posing = ann_asks("submit", {{"input", {{"principal", "bob"}}}});
  EXPECT_EQ(posing.error().code, Errc::invalid_input);
  EXPECT_THAT(posing.error().what, HasSubstr("as ann"));
  // What is no object could not carry whose it is, and what is no text would not be read as a name.
  for (auto input : {Json("text"), Json::array({1}), Json(7)})
    EXPECT_FALSE(ann_asks("submit", {{"input", input}}));
  auto odd = ann_asks("submit", {{"input", {{"principal", Json::array({"bob"})}}}});
  EXPECT_TRUE(!odd || get_string((*odd)["input"], "principal") == "ann");
  EXPECT_FALSE(ann_asks("submit", Json::array()));
}

TEST_F(DeskPrincipalTest, OthersRunsAreNotThere) {
  have_run("mine", R"({"principal":"ann"})");
  have_run("bobs", R"({"principal":"bob"})");
  have_run("nobodys", "{}");
  for (auto verb : {"runs.show", "runs.story", "runs.cancel", "runs.signal"}) {
    EXPECT_TRUE(ann_asks(verb, {{"id", "mine"}}));
    for (auto id : {"bobs", "nobodys"}) {
      auto refused = ann_asks(verb, {{"id", id}});
      ASSERT_FALSE(refused) << verb << id;
      EXPECT_EQ(refused.error().code, Errc::not_found);
    }
  }
  // What was accepted and is not recorded yet may be looked at, no more.
  EXPECT_TRUE(ann_asks("runs.show", {{"id", "coming"}}));
  EXPECT_FALSE(ann_asks("runs.cancel", {{"id", "coming"}}));
  EXPECT_FALSE(ann_asks("runs.signal", {{"id", "coming"}}));
  EXPECT_EQ(ann_asks("submit", {{"run_id", "bobs"}}).error().code, Errc::invalid_input);
  EXPECT_TRUE(ann_asks("submit", {{"run_id", "mine"}}));
  for (auto verb : {"runs.list", "runs.export", "runs.prune", "control.stop", "feedback.report", "cost"})
    EXPECT_EQ(ann_asks(verb, {{"id", "mine"}}).error().code, Errc::refused) << verb;
}

TEST(PrincipalOf, IsTheClientsOfThatKeyAndNobodyElses) {
  config::ClusterConfig cluster;
  cluster.client_keys = {std::string(40, 'a')};
  cluster.clients = {{std::string(40, 'b'), "ann"}};
  EXPECT_EQ(principal_of(cluster, "client:bbbbbbbbbbbb#7"), "ann");
  EXPECT_EQ(principal_of(cluster, "client:aaaaaaaaaaaa#7"), std::nullopt);
  EXPECT_EQ(principal_of(cluster, "bbbbbbbbbbbb#7"), std::nullopt);
}

}  // namespace
}  // namespace troupe::actors
