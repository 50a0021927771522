// Answers that break off and go on elsewhere: what was seen must be the answer, at every cut.
#include "runtime/policy/splice.hpp"

#include "runtime/base/rng.hpp"

#include <gtest/gtest.h>

namespace troupe::policy {
namespace {

/// Someone who reads along.
struct Reader {
  std::string text;
  int taken_back = 0;
  bool whole = false;
  void hear(const Splice::Output& out) {
    if (out.taken_back) {
      ++taken_back;
      text.clear();
    }
    for (const auto& event : out.events) {
      if (const auto* delta = std::get_if<TextDelta>(&event)) text += delta->text;
      whole = whole || std::holds_alternative<StreamStopped>(event);
    }
  }
};

struct Show {
  Splice splice;
  Reader reader;
  Completion answer;
  explicit Show(AfterFirstToken policy) : splice(policy) {}

  /// An attempt that says `text` in random pieces up to `cut` bytes; cut beyond its end: it ends well.
  void attempt(const std::string& text, std::size_t cut, Rng& rng, bool resumes = false) {
    splice.begin(resumes);
    Splice::Output out;
    splice.feed(std::vector<StreamEvent>{StreamStarted{"m"}}, out);
    CompletionBuilder builder;
    for (std::size_t at = 0; at < std::min(cut, text.size());) {
      auto size = std::min<std::size_t>(1 + rng.below(7), std::min(cut, text.size()) - at);
      std::vector<StreamEvent> events{TextDelta{text.substr(at, size)}};
      builder.add(events[0]);
      splice.feed(events, out);
      at += size;
    }
    bool whole = cut > text.size();
    if (whole) splice.feed(std::vector<StreamEvent>{StreamStopped{}, UsageReported{{1, 2}}}, out);
    splice.end(whole, out);
    reader.hear(out);
    if (whole) answer = std::move(builder).take();
  }
  std::string told() && { return std::move(splice).whole(answer).text(); }
};

constexpr int cuts = 10'000;

std::string random_text(Rng& rng) {
  static constexpr std::string_view letters = "ab \n";
  std::string text;
  for (auto i = rng.below(60); i > 0; --i) text += letters[rng.below(letters.size())];
  return text;
}

TEST(Splice, RestartShowsTheLastAnswerOnceWhateverTheCut) {  // C12
  int caught_up = 0, taken_back = 0;
  for (std::uint64_t seed = 0; seed < cuts; ++seed) {
    Rng rng(seed);
    auto first = random_text(rng), other = rng.below(2) ? first : random_text(rng);
    Show show(AfterFirstToken::restart);
    show.attempt(first, rng.below(first.size() + 1), rng);
    EXPECT_FALSE(show.reader.whole);
    if (rng.below(2)) show.attempt(other, rng.below(other.size() + 1), rng);
    show.attempt(other, other.size() + 1, rng);
    ASSERT_EQ(show.reader.text, other) << "seed " << seed;
    ASSERT_TRUE(show.reader.whole);
    caught_up += show.reader.taken_back == 0;
    taken_back += show.reader.taken_back > 0;
    ASSERT_EQ(std::move(show).told(), other) << "seed " << seed;
  }
  EXPECT_GT(caught_up, cuts / 4) << "an equal answer goes on unseen";
  EXPECT_GT(taken_back, cuts / 8);
}

TEST(Splice, ResumeJoinsWithoutRepeatingOrLosingText) {  // C12
  for (std::uint64_t seed = 0; seed < cuts; ++seed) {
    Rng rng(seed);
    auto text = random_text(rng);
    Show show(AfterFirstToken::resume);
    show.attempt(text, rng.below(text.size() + 1), rng);
    while (show.splice.resumable() && rng.below(3) != 0) {
      auto rest = text.substr(show.splice.prefix().size());
      show.attempt(rest, rng.below(rest.size() + 1), rng, true);
    }
    bool resumes = show.splice.resumable();
    auto rest = resumes ? text.substr(show.splice.prefix().size()) : text;
    show.attempt(rest, rest.size() + 1, rng, resumes);
    ASSERT_EQ(show.reader.text, text) << "seed " << seed;
    ASSERT_EQ(show.reader.taken_back, 0) << "seed " << seed;
    ASSERT_EQ(std::move(show).told(), text) << "seed " << seed;
  }
}

TEST(Splice, BufferShowsNothingBeforeTheAnswerIsWhole) {  // C12
  for (std::uint64_t seed = 0; seed < 1000; ++seed) {
    Rng rng(seed);
    auto first = random_text(rng), second = random_text(rng);
    Show show(AfterFirstToken::buffer);
    show.attempt(first, rng.below(first.size() + 1), rng);
    ASSERT_EQ(show.reader.text, "");
    show.attempt(second, second.size() + 1, rng);
    ASSERT_EQ(show.reader.text, second);
    ASSERT_EQ(show.reader.taken_back, 0);
    ASSERT_EQ(std::move(show).told(), second);
  }
}

TEST(Splice, WhatSaysWholeIsHeldBackWhenTheAttemptFailsAfterIt) {
  Splice splice(AfterFirstToken::restart);
  Splice::Output out;
  splice.begin();
  splice.feed(std::vector<StreamEvent>{StreamStarted{"m"}, TextDelta{"Hel"}, StreamStopped{}}, out);
  splice.end(false, out);
  Reader reader;
  reader.hear(out);
  EXPECT_EQ(reader.text, "Hel");
  EXPECT_FALSE(reader.whole);
}

TEST(Splice, HalfAToolCallIsTakenBackAndCannotBeResumed) {
  Splice splice(AfterFirstToken::resume);
  Splice::Output out;
  splice.begin();
  splice.feed(std::vector<StreamEvent>{TextDelta{"I look. "}, ToolUseStarted{0, "t1", "look", ""}}, out);
  splice.end(false, out);
  EXPECT_FALSE(splice.resumable());
  out.clear();
  splice.begin();
  splice.feed(std::vector<StreamEvent>{TextDelta{"I look. "}, ToolUseStarted{0, "t2", "look", ""},
                                       ToolInputDelta{0, "{}"}, StreamStopped{StopReason::tool_calls, ""}},
              out);
  splice.end(true, out);
  EXPECT_TRUE(out.taken_back);
  auto answer = std::move(splice).whole({});
  ASSERT_EQ(answer.parts.size(), 2u);
  EXPECT_EQ(std::get<ToolUsePart>(answer.parts[1]).id, "t2");
}

TEST(Splice, ARequestIsResumedByTheAssistantsOwnWords) {
  CompletionRequest request;
  request.messages.push_back({Role::user, {TextPart{"Say it.", false}}});
  auto on = resumed(request, "It is");
  ASSERT_EQ(on.messages.size(), 2u);
  EXPECT_EQ(on.messages[1], (Message{Role::assistant, {TextPart{"It is", false}}}));
}

}  // namespace
}  // namespace troupe::policy
