// The HTTP grammar without sockets: split anywhere, the same; ambiguous, refused.
#include "runtime/http/parser.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace troupe::http {
namespace {

struct Heard : ResponseParts {
  void on_response_head(ResponseHead got) override {
    ++heads;
    head = std::move(got);
  }
  void on_response_body(std::string_view bytes) override { body += bytes; }
  int heads = 0;
  ResponseHead head;
  std::string body;
};

// As a connection does: keeps what was not taken and offers it again with what arrived since.
template <class Parser>
std::string feed_pieces(Parser& parser, const std::vector<std::string>& pieces) {
  std::string held;
  for (const auto& piece : pieces) {
    held += piece;
    held.erase(0, parser.feed(held));
  }
  return held;
}

ParseProblem request_problem(const std::string& text, ParseLimits limits = {}) {
  RequestParser parser(limits);
  parser.feed(text);
  return parser.problem();
}

ParseProblem response_problem(const std::string& text, ParseLimits limits = {}) {
  Heard heard;
  ResponseParser parser(heard, limits, false);
  parser.feed(text);
  parser.end_of_input();
  return parser.problem();
}

const std::string chunked_response =
    "HTTP/1.1 100 Continue\r\n\r\n"
    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
    "5\r\nhello\r\n1;ext=\"a\"\r\n,\r\nA\r\n to you al\r\n1\r\nl\r\n0\r\nX-Trailer: ignored\r\n\r\n";

TEST(ResponseParser, GivesTheSameHoweverAChunkedBodyIsSplit) {
  for (std::size_t i = 0; i <= chunked_response.size(); ++i) {
    for (std::size_t j = i; j <= chunked_response.size(); j += 7) {
      Heard heard;
      ResponseParser parser(heard, {}, false);
      feed_pieces(parser, {chunked_response.substr(0, i), chunked_response.substr(i, j - i),
                           chunked_response.substr(j)});
      ASSERT_TRUE(parser.done()) << i << " " << j;
      ASSERT_EQ(heard.heads, 1);
      ASSERT_EQ(heard.body, "hello, to you all");
      ASSERT_EQ(heard.head.headers.size(), 2u);
      ASSERT_TRUE(parser.keeps_connection());
    }
  }
}

TEST(ResponseParser, GivesTheSameByteByByte) {
  Heard heard;
  ResponseParser parser(heard, {}, false);
  std::vector<std::string> bytes;
  for (char c : chunked_response) bytes.emplace_back(1, c);
  EXPECT_EQ(feed_pieces(parser, bytes), "");
  EXPECT_TRUE(parser.done());
  EXPECT_EQ(heard.body, "hello, to you all");
}

TEST(ResponseParser, TakesNothingOfWhatFollows) {
  Heard heard;
  ResponseParser parser(heard, {}, false);
  EXPECT_EQ(feed_pieces(parser, {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 500"}),
            "HTTP/1.1 500");
  EXPECT_TRUE(parser.done());
}

TEST(ResponseParser, EndsABodyWithTheConnectionWhenTheHeadSaysNoLength) {
  Heard heard;
  ResponseParser parser(heard, {}, false);
  parser.feed("HTTP/1.1 200 OK\r\n\r\nuntil the end");
  EXPECT_FALSE(parser.done());
  parser.end_of_input();
  EXPECT_TRUE(parser.done());
  EXPECT_FALSE(parser.keeps_connection());
  EXPECT_EQ(heard.body, "until the end");
}

TEST(ResponseParser, NoticesEveryPlaceABodyIsCut) {
  // Not within the 100 Continue alone: from there on, each prefix lacks something.
  for (std::size_t i = 0; i < chunked_response.size(); ++i) {
    Heard heard;
    ResponseParser parser(heard, {}, false);
    parser.feed(chunked_response.substr(0, i));
    parser.end_of_input();
    ASSERT_EQ(parser.problem(), ParseProblem::cut_short) << i;
  }
}

TEST(ResponseParser, ExpectsNoBodyAfterHeadAnd204And304) {
  Heard heard;
  ResponseParser to_head(heard, {}, true);
  to_head.feed("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n");
  EXPECT_TRUE(to_head.done());
  for (std::string status : {"204 No Content", "304 Not Modified"}) {
    ResponseParser parser(heard, {}, false);
    parser.feed("HTTP/1.1 " + status + "\r\n\r\n");
    EXPECT_TRUE(parser.done()) << status;
  }
}

TEST(ResponseParser, RefusesWhatIsNotAResponse) {
  EXPECT_EQ(response_problem("SSH-2.0-OpenSSH_9.2\r\n\r\n"), ParseProblem::malformed);
  EXPECT_EQ(response_problem("HTTP/2 200\r\n\r\n"), ParseProblem::malformed);
  EXPECT_EQ(response_problem("HTTP/1.1 abc OK\r\n\r\n"), ParseProblem::malformed);
  EXPECT_EQ(response_problem("HTTP/1.1 101 Switching\r\n\r\n"), ParseProblem::malformed);
  EXPECT_EQ(response_problem("HTTP/1.1 099 Low\r\n\r\n"), ParseProblem::malformed);
  EXPECT_EQ(response_problem(std::string("\x15\x03\x03\x00\x02\x02\x46\r\n\r\n", 11)),
            ParseProblem::malformed);
}

TEST(ResponseParser, RefusesAnEndlessRowOfInformationalHeads) {
  std::string heads;
  for (int i = 0; i < 16; ++i) heads += "HTTP/1.1 103 Early Hints\r\n\r\n";
  std::string last = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
  EXPECT_EQ(response_problem(heads + last), ParseProblem::none);
  EXPECT_EQ(response_problem(heads + heads + last), ParseProblem::malformed);
}

TEST(ResponseParser, RefusesAmbiguousLengths) {
  auto framed = [](const std::string& headers) { return "HTTP/1.1 200 OK\r\n" + headers + "\r\n0\r\n\r\n"; };
  EXPECT_EQ(response_problem(framed("Transfer-Encoding: chunked\r\n")), ParseProblem::none);
  for (std::string headers :
       {"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", "Content-Length: 5\r\nContent-Length: 6\r\n",
        "Content-Length: 5\r\nContent-Length: 5\r\n", "Content-Length: 5, 5\r\n", "Content-Length: -1\r\n",
        "Content-Length: +5\r\n", "Content-Length: 0x5\r\n", "Content-Length: 99999999999999999999999\r\n",
        "Transfer-Encoding: gzip, chunked\r\n", "Transfer-Encoding: identity\r\n"})
    EXPECT_EQ(response_problem(framed(headers)), ParseProblem::malformed) << headers;
}

TEST(ResponseParser, BoundsTheBodyHoweverItIsFramed) {
  ParseLimits limits{.body_bytes_max = 8};
  std::string head = "HTTP/1.1 200 OK\r\n";
  EXPECT_EQ(response_problem(head + "Content-Length: 8\r\n\r\n12345678", limits), ParseProblem::none);
  EXPECT_EQ(response_problem(head + "Content-Length: 9\r\n\r\n123456789", limits),
            ParseProblem::body_too_large);
  EXPECT_EQ(response_problem(head + "\r\n12345678", limits), ParseProblem::none);
  EXPECT_EQ(response_problem(head + "\r\n123456789", limits), ParseProblem::body_too_large);
  head += "Transfer-Encoding: chunked\r\n\r\n";
  EXPECT_EQ(response_problem(head + "4\r\n1234\r\n4\r\n5678\r\n0\r\n\r\n", limits), ParseProblem::none);
  EXPECT_EQ(response_problem(head + "4\r\n1234\r\n5\r\n56789\r\n0\r\n\r\n", limits),
            ParseProblem::body_too_large);
  EXPECT_EQ(response_problem(head + "FFFFFFFFFFFFFFFF\r\n1", limits), ParseProblem::body_too_large);
}

TEST(ResponseParser, BoundsHeadsAndChunkLinesAndTrailers) {
  ParseLimits limits{.head_bytes_max = 1024};
  EXPECT_EQ(response_problem(
                "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX: " + std::string(900, 'x') + "\r\n\r\n", limits),
            ParseProblem::none);
  EXPECT_EQ(response_problem("HTTP/1.1 200 OK\r\nX: " + std::string(1100, 'x') + "\r\n\r\n", limits),
            ParseProblem::head_too_large);
  EXPECT_EQ(response_problem("HTTP/1.1 200 " + std::string(5000, 'x'), limits), ParseProblem::head_too_large);
  std::string chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
  EXPECT_EQ(response_problem(chunked + "1;" + std::string(20000, 'x')), ParseProblem::malformed);
  EXPECT_EQ(response_problem(chunked + "0\r\nX: " + std::string(20000, 'x')), ParseProblem::malformed);
}

const std::string post_head = "POST /a?b HTTP/1.1\r\nHost: h\r\n";

TEST(RequestParser, GathersARequestHoweverItIsSplit) {
  auto text = post_head + "Transfer-Encoding: Chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\nGET /next";
  for (std::size_t i = 0; i <= text.size(); ++i) {
    RequestParser parser({});
    ASSERT_EQ(feed_pieces(parser, {text.substr(0, i), text.substr(i)}), "GET /next") << i;
    ASSERT_TRUE(parser.done());
    auto request = parser.take();
    ASSERT_EQ(request.method, "POST");
    ASSERT_EQ(request.target, "/a?b");
    ASSERT_EQ(request.body, "abcde");
  }
}

TEST(RequestParser, RefusesShapesThatSmuggle) {
  for (std::string headers :
       {"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n", "Content-Length: 3\r\nContent-Length: 4\r\n",
        "Content-Length: 3\r\nContent-Length: 3\r\n", "Content-Length: 3,3\r\n", "Content-Length: +3\r\n",
        "Content-Length: 3 3\r\n", "Content-Length:\r\n", "Transfer-Encoding: xchunked\r\n",
        "Transfer-Encoding: chunked, identity\r\n", "Transfer-Encoding: gzip, chunked\r\n",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: \x0b"
        "chunked\r\n",
        "Content-Length : 3\r\n", " Content-Length: 3\r\n", "Transfer-Encoding : chunked\r\n",
        "X: a\nContent-Length: 3\r\n", "X: a\rContent-Length: 3\r\n", "Host: h\r\n"})
    EXPECT_EQ(request_problem(post_head + headers + "\r\nabcdef\r\n\r\n"), ParseProblem::malformed)
        << headers;
}

TEST(RequestParser, RefusesBadChunkSizes) {
  for (std::string chunk : {"g\r\n", "-1\r\n", "+1\r\na\r\n", "0x1\r\na\r\n", " 1\r\na\r\n", "1 \r\na\r\n",
                            "1\na\n", "\r\n", "11111111111111111\r\n", "1\r\nab\r\n", "1;\x01\r\na\r\n"})
    EXPECT_NE(request_problem(post_head + "Transfer-Encoding: chunked\r\n\r\n" + chunk + "0\r\n\r\n"),
              ParseProblem::none)
        << chunk;
}

TEST(RequestParser, RefusesWhatIsNotARequest) {
  for (std::string text :
       {std::string("\x16\x03\x01\x02\x00\x01\x00\r\n\r\n", 11), std::string("GET\r\n\r\n"),
        std::string("GET / HTTP/2.0\r\n\r\n"), std::string("G@T / HTTP/1.1\r\nHost: h\r\n\r\n"),
        std::string("GET / HTTP/1.1\r\n\r\n"),
        std::string("GET / HTTP/1.1\r\nHost: h\r\nX: a\0b\r\n\r\n", 35),
        std::string("GET /\x01 HTTP/1.1\r\nHost: h\r\n\r\n"),
        std::string("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")})
    EXPECT_EQ(request_problem(text), ParseProblem::malformed) << text;
}

TEST(RequestParser, SaysOnceThatTheClientWaitsForAWord) {
  RequestParser parser({});
  parser.feed(post_head + "Content-Length: 2\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_TRUE(parser.take_expectation());
  EXPECT_FALSE(parser.take_expectation());
  RequestParser impatient({});
  impatient.feed(post_head + "Content-Length: 2\r\nExpect: 100-continue\r\n\r\nab");
  EXPECT_FALSE(impatient.take_expectation());
}

TEST(RequestParser, KnowsWhoKeepsTheConnection) {
  auto keeps = [](const std::string& text) {
    RequestParser parser({});
    parser.feed(text);
    return parser.keeps_connection();
  };
  EXPECT_TRUE(keeps("GET / HTTP/1.1\r\nHost: h\r\n\r\n"));
  EXPECT_FALSE(keeps("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"));
  EXPECT_FALSE(keeps("GET / HTTP/1.0\r\n\r\n"));
  EXPECT_TRUE(keeps("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"));
}

}  // namespace
}  // namespace troupe::http
