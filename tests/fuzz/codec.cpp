// Every dialect's whole answers, refusals and requests, as a client and as a server read them.
#include "providers/dialect.hpp"
#include "providers/serve.hpp"
#include "runtime/json/json.hpp"
#include "tests/fuzz/targets.hpp"

#include <charconv>

namespace troupe::fuzz {
namespace {

using providers::Dialect;
using providers::DialectServer;

// With a blank: a word shaped like an error type may be named, text may not.
constexpr std::string_view canary = "ZQ CANARY";
constexpr WallTime codec_time{1'440'938'160'000};  // 2015-08-30T12:36:00Z

struct Pair {
  const Dialect& dialect;
  const DialectServer& server;
};

Pair choose_pair(Input& in) {
  static const auto names = providers::dialect_names();
  auto name = names[in.number(static_cast<unsigned>(names.size()))];
  return {*providers::find_dialect(name), *providers::find_dialect_server(name)};
}

// "name: value" lines up to an empty one.
http::Headers read_header_lines(Input& in) {
  http::Headers headers;
  for (auto line = in.line(); !line.empty(); line = in.line()) {
    auto colon = line.find(": ");
    if (colon != std::string_view::npos)
      headers.emplace_back(std::string(line.substr(0, colon)), std::string(line.substr(colon + 2)));
  }
  return headers;
}

void check_completion(const Pair& pair, const Completion& first) {
  if (!first.extra.text.empty()) {
    auto extra = parse_json(first.extra.text);
    require(extra && extra->is_object(), "extra is a JSON object");
  }
  const auto& u = first.usage;
  require(std::min({u.input, u.output, u.cache_read, u.cache_write, u.reasoning, u.cache_write_1h}) >= 0,
          "no usage is below zero");
  // One round brings it into the shape our server writes; from then on nothing may change.
  auto second = pair.dialect.decode(pair.server.write_response(first, {}));
  require(second.has_value(), "an answer that was read can be written and read");
  require(second->text() == first.text(), "an answer's text is written as it was read");
  auto third = pair.dialect.decode(pair.server.write_response(*second, {}));
  require(third && third->parts == second->parts && third->stop == second->stop,
          "an answer our server wrote is written the same again");
}

void check_refusal(const Pair& pair, const http::Response& response, const Error& error) {
  require(error.code <= Errc::cancelled, "a refusal is put in the words of model calls");
  auto hint = error.retry_after.value_or(Duration{});
  require(hint >= Duration{} && hint <= std::chrono::hours(1), "a retry hint is within an hour");
  if (response.body.find(canary) != std::string::npos)
    require(error.what.find(canary) == std::string::npos, "our words hold nothing of the answer");
  if (error.code == Errc::stream_broken || error.code == Errc::cancelled) return;
  auto said = make_error(error.code, "");
  said.retry_after = error.retry_after;
  auto heard = pair.dialect.classify(pair.server.write_error(said), codec_time);
  require(heard.code == error.code, "a refusal our server writes is read as itself");
}

providers::Target codec_target(std::string model) {
  return {.model = std::move(model), .host = "h", .project = "p", .location = "us-central1"};
}

// A request of this dialect that its server takes; fuzzed inputs change parts of it.
http::Request plain_request(const Dialect& dialect) {
  CompletionRequest request;
  request.feature = "fuzz";
  request.messages = {{Role::user, {TextPart{"hi"}}}};
  request.stream = false;
  auto model = dialect.name() == "vertex_gemini" ? "gemini-x" : "m";
  return dialect.encode(request, codec_target(model)).value_or(http::Request{});
}

void check_served(const Pair& pair, const providers::ServedCall& first) {
  require(first.stream == first.request.stream, "stream is said twice and the same");
  auto written = pair.dialect.encode(first.request, codec_target(first.model));
  if (!written) {
    auto code = written.error().code;
    return require(code == Errc::unsupported || code == Errc::bad_request || code == Errc::invalid_input,
                   "what cannot be encoded is the request's fault");
  }
  auto second = pair.server.read_request(*written);
  require(second.has_value(), "what our client writes our server reads");
  auto once = pair.dialect.encode(second->request, codec_target(second->model));
  require(once.has_value(), "what was read from our client can be sent on");
  // The first round may add what the wire demands (Converse: tools the history names); the second nothing.
  auto third = pair.server.read_request(*once);
  require(third.has_value(), "what was sent on is read");
  auto twice = pair.dialect.encode(third->request, codec_target(third->model));
  require(twice && twice->body == once->body && twice->target == once->target,
          "what was read from our client is written the same again");
}

}  // namespace

// DIALECT STATUS LF headers LF LF body. A 200 is decoded, all else classified.
void fuzz_answer(std::string_view input) {
  Input in(input);
  auto pair = choose_pair(in);
  http::Response response;
  auto status = in.line();
  std::from_chars(status.data(), status.data() + status.size(), response.status);
  response.headers = read_header_lines(in);
  response.body = in.rest();
  if (response.status != 200)
    return check_refusal(pair, response, pair.dialect.classify(response, codec_time));
  auto answer = pair.dialect.decode(response);
  if (answer) return check_completion(pair, *answer);
  if (response.body.find(canary) != std::string::npos)
    require(answer.error().what.find(canary) == std::string::npos, "our words hold nothing of the answer");
}

// DIALECT target LF headers LF LF body. An empty target is one the dialect's client would ask for; "+" and
// something is appended to it.
void fuzz_request(std::string_view input) {
  Input in(input);
  auto pair = choose_pair(in);
  auto request = plain_request(pair.dialect);
  auto target = in.line();
  if (target.starts_with('+'))
    request.target += target.substr(1);
  else if (!target.empty())
    request.target = target;
  for (auto& [name, value] : read_header_lines(in)) http::set_header(request.headers, name, value);
  request.body = in.rest();
  auto call = pair.server.read_request(request);
  if (call) return check_served(pair, *call);
  auto code = call.error().code;
  require(code == Errc::bad_request || code == Errc::not_found || code == Errc::unsupported,
          "a request that is not served is a bad one");
  require(call.error().what.find(canary) == std::string::npos, "our words hold nothing of the request");
}

}  // namespace troupe::fuzz
