// One HTTP attempt against a real server on loopback: how each way of ending is told, and what is owed for
// it.
#include "actors/attempt.hpp"

#include "providers/bedrock/dialect.hpp"
#include "providers/openai/dialect.hpp"
#include "providers/openai/serve.hpp"
#include "runtime/http/server.hpp"
#include "tests/support/actor_test.hpp"

#include <atomic>
#include <future>

namespace troupe::actors::testing {
namespace {

using Responder = std::shared_ptr<http::Responder>;

class RefusingAuthorizer final : public Authorizer {
 public:
  Result<Stamp> authorize(http::Request&, WallTime) override { return fail(Errc::auth, "no credentials"); }
};

class HeardText final : public StreamSink {
 public:
  void on_taken_back() override {}
  void on_events(std::span<const StreamEvent> events) override {
    for (const auto& event : events)
      if (const auto* delta = std::get_if<TextDelta>(&event)) text += delta->text;
  }
  std::string text;
};

class AttemptTest : public ::testing::Test {
 protected:
  AttemptTest() {
    auto handler = [this](const http::Request& request, Responder responder) {
      ++requests_;
      if (serve_) serve_(request, std::move(responder));
    };
    server_ = http::Server::listen(server_loop_, {}, handler).value();
    wire_->endpoint = "a";
    wire_->dialect = &providers::openai::dialect();
    wire_->origin = {false, "127.0.0.1", server_->port()};
    wire_->target = {"large", "/v1", "127.0.0.1"};
  }
  ~AttemptTest() override {
    on_loop([this] {
      attempt_.reset();
      client_.reset();
    });
    loop_.stop();
    held_.clear();
    server_.reset();
    server_loop_.stop();
  }
  void on_loop(std::function<void()> work) {
    std::promise<void> done;
    loop_.post([&] {
      work();
      done.set_value();
    });
    done.get_future().wait();
  }

  /// Begins an attempt; `wait` gives how it ended.
  void start(Duration time_left = 20s, bool stream = true) {
    RunAttempt order;
    auto request = question("What is the capital of France?");
    request.stream = stream;
    order.request = std::make_shared<const CompletionRequest>(std::move(request));
    order.deadline = system_clock().now() + time_left;
    order.sink = sink_;
    start(std::move(order));
  }
  void start(RunAttempt order) {
    on_loop([&] {
      attempt_ = HttpAttempt::start(wire_, order, loop_, *client_, system_clock(),
                                    [this](AttemptResultPtr result) { ended_.set_value(std::move(result)); });
    });
  }
  AttemptResultPtr wait() {
    auto future = ended_.get_future();
    if (future.wait_for(30s) != std::future_status::ready) return std::make_shared<AttemptResult>();
    return future.get();
  }
  AttemptResultPtr run(Duration time_left = 20s, bool stream = true) {
    start(time_left, stream);
    return wait();
  }

  // ---- what the server does ----

  static const providers::DialectServer& dialect() { return providers::openai::server(); }
  /// Streams some text; `whole` with usage and a proper end, else cut in the middle.
  void answer_in_stream(bool whole) {
    serve_ = [whole](const http::Request&, const Responder& responder) {
      auto writer = dialect().stream_writer({});
      responder->begin(dialect().stream_head({}));
      for (const StreamEvent& event :
           std::vector<StreamEvent>{StreamStarted{"m"}, TextDelta{"Par"}, TextDelta{"is"}})
        responder->write(writer->write(event));
      if (!whole) return responder->finish(http::Ending::cut);
      responder->write(writer->write(StreamStopped{}));
      responder->write(writer->write(UsageReported{{12, 3}}));
      responder->write(writer->finish());
      responder->finish(http::Ending::complete);
    };
  }
  /// Says it has begun, and nothing after that.
  void begin_and_stall() {
    serve_ = [this](const http::Request&, const Responder& responder) {
      auto writer = dialect().stream_writer({});
      responder->begin(dialect().stream_head({}));
      responder->write(writer->write(StreamStarted{"m"}));
      held_.push_back(responder);
      stalled_.set_value();
    };
  }
  void refuse_with(Errc code) {
    serve_ = [code](const http::Request&, const Responder& responder) {
      responder->send(dialect().write_error(make_error(code, "by script")));
    };
  }

