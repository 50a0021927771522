// The envelope's bytes are a contract with other versions of ourselves.
#include "runtime/protocol/envelope.hpp"

#include "tests/protocol/samples.hpp"

#include <gtest/gtest.h>

namespace troupe::protocol {
namespace {

using std::string_literals::operator""s;

Envelope sample() {
  return {.version = 1,
          .lane = Lane::bulk,
          .source = "node-a",
          .epoch = 7,
          .incarnation = 1'700'000'000'000,
          .seq = 300,
          .ack = 4,
          .credit = 4100,
          .kind = 9,
          .deadline_ms = -1,
          .trace = "t1",
          .body = "\0\xff"s};
}

const auto kGolden =
    "\x9c\x01\x02\xa6node-a\x07\xcf\x00\x00\x01\x8b\xcf\xe5\x68\x00\xcd\x01\x2c"
    "\x04\xcd\x10\x04\x09\xff\xa2t1\xc4\x02\x00\xff"s;

bool same(const Envelope& a, const Envelope& b) { return encode(a) == encode(b); }

TEST(Envelope, BytesAreGolden) {  // O2
  EXPECT_EQ(testing::PrintToString(encode(sample())), testing::PrintToString(kGolden));
}

TEST(Envelope, GoldenBytesReadBack) {
  auto back = decode_envelope(kGolden);
  ASSERT_TRUE(back);
  EXPECT_EQ(back->lane, Lane::bulk);
  EXPECT_EQ(back->source, "node-a");
  EXPECT_EQ(back->epoch, 7u);
  EXPECT_EQ(back->incarnation, 1'700'000'000'000u);
  EXPECT_EQ(back->seq, 300u);
  EXPECT_EQ(back->ack, 4u);
  EXPECT_EQ(back->credit, 4100u);
  EXPECT_EQ(back->kind, 9u);
  EXPECT_EQ(back->deadline_ms, -1);
  EXPECT_EQ(back->trace, "t1");
  EXPECT_EQ(back->body, "\0\xff"s);
}

TEST(Envelope, EveryPrefixIsRefused) {  // J10
  for (std::size_t size = 0; size < kGolden.size(); ++size) {
    std::vector<char> exact(kGolden.begin(), kGolden.begin() + static_cast<std::ptrdiff_t>(size));
    EXPECT_FALSE(decode_envelope({exact.data(), exact.size()})) << size;
  }
  EXPECT_FALSE(decode_envelope(kGolden + "x"));
}

TEST(Envelope, FlippedBytesNeverCrash) {  // J10
  for (std::uint64_t seed = 0; seed < 20'000; ++seed) {
    Rng rng(seed);
    std::vector<char> exact(kGolden.begin(), kGolden.end());
    for (auto flips = 1 + rng.below(3); flips > 0; --flips) {
      exact[rng.below(exact.size())] = static_cast<char>(rng.below(256));
    }
    auto back = decode_envelope({exact.data(), exact.size()});
    EXPECT_TRUE(!back || static_cast<std::size_t>(back->lane) < kLanes);
  }
}

TEST(Envelope, ANewerNeighboursTailIsIgnored) {  // O2
  auto newer = kGolden;
  newer[0] = '\x9e';  // fourteen fields
  newer[1] = '\x02';  // version 2
  newer += "\x81\xa1k\x01\xa3new";
  auto back = decode_envelope(newer);
  ASSERT_TRUE(back);
  EXPECT_EQ(back->version, 2u);
  back->version = 1;
  EXPECT_TRUE(same(*back, sample()));
}

TEST(Envelope, AMissingFieldAVersionTooFarAndAnUnknownLaneAreRefused) {  // O2
  auto missing = kGolden;
  missing[0] = '\x9b';
  missing.resize(missing.size() - 4);
  EXPECT_FALSE(decode_envelope(missing));
  for (char version : {'\x00', '\x03', '\x7f'}) {
    auto other = kGolden;
    other[1] = version;
    EXPECT_FALSE(decode_envelope(other)) << int(version);
  }
  auto lane = kGolden;
  lane[2] = '\x03';
  EXPECT_FALSE(decode_envelope(lane));
}

TEST(Envelope, ASourceOver255BytesIsRefused) {
  auto envelope = sample();
  envelope.source = std::string(255, 'n');
  EXPECT_TRUE(decode_envelope(encode(envelope)));
  envelope.source += 'n';
  EXPECT_FALSE(decode_envelope(encode(envelope)));
}

TEST(Envelope, SeveralInOneFrameAreReadOneAfterTheOther) {
  auto frame = kGolden + kGolden + encode({.source = "b", .body = std::string(70'000, 'x')});
  Reader reader(frame);
  read_envelope(reader);
  EXPECT_EQ(read_envelope(reader).seq, 300u);
  EXPECT_EQ(read_envelope(reader).body.size(), 70'000u);
  EXPECT_TRUE(reader.ok());
  EXPECT_TRUE(reader.rest().empty());
}

}  // namespace
}  // namespace troupe::protocol
