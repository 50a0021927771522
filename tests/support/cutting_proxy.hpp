// A wire that can be cut at the worst moment: passes bytes between clients and a server's socket until told.
#pragma once

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <poll.h>

#include <atomic>
#include <cstring>
#include <filesystem>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace troupe::testing {

/// Connections are served one thread each; all end with the proxy.
class CuttingProxy {
 public:
  enum class Cut {
    nothing,
    /// The next bytes of a client never reach the server.
    question,
    /// The next answer that tells of a commit never reaches the client: the server has done it.
    answer_to_commit,
  };

  /// Listens in `folder` under the name by which libpq looks for port 5432; passes on to `server`.
  CuttingProxy(const std::filesystem::path& folder, std::string server) : server_(std::move(server)) {
    std::filesystem::create_directories(folder);
    listener_ = open_socket((folder / ".s.PGSQL.5432").string(), true);
    acceptor_ = std::thread([this] { accept_all(); });
  }
  ~CuttingProxy() {
    stopping_ = true;
    ::shutdown(listener_, SHUT_RDWR);
    acceptor_.join();
    for (auto& wire : wires_) wire.join();
    ::close(listener_);
  }
  CuttingProxy(const CuttingProxy&) = delete;
  CuttingProxy& operator=(const CuttingProxy&) = delete;

  void arm(Cut cut) { cut_ = cut; }
  /// Cuts that have happened.
  int cuts() const { return cuts_; }

 private:
  static int open_socket(const std::string& path, bool listening) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
    int socket = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    auto* any = reinterpret_cast<sockaddr*>(&address);
    bool good = listening ? ::bind(socket, any, sizeof address) == 0 && ::listen(socket, 16) == 0
                          : ::connect(socket, any, sizeof address) == 0;
    if (good) return socket;
    ::close(socket);
    return -1;
  }

  void accept_all() {
    while (!stopping_) {
      int client = ::accept(listener_, nullptr, nullptr);
      if (client < 0) return;
      wires_.emplace_back([this, client] { serve(client); });
    }
  }

  void serve(int client) {
    int server = open_socket(server_, false);
    while (server >= 0 && !stopping_) {
      pollfd ready[] = {{client, POLLIN, 0}, {server, POLLIN, 0}};
      if (::poll(ready, 2, 50) < 0) break;
      if (ready[0].revents != 0 && !pass(client, server, true)) break;
      if (ready[1].revents != 0 && !pass(server, client, false)) break;
    }
    ::close(client);
    if (server >= 0) ::close(server);
  }

  /// False when the wire is cut or was closed.
  bool pass(int from, int to, bool question) {
    char bytes[65536];
    auto count = ::read(from, bytes, sizeof bytes);
    if (count <= 0) return false;
    std::string_view text(bytes, static_cast<std::size_t>(count));
    bool here = question ? cut_ == Cut::question
                         : cut_ == Cut::answer_to_commit && text.find("COMMIT") != std::string_view::npos;
    if (here) {
      cut_ = Cut::nothing;
      ++cuts_;
      return false;
    }
    while (!text.empty()) {
      auto sent = ::send(to, text.data(), text.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      text.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }

  std::string server_;
  int listener_ = -1;
  std::atomic<Cut> cut_ = Cut::nothing;
  std::atomic<int> cuts_ = 0;
  std::atomic<bool> stopping_ = false;
  std::vector<std::thread> wires_;
  std::thread acceptor_;
};

}  // namespace troupe::testing