  http::Loop loop_, server_loop_;
  std::unique_ptr<http::Client> client_ = std::make_unique<http::Client>(loop_, http::ClientConfig{});
  std::unique_ptr<http::Server> server_;
  std::shared_ptr<Wire> wire_ = std::make_shared<Wire>();
  std::shared_ptr<HeardText> sink_ = std::make_shared<HeardText>();
  std::shared_ptr<HttpAttempt> attempt_;
  std::function<void(const http::Request&, const Responder&)> serve_;
  std::vector<Responder> held_;
  std::promise<AttemptResultPtr> ended_;
  std::promise<void> stalled_;
  std::atomic<int> requests_ = 0;
};

TEST_F(AttemptTest, StreamsAnAnswerAndReportsWhatItUsed) {
  answer_in_stream(true);
  auto result = run();
  ASSERT_FALSE(result->error);
  EXPECT_EQ(result->completion.text(), "Paris");
  EXPECT_EQ(sink_->text, "Paris");
  EXPECT_EQ(result->record.usage, (Usage{12, 3}));
  EXPECT_GT(result->record.ttft, Duration::zero());
  EXPECT_GE(result->record.total, result->record.ttft);
  EXPECT_EQ(result->record.error, "");
}

TEST_F(AttemptTest, ReadsAnAnswerThatComesWhole) {
  serve_ = [](const http::Request&, const Responder& responder) {
    responder->send(dialect().write_response(text_answer("Paris", 12, 3), {}));
  };
  auto result = run(20s, false);
  ASSERT_FALSE(result->error);
  EXPECT_EQ(result->completion.text(), "Paris");
  EXPECT_EQ(result->record.usage, (Usage{12, 3}));
}

/// Has enough after the first batch, until it is told to go on.
class SlowSink final : public StreamSink {
 public:
  void on_taken_back() override {}
  void on_events(std::span<const StreamEvent> events) override {
    for (const auto& event : events)
      if (const auto* delta = std::get_if<TextDelta>(&event)) heard += delta->text.size();
  }
  bool full() override {
    if (++asked_ == 20) many_times.set_value();
    return !released && heard > 0;
  }
  std::atomic<std::size_t> heard = 0;
  std::atomic<bool> released = false;
  std::promise<void> many_times;

