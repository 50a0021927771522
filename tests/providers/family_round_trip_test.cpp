// The OpenAI family and SageMaker: what one side writes the other reads, whole and streamed.
#include "tests/providers/codec_support.hpp"

namespace troupe::providers {
namespace {

using codec_test::ask;
using codec_test::decode_whole;

struct Kind {
  const char* name;
  const char* model;
  bool tools = true;
  /// Reasoning parts travel as text, and as redacted parts.
  bool thinks = true, redacts = false;
};
std::ostream& operator<<(std::ostream& out, const Kind& kind) { return out << kind.name; }

class Family : public testing::TestWithParam<Kind> {
 protected:
  const Dialect& client() const { return *find_dialect(GetParam().name); }
  const DialectServer& server() const { return *find_dialect_server(GetParam().name); }
  Target target() const { return {.model = GetParam().model, .base_path = "/x", .host = "h"}; }
  bool is(std::string_view name) const { return name == GetParam().name; }

  // An answer this wire can carry in full.
  Completion answer(Rng& rng) const {
    auto out = codec_test::random_completion(rng, false);
    out.usage.reasoning = out.usage.output / 2;
    out.model = "gpt-x";
    if (!GetParam().thinks)
      std::erase_if(out.parts, [](const Part& part) { return std::holds_alternative<ReasoningPart>(part); });
    if (GetParam().redacts && rng.below(2) == 0) {
      auto at = out.parts.begin();
      if (at != out.parts.end() && std::holds_alternative<ReasoningPart>(*at)) ++at;
      out.parts.insert(at, ReasoningPart{{}, {}, "ZW5jcnlwdGVk"});
    }
    if (rng.below(2) == 0) out.extra.text = R"({"system_fingerprint":"fp_1","usage":{"cost":0.25}})";
    if (rng.below(2) == 0) out.tier = "priority";
    if (rng.below(4) == 0 && GetParam().tools)
      out.stop = StopReason::model_error, out.unrecognised_stop = "abort";
    return GetParam().tools ? out : text_only(std::move(out), rng);
  }
  static Completion text_only(Completion out, Rng& rng) {
    std::erase_if(out.parts, [](const Part& part) { return !std::holds_alternative<TextPart>(part); });
    constexpr std::array stops{StopReason::stop, StopReason::stop_sequence, StopReason::length};
    out.stop = stops[rng.below(stops.size())];
    out.usage = {.input = out.usage.input, .output = out.usage.output};
    out.model.clear();
    out.tier.clear();
    if (!out.extra.text.empty()) out.extra.text = R"({"seed":7})";
    return out;
  }
  std::vector<StreamEvent> events(const Completion& answer, Rng& rng) const {
    auto out = codec_test::events_of(answer, rng);
    for (auto& event : out)
      if (auto* stop = std::get_if<StreamStopped>(&event)) stop->unrecognised = answer.unrecognised_stop;
    // Redacted reasoning stands ahead of everything but shown reasoning.
    auto at = std::find_if(out.begin() + 1, out.end(), [](const StreamEvent& event) {
      return !std::holds_alternative<ReasoningDelta>(event);
    });
    for (const auto& part : answer.parts)
      if (const auto* said = std::get_if<ReasoningPart>(&part); said != nullptr && !said->redacted.empty())
        at = out.insert(at, ReasoningDelta{{}, {}, said->redacted});
    if (!answer.tier.empty() || !answer.extra.text.empty())
      out.emplace_back(DetailsReported{answer.tier, answer.extra});
    return out;
  }
};
INSTANTIATE_TEST_SUITE_P(Serve, Family,
                         testing::Values(Kind{"openai", "gpt-x"}, Kind{"azure_openai", "my-deployment"},
                                         Kind{.name = "openai_responses", .model = "gpt-x", .redacts = true},
                                         Kind{"sagemaker", "my-endpoint"},
                                         Kind{"sagemaker_tgi", "my-endpoint", false, false}),
                         [](const auto& test) { return std::string(test.param.name); });

TEST_P(Family, DecodesWhatItsServerAnswers) {
  Rng rng(1);
  for (int i = 0; i < 300; ++i) {
    auto want = answer(rng);
    auto got = client().decode(server().write_response(want, {}));
    ASSERT_TRUE(got) << got.error().what;
    ASSERT_EQ(got->parts, want.parts) << "answer " << i;
    ASSERT_EQ(got->extra.text, want.extra.text) << "answer " << i;
    ASSERT_EQ(*got, want) << "answer " << i;
  }
}

TEST_P(Family, DecodesWhatItsServerStreams) {
  Rng rng(2);
  for (int i = 0; i < 300; ++i) {
    auto want = answer(rng);
    auto got = decode_whole(client(), codec_test::serve_stream(server(), events(want, rng)));
    ASSERT_TRUE(got.fed && got.finished) << got.error()->what;
    ASSERT_EQ(got.sum().parts, want.parts) << "answer " << i;
    ASSERT_EQ(got.sum(), want) << "answer " << i;
  }
}

TEST_P(Family, StreamsSurviveSplittingAndShowTruncation) {
  Rng rng(3);
  auto bytes = codec_test::serve_stream(server(), events(answer(rng), rng));
  codec_test::expect_same_however_split(client(), bytes);
  codec_test::expect_truncation_shows(client(), bytes);
}

TEST_P(Family, StreamsInterleavedToolCallsAndSignatures) {
  if (!GetParam().tools) GTEST_SKIP() << "this wire has no tools";
  std::vector<StreamEvent> said{StreamStarted{},
                                ToolUseStarted{0, "a", "f", "c2ln"},
                                ToolUseStarted{1, "b", "g", {}},
                                ToolInputDelta{0, "{"},
                                ToolInputDelta{1, "{}"},
                                ToolInputDelta{0, "}"},
                                StreamStopped{StopReason::tool_calls, {}}};
  auto got = decode_whole(client(), codec_test::serve_stream(server(), said));
  ASSERT_TRUE(got.finished) << got.error()->what;
  // A signature of another provider has no place on these wires.
  std::vector<Part> want{ToolUsePart{"a", "f", {"{}"}, {}}, ToolUsePart{"b", "g", {"{}"}, {}}};
  EXPECT_EQ(got.sum().parts, want);
}

constexpr std::array kModelCodes{Errc::rate_limited,     Errc::overloaded,
                                 Errc::quota_exhausted,  Errc::timeout,
                                 Errc::model_not_ready,  Errc::transient_server,
                                 Errc::bad_request,      Errc::context_length_exceeded,
                                 Errc::content_filtered, Errc::auth,
                                 Errc::permission,       Errc::not_found};

TEST_P(Family, ClassifiesWhatItsServerRefusesWith) {
  for (auto code : kModelCodes)
    for (const auto* words : {"", "boo"}) {
      auto error = make_error(code, "x");
      error.vendor_text = words;
      auto got = client().classify(server().write_error(error), {0});
      EXPECT_EQ(to_string(got.code), std::string(to_string(code)));
      EXPECT_FALSE(got.retry_after) << "no hint was given";
      EXPECT_FALSE(got.unrecognised) << to_string(code);
      EXPECT_NE(got.vendor_text.find(words), std::string::npos) << to_string(code);
    }
}

TEST_P(Family, ClassifiesWhatItsStreamBreaksOffWith) {
  for (auto code : kModelCodes) {
    auto writer = server().stream_writer({});
    auto bytes = writer->write(StreamStarted{"m"}) + writer->write(TextDelta{"Hi"}) +
                 writer->write_error(make_error(code, "x"));
    auto got = decode_whole(client(), bytes);
    EXPECT_FALSE(got.stopped());
    EXPECT_EQ(got.sum().text(), "Hi");
    ASSERT_NE(got.error(), nullptr);
    EXPECT_EQ(got.error()->code, code) << to_string(got.error()->code);
    EXPECT_TRUE(got.error()->maybe_billed);
    EXPECT_FALSE(got.error()->unrecognised);
  }
}

TEST_P(Family, CarriesRetryHints) {
  auto error = make_error(Errc::rate_limited, "x");
  error.retry_after = std::chrono::milliseconds(1500);
  auto answer = server().write_error(error);
  EXPECT_EQ(*http::find_header(answer.headers, "retry-after"), "2");
  // AWS's seconds header is the coarser one and is read first.
  bool aws = is("sagemaker") || is("sagemaker_tgi");
  EXPECT_EQ(client().classify(answer, {0}).retry_after, std::chrono::milliseconds(aws ? 2000 : 1500));
}

// The widest request each of these wires carries in full.
CompletionRequest wide_request(const Kind& kind) {
  CompletionRequest request;
  request.messages = {{Role::system, {TextPart{"Be terse."}}},
                      {Role::user, {TextPart{"Hello"}}},
                      {Role::assistant, {TextPart{"Looking."}}},
                      {Role::user, {TextPart{"Thanks"}}}};
  request.sampling = {.temperature = 0.5, .top_p = 0.25};
  request.output_tokens_max = 77;
  if (!kind.redacts) request.sampling.stop = {"END"};
  if (!kind.tools) return request;
  request.messages[1].parts.push_back(ImagePart{"image/png", "\x89PNG"});
  request.messages[2].parts.push_back(ToolUsePart{"call_1", "look", {R"({"q":1})"}, {}});
  request.messages[2].parts.push_back(ToolUsePart{"call_2", "look", {R"({"q":2})"}, {}});
  request.messages.insert(
      request.messages.begin() + 3,
      {Role::user, {ToolResultPart{"call_1", "found", false}, ToolResultPart{"call_2", "lost", false}}});
  if (kind.redacts)
    request.messages[2].parts.insert(request.messages[2].parts.begin(),
                                     {ReasoningPart{"hm", {}, {}}, ReasoningPart{{}, {}, "ZW5j"}});
  request.tools = {{"look", "Looks", {R"({"type":"object"})"}}};
  request.parallel_tools = false;
  request.reasoning_tokens_max = 8192;
  request.response_schema = {"answer", {R"({"type":"object"})"}};
  return request;
}

TEST_P(Family, ServersReadWhatClientsWrite) {
  for (bool stream : {false, true})
    for (auto choice : {ToolChoice::automatic, ToolChoice::any, ToolChoice::none}) {
      auto want = wide_request(GetParam());
      want.stream = stream;
      if (GetParam().tools) want.tool_choice = choice;
      auto wire = client().encode(want, target());
      ASSERT_TRUE(wire) << wire.error().what;
      ASSERT_TRUE(server().serves(*wire));
      auto got = server().read_request(*wire);
      ASSERT_TRUE(got) << got.error().what;
      EXPECT_EQ(got->request.messages, want.messages);
      EXPECT_EQ(got->request, want) << wire->body;
      EXPECT_EQ(got->model, target().model);
      EXPECT_EQ(got->stream, stream);
    }
}

TEST_P(Family, CarriesAForcedTool) {
  if (!GetParam().tools) GTEST_SKIP() << "this wire has no tools";
  auto want = wide_request(GetParam());
  want.forced_tool = "look";
  auto got = server().read_request(client().encode(want, target()).value());
  ASSERT_TRUE(got);
  EXPECT_EQ(got->request, want);
  want.forced_tool = "other";
  auto refused = client().encode(want, target());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::bad_request);
}

TEST_P(Family, ServersRefuseHostileRequestsClearly) {
  auto whole = client().encode(wide_request(GetParam()), target()).value();
  for (
      const auto* body :
      {"", "{", "[]", "null", "{}", R"({"model":"m"})", R"({"model":"m","messages":[],"input":[]})",
       R"({"model":"m","messages":[7],"input":[7]})", R"({"model":"m","messages":{},"input":{},"inputs":{}})",
       R"({"model":"m","messages":[{"role":"ghost","content":"x"}],"input":[{"role":"ghost","content":"x"}]})",
       R"({"model":"m","max_tokens":0,"max_output_tokens":0,"messages":[{"role":"user","content":"x"}],)"
       R"("input":"x","inputs":"x","parameters":{"max_new_tokens":0}})"}) {
    auto wire = whole;
    wire.body = body;
    auto got = server().read_request(wire);
    ASSERT_FALSE(got) << body;
    EXPECT_TRUE(got.error().code == Errc::bad_request || got.error().code == Errc::unsupported) << body;
  }
  Rng rng(4);
  for (int i = 0; i < 2000; ++i) {
    auto mutated = whole;
    for (int k = 0; k < 3; ++k)
      mutated.body[rng.below(mutated.body.size())] = static_cast<char>(rng.below(256));
    [[maybe_unused]] auto survives = server().read_request(mutated);
  }
}

TEST_P(Family, DecodesGarbageToErrors) {
  Rng rng(5);
  auto said = answer(rng);
  auto whole = server().write_response(said, {});
  auto stream = codec_test::serve_stream(server(), events(said, rng));
  for (int i = 0; i < 2000; ++i) {
    auto mutated = whole;
    auto bytes = stream;
    for (int k = 0; k < 3; ++k) {
      mutated.body[rng.below(mutated.body.size())] = static_cast<char>(rng.below(256));
      bytes[rng.below(bytes.size())] = static_cast<char>(rng.below(256));
    }
    [[maybe_unused]] auto answered = client().decode(mutated);
    [[maybe_unused]] auto streamed = decode_whole(client(), bytes);
    [[maybe_unused]] auto refused = client().classify({500, {}, mutated.body}, {0});
  }
  for (const auto& body : {std::string(), std::string("[]"), std::string("7"), std::string(9000, '['),
                           std::string(R"({"choices":1e999})"), std::string(R"({"output":{},"status":5})")}) {
    auto got = client().decode({200, {}, body});
    ASSERT_FALSE(got) << body.substr(0, 40);
    EXPECT_EQ(got.error().code, Errc::stream_broken);
  }
}

TEST_P(Family, SurvivesErrorBodiesOfAnyShape) {
  for (const auto* body : {"", "null", "[]", "7", "\"x\"", "{}", R"({"error":null})", R"({"error":[1]})",
                           R"({"message":5})", R"({"__type":7,"code":{}})", "\xff\xfe", "{\"error\":"}) {
    auto error = client().classify({500, {}, body}, {0});
    EXPECT_EQ(error.code, Errc::transient_server) << body;
    EXPECT_FALSE(error.unrecognised) << body;
  }
}

TEST_P(Family, SaysWhenAnErrorIsNewToIt) {
  bool aws = is("sagemaker") || is("sagemaker_tgi");
  http::Response answer{418,
                        {{"x-amzn-errortype", "TeapotException"}},
                        R"({"error":{"message":"short and stout","type":"teapot_error","code":"teapot"}})"};
  if (!aws) answer.headers.clear();
  auto error = client().classify(answer, {0});
  EXPECT_EQ(error.code, Errc::bad_request);
  EXPECT_TRUE(error.unrecognised);
}

TEST_P(Family, SkipsWhatItDoesNotKnowInItsStream) {
  Rng rng(6);
  auto want = events(answer(rng), rng);
  auto bytes = codec_test::serve_stream(server(), want);
  if (is("sagemaker") || is("sagemaker_tgi")) GTEST_SKIP() << "frames have a test of their own";
  auto got = decode_whole(
      client(), ": comment\n\nevent: response.novelty\ndata: {\"type\":\"response.novelty\"}\n\n" + bytes);
  ASSERT_TRUE(got.finished);
  auto plain = decode_whole(client(), bytes);
  EXPECT_EQ(got.sum().parts, plain.sum().parts);
}

}  // namespace
}  // namespace troupe::providers
