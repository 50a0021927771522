// Who shares a digest with whom, and what of a night outlives a change (J4, J5, J7, K7).
#include "agents/recap_night/export_world.hpp"
#include "agents/recap_night/joining.hpp"
#include "agents/recap_night/night_times.hpp"
#include "agents/recap_night/zone_plan.hpp"
#include "runtime/base/rng.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <set>

namespace troupe::recap_night {
namespace {

/// One evening, by hand.
class Evening final : public NightSource {
 public:
  std::string workspace() const override { return "w"; }
  Result<std::vector<std::string>> readers(const std::string&) override {
    std::vector<std::string> out;
    for (const auto& [id, reader] : people) out.push_back(id);
    return out;
  }
  Reader reader(const std::string& id) override { return people.contains(id) ? people.at(id) : Reader{}; }
  bool allowed(const std::string& channel) override { return !closed.contains(channel); }
  std::string edition(const std::string&, const std::string&) override { return "e"; }
  Result<slack::ChannelDay> read(const std::string&, const std::string&) override {
    return fail(Errc::not_found, "");
  }
  bool stands(const SourceMessage& source) override { return !gone.contains(source.ts); }

  std::map<std::string, Reader> people;
  std::set<std::string> closed, gone;
};

constexpr const char* kDay = "2026-11-23";

Item item(const std::string& channel, const std::string& ts) {
  return {"topic", "said in " + channel + " at " + ts, {{channel, kDay, ts, "m"}}};
}

KnownDays known_of(const std::set<std::string>& channels) {
  KnownDays out;
  for (const auto& channel : channels) {
    std::vector<Item> items;
    for (int hour = 1; hour < 24; hour += 4)
      items.push_back(item(channel, std::to_string(end_of("2026-11-22").ms / 1000 + hour * 3600)));
    out[{channel, kDay, "e"}] = {"run of " + channel, std::move(items)};
  }
  return out;
}

ReadersBatch batch_over(const std::set<std::string>& channels, std::vector<std::string> users) {
  ReadersBatch out{std::move(users), {}};
  for (const auto& channel : channels) out.days.push_back({channel, kDay, "e"});
  return out;
}

TEST(NightPlan, GivesAReaderWhatAWorkspaceStrippedToHisViewWouldGive) {
  const std::vector<std::string> names{"a", "b", "c", "d", "e", "f"};
  const std::set<std::string> all(names.begin(), names.end());
  Rng rng(3);
  for (int round = 0; round < 1000; ++round) {
    Evening evening;
    for (const char* id : {"u1", "u2", "u3", "u4"}) {
      Reader reader{
          true, {}, {end_of("2026-11-22").ms + static_cast<std::int64_t>(rng.below(3)) * 28'800'000}};
      for (const auto& name : names)
        if (rng.below(2) == 0) reader.channels.push_back(name);
      evening.people[id] = std::move(reader);
    }
    auto together = group_readers(evening, batch_over(all, {"u1", "u2", "u3", "u4"}), known_of(all));
    for (const auto& group : together)
      for (const auto& user : group.users) {
        const auto& own = evening.people[user].channels;
        std::set<std::string> view(own.begin(), own.end());
        auto alone = group_readers(evening, batch_over(view, {user}), known_of(view));
        ASSERT_EQ(alone.size(), 1u);
        ASSERT_EQ(alone[0].picked, group.picked) << "round " << round << " " << user;
      }
  }
}

TEST(NightPlan, SharesADigestOnlyBetweenThoseWhoReadTheSamePoints) {
  Evening evening;
  auto since = end_of("2026-11-22");
  evening.people = {{"u1", {true, {"a", "b"}, since}},
                    {"u2", {true, {"a", "b"}, since}},
                    {"u3", {true, {"a"}, since}},
                    {"u4", {true, {"a", "b"}, {since.ms + 12 * 3'600'000}}},
                    {"u5", {false, {"a", "b"}, since}}};
  std::vector<std::string> users{"u1", "u2", "u3", "u4", "u5"};
  auto groups = group_readers(evening, batch_over({"a", "b"}, users), known_of({"a", "b"}));
  ASSERT_EQ(groups.size(), 3u);
  std::set<std::vector<std::string>> together;
  for (const auto& group : groups) together.insert(group.users);
  EXPECT_TRUE(together.contains({"u1", "u2"}));
  std::set<std::string> runs;
  auto times = times_between({0}, {1000}, kDay);
  for (const auto& group : groups) runs.insert(digest_run(Json::object(), "w", group.picked, times).run_id);
  EXPECT_EQ(runs.size(), 3u);
}

TEST(NightPlan, NamesTheChannelsThatWereNotReadyAndSkipsWhatIsClosed) {
  Evening evening;
  evening.people = {{"u1", {true, {"a", "b", "c"}, end_of("2026-11-22")}}};
  evening.closed = {"c"};
  auto groups = group_readers(evening, batch_over({"a", "b", "c"}, {"u1"}), known_of({"a", "c"}));
  ASSERT_EQ(groups.size(), 1u);
  EXPECT_EQ(groups[0].missing, std::vector<std::string>{"b"});
  ASSERT_EQ(groups[0].picked.size(), 1u);
  EXPECT_EQ(groups[0].picked[0].run_id, "run of a");
}

TEST(StillShown, LeavesOutWhatWasDeletedOrMayNotBeReadAnyMore) {
  Evening evening;
  evening.people = {{"u1", {true, {"a", "b"}, {}}}};
  Letter letter{
      "k", "u1", kDay, {item("a", "1"), item("a", "2"), item("b", "3"), item("c", "4")}, {"b", "c"}};
  letter.items[0].sources.push_back({"b", kDay, "9", "m"});
  EXPECT_EQ(still_shown(letter, evening).items.size(), 3u);
  evening.gone = {"9"};
  auto shown = still_shown(letter, evening);
  ASSERT_EQ(shown.items.size(), 2u);
  EXPECT_EQ(shown.items[0], item("a", "2"));
  evening.people["u1"].channels = {"a"};
  EXPECT_EQ(still_shown(letter, evening).items.size(), 1u);
  EXPECT_TRUE(still_shown(letter, evening).missing.empty());
}

TEST(NightTimes, GivesANightThatBeginsTooLateAnHour) {
  auto asked = *parse_json(R"({"zone":"Europe/Berlin","date":"2026-11-24"})");
  auto begun = WallTime{end_of(kDay).ms + 3'600'000};
  auto times = times_of(asked, begun);
  if (!times) GTEST_SKIP() << "there is no time zone database here: " << times.error().what;
  EXPECT_EQ(times->due.ms, end_of(kDay).ms + 5 * 3'600'000);
  EXPECT_EQ(times->last, kDay);
  EXPECT_LT(times->days_by, times->digests_by);
  EXPECT_LT(times->digests_by, times->due);
  WallTime late{begun.ms + 20 * 3'600'000};
  EXPECT_EQ(times_of(asked, late)->due.ms, late.ms + 3'600'000);
  EXPECT_FALSE(times_of(*parse_json(R"({"date":"2026-02-30"})"), begun));
  EXPECT_FALSE(times_of(*parse_json(R"({"date":"2026-11-24","zone":"../etc"})"), begun));
}

TEST(ExportWorld, KeepsOneRecapForEachReaderAndDate) {
  auto folder = std::filesystem::temp_directory_path() / ("troupe-recaps-" + std::to_string(::getpid()));
  Json input;
  input["input"] = std::string(TROUPE_SOURCE_DIR) + "/examples/workspace";
  input["recaps"] = folder.string();
  auto world = open_export_world(input);
  ASSERT_TRUE(world) << world.error().what;
  auto readers = world->source->readers("UTC");
  ASSERT_TRUE(readers);
  ASSERT_FALSE(readers->empty());
  const auto& user = readers->front();
  EXPECT_TRUE(world->source->reader(user).opted_in);
  EXPECT_FALSE(world->source->reader(user).channels.empty());
  EXPECT_FALSE(world->source->edition("engineering", "2026-03-10").empty());
  Letter letter{"k", user, "2026-03-13", {item("a", "1")}, {}, false, end_of("2026-03-12")};
  EXPECT_TRUE(*world->mailbox->put(letter));
  EXPECT_FALSE(*world->mailbox->put(letter));
  EXPECT_EQ(world->source->reader(user).since, end_of("2026-03-12"));
  letter.date = "2026-03-14";
  EXPECT_TRUE(*world->mailbox->put(letter));
  EXPECT_TRUE(std::filesystem::exists(folder / (user + ".md")));
  std::filesystem::remove_all(folder);
  input["people"] = "/nowhere.json";
  EXPECT_EQ(open_export_world(input).error().code, Errc::input_missing);
}

}  // namespace
}  // namespace troupe::recap_night