 private:
  int asked_ = 0;
};

TEST_F(AttemptTest, ASlowConsumerSlowsTheProviderAndLosesNothing) {
  constexpr std::size_t deltas = 512, size = 65'536;
  serve_ = [](const http::Request&, const Responder& responder) {
    auto writer = dialect().stream_writer({});
    responder->begin(dialect().stream_head({}));
    for (std::size_t i = 0; i < deltas; ++i)
      responder->write(writer->write(TextDelta{std::string(size, 'x')}));
    responder->write(writer->write(StreamStopped{}));
    responder->write(writer->write(UsageReported{{12, 3}}));
    responder->write(writer->finish());
    responder->finish(http::Ending::complete);
  };
  auto slow = std::make_shared<SlowSink>();
  RunAttempt order;
  order.request = std::make_shared<const CompletionRequest>(question("Say much."));
  order.deadline = system_clock().now() + 20s;
  order.sink = slow;
  start(std::move(order));
  slow->many_times.get_future().wait();
  EXPECT_LT(slow->heard, deltas * size / 2) << "the rest waits at the provider";
  slow->released = true;
  auto result = wait();
  ASSERT_FALSE(result->error) << result->error->what;
  EXPECT_EQ(slow->heard, deltas * size);
  EXPECT_EQ(result->completion.text().size(), deltas * size);
}

TEST_F(AttemptTest, NeverTakesACutStreamForAnAnswer) {
  answer_in_stream(false);
  auto result = run();
  ASSERT_TRUE(result->error);
  EXPECT_EQ(result->error->code, Errc::stream_broken);  // C12
  EXPECT_TRUE(result->content_seen);
  EXPECT_TRUE(result->record.usage.estimated);  // G6: owed, though nobody said how much
  EXPECT_GT(result->record.usage.input, 0);
  EXPECT_GT(result->record.usage.output, 0);
}

TEST_F(AttemptTest, GivesUpWhenTheFirstTokenIsLate) {
  wire_->first_token = 100ms;
  begin_and_stall();
  auto result = run();
  ASSERT_TRUE(result->error);
  EXPECT_EQ(result->error->code, Errc::timeout);
  EXPECT_NE(result->error->what.find("first token"), std::string::npos);
  EXPECT_TRUE(result->error->maybe_billed);
  EXPECT_TRUE(result->error->counts_for_breaker);  // F1
}

TEST_F(AttemptTest, BlamesTheDeadlineNotTheEndpointWhenTimeRunsOut) {
  begin_and_stall();
  auto result = run(150ms);
  ASSERT_TRUE(result->error);
  EXPECT_EQ(result->error->code, Errc::deadline_exceeded);
  EXPECT_FALSE(result->error->counts_for_breaker);  // F3
  EXPECT_TRUE(result->error->maybe_billed);
}

TEST_F(AttemptTest, BlamesTheEndpointWhenItsOwnTimerRunsOut) {
  wire_->timeouts.total = 150ms;
  begin_and_stall();
  auto result = run();
  ASSERT_TRUE(result->error);
  EXPECT_EQ(result->error->code, Errc::timeout);
  EXPECT_TRUE(result->error->counts_for_breaker);
}

TEST_F(AttemptTest, BeginsNothingWithoutTime) {
  auto result = run(-1s);
  EXPECT_EQ(result->error->code, Errc::deadline_exceeded);
  EXPECT_FALSE(result->error->maybe_billed);
  EXPECT_EQ(result->record.usage, Usage{});
  EXPECT_EQ(requests_, 0);
}

TEST_F(AttemptTest, StopsWhenCancelledAndSaysSoOnce) {
  begin_and_stall();
  start();
  stalled_.get_future().wait();
  on_loop([this] {
    attempt_->cancel();
    attempt_->cancel();
  });
  auto result = wait();
  ASSERT_TRUE(result->error);
  EXPECT_EQ(result->error->code, Errc::cancelled);
  EXPECT_TRUE(result->error->maybe_billed);
  EXPECT_TRUE(result->record.usage.estimated);
}

TEST_F(AttemptTest, OwesNothingForWhatIsCancelledBeforeItLeaves) {
  RunAttempt order;
  order.request = std::make_shared<const CompletionRequest>(question("hello"));
  order.deadline = system_clock().now() + 20s;
  on_loop([&] {
    attempt_ = HttpAttempt::start(wire_, order, loop_, *client_, system_clock(),
                                  [this](AttemptResultPtr result) { ended_.set_value(std::move(result)); });
    attempt_->cancel();
  });
  auto result = wait();
  EXPECT_EQ(result->error->code, Errc::cancelled);
  EXPECT_FALSE(result->error->maybe_billed);
  EXPECT_EQ(result->record.usage, Usage{});
}

TEST_F(AttemptTest, TellsARefusalInOneVocabulary) {
  for (auto code : {Errc::rate_limited, Errc::overloaded, Errc::context_length_exceeded, Errc::auth}) {
    refuse_with(code);
    ended_ = {};
    auto result = run();
    ASSERT_TRUE(result->error);
    EXPECT_EQ(result->error->code, code) << to_string(code);  // G1
    EXPECT_EQ(result->record.error, to_string(code));
    EXPECT_EQ(result->record.usage, Usage{});
  }
}

TEST_F(AttemptTest, SendsNothingItCannotSign) {
  wire_->authorizer = std::make_shared<RefusingAuthorizer>();
  auto result = run();
  EXPECT_EQ(result->error->code, Errc::auth);
  EXPECT_EQ(requests_, 0);
  EXPECT_EQ(result->record.usage, Usage{});
}

TEST_F(AttemptTest, SaysWhatADialectLacksBeforeAnyCall) {
  wire_->dialect = &providers::bedrock::dialect();
  RunAttempt order;
  auto request = question("what is on these?");
  for (int i = 0; i < 21; ++i) request.messages[0].parts.emplace_back(ImagePart{"image/png", "bytes"});
  order.request = std::make_shared<const CompletionRequest>(std::move(request));
  order.deadline = system_clock().now() + 20s;
  start(std::move(order));
  auto result = wait();
  EXPECT_EQ(result->error->code, Errc::unsupported);
  EXPECT_TRUE(result->error->failover);
  EXPECT_EQ(requests_, 0);
}

TEST_F(AttemptTest, TellsAnEndpointThatIsNotThere) {
  server_.reset();  // its port is nobody's now
  auto result = run();
  EXPECT_EQ(result->error->code, Errc::transient_server);
  EXPECT_FALSE(result->error->maybe_billed);
}

TEST_F(AttemptTest, CountsWordsOurTablesLack) {
  wire_->metrics = std::make_shared<telemetry::Metrics>();
  serve_ = [](const http::Request&, const Responder& responder) {
    responder->send({200, {}, R"({"choices":[{"message":{"content":"x"},"finish_reason":"bored"}]})"});
  };
  EXPECT_EQ(run(20s, false)->completion.unrecognised_stop, "bored");
  ended_ = {};
  serve_ = [](const http::Request&, const Responder& responder) {
    responder->send({418, {}, R"({"error":{"type":"teapot_error","message":"short and stout"}})"});
  };
  EXPECT_TRUE(run()->error->unrecognised);
  auto figures = wire_->metrics->exposition();
  EXPECT_NE(figures.find("troupe_unrecognised_total{endpoint=\"a\",kind=\"stop\"} 1"), std::string::npos);
  EXPECT_NE(figures.find("troupe_unrecognised_total{endpoint=\"a\",kind=\"error\"} 1"), std::string::npos);
}

TEST_F(AttemptTest, BooksAnEstimateForAWholeAnswerThatNeverCame) {
  wire_->timeouts.total = 150ms;
  serve_ = [this](const http::Request&, const Responder& responder) { held_.push_back(responder); };
  auto result = run(20s, false);
  EXPECT_EQ(result->error->code, Errc::timeout);
  EXPECT_TRUE(result->record.usage.estimated);  // I3
  EXPECT_GT(result->record.usage.input, 0);
}

}  // namespace
}  // namespace troupe::actors::testing
