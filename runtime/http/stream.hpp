// A TCP connection, plain or with TLS over it, and the bytes read from it but not yet understood.
#pragma once

#include "runtime/http/asio.hpp"

#include <troupe/time.hpp>

#include <algorithm>
#include <cassert>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>

namespace troupe::http {

/// Received bytes: filled at the end, taken at the front.
class InputBuffer {
 public:
  /// Room for one more read. Asking for 16 KB at once rather than a little first saves two thirds of the
  /// reads (STACK 3). The view is valid until the next call.
  asio::mutable_buffer room() {
    if (begin_ == end_) begin_ = end_ = 0;
    if (capacity_ - end_ < read_bytes_min) make_room();
    return {data_.get() + end_, capacity_ - end_};
  }
  void filled(std::size_t n) { end_ += n; }
  void taken(std::size_t n) { begin_ += n; }
  std::string_view bytes() const { return {data_.get() + begin_, end_ - begin_}; }

 private:
  static constexpr std::size_t first_bytes = 16 * 1024, read_bytes_min = 4 * 1024;

  void make_room() {
    auto held = end_ - begin_;
    auto capacity = std::max(first_bytes, held > capacity_ / 2 ? capacity_ * 2 : capacity_);
    // Left uninitialised: idle connections then cost the pages they touched, not 16 KB each.
    std::unique_ptr<char[]> data(new char[capacity]);
    std::copy_n(data_.get() + begin_, held, data.get());
    data_ = std::move(data);
    capacity_ = capacity;
    begin_ = 0;
    end_ = held;
  }

  std::unique_ptr<char[]> data_;
  std::size_t capacity_ = 0, begin_ = 0, end_ = 0;
};

/// At most one read and one write at a time; both end with an error after close. Loop thread only. Handlers
/// must keep the stream alive (hold the shared_ptr of what it is in).
class Stream {
 public:
  explicit Stream(Socket socket) : socket_(std::move(socket)) {}

  Socket& socket() { return socket_; }
  /// Before the handshake. The socket must be connected and the context must outlive the stream.
  SSL* use_tls(asio::ssl::context& context) { return tls_.emplace(socket_, context).native_handle(); }
  bool tls() const { return tls_.has_value(); }

  template <class Handler>
  void handshake(asio::ssl::stream_base::handshake_type side, Handler handler) {
    tls_->async_handshake(side, std::move(handler));
  }
  template <class Handler>
  void read_some(asio::mutable_buffer into, Handler handler) {
    if (tls_) return tls_->async_read_some(into, std::move(handler));
    socket_.async_read_some(into, std::move(handler));
  }
  template <class Handler>
  void write_some(asio::const_buffer from, Handler handler) {
    if (tls_) return tls_->async_write_some(from, std::move(handler));
    socket_.async_write_some(from, std::move(handler));
  }

  void send_at_once();
  void close();
  /// Closes so that the peer sees an error, not an end: SO_LINGER 0 makes the kernel send RST.
  void reset();
  /// What has arrived at the socket since the last read of it ended, without taking it.
  enum class Pending { nothing, bytes, end };
  Pending pending();

 private:
  Socket socket_;
  std::optional<asio::ssl::stream<Socket&>> tls_;
};

}  // namespace troupe::http
