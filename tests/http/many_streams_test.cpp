// Thousands of answers that trickle at once, as a fleet of models gives them: none is lost, none is mixed up.
#include "tests/http/support/exchanges.hpp"

#include "runtime/http/server.hpp"

#include <gtest/gtest.h>

#include <sys/resource.h>

#include <algorithm>

namespace troupe::http::testing {
namespace {

// Two descriptors each, the client's and the server's. As many as this process may have.
std::size_t streams_possible(std::size_t wanted) {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = std::min<rlim_t>(limit.rlim_max, std::max<rlim_t>(limit.rlim_cur, wanted * 2 + 200));
  ::setrlimit(RLIMIT_NOFILE, &limit);
  return std::min<std::size_t>(wanted, limit.rlim_cur > 200 ? (limit.rlim_cur - 200) / 2 : 0);
}

TEST(HttpManyStreams, TwoThousandIdleOnesAllGoOnAndEnd) {
  auto many = streams_possible(2000);
  if (many < 500) GTEST_SKIP() << "this process may not open enough descriptors";
  Loop loop;
  std::vector<std::pair<std::string, std::shared_ptr<Responder>>> held;
  auto server = Server::listen(loop, {}, [&](const Request& request, std::shared_ptr<Responder> responder) {
    responder->begin({200, {{"Content-Type", "text/event-stream"}}});
    responder->write(request.body + ";");
    held.emplace_back(request.body, std::move(responder));
  });
  ASSERT_TRUE(server);
  Client client(loop, {.open_per_origin_max = 4096});
  std::vector<std::shared_ptr<Recorder>> sinks;
  for (std::size_t i = 0; i < many; ++i) sinks.push_back(std::make_shared<Recorder>());
  on_loop(loop, [&] {
    for (std::size_t i = 0; i < many; ++i)
      client.start(local((*server)->port()), post_request(std::to_string(i)), {}, sinks[i]);
    return 0;
  });
  for (auto& sink : sinks) ASSERT_TRUE(sink->wait_body(2));
  // All are under way and idle; then each goes on three times.
  EXPECT_EQ(on_loop(loop, [&] { return client.stats().open; }), many);
  for (int round = 0; round < 3; ++round)
    on_loop(loop, [&] {
      for (auto& [name, responder] : held) responder->write(name + ",");
      return 0;
    });
  on_loop(loop, [&] {
    for (auto& [name, responder] : held) responder->finish(Ending::complete);
    return held.clear(), 0;
  });
  for (std::size_t i = 0; i < many; ++i) {
    ASSERT_TRUE(sinks[i]->wait_end());
    ASSERT_TRUE(sinks[i]->succeeded()) << sinks[i]->error().what;
    auto name = std::to_string(i);
    EXPECT_EQ(sinks[i]->body, name + ";" + name + "," + name + "," + name + ",");
  }
}

}  // namespace
}  // namespace troupe::http::testing
