// ZeroMQ's C interface with owners and Results. Included by this folder's sources only.
#pragma once

#include <troupe/error.hpp>

#include <zmq.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::transport {

struct ZmqContextDeleter {
  void operator()(void* context) const { zmq_ctx_term(context); }
};
struct ZmqSocketDeleter {
  void operator()(void* socket) const { zmq_close(socket); }
};
/// Ends when every socket made in it is closed.
using ZmqContext = std::unique_ptr<void, ZmqContextDeleter>;

enum class Sent { done, would_block, unroutable };

/// A received frame. Its bytes are valid until the next receive into it.
class ZmqFrame {
 public:
  ZmqFrame() { zmq_msg_init(&message_); }
  ~ZmqFrame() { zmq_msg_close(&message_); }
  ZmqFrame(const ZmqFrame&) = delete;
  ZmqFrame& operator=(const ZmqFrame&) = delete;

  std::string_view view() const;
  bool more() const { return zmq_msg_more(&message_) != 0; }
  /// Whom the ZAP handler said the sender is; empty without CURVE.
  std::string user_id() const;
  zmq_msg_t* raw() { return &message_; }

 private:
  mutable zmq_msg_t message_;
};

/// One thread only, as ZeroMQ demands. LINGER is 0: closing never waits for what could not be sent.
class ZmqSocket {
 public:
  ZmqSocket() = default;
  ZmqSocket(void* context, int type);

  void set(int option, int value) { zmq_setsockopt(raw(), option, &value, sizeof value); }
  void set_wide(int option, std::int64_t value) { zmq_setsockopt(raw(), option, &value, sizeof value); }
  /// bad_config when ZeroMQ does not take the value: a key that is none.
  Result<void> set_text(int option, const std::string& value);
  /// bad_config naming the address.
  Result<void> bind(const std::string& address);
  Result<void> connect(const std::string& address);
  std::string last_endpoint();

  /// False when nothing is there.
  bool receive(ZmqFrame& frame);
  /// All parts of one message; empty when nothing is there.
  std::vector<std::string> receive_parts();
  Sent send(std::string_view bytes, bool more = false);
  void* raw() const { return socket_.get(); }
  explicit operator bool() const { return socket_ != nullptr; }
  void close() { socket_.reset(); }

 private:
  std::unique_ptr<void, ZmqSocketDeleter> socket_;
};

}  // namespace troupe::transport
