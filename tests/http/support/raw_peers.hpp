// Peers that say exactly what a test tells them, right or wrong: plain blocking sockets, no HTTP library.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace troupe::http::testing {

/// One end of a connection. Reads give up after some seconds, so that a failing test ends.
class RawConnection {
 public:
  explicit RawConnection(int fd);
  ~RawConnection();
  RawConnection(const RawConnection&) = delete;
  RawConnection& operator=(const RawConnection&) = delete;
  /// To 127.0.0.1.
  static std::unique_ptr<RawConnection> connect(unsigned short port);

  void write(std::string_view bytes);
  /// Writes until all is taken, or for `stall` nothing more is; gives how much was.
  std::size_t write_until_stalled(std::string_view bytes, std::chrono::milliseconds stall);
  /// Everything up to and including `mark`, or what came before the end.
  std::string read_until(std::string_view mark);
  /// A request head and its Content-Length body; empty when the client went.
  std::string read_request();
  std::string read_to_end();
  /// Whatever comes next; empty at the end.
  std::string read_some();
  /// The peer reset rather than closed; meaningful after a read that ended.
  bool was_reset() const { return reset_; }
  void close();
  /// Makes the peer see a reset.
  void reset();
  void shutdown();

 private:
  bool read_more();
  int fd_;
  // A server going down shuts what its script may be closing.
  std::mutex closing_;
  bool reset_ = false;
  std::string held_;
};

/// Listens on a free port and plays `script` for every connection, one thread each; `index` counts them from
/// 0.
class RawServer {
 public:
  using Script = std::function<void(RawConnection& peer, int index)>;
  explicit RawServer(Script script);
  ~RawServer();
  unsigned short port() const { return port_; }
  int accepted() const { return accepted_; }

 private:
  void accept_all();
  Script script_;
  int fd_ = -1;
  unsigned short port_ = 0;
  std::atomic<int> accepted_ = 0;
  std::mutex mutex_;
  std::vector<std::shared_ptr<RawConnection>> peers_;
  std::vector<std::thread> threads_;
  std::thread acceptor_;
};

/// A port of loopback where nobody listens, held so that nobody else does.
class ClosedPort {
 public:
  ClosedPort();
  ~ClosedPort();
  unsigned short port() const { return port_; }

 private:
  unsigned short port_ = 0;
  int fd_;
};

/// A port of 127.0.0.1 where connecting neither succeeds nor fails: its backlog is full and nobody accepts.
class FullBacklog {
 public:
  FullBacklog();
  ~FullBacklog();
  unsigned short port() const { return port_; }

 private:
  unsigned short port_ = 0;
  int fd_;
  std::vector<int> waiting_;
};

/// A proxy for CONNECT to ports of 127.0.0.1, whatever host is named. It keeps the heads it was sent.
class RawProxy {
 public:
  /// `answer`: to every CONNECT instead of a tunnel; empty: a tunnel.
  explicit RawProxy(std::string answer = "");
  unsigned short port() const { return server_->port(); }
  std::vector<std::string> heads();

 private:
  void serve(RawConnection& peer);
  static void tunnel(RawConnection& peer, unsigned short port);
  const std::string answer_;
  std::mutex mutex_;
  std::vector<std::string> heads_;
  // Last: its threads use the rest.
  std::unique_ptr<RawServer> server_;
};

}  // namespace troupe::http::testing
