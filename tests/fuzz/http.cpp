// HTTP/1.1's two parsers and its writers.
#include "runtime/http/message_text.hpp"
#include "runtime/http/parser.hpp"
#include "tests/fuzz/targets.hpp"

#include <utility>

namespace troupe::fuzz {
namespace {

constexpr http::ParseLimits fuzz_limits{.head_bytes_max = 4096, .body_bytes_max = 8192};
const http::Origin fuzz_origin{false, "localhost", 80};

// What the connections do: bytes not taken come again with more behind them.
template <class Parser>
std::size_t feed_pieces(Parser& parser, const std::vector<std::string_view>& pieces) {
  std::string waiting;
  std::size_t taken = 0;
  for (auto piece : pieces) {
    if (parser.done() || parser.problem() != http::ParseProblem::none) break;
    waiting += piece;
    auto n = parser.feed(waiting);
    require(n <= waiting.size(), "a parser takes no more than it was given");
    waiting.erase(0, n);
    taken += n;
  }
  return taken;
}

struct ResponseRead final : http::ResponseParts {
  http::Response got;
  int heads = 0;
  bool failed = false, done = false, keeps = false;
  std::size_t taken = 0;
  void on_response_head(http::ResponseHead head) override {
    ++heads;
    got.status = head.status;
    got.headers = std::move(head.headers);
  }
  void on_response_body(std::string_view bytes) override {
    require(heads == 1, "a body follows its head");
    got.body += bytes;
  }
};

// Into `out`, which the parser knows by its address.
void read_response(ResponseRead& out, const std::vector<std::string_view>& pieces, bool to_head) {
  http::ResponseParser parser(out, fuzz_limits, to_head);
  out.taken = feed_pieces(parser, pieces);
  parser.end_of_input();
  out.failed = parser.problem() != http::ParseProblem::none;
  out.done = parser.done();
  out.keeps = parser.keeps_connection();
  require(out.failed != out.done, "after the end a response is done or has failed");
  require(parser.head_seen() || out.heads == 0, "a head that was told is seen");
}

struct RequestRead {
  http::Request got;
  bool failed = false, done = false, keeps = false;
  std::size_t taken = 0;
};

RequestRead read_http_request(const std::vector<std::string_view>& pieces) {
  RequestRead out;
  http::RequestParser parser(fuzz_limits);
  out.taken = feed_pieces(parser, pieces);
  out.failed = parser.problem() != http::ParseProblem::none;
  out.done = parser.done();
  out.keeps = parser.keeps_connection();
  require(!(out.failed && out.done), "a request that failed is not done");
  if (out.done) out.got = parser.take();
  return out;
}

void check_headers_safe(const http::Headers& headers) {
  for (const auto& [name, value] : headers)
    require(is_header_safe(name) && is_header_safe(value), "no header holds another");
}

// What was read from one connection and is sent on another must be the same request there.
void check_sent_on(http::Request request) {
  std::erase_if(request.headers, [](const auto& header) {
    return http::same_header_name(header.first, "transfer-encoding") ||
           http::same_header_name(header.first, "content-length");
  });
  auto text = http::request_text(fuzz_origin, request);
  if (!text) return;
  auto again = read_http_request({*text});
  // An HTTP/1.0 request may come without Host and gets one; a head near the limit may grow past it.
  if (!http::find_header(request.headers, "host") || text->size() - request.body.size() > 4000) return;
  require(again.done && again.taken == text->size(), "a request that was read can be sent on");
  require(again.got.method == request.method && again.got.target == request.target &&
              again.got.body == request.body,
          "a request sent on stays the same");
}

void check_requests(std::string_view bytes, std::uint64_t seed) {
  auto whole = read_http_request({bytes});
  auto cut = read_http_request(pieces_of(bytes, seed));
  // A bad line of a head that has not ended may be noticed at once or only at the head's end.
  require(whole.done == cut.done, "a request ends the same however it is cut");
  if (!whole.done) return;
  require(whole.taken == cut.taken && whole.keeps == cut.keeps && whole.got.method == cut.got.method &&
              whole.got.target == cut.got.target && whole.got.headers == cut.got.headers &&
              whole.got.body == cut.got.body,
          "a request reads the same however it is cut");
  check_headers_safe(whole.got.headers);
  require(whole.got.body.size() <= fuzz_limits.body_bytes_max, "no body beyond the limit");
  check_sent_on(whole.got);
}

void check_responses(std::string_view bytes, std::uint64_t seed, bool to_head) {
  ResponseRead whole, cut;
  read_response(whole, {bytes}, to_head);
  read_response(cut, pieces_of(bytes, seed), to_head);
  require(whole.done == cut.done, "a response ends the same however it is cut");
  require(whole.got.body.size() <= fuzz_limits.body_bytes_max, "no body beyond the limit");
  check_headers_safe(whole.got.headers);
  if (!whole.done) return;
  require(whole.taken == cut.taken && whole.keeps == cut.keeps && whole.got.status == cut.got.status &&
              whole.got.headers == cut.got.headers && whole.got.body == cut.got.body,
          "a response reads the same however it is cut");
  require(!to_head || whole.got.body.empty(), "an answer to HEAD has no body");
}

// The writer's chunks, read back.
void check_chunks(std::string_view body, std::uint64_t seed) {
  body = body.substr(0, fuzz_limits.body_bytes_max);
  auto text =
      http::response_head_text({200, {{"content-type", "text/plain"}}}, {.chunked = true}).value_or("");
  for (auto piece : pieces_of(body, seed)) http::append_chunk(text, piece);
  text += http::last_chunk;
  ResponseRead read;
  read_response(read, pieces_of(text, seed + 1), false);
  require(read.done && read.keeps && read.got.body == body, "chunks are read back as they were written");
}

}  // namespace

// MODE SEED bytes. MODE 0: requests; 1: responses; 2: responses to HEAD; 3: chunks written.
void fuzz_http(std::string_view input) {
  Input in(input);
  auto mode = in.number(4);
  auto seed = in.number(256);
  auto bytes = in.rest();
  if (mode == 0) return check_requests(bytes, seed);
  if (mode == 3) return check_chunks(bytes, seed);
  check_responses(bytes, seed, mode == 2);
}

}  // namespace troupe::fuzz
