// Peers in processes of their own that are killed, stopped and started again.
#include "tests/transport/loopback.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>

#include <cstdlib>

extern char** environ;

namespace troupe::transport {
namespace {

constexpr const char* kEchoPeer = "--echo-peer";

std::string env(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

// The peer's program, see main below. Echoes what it gets until it is killed or its parent closes stdin.
int run_echo_peer() {
  struct Echo : GatewayListener {
    Gateway* gateway = nullptr;
    void on_peer_up(const std::string&, std::uint64_t) override {}
    void on_peer_down(const std::string&, const std::string&) override {}
    void on_message(Inbound in) override {
      std::ignore = gateway->send(in.peer, {.body = std::move(in.body)});
    }
  } echo;
  auto config = quick_config("b", {env("PEER_PUBLIC"), env("PEER_SECRET")});
  config.listen = "";
  config.peers.push_back({"a", env("PEER_TO"), env("PEER_TO_KEY")});
  auto gateway = start_gateway(config, echo);
  if (!gateway) return 1;
  gateway->post([&] { echo.gateway = gateway.get(); });
  char byte;
  std::ignore = read(STDIN_FILENO, &byte, 1);
  return 0;
}

/// A process that runs peer "b" against a's address. Killed at the end at the latest; its stdin is ours, so
/// that it ends with us whatever happens.
class Process {
 public:
  Process(const Pair& pair, const std::string& address) {
    setenv("PEER_PUBLIC", pair.b_keys.public_key.c_str(), 1);
    setenv("PEER_SECRET", pair.b_keys.secret_key.c_str(), 1);
    setenv("PEER_TO", address.c_str(), 1);
    setenv("PEER_TO_KEY", pair.a_keys.public_key.c_str(), 1);
    EXPECT_EQ(pipe2(pipe_, O_CLOEXEC), 0);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, pipe_[0], STDIN_FILENO);
    const char* argv[] = {"transport_test", kEchoPeer, nullptr};
    EXPECT_EQ(posix_spawn(&pid_, "/proc/self/exe", &actions, nullptr, const_cast<char**>(argv), environ), 0);
    posix_spawn_file_actions_destroy(&actions);
  }
  ~Process() { end(); }
  void signal(int number) { kill(pid_, number); }
  void end() {
    if (pid_ == 0) return;
    kill(pid_, SIGKILL);
    waitpid(std::exchange(pid_, 0), nullptr, 0);
    close(pipe_[0]);
    close(pipe_[1]);
  }

 private:
  pid_t pid_ = 0;
  int pipe_[2] = {-1, -1};
};

std::vector<std::string> got(Pair& pair) {
  std::vector<std::string> out;
  for (auto& message : pair.a_heard.messages()) out.push_back(message.body);
  return out;
}

TEST(PeerProcess, KilledMidStreamAndStartedAgainIsANewLife) {  // O2: kill
  Pair pair;
  pair.a = start_gateway(pair.a_config(), pair.a_heard);
  Process first(pair, pair.a->address());
  ASSERT_TRUE(pair.a_heard.wait_up("b"));
  for (int i = 0; i < 2000; ++i) ASSERT_TRUE(pair.a->send("b", data(fmt::format("old {}", i))));
  ASSERT_TRUE(pair.a_heard.wait_messages(1));
  first.end();
  ASSERT_TRUE(pair.a_heard.wait_down("b"));
  Process second(pair, pair.a->address());
  ASSERT_TRUE(pair.a_heard.wait_up("b", 2));
  auto lives = pair.a_heard.ups("b");
  EXPECT_GT(lives[1], lives[0]);
  auto before = got(pair).size();
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(pair.a->send("b", data(fmt::format("new {}", i))));
  ASSERT_TRUE(pair.a_heard.wait_messages(before + 100));
  auto echoes = got(pair);
  for (std::size_t i = 0; i < 100; ++i) EXPECT_EQ(echoes[before + i], fmt::format("new {}", i));
}

TEST(PeerProcess, StoppedIsDownAndContinuedIsUpWithNothingLostOrTwice) {  // O2: pause
  Pair pair;
  pair.a = start_gateway(pair.a_config(), pair.a_heard);
  Process peer(pair, pair.a->address());
  ASSERT_TRUE(pair.a_heard.wait_up("b"));
  int sent = 0;
  auto send_some = [&](int count) {
    for (int i = 0; i < count; ++i) ASSERT_TRUE(pair.a->send("b", data(fmt::format("{}", sent++))));
  };
  send_some(1000);
  peer.signal(SIGSTOP);
  send_some(1000);
  ASSERT_TRUE(pair.a_heard.wait_down("b"));
  EXPECT_EQ(pair.a_heard.downs("b").at(0), "not heard for 600 ms");
  send_some(1000);
  peer.signal(SIGCONT);
  ASSERT_TRUE(pair.a_heard.wait_up("b", 2));
  ASSERT_TRUE(pair.a_heard.wait_messages(3000));
  auto lives = pair.a_heard.ups("b");
  EXPECT_EQ(lives[0], lives[1]) << "the same life";
  auto echoes = got(pair);
  ASSERT_EQ(echoes.size(), 3000u);
  for (std::size_t i = 0; i < 3000; ++i) ASSERT_EQ(echoes[i], fmt::format("{}", i));
}

}  // namespace
/// Instead of GoogleTest's own: the same program is also the peer of its tests.
int run_tests_or_peer(int argc, char** argv) {
  if (argc == 2 && std::string_view(argv[1]) == kEchoPeer) return run_echo_peer();
  ::testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}

}  // namespace troupe::transport

int main(int argc, char** argv) { return troupe::transport::run_tests_or_peer(argc, argv); }
