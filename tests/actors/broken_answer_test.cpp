// Calls whose answer breaks off while someone reads it (C12).
#include "tests/actors/queue_world.hpp"

namespace troupe::actors::testing {
namespace {

class ReadingSink final : public StreamSink {
 public:
  void on_events(std::span<const StreamEvent> events) override {
    for (const auto& event : events) {
      if (const auto* delta = std::get_if<TextDelta>(&event)) text += delta->text;
      whole = whole || std::holds_alternative<StreamStopped>(event);
    }
  }
  void on_taken_back() override {
    ++taken_back;
    text.clear();
  }
  std::string text;
  int taken_back = 0;
  bool whole = false;
};

/// The newest attempt at `id` says `text` and breaks off.
std::shared_ptr<AttemptResult> break_off(const std::string& id, const RunAttempt& order,
                                         const std::string& text) {
  order.sink->on_events(std::vector<StreamEvent>{StreamStarted{"m"}, TextDelta{text}});
  auto broken = failed(id, order, Errc::stream_broken);
  broken->content_seen = true;
  return broken;
}

TEST_F(QueueTest, SurfacesAnErrorRatherThanRepeatTextAlreadyShown) {
  config_.after_first_token = policy::AfterFirstToken::error;
  add("a"), add("b"), open();
  behave("b", std::nullopt);
  auto asked = ask(question("hello"), std::make_shared<SilentSink>());
  end_newest("a", break_off("a", orders("a").back(), "from"));
  EXPECT_EQ(asked->error(), Errc::stream_broken);  // C12
  EXPECT_TRUE(orders("b").empty());
}

TEST_F(QueueTest, BeginsAgainUnseenAndShowsTheAnswerOnce) {  // C12
  add("a"), add("b"), open();
  auto reader = std::make_shared<ReadingSink>();
  auto asked = ask(question("hello"), reader);
  end_newest("a", break_off("a", orders("a").back(), "from"));
  const auto& again = orders("b").back();
  again.sink->on_events(std::vector<StreamEvent>{StreamStarted{"m"}, TextDelta{"from b"}, StreamStopped{}});
  EXPECT_FALSE(reader->whole) << "its attempt has not ended yet";
  end_newest("b", answered("b", again));
  EXPECT_EQ(reader->text, "from b");
  EXPECT_EQ(reader->taken_back, 0);
  EXPECT_TRUE(reader->whole);
  EXPECT_EQ(asked->text(), "from b");
}

TEST_F(QueueTest, GoesOnFromWhatWasShownWhereTheModelAcceptsThat) {  // C12
  config_.after_first_token = policy::AfterFirstToken::resume;
  add("a"), add("b").facts->accepts_prefix = true;
  open();
  auto reader = std::make_shared<ReadingSink>();
  auto asked = ask(question("hello"), reader);
  end_newest("a", break_off("a", orders("a").back(), "fro"));
  const auto& on = orders("b").back();
  ASSERT_EQ(on.request->messages.back(), (Message{Role::assistant, {TextPart{"fro", false}}}));
  on.sink->on_events(std::vector<StreamEvent>{TextDelta{"m both"}, StreamStopped{}});
  end_newest("b", answered("b", on));
  EXPECT_EQ(reader->text, "from both");
  EXPECT_EQ(asked->text(), "from both");
}

}  // namespace
}  // namespace troupe::actors::testing
