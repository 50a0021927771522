// Stops, flags and their merging over nodes (B8, B9, C15).
#include "runtime/policy/controls.hpp"
#include "runtime/base/rng.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

namespace troupe::policy {
namespace {

constexpr WallTime kNoon{1'700'000'000'000};

Stop stop_of(Subject subject, std::string name, Stamp stamp = {1, "a"}, WallTime until = {}) {
  return {.subject = subject,
          .name = std::move(name),
          .until = until,
          .order = {"anna", "why", kNoon},
          .stamp = std::move(stamp)};
}
Stop start_of(Stop stop) {
  stop.undone = stop.stamp;
  return stop;
}
Controls with(std::initializer_list<Change> changes) {
  Controls controls;
  for (const auto& change : changes) absorb(controls, change);
  return controls;
}
bool same(const Controls& a, const Controls& b) {
  auto same_stop = [](const Stop& x, const Stop& y) {
    return x.subject == y.subject && x.name == y.name && x.stamp == y.stamp && x.undone == y.undone &&
           x.until == y.until;
  };
  auto same_flag = [](const Flag& x, const Flag& y) {
    return x.name == y.name && x.stamp == y.stamp && x.percent == y.percent && x.allow == y.allow;
  };
  return a.epoch == b.epoch && std::ranges::equal(a.stops, b.stops, same_stop) &&
         std::ranges::equal(a.flags, b.flags, same_flag) && digest_of(a) == digest_of(b) &&
         std::ranges::equal(a.shares, b.shares, [](const Share& x, const Share& y) {
           return x.name == y.name && x.share == y.share && x.stamp == y.stamp;
         });
}

TEST(Controls, AStopIsFoundThroughEachOfItsSubjectsAndThroughNoOther) {
  const Target target{"recap", "acme", "large", "east", "aws"};
  EXPECT_EQ(Controls{}.stopped_by(target, kNoon), nullptr);  // without the order everything goes on
  for (auto [subject, name] : {std::pair(Subject::feature, "recap"), std::pair(Subject::tenant, "acme"),
                               std::pair(Subject::model, "large"), std::pair(Subject::endpoint, "east"),
                               std::pair(Subject::provider, "aws")}) {
    auto controls = with({stop_of(subject, name)});
    const auto* found = controls.stopped_by(target, kNoon);
    ASSERT_NE(found, nullptr) << name;
    EXPECT_EQ(found->subject, subject);
    EXPECT_EQ(controls.stopped_by({"other", "other", "other", "other", "other"}, kNoon), nullptr);
    EXPECT_EQ(with({stop_of(subject == Subject::feature ? Subject::model : Subject::feature, name)})
                  .stopped_by(target, kNoon),
              nullptr);
  }
}

TEST(Controls, AStopEndsWithItsTimeOrWithAStartThatHasSeenIt) {
  auto stop = stop_of(Subject::model, "large", {1, "a"}, {kNoon.ms + 1000});
  EXPECT_TRUE(stop.holds({kNoon.ms + 999}));
  EXPECT_FALSE(stop.holds({kNoon.ms + 1000}));
  stop.until = {};
  EXPECT_TRUE(stop.holds({kNoon.ms + 1'000'000'000}));
  auto controls = with({stop, start_of(stop)});
  EXPECT_EQ(controls.stopped(Subject::model, "large", kNoon), nullptr);
}

TEST(Controls, AStartNeverUndoesAStopItsWriterHadNotSeen) {
  auto seen = stop_of(Subject::model, "large", {8, "b"});
  // Node b starts it again while another stops it anew, not knowing, with an older or a newer epoch.
  auto start = start_of(seen);
  for (auto stamp : {Stamp{2, "a"}, Stamp{9, "b"}, Stamp{9, "c"}}) {
    auto concurrent = stop_of(Subject::model, "large", stamp);
    for (const auto& controls :
         {with({seen, start, concurrent}), with({seen, concurrent, start}), with({start, concurrent, seen})})
      EXPECT_NE(controls.stopped(Subject::model, "large", kNoon), nullptr) << stamp.epoch << stamp.node;
  }
}

TEST(Controls, WhoHasSeenAllStopsUndoesThemAll) {
  auto controls =
      with({stop_of(Subject::model, "large", {8, "b"}), stop_of(Subject::model, "large", {1, "a"})});
  auto starts = starts_for(controls, Subject::model, "large", {"bob", "mended", kNoon});
  EXPECT_EQ(starts.size(), 2u);
  for (const auto& each : starts) absorb(controls, each);
  EXPECT_EQ(controls.stopped(Subject::model, "large", kNoon), nullptr);
  EXPECT_EQ(controls.stops[0].undone_by.who, "bob");
  EXPECT_TRUE(starts_for(controls, Subject::model, "large", {}).empty());
}

TEST(Controls, TheDigestIsThatOfTheOrdersAndOfNothingElse) {
  auto a = stop_of(Subject::model, "x", {1, "a"}), b = stop_of(Subject::model, "y", {2, "b"});
  auto left = with({a, b}), right = with({b, a});
  right.fresh_until = {};
  EXPECT_EQ(digest_of(left), digest_of(right));
  absorb(right, start_of(a));
  EXPECT_NE(digest_of(left), digest_of(right));
}

TEST(Controls, AShareIsTheLastWritersAndTheSmallerOfTwo) {
  Share five{.name = "r", .share = 0.05, .order = {"home", "", kNoon}, .stamp = {1, "a"}}, ten = five;
  ten.share = 0.1;
  EXPECT_EQ(with({five, ten}).share_of("r")->share, 0.05);
  EXPECT_EQ(with({ten, five}).share_of("r")->share, 0.05);
  ten.stamp = {2, "a"};
  EXPECT_EQ(with({ten, five}).share_of("r")->share, 0.1);
  EXPECT_EQ(with({}).share_of("r"), nullptr);
  ten.share = 1.5;
  EXPECT_TRUE(validate(ten));
}

TEST(Controls, TheEmergencyStopOfAFlagOutlivesLaterChangesOfItsShare) {
  Flag all{.name = "new-prompt", .percent = 100, .stamp = {1, "a"}};
  auto later = all;
  later.stamp = {9, "b"};
  Unit unit{"acme", "fred"};
  EXPECT_TRUE(with({all, later}).flag_on("new-prompt", unit, kNoon));
  EXPECT_FALSE(
      with({all, stop_of(Subject::flag, "new-prompt", {2, "a"}), later}).flag_on("new-prompt", unit, kNoon));
}

TEST(Controls, AFlagListsTenantsAndDenyingWins) {
  Flag flag{.name = "f", .percent = 0, .allow = {"acme", "both"}, .deny = {"both"}, .stamp = {1, "a"}};
  auto controls = with({flag});
  EXPECT_TRUE(controls.flag_on("f", {"acme", ""}, kNoon));
  EXPECT_FALSE(controls.flag_on("f", {"both", ""}, kNoon));
  EXPECT_FALSE(controls.flag_on("f", {"other", ""}, kNoon));
  EXPECT_FALSE(controls.flag_on("unknown", {"acme", ""}, kNoon));
}

Change random_change(Rng& rng) {
  static const char* const nodes[] = {"a", "b", "c"};
  static const char* const names[] = {"x", "y", "z"};
  Stamp stamp{rng.below(6) + 1, nodes[rng.below(3)]};
  std::string name = names[rng.below(3)];
  auto kind = rng.below(3);
  if (kind == 2)
    return Share{
        .name = std::move(name), .share = 0.1 * static_cast<double>(rng.below(3)), .stamp = std::move(stamp)};
  if (kind == 1) {
    auto percent = static_cast<double>(stamp.epoch * 10 + static_cast<std::uint64_t>(stamp.node[0] - 'a'));
    return Flag{.name = std::move(name), .percent = percent, .stamp = std::move(stamp)};
  }
  auto stop = stop_of(rng.below(2) == 0 ? Subject::model : Subject::flag, std::move(name), stamp);
  return rng.below(3) == 0 ? start_of(stop) : stop;
}

// The laws that let nodes gossip in any order, with losses and repetitions.
TEST(Controls, AnyOrderAndAnyRepetitionOfChangesEndsInTheSameSnapshot) {
  Rng rng(5);
  for (int round = 0; round < 2000; ++round) {
    std::vector<Change> changes;
    for (int i = 0; i < 12; ++i) changes.push_back(random_change(rng));
    Controls left, right, both;
    for (std::size_t i = 0; i < changes.size(); ++i) absorb(i % 2 == 0 ? left : right, changes[i]);
    for (const auto& change : changes) absorb(both, change);
    std::ranges::reverse(changes);
    Controls reversed;
    for (const auto& change : changes) absorb(reversed, change);
    for (const auto& change : changes) absorb(reversed, change);
    ASSERT_TRUE(same(both, reversed)) << round;
    ASSERT_TRUE(same(both, merge(left, right))) << round;
    ASSERT_TRUE(same(both, merge(right, left))) << round;
    ASSERT_TRUE(same(both, merge(both, both))) << round;
  }
}

TEST(Controls, AWriterStampsAboveEverythingItHasSeen) {
  auto controls = with({stop_of(Subject::model, "x", {7, "b"})});
  EXPECT_TRUE(newer(next_stamp(controls, "a"), {7, "b"}));
  EXPECT_TRUE(newer({7, "b"}, {7, "a"}));
}

TEST(Controls, WhatIsTooLongOrTooManyIsRefused) {
  EXPECT_TRUE(validate(stop_of(Subject::model, "")));
  EXPECT_FALSE(validate(stop_of(Subject::model, std::string(kControlTextMax, 'x'))));
  EXPECT_TRUE(validate(stop_of(Subject::model, std::string(kControlTextMax + 1, 'x'))));
  EXPECT_TRUE(validate(Flag{.name = "f", .percent = 101}));
  EXPECT_TRUE(validate(Flag{.name = "f", .percent = std::nan("")}));
  EXPECT_TRUE(validate(Flag{.name = "f", .allow = std::vector<std::string>(kFlagTenantsMax + 1)}));
  Controls controls;
  for (std::size_t i = 0; i < kControlsMax; ++i)
    ASSERT_TRUE(absorb(controls, stop_of(Subject::model, "m" + std::to_string(i))));
  EXPECT_FALSE(absorb(controls, stop_of(Subject::model, "one more")));
}

// ---- sign-offs (B4, D10) ----

constexpr WallTime kExpiry{kNoon.ms + 1000};

Controls signed_controls() {
  Controls controls;
  controls.sign_offs.add(Checklist{"customer", {"legal", "security"}, {"legal"}});
  controls.sign_offs.add(SignOff{Signed::provider, "aws", "legal", {}, kExpiry, {}});
  controls.sign_offs.add(SignOff{Signed::provider, "aws", "security", {"customer"}, {}, {}});
  controls.sign_offs.add(SignOff{Signed::model, "large", "legal", {}, {}, {}});
  return controls;
}
const Target kSigned{.model = "large", .endpoint = "east", .provider = "aws"};

TEST(SignOffs, AllItemsOfTheChecklistMustHoldForTheData) {
  auto controls = signed_controls();
  EXPECT_FALSE(controls.missing_sign_off(kSigned, "customer", kNoon));
  EXPECT_FALSE(controls.missing_sign_off({.model = "any", .provider = "any"}, "", kNoon));
  auto missing =
      controls.missing_sign_off({.model = "large", .endpoint = "west", .provider = "gcp"}, "customer", kNoon);
  ASSERT_TRUE(missing);
  EXPECT_EQ(to_text(*missing, "customer"), "provider gcp has no legal sign-off for customer data");
  missing =
      controls.missing_sign_off({.model = "new", .endpoint = "east", .provider = "aws"}, "customer", kNoon);
  ASSERT_TRUE(missing);
  EXPECT_EQ(missing->of, Signed::model);
  // What nobody wrote a checklist for is nobody's to see.
  EXPECT_TRUE(controls.missing_sign_off(kSigned, "secret", kNoon));
}

TEST(SignOffs, OneThatRanOutOrWasRevokedIsMissingFromThenOn) {
  auto controls = signed_controls();
  auto expired = controls.missing_sign_off(kSigned, "customer", kExpiry);
  ASSERT_TRUE(expired);
  EXPECT_EQ(expired->expired, kExpiry);
  ASSERT_TRUE(absorb(controls, stop_of(Subject::sign_off, "security:provider:aws")));
  auto revoked = controls.missing_sign_off(kSigned, "customer", kNoon);
  ASSERT_TRUE(revoked);
  EXPECT_TRUE(revoked->revoked);
  EXPECT_EQ(revoked->kind, "security");
}

// Every combination of given, expired, of other data and absent, over every item, against the definition.
TEST(SignOffs, AgreeWithTheirDefinitionOverAllCombinations) {
  for (int code = 0; code < 4 * 4 * 4 * 4; ++code) {
    Controls controls;
    controls.sign_offs.add(Checklist{"customer", {"legal", "fedramp"}, {"legal"}});
    const SignOff items[] = {{Signed::provider, "aws", "legal", {}, {}, {}},
                             {Signed::provider, "aws", "fedramp", {}, {}, {}},
                             {Signed::endpoint, "east", "fedramp", {}, {}, {}},
                             {Signed::model, "large", "legal", {}, {}, {}}};
    bool good[4];
    for (int i = 0, rest = code; i < 4; ++i, rest /= 4) {
      auto item = items[i];
      if (rest % 4 == 1) item.expires = {kNoon.ms - 1};
      if (rest % 4 == 2) item.data_classes = {"internal"};
      if (rest % 4 != 3) controls.sign_offs.add(item);
      good[i] = rest % 4 == 0;
    }
    bool allowed = good[0] && (good[1] || good[2]) && good[3];
    EXPECT_EQ(!controls.missing_sign_off(kSigned, "customer", kNoon), allowed) << code;
  }
}

}  // namespace
}  // namespace troupe::policy
