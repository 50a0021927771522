// What people see of Slack's markup, and which entries of a day file are talk.
#include "agents/slack/render.hpp"

#include "agents/slack/day_file.hpp"

#include "tests/agents/export_fixture.hpp"

#include <gtest/gtest.h>

namespace troupe::slack {
namespace {

using test::array;
using test::message;

std::string render(std::string_view text) {
  return render_text(text, {.user = [](std::string_view id) { return id == "U1" ? "Ann" : ""; },
                            .channel = [](std::string_view id) { return id == "C1" ? "general" : ""; }});
}

TEST(RenderText, NamesPeopleAndChannels) {
  EXPECT_EQ(render("<@U1>’s idea in <#C1|old-name>, ask <@U9|zoe> or <@U9>"),
            "@Ann’s idea in #general, ask @zoe or @U9");
  EXPECT_EQ(render("<#C9|lobby> <#C9>"), "#lobby #C9");
}

TEST(RenderText, SpellsOutGroupsAndDates) {
  EXPECT_EQ(render("<!here> <!channel> <!everyone|everyone> <!subteam^S1|@ops>"),
            "@here @channel everyone @ops");
  EXPECT_EQ(render("<!date^1392734382^{date}|Feb 18, 2014>"), "Feb 18, 2014");
}

TEST(RenderText, ShowsLinksOnce) {
  EXPECT_EQ(render("<https://a.io/x?a=1&amp;b=2|the docs>"), "the docs (https://a.io/x?a=1&b=2)");
  EXPECT_EQ(render("<https://a.io> <http://a.io|a.io> <mailto:x@a.io|x@a.io>"), "https://a.io a.io x@a.io");
}

TEST(RenderText, DecodesEachEntityOnce) {
  EXPECT_EQ(render("a &lt; b &amp;&amp; b &gt; c &amp;lt; &copy; &"), "a < b && b > c &lt; &copy; &");
}

TEST(RenderText, LeavesWhatIsNoMarkup) {
  EXPECT_EQ(render("x <- f y; a < b > c <div> <> <@> <"), "x <- f y; a < b > c <div> <> <@> <");
  EXPECT_EQ(render(":tada: *bold* `x`"), ":tada: *bold* `x`");
}

TEST(RenderText, DropsControlCharacters) {
  EXPECT_EQ(render(std::string_view("a\0b\x1b[31mc\r\n\td", 13)), "ab[31mc\n\td");
}

TEST(CleanName, IsOneShortLine) {
  EXPECT_EQ(clean_name("  eve\n[9.9]\tsystem: "), "eve [9.9] system:");
  EXPECT_EQ(clean_name(std::string(79, 'a') + "é"), std::string(79, 'a'));
}

ChannelDay read(const std::vector<std::string>& elements) {
  std::vector<Problem> problems;
  Roster roster;
  roster.users["U1"] = {.id = "U1", .name = "Ann"};
  DayText text{.channel = "c", .date = "2019-03-05", .file = "c/2019-03-05.json", .text = array(elements)};
  auto day = read_day(text, roster, problems);
  EXPECT_TRUE(day);
  EXPECT_TRUE(problems.empty());
  return std::move(*day);
}

TEST(ReadDay, CountsNoiseLeavesOutTheDeletedAndKeepsTheEmpty) {
  auto day = read({message("U1", "1.000001", "<@U1> has joined", R"(,"subtype":"channel_join")"),
                   message("U1", "1.000002", "new topic", R"(,"subtype":"channel_topic")"),
                   message("U1", "1.000003", ""),
                   message("USLACKBOT", "1.000004", "This message was deleted.", R"(,"subtype":"tombstone")"),
                   message("U1", "1.000005", "waves", R"(,"subtype":"me_message")")});
  EXPECT_EQ(day.noise, 2u);
  ASSERT_EQ(day.messages.size(), 2u);
  EXPECT_EQ(day.messages[0].text, "");
  EXPECT_EQ(day.messages[1].text, "waves");
}

TEST(ReadDay, KeepsThreadAndEditMarks) {
  auto day =
      read({message("U1", "1.000001", "q", R"(,"thread_ts":"1.000001","reply_count":1)"),
            message("U1", "1.000002", "a", R"(,"thread_ts":"1.000001","edited":{"user":"U1","ts":"2.0"})"),
            message("U1", "1.000003", "b", R"(,"thread_ts":"no ts")")});
  ASSERT_EQ(day.messages.size(), 3u);
  EXPECT_EQ(day.messages[0].thread_ts, "1.000001");
  EXPECT_FALSE(day.messages[0].edited);
  EXPECT_EQ(day.messages[1].thread_ts, "1.000001");
  EXPECT_TRUE(day.messages[1].edited);
  EXPECT_EQ(day.messages[2].thread_ts, "");
}

TEST(ReadDay, HearsBotsThatSpeakInAttachments) {
  auto day =
      read({R"({"type":"message","subtype":"bot_message","bot_id":"B1","username":"alerts","ts":"1.000001",
                      "text":"","attachments":[{"fallback":"f","title":"CPU","text":"92 %"}]})",
            R"({"type":"message","user":"U7","user_profile":{"display_name":"Guest"},"ts":"1.000002",
                      "text":"look","files":[{"title":"plan.pdf"},{"name":"b.png"}]})"});
  ASSERT_EQ(day.messages.size(), 2u);
  EXPECT_TRUE(day.messages[0].bot);
  EXPECT_EQ(day.messages[0].user, "alerts");
  EXPECT_EQ(day.messages[0].text, "CPU\n92 %");
  EXPECT_EQ(day.messages[1].user, "Guest");
  EXPECT_EQ(day.messages[1].text, "look\n[file: plan.pdf]");
}

TEST(TsMicros, ReadsOnlyWhatSlackWrites) {
  EXPECT_EQ(ts_micros("1551757500.444300"), 1551757500444300);
  EXPECT_EQ(ts_micros("1551757500"), 1551757500000000);
  for (std::string bad : {"", ".", ".5", "1.0000001", "-1.0", "1e9", "123456789012.0", "1.0 ", "1.0.0"}) {
    EXPECT_FALSE(ts_micros(bad)) << bad;
  }
}

}  // namespace
}  // namespace troupe::slack
