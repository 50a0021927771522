// Connections kept, reused, dropped and waited for.
#include "tests/http/support/exchanges.hpp"
#include "tests/http/support/raw_peers.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace troupe::http::testing {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

const std::string ok_response = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

struct HttpPool : ::testing::Test {
  Loop loop;
  Client client{loop, {}};

  Client::Stats stats(Client& of) {
    return on_loop(loop, [&] { return of.stats(); });
  }
};

TEST_F(HttpPool, ReusesAConnectionThatWasLeftClean) {
  RawServer server([](RawConnection& peer, int) {
    while (!peer.read_request().empty()) peer.write(ok_response);
  });
  for (int i = 0; i < 5; ++i) {
    auto asked = ask(loop, client, local(server.port()));
    asked.sink->wait_end();
    EXPECT_EQ(asked.exchange->reused_connection(), i > 0);
  }
  auto now = stats(client);
  EXPECT_EQ(now.opened_total, 1u);
  EXPECT_EQ(now.reused_total, 4u);
  EXPECT_EQ(now.open, 1u);
  EXPECT_EQ(now.idle, 1u);
  EXPECT_EQ(server.accepted(), 1);
}

TEST_F(HttpPool, DoesNotReuseWhatTheServerClosesOrSpoils) {
  for (std::string response : {"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
                               "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nunasked",
                               "HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n"}) {
    RawServer server([&](RawConnection& peer, int) {
      peer.read_request();
      peer.write(response);
      peer.read_to_end();
    });
    ASSERT_TRUE(ask_and_wait(loop, client, local(server.port()))->succeeded());
    EXPECT_EQ(stats(client).open, 0u) << response;
  }
}

TEST_F(HttpPool, SkipsAnIdleConnectionTheServerHasClosed) {
  std::promise<void> closed;
  RawServer server([&](RawConnection& peer, int index) {
    peer.read_request();
    peer.write(ok_response);
    if (index > 0) return;
    peer.close();
    closed.set_value();
  });
  ASSERT_TRUE(ask_and_wait(loop, client, local(server.port()))->succeeded());
  closed.get_future().wait();
  auto second = ask(loop, client, local(server.port()));
  second.sink->wait_end();
  EXPECT_TRUE(second.sink->succeeded());
  EXPECT_FALSE(second.exchange->reused_connection());
}

TEST_F(HttpPool, DropsAnIdleConnectionAsSoonAsItIsClosedOrSpeaksUnasked) {
  for (bool speaks : {false, true}) {
    std::promise<void> go;
    RawServer server([&](RawConnection& peer, int) {
      peer.read_request();
      peer.write(ok_response);
      go.get_future().wait();
      if (!speaks) return peer.close();
      peer.write("HTTP/1.1 408 Request Timeout\r\n\r\n");
      peer.read_to_end();
    });
    ASSERT_TRUE(ask_and_wait(loop, client, local(server.port()))->succeeded());
    EXPECT_EQ(stats(client).idle, 1u);
    go.set_value();
    EXPECT_TRUE(eventually([&] { return stats(client).open == 0; }));
  }
}

TEST_F(HttpPool, SendsAgainOnceWhenAReusedConnectionDiesSilently) {
  std::atomic<int> requests = 0;
  RawServer server([&](RawConnection& peer, int index) {
    peer.read_request();
    ++requests;
    peer.write(ok_response);
    if (index > 0) return (void)peer.read_to_end();
    // The next request is taken and dropped, as by a server that closed an idle connection while it was on
    // its way.
    peer.read_request();
    ++requests;
    peer.reset();
  });
  ask_and_wait(loop, client, local(server.port()));
  auto second = ask(loop, client, local(server.port()));
  second.sink->wait_end();
  EXPECT_TRUE(second.sink->succeeded());
  EXPECT_FALSE(second.exchange->reused_connection());
  EXPECT_EQ(requests, 3);
  EXPECT_EQ(stats(client).open, 1u);
  EXPECT_EQ(stats(client).opened_total, 2u);
}

TEST_F(HttpPool, DoesNotSendAgainOnAFreshConnectionNorAfterAnswerBytes) {
  std::atomic<int> requests = 0;
  RawServer fresh([&](RawConnection& peer, int) {
    peer.read_request();
    ++requests;
    peer.close();
  });
  auto heard = ask_and_wait(loop, client, local(fresh.port()));
  EXPECT_EQ(heard->error().code, Errc::transient_server);
  EXPECT_TRUE(heard->error().maybe_billed);
  EXPECT_THAT(heard->error().what, HasSubstr("without an answer"));
  EXPECT_EQ(requests, 1);

  RawServer answering([&](RawConnection& peer, int) {
    peer.read_request();
    peer.write(ok_response);
    peer.read_request();
    peer.write("HTTP/1.1 2");
    peer.close();
  });
  ask_and_wait(loop, client, local(answering.port()));
  EXPECT_EQ(ask_and_wait(loop, client, local(answering.port()))->error().code, Errc::transient_server);
  EXPECT_EQ(answering.accepted(), 1);
}

TEST_F(HttpPool, QueuesBeyondItsConnectionsAndRefusesBeyondTheQueue) {
  std::promise<void> go;
  auto gone = go.get_future().share();
  RawServer server([&](RawConnection& peer, int) {
    while (!peer.read_request().empty()) {
      gone.wait();
      peer.write(ok_response);
    }
  });
  Client narrow(loop, {.open_per_origin_max = 2, .waiting_per_origin_max = 3});
  std::vector<Asked> asked;
  for (int i = 0; i < 6; ++i) asked.push_back(ask(loop, narrow, local(server.port())));
  ASSERT_TRUE(asked[5].sink->wait_end());
  EXPECT_EQ(asked[5].sink->error().code, Errc::refused);
  EXPECT_FALSE(asked[5].sink->error().maybe_billed);
  // One of the waiting gives up; the others still get their turn.
  on_loop(loop, [&] { return asked[3].exchange->cancel(), 0; });
  go.set_value();
  for (int i : {0, 1, 2, 4}) {
    ASSERT_TRUE(asked[i].sink->wait_end());
    EXPECT_TRUE(asked[i].sink->succeeded());
  }
  EXPECT_EQ(stats(narrow).opened_total, 2u);
  EXPECT_EQ(server.accepted(), 2);
}

TEST_F(HttpPool, ClosesIdleConnectionsOfAgeAndInExcess) {
  std::promise<void> closed;
  RawServer server([&](RawConnection& peer, int) {
    peer.read_request();
    peer.write(ok_response);
    peer.read_to_end();
    closed.set_value();
  });
  Client forgetful(loop, {.idle_age_max = 20ms});
  ask_and_wait(loop, forgetful, local(server.port()));
  ASSERT_EQ(closed.get_future().wait_for(patience), std::future_status::ready);
  EXPECT_EQ(stats(forgetful).open, 0u);

  RawServer other([](RawConnection& peer, int) {
    while (!peer.read_request().empty()) peer.write(ok_response);
  });
  Client keeps_none(loop, {.idle_per_origin_max = 0});
  ask_and_wait(loop, keeps_none, local(other.port()));
  EXPECT_EQ(stats(keeps_none).open, 0u);
}

}  // namespace
}  // namespace troupe::http::testing
