// HTTP/2 as bytes in and bytes out: any split of the input gives the same, and no input is a crash.
#include "runtime/http/h2_session.hpp"

#include "runtime/base/rng.hpp"

#include <gtest/gtest.h>

namespace troupe::http::testing {
namespace {

std::string frame(unsigned char type, unsigned char flags, std::uint32_t stream, const std::string& payload) {
  auto size = payload.size();
  std::string out;
  for (int shift : {16, 8, 0}) out += static_cast<char>(size >> shift & 0xff);
  out += static_cast<char>(type);
  out += static_cast<char>(flags);
  for (int shift : {24, 16, 8, 0}) out += static_cast<char>(stream >> shift & 0xff);
  return out + payload;
}

// RFC 7541: indexed fields of the static table, and literals that are not.
std::string literal(unsigned char index, const std::string& value) {
  return std::string{static_cast<char>(index), static_cast<char>(value.size())} + value;
}
const std::string post_head = std::string("\x83\x86", 2) + literal(0x04, "/v1/x?y=1") + literal(0x01, "h:80");

std::string conversation() {
  std::string out(h2_preface);
  out += frame(4, 0, 0, "");                           // SETTINGS
  out += frame(1, 0x4, 1, post_head);                  // HEADERS, END_HEADERS
  out += frame(0, 0, 1, "hello ");                     // DATA
  out += frame(6, 0, 0, "12345678");                   // PING
  out += frame(0, 0x1, 1, "world");                    // DATA, END_STREAM
  out += frame(1, 0x5, 3, post_head);                  // a request without a body
  out += frame(3, 0, 3, std::string("\0\0\0\x8", 4));  // RST_STREAM, CANCEL
  return out;
}

struct Outcome {
  std::vector<std::string> said;
  bool kept = true;
};

Outcome run(H2Session& session, const std::vector<std::string>& pieces) {
  Outcome outcome;
  for (const auto& piece : pieces) {
    outcome.kept = session.feed(piece);
    for (auto& event : session.take_events()) {
      bool request = event.kind == H2Event::Kind::request;
      const auto* host = find_header(event.request.headers, "host");
      outcome.said.push_back((request ? "request " : "closed ") + std::to_string(event.stream) + " " +
                             (request ? event.request.method + " " + event.request.target + " " +
                                            (host ? *host : "") + " " + event.request.body
                                      : ""));
    }
    std::string out;
    session.pull(out, 1 << 20);
    if (!outcome.kept) break;
  }
  return outcome;
}

const std::vector<std::string> expected = {"request 1 POST /v1/x?y=1 h:80 hello world",
                                           "request 3 POST /v1/x?y=1 h:80 ", "closed 3 "};

TEST(H2Session, ReadsRequestsSplitAnywhere) {
  auto bytes = conversation();
  for (std::size_t at = 0; at <= bytes.size(); ++at) {
    H2Session session({});
    auto outcome = run(session, {bytes.substr(0, at), bytes.substr(at)});
    EXPECT_EQ(outcome.said, expected) << "split at " << at;
    EXPECT_TRUE(outcome.kept);
  }
  std::vector<std::string> singles;
  for (char c : bytes) singles.emplace_back(1, c);
  H2Session session({});
  EXPECT_EQ(run(session, singles).said, expected);
}

TEST(H2Session, SaysGoawayToWhatIsNotHttp2) {
  for (std::string after : {std::string(100, '\xff'), frame(0, 0, 1, "DATA on no stream"),
                            frame(4, 0, 0, "12345"), frame(4, 0, 1, "")}) {
    H2Session session({});
    session.feed(std::string(h2_preface) + frame(4, 0, 0, "") + after);
    std::string out;
    session.pull(out, 1 << 20);
    EXPECT_TRUE(session.over());
    // Our SETTINGS and a GOAWAY, whose last eight bytes are the last stream and the code.
    EXPECT_NE(out.find(std::string("\x07\0\0\0\0\0", 6)), std::string::npos);
  }
}

TEST(H2Session, GetsAnOrderlyEndForAForeignPreface) {
  H2Session session({});
  EXPECT_FALSE(session.feed("PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n"));
  EXPECT_FALSE(session.feed("more"));
}

TEST(H2Session, SurvivesRandomDamage) {
  auto bytes = conversation();
  Rng rng(7);
  for (int round = 0; round < 3000; ++round) {
    auto damaged = bytes;
    for (std::uint64_t i = 0, n = 1 + rng.below(4); i < n; ++i)
      damaged[h2_preface.size() + rng.below(damaged.size() - h2_preface.size())] =
          static_cast<char>(rng.below(256));
    H2Session session({.head_bytes_max = 64, .body_bytes_max = 8});
    auto cut = rng.below(damaged.size());
    run(session, {damaged.substr(0, cut), damaged.substr(cut)});
    session.begin(1, {200, {}}, std::nullopt, true);
    session.write(1, "x");
    session.finish(1, round % 2 ? Ending::cut : Ending::complete);
    std::string out;
    session.pull(out, 1 << 20);
    EXPECT_LT(out.size(), 4096u);
  }
}

TEST(H2Session, CountsWhatIsUnsentUntilItIsPulledOrReset) {
  H2Session session({});
  std::string big(100000, 'x'), out;
  run(session, {conversation()});
  session.begin(1, {200, {}}, std::nullopt, true);
  session.write(1, big);
  EXPECT_EQ(session.unsent_bytes(), big.size());
  session.pull(out, 16 << 20);
  // The client's windows, of the stream and the connection, are 65535 bytes unless it says otherwise.
  EXPECT_EQ(session.unsent_bytes(), big.size() - 65535);
  session.reset(1);
  EXPECT_EQ(session.unsent_bytes(), 0u);
  session.write(1, big);
  EXPECT_EQ(session.unsent_bytes(), 0u);
  session.pull(out, 16 << 20);
  EXPECT_FALSE(session.has_streams());
}

TEST(H2Session, ResetsWhatStallsForAWholeInterval) {
  H2Session session({});
  std::string out;
  run(session, {std::string(h2_preface) + frame(4, 0, 0, "") + frame(1, 0x4, 1, post_head)});
  session.reset_stalled();
  session.pull(out, 1 << 20);
  EXPECT_TRUE(session.has_streams());
  session.reset_stalled();
  session.pull(out, 1 << 20);
  EXPECT_FALSE(session.has_streams());
}

}  // namespace
}  // namespace troupe::http::testing
