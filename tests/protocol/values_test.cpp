// The public values survive the wire, and nothing else gets in.
#include "runtime/protocol/values.hpp"

#include "tests/protocol/samples.hpp"

#include <gtest/gtest.h>

namespace troupe::protocol {
namespace {

// Equality of values that declare none is equality of what is written.
template <class T>
void expect_round_trip(const T& value) {
  auto bytes = to_bytes(value);
  auto back = from_bytes<T>(bytes);
  ASSERT_TRUE(back) << back.error().what;
  EXPECT_EQ(to_bytes(*back), bytes);
  if constexpr (requires { value == value; }) {
    EXPECT_EQ(*back, value);
  }
}

// O2: N and N-1 side by side.
template <class T>
void expect_every_prefix_refused(const T& value) {
  auto bytes = to_bytes(value);
  // Beyond a few hundred cuts each further one is inside a long text: look at a spread of them.
  auto step = std::max<std::size_t>(1, bytes.size() / 500);
  for (std::size_t size = 0; size < bytes.size(); size += step) {
    EXPECT_FALSE(from_bytes<T>(std::string_view(bytes).substr(0, size))) << size << " of " << bytes.size();
  }
  EXPECT_FALSE(from_bytes<T>(bytes + '\0'));
}

template <class T>
void survive_flips(const T& value, Rng& rng) {
  auto bytes = to_bytes(value);
  for (int round = 0; round < 60; ++round) {
    auto broken = bytes;
    for (auto flips = 1 + rng.below(4); flips > 0; --flips) {
      broken[rng.below(broken.size())] = static_cast<char>(rng.below(256));
    }
    broken.resize(rng.below(8) == 0 ? rng.below(broken.size()) : broken.size());
    // A copy of exactly this size on the heap, so that the sanitizer sees a read one byte past it.
    std::vector<char> exact(broken.begin(), broken.end());
    auto back = from_bytes<T>(std::string_view(exact.data(), exact.size()));
    EXPECT_TRUE(back || back.error().code == Errc::invalid_input);
  }
}

template <class Check>
void for_each_kind(Rng& rng, Check check) {
  check(random_request(rng));
  check(random_event(rng));
  check(random_completion(rng));
  check(random_usage(rng));
  check(random_attempt(rng));
  check(random_answer(rng));
}

TEST(Values, RandomOnesComeBackEqual) {
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    Rng rng(seed);
    for_each_kind(rng, [](const auto& value) { expect_round_trip(value); });
  }
}

TEST(Values, EveryPrefixIsRefused) {
  for (std::uint64_t seed = 0; seed < 25; ++seed) {
    Rng rng(seed);
    for_each_kind(rng, [](const auto& value) { expect_every_prefix_refused(value); });
  }
}

TEST(Values, FlippedBytesNeverCrash) {  // J10
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    Rng rng(seed);
    for_each_kind(rng, [&](const auto& value) { survive_flips(value, rng); });
  }
}

TEST(Values, RandomBytesNeverCrash) {  // J10
  for (std::uint64_t seed = 0; seed < 3000; ++seed) {
    Rng rng(seed);
    auto text = random_text(rng, 200);
    std::vector<char> exact(text.begin(), text.end());
    std::string_view bytes(exact.data(), exact.size());
    std::ignore = from_bytes<CompletionRequest>(bytes);
    std::ignore = from_bytes<Answer>(bytes);
    std::ignore = from_bytes<StreamEvent>(bytes);
    Reader reader(bytes);
    reader.skip();
  }
}

TEST(Values, AnErrorCrossesWithoutTheVendorsWords) {
  for (int i = 0; i <= static_cast<int>(Errc::internal); ++i) {
    auto error = make_error(static_cast<Errc>(i), "why");
    error.retry_after = std::chrono::seconds(3);
    error.vendor_text = "the user's secret";
    auto bytes = to_bytes(error);
    EXPECT_EQ(bytes.find("secret"), std::string::npos);
    auto back = from_bytes<Error>(bytes);
    ASSERT_TRUE(back);
    EXPECT_EQ(back->code, error.code);
    EXPECT_EQ(back->what, "why");
    EXPECT_EQ(back->fault, error.fault);
    EXPECT_EQ(back->retryable, error.retryable);
    EXPECT_EQ(back->failover, error.failover);
    EXPECT_EQ(back->counts_for_breaker, error.counts_for_breaker);
    EXPECT_EQ(back->maybe_billed, error.maybe_billed);
    EXPECT_EQ(back->retry_after, error.retry_after);
    EXPECT_EQ(back->vendor_text, "");
  }
}

TEST(Values, AnUnknownTagOrEnumerationIsRefused) {
  Writer event;
  event.array(2);
  event.unsigned_integer(99);
  event.text("x");
  EXPECT_FALSE(from_bytes<StreamEvent>(event.peek()));
  auto error = make_error(Errc::timeout, "w");
  error.fault = static_cast<Fault>(9);
  EXPECT_FALSE(from_bytes<Error>(to_bytes(error)));
}

TEST(Values, ATailFromANewerNeighbourIsIgnored) {  // O2
  auto usage = Usage{.input = 1, .output = 2};
  auto bytes = to_bytes(usage);
  bytes[0] = '\x99';  // seven known fields and two more
  bytes += "\xa3new\x92\x01\x02";
  auto back = from_bytes<Usage>(bytes);
  ASSERT_TRUE(back);
  EXPECT_EQ(*back, usage);
}

TEST(Values, WhatAnOlderNeighbourDoesNotWriteKeepsItsDefault) {  // O2
  auto bytes = to_bytes(Usage{.input = 1, .output = 2});
  bytes[0] = '\x96';  // as when Usage had six fields
  bytes.pop_back();
  auto back = from_bytes<Usage>(bytes);
  ASSERT_TRUE(back);
  EXPECT_EQ(*back, (Usage{.input = 1, .output = 2}));
}

}  // namespace
}  // namespace troupe::protocol
