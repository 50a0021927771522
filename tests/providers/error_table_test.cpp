// Every provider's errors in one vocabulary: the whole table, over HTTP, inside streams and below both. G1,
// G2
#include "providers/eventstream.hpp"
#include "providers/transport_error.hpp"
#include "tests/providers/codec_support.hpp"

#include <set>

namespace troupe::providers {
namespace {

using codec_test::decode_whole;
using codec_test::golden;
using codec_test::shared_fixture;
using codec_test::unordered;
using Row = codec_test::Unordered;

std::string text_of(const Row& body) {
  return body.is_string() ? body.get<std::string>() : body.is_null() ? std::string() : body.dump();
}

// Which dialects must understand a row. On Vertex both kinds of model are answered in Google's words, and
// Anthropic's besides in its own.
std::vector<std::string> dialects_for(const Row& row) {
  auto provider = row["provider"].get<std::string>();
  if (provider == "bedrock") return {"bedrock", "bedrock_invoke"};
  if (provider == "openai") return {"openai", "openai_responses"};
  if (provider == "sagemaker") return {"sagemaker", "sagemaker_tgi"};
  if (provider != "vertex") return {provider};
  bool publishers_own = row.contains("body") && row["body"].is_object() && row["body"].contains("type");
  if (publishers_own) return {"vertex_anthropic"};
  return {"vertex_gemini", "vertex_anthropic"};
}

// "after_backoff" and "after_hint": the same endpoint may be tried again; "once_after_…" only after a repair
// of ours. Failover by policy or to a larger window only is not an error's to allow.
void expect_class(const Row& want, const Error& error, const std::string& name) {
  EXPECT_EQ(to_string(error.code), want["class"].get<std::string>()) << name;
  EXPECT_EQ(error.counts_for_breaker, want["counts_against_breaker"].get<bool>()) << name;
  if (want.contains("retry_if_no_output_forwarded")) {
    EXPECT_EQ(error.failover, want["retry_if_no_output_forwarded"].get<bool>()) << name;
    return;
  }
  const auto& retry = want["retry_same_endpoint"];
  EXPECT_EQ(error.retryable, retry == "after_backoff" || retry == "after_hint") << name;
  EXPECT_EQ(error.failover, want["failover"] == true) << name;
  if (retry == "after_hint") {
    EXPECT_TRUE(error.retry_after) << name;
  }
}

struct Seen {
  int rows = 0;
  std::set<std::string> missing;
};

void expect_http_row(const Row& row, Seen& seen) {
  http::Response answer{row["status"], {}, text_of(row["body"])};
  for (const auto& [name, value] : row["headers"].items()) answer.headers.emplace_back(name, value);
  ++seen.rows;
  for (const auto& name : dialects_for(row)) {
    const auto* dialect = find_dialect(name);
    if (dialect == nullptr) {
      seen.missing.insert(name);
      continue;
    }
    auto error = dialect->classify(answer, {0});
    expect_class(row["expect"], error, name + " " + row["id"].get<std::string>());
    EXPECT_FALSE(error.what.empty());
  }
}

// What runtime/http or a decoder says in each case (runtime/http/client.hpp, ExchangeSink::on_end).
Error below_the_dialect(const std::string& id) {
  auto said = [](Errc code) { return make_error(code, "below the dialect"); };
  auto decoded = [](std::string_view bytes) {
    auto got = decode_whole(*find_dialect("bedrock"), bytes);
    EXPECT_NE(got.error(), nullptr);
    return transport_error(*got.error(), {.sent = true, .answering = true});
  };
  auto untrusted = said(Errc::transient_server);
  untrusted.retryable = false;
  if (id == "tr-connect-refused") return transport_error(said(Errc::transient_server), {});
  if (id == "tr-tls-failure") return transport_error(untrusted, {});
  if (id == "tr-connect-timeout") return transport_error(said(Errc::timeout), {});
  if (id == "tr-first-byte-timeout") return transport_error(said(Errc::timeout), {.sent = true});
  if (id == "tr-idle-stream-timeout")
    return transport_error(said(Errc::timeout), {.sent = true, .answering = true});
  if (id == "tr-eof-mid-headers") return transport_error(said(Errc::transient_server), {.sent = true});
  if (id == "tr-eof-before-terminal-event") return decoded("");
  if (id == "tr-bad-crc") return decoded(std::string(16, '\x10'));
  if (id == "tr-client-disconnect")
    return transport_error(said(Errc::cancelled), {.sent = true, .answering = true});
  if (id == "tr-deadline")
    return transport_error(said(Errc::timeout), {.sent = true, .deadline_passed = true});
  ADD_FAILURE() << "a transport case without a meaning: " << id;
  return {};
}

Seen expect_http_table(const std::string& text) {
  Seen seen;
  for (const auto& row : unordered(text)) {
    if (row["provider"] != "transport") {
      expect_http_row(row, seen);
      continue;
    }
    ++seen.rows;
    auto id = row["id"].get<std::string>();
    expect_class(row["expect"], below_the_dialect(id), id);
  }
  return seen;
}

std::string frame_of(std::vector<std::pair<std::string, HeaderValue>> headers, std::string payload) {
  return encode_frame({std::move(headers), std::move(payload)}).value();
}

std::string payload_part(const std::string& bytes) {
  return frame_of({{":event-type", std::string("PayloadPart")},
                   {":content-type", std::string("application/octet-stream")},
                   {":message-type", std::string("event")}},
                  bytes);
}

// The table says an event in its provider's terms; these are the bytes.
std::string bytes_of(const Row& event) {
  if (event.contains("sse_data")) return payload_part("data:" + event["sse_data"].dump() + "\n\n");
  if (event.contains("jsonline")) return payload_part(event["jsonline"].dump() + "\n");
  if (event.contains("data")) {
    auto type = event.contains("event") ? "event: " + event["event"].get<std::string>() + "\n" : "";
    return type + "data: " + event["data"].dump() + "\n\n";
  }
  std::vector<std::pair<std::string, HeaderValue>> headers;
  Row payload = Row::object();
  for (const auto& [name, value] : event.items()) {
    if (name.starts_with(":"))
      headers.emplace_back(name, value.get<std::string>());
    else
      payload[name] = value;
  }
  return frame_of(std::move(headers), event[":message-type"] == "error" ? "" : payload.dump());
}

std::string dialect_of_event(const Row& row) {
  auto provider = row["provider"].get<std::string>();
  if (provider == "vertex") return "vertex_gemini";
  const auto& event = row["event"];
  return event.contains("sse_data") || event.contains("jsonline") ? "sagemaker_tgi" : provider;
}

Seen expect_stream_table(const std::string& text) {
  Seen seen;
  for (const auto& row : unordered(text)) {
    ++seen.rows;
    auto name = dialect_of_event(row);
    const auto* dialect = find_dialect(name);
    if (dialect == nullptr) {
      seen.missing.insert(name);
      continue;
    }
    auto id = row["id"].get<std::string>();
    auto bytes = bytes_of(row["event"]);
    auto got = decode_whole(*dialect, bytes);
    EXPECT_NE(got.error(), nullptr) << id;
    if (got.error() == nullptr) continue;
    expect_class(row["expect"], *got.error(), id);
    codec_test::expect_same_however_split(*dialect, bytes);
  }
  return seen;
}

void expect_none_missing(const Seen& seen) {
  for (const auto& name : seen.missing) ADD_FAILURE() << "not registered, so not checked: " << name;
}

TEST(ErrorTable, HoldsForEveryAnswer) {
  auto seen = expect_http_table(golden("errors/http_table.json"));
  EXPECT_EQ(seen.rows, 109);
  expect_none_missing(seen);
}

TEST(ErrorTable, HoldsForEveryErrorInsideAStream) {
  auto seen = expect_stream_table(golden("errors/stream_table.json"));
  EXPECT_EQ(seen.rows, 18);
  expect_none_missing(seen);
}

TEST(ErrorTable, AgreesWithTheSharedOne) {
  auto http_cases = shared_fixture("errors/http_cases.json");
  auto stream_cases = shared_fixture("errors/stream_cases.json");
  if (http_cases.empty()) GTEST_SKIP() << "the shared tables are not on this machine";
  auto seen = expect_http_table(http_cases);
  seen.missing.merge(expect_stream_table(stream_cases).missing);
  expect_none_missing(seen);
}

// G1: the same trouble in two providers' words makes the router do the same.
TEST(ErrorTable, MakesTwoProvidersThrottlesOneBehaviour) {
  auto openai = find_dialect("openai")->classify(
      {429, {}, R"({"error":{"message":"Rate limit exceeded","code":"rate_limit_exceeded"}})"}, {0});
  auto bedrock =
      find_dialect("bedrock")->classify({429, {{"x-amzn-errortype", "ThrottlingException"}}, "{}"}, {0});
  EXPECT_EQ(openai.code, bedrock.code);
  EXPECT_EQ(openai.retryable, bedrock.retryable);
  EXPECT_EQ(openai.failover, bedrock.failover);
  EXPECT_EQ(openai.counts_for_breaker, bedrock.counts_for_breaker);
  EXPECT_EQ(openai.fault, bedrock.fault);
}

TEST(TransportError, LeavesBillingAndOtherClassesAlone) {
  auto sent = make_error(Errc::timeout, "x");
  sent.maybe_billed = true;
  EXPECT_TRUE(transport_error(sent, {.sent = true, .answering = true}).maybe_billed);
  sent.maybe_billed = false;
  EXPECT_FALSE(transport_error(sent, {.sent = true, .answering = true}).maybe_billed);
  auto limited = transport_error(make_error(Errc::rate_limited, "x"), {.sent = true});
  EXPECT_EQ(limited.code, Errc::rate_limited);
  EXPECT_TRUE(limited.retryable);
}

}  // namespace
}  // namespace troupe::providers
