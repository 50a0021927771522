// Requests and heads as text, and the order of an exchange's timers: both pure.
#include "runtime/http/message_text.hpp"
#include "runtime/http/phases.hpp"

#include <gtest/gtest.h>

namespace troupe::http {
namespace {

using namespace std::chrono_literals;

const Origin example{true, "api.example", 443};

TEST(Headers, AreFoundAndReplacedWhateverTheirCase) {
  Headers headers{{"Content-Type", "a"}, {"X", "1"}, {"x", "2"}};
  ASSERT_TRUE(find_header(headers, "content-type"));
  EXPECT_EQ(*find_header(headers, "X"), "1");
  EXPECT_EQ(find_header(headers, "Content-Typ"), nullptr);
  set_header(headers, "CONTENT-TYPE", "b");
  set_header(headers, "New", "c");
  EXPECT_EQ(headers, (Headers{{"Content-Type", "b"}, {"X", "1"}, {"x", "2"}, {"New", "c"}}));
}

TEST(RequestText, AddsHostAndLengthUnlessGiven) {
  EXPECT_EQ(*request_text(example, {"POST", "/p", {{"A", "b"}}, "xyz"}),
            "POST /p HTTP/1.1\r\nHost: api.example\r\nA: b\r\nContent-Length: 3\r\n\r\nxyz");
  EXPECT_EQ(*request_text(example, {"POST", "/p", {{"host", "signed"}, {"content-length", "0"}}, ""}),
            "POST /p HTTP/1.1\r\nhost: signed\r\ncontent-length: 0\r\n\r\n");
  EXPECT_EQ(*request_text({false, "::1", 8080}, {"GET", "/", {}, ""}),
            "GET / HTTP/1.1\r\nHost: [::1]:8080\r\n\r\n");
}

TEST(RequestText, RefusesWhatCouldForgeAHeader) {
  for (const Request& request :
       {Request{"POST", "/", {{"A", "b\r\nEvil: 1"}}, ""}, Request{"POST", "/", {{"A\r\n", "b"}}, ""},
        Request{"POST", "/", {{"A", std::string("b\0", 2)}}, ""}, Request{"PO ST", "/", {}, ""},
        Request{"POST", "/a b", {}, ""}, Request{"POST", "", {}, ""},
        Request{"POST", "/", {{"Content-Length", "4"}}, "abc"},
        Request{"POST", "/", {{"Transfer-Encoding", "chunked"}}, "abc"}}) {
    auto text = request_text(example, request);
    ASSERT_FALSE(text);
    EXPECT_EQ(text.error().code, Errc::invalid_input);
  }
  EXPECT_FALSE(request_text({false, "a\r\nb", 80}, {"GET", "/", {}, ""}));
}

TEST(ResponseHeadText, FramesItselfAndIgnoresForeignFraming) {
  auto text = response_head_text({200, {{"content-length", "9"}, {"A", "b"}, {"Connection", "x"}}},
                                 {.content_length = 2});
  EXPECT_EQ(*text, "HTTP/1.1 200 OK\r\nA: b\r\nContent-Length: 2\r\n\r\n");
  EXPECT_FALSE(response_head_text({200, {{"A", "\n"}}}, {}));
  EXPECT_FALSE(response_head_text({99, {}}, {}));
}

TEST(PhaseDeadlines, LetTheEarliestPastOneWin) {
  PhaseDeadlines deadlines;
  Instant noon{1h};
  EXPECT_FALSE(deadlines.next());
  deadlines.set(Phase::total, noon, 10s);
  deadlines.set(Phase::header, noon, 2s);
  deadlines.set(Phase::first_byte, noon, 3s);
  deadlines.set(Phase::idle, noon, 0s);  // no limit
  EXPECT_EQ(deadlines.next(), noon + 2s);
  EXPECT_FALSE(deadlines.expired(noon + 1999ms));
  EXPECT_EQ(deadlines.expired(noon + 4s), Phase::header);
  deadlines.clear(Phase::header);
  EXPECT_EQ(deadlines.expired(noon + 4s), Phase::first_byte);
  deadlines.clear(Phase::first_byte);
  EXPECT_FALSE(deadlines.expired(noon + 4s));
  EXPECT_EQ(deadlines.expired(noon + 10s), Phase::total);
}

}  // namespace
}  // namespace troupe::http
