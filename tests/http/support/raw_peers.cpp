#include "tests/http/support/raw_peers.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <utility>

namespace troupe::http::testing {
namespace {

sockaddr_in loopback(unsigned short port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

int bound_socket(unsigned short& port) {
  int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  auto address = loopback(0);
  socklen_t size = sizeof address;
  ::bind(fd, reinterpret_cast<sockaddr*>(&address), size);
  ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
  port = ntohs(address.sin_port);
  return fd;
}

std::size_t content_length(const std::string& head) {
  auto at = head.find("Content-Length: ");
  return at == std::string::npos ? 0 : std::strtoul(head.c_str() + at + 16, nullptr, 10);
}

}  // namespace

RawConnection::RawConnection(int fd) : fd_(fd) {
  timeval limit{.tv_sec = 20, .tv_usec = 0};
  ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
}
RawConnection::~RawConnection() { close(); }

std::unique_ptr<RawConnection> RawConnection::connect(unsigned short port) {
  int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  auto address = loopback(port);
  if (::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
    ::close(fd);
    return nullptr;
  }
  return std::make_unique<RawConnection>(fd);
}

void RawConnection::write(std::string_view bytes) {
  while (!bytes.empty()) {
    auto n = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (n <= 0) return;
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
}

std::size_t RawConnection::write_until_stalled(std::string_view bytes, std::chrono::milliseconds stall) {
  std::size_t taken = 0;
  while (taken < bytes.size()) {
    pollfd ready{.fd = fd_, .events = POLLOUT, .revents = 0};
    if (::poll(&ready, 1, static_cast<int>(stall.count())) <= 0) break;
    auto n = ::send(fd_, bytes.data() + taken, bytes.size() - taken, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n <= 0) break;
    taken += static_cast<std::size_t>(n);
  }
  return taken;
}

bool RawConnection::read_more() {
  char bytes[16 * 1024];
  auto n = ::recv(fd_, bytes, sizeof bytes, 0);
  if (n < 0) reset_ = errno == ECONNRESET;
  if (n <= 0) return false;
  held_.append(bytes, static_cast<std::size_t>(n));
  return true;
}

std::string RawConnection::read_until(std::string_view mark) {
  std::size_t at = held_.find(mark);
  while (at == std::string::npos && read_more()) at = held_.find(mark);
  auto size = at == std::string::npos ? held_.size() : at + mark.size();
  auto out = held_.substr(0, size);
  held_.erase(0, size);
  return out;
}

std::string RawConnection::read_request() {
  auto head = read_until("\r\n\r\n");
  auto wanted = content_length(head);
  while (held_.size() < wanted && read_more()) continue;
  auto body = held_.substr(0, wanted);
  held_.erase(0, wanted);
  return head + body;
}

std::string RawConnection::read_to_end() {
  while (read_more()) continue;
  return std::exchange(held_, {});
}

std::string RawConnection::read_some() {
  if (held_.empty()) read_more();
  return std::exchange(held_, {});
}

void RawConnection::close() {
  std::lock_guard lock(closing_);
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
}

void RawConnection::reset() {
  linger at_once{.l_onoff = 1, .l_linger = 0};
  ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  close();
}

void RawConnection::shutdown() {
  std::lock_guard lock(closing_);
  if (fd_ >= 0) ::shutdown(fd_, SHUT_RDWR);
}

RawServer::RawServer(Script script) : script_(std::move(script)) {
  fd_ = bound_socket(port_);
  ::listen(fd_, 1024);
  acceptor_ = std::thread([this] { accept_all(); });
}

void RawServer::accept_all() {
  while (true) {
    int fd = ::accept4(fd_, nullptr, nullptr, SOCK_CLOEXEC);
    if (fd < 0) return;
    auto peer = std::make_shared<RawConnection>(fd);
    int index = accepted_++;
    std::lock_guard lock(mutex_);
    peers_.push_back(peer);
    threads_.emplace_back([this, peer, index] { script_(*peer, index); });
  }
}

RawServer::~RawServer() {
  ::shutdown(fd_, SHUT_RDWR);
  acceptor_.join();
  for (auto& peer : peers_) peer->shutdown();
  for (auto& thread : threads_) thread.join();
  ::close(fd_);
}

ClosedPort::ClosedPort() : fd_(bound_socket(port_)) {}
ClosedPort::~ClosedPort() { ::close(fd_); }

FullBacklog::FullBacklog() : fd_(bound_socket(port_)) {
  ::listen(fd_, 0);
  auto address = loopback(port_);
  // Until one of them is left hanging.
  for (bool hangs = false; !hangs && waiting_.size() < 64;) {
    int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    ::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address);
    pollfd ready{.fd = fd, .events = POLLOUT, .revents = 0};
    hangs = ::poll(&ready, 1, 100) == 0;
    waiting_.push_back(fd);
  }
}

FullBacklog::~FullBacklog() {
  for (int fd : waiting_) ::close(fd);
  ::close(fd_);
}

RawProxy::RawProxy(std::string answer)
    : answer_(std::move(answer)),
      server_(std::make_unique<RawServer>([this](RawConnection& peer, int) { serve(peer); })) {}

std::vector<std::string> RawProxy::heads() {
  std::lock_guard lock(mutex_);
  return heads_;
}

void RawProxy::serve(RawConnection& peer) {
  auto head = peer.read_until("\r\n\r\n");
  {
    std::lock_guard lock(mutex_);
    heads_.push_back(head);
  }
  if (!answer_.empty()) {
    peer.write(answer_);
    peer.read_to_end();
  } else if (head.starts_with("CONNECT ")) {
    auto line = head.substr(0, head.find(" HTTP/"));
    tunnel(peer, static_cast<unsigned short>(std::strtoul(line.c_str() + line.rfind(':') + 1, nullptr, 10)));
  } else {
    peer.write("HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\nproxied");
    peer.read_to_end();
  }
}

void RawProxy::tunnel(RawConnection& peer, unsigned short port) {
  auto target = RawConnection::connect(port);
  if (!target) return peer.close();
  peer.write("HTTP/1.1 200 Connection established\r\nVia: test\r\n\r\n");
  std::thread back([&] {
    for (auto bytes = target->read_some(); !bytes.empty(); bytes = target->read_some()) peer.write(bytes);
    peer.shutdown();
  });
  for (auto bytes = peer.read_some(); !bytes.empty(); bytes = peer.read_some()) target->write(bytes);
  target->shutdown();
  back.join();
}

}  // namespace troupe::http::testing
