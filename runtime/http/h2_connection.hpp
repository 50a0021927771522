// One client of the server that speaks HTTP/2: its socket, and a responder for each of its open streams.
#pragma once

#include "runtime/http/h2_session.hpp"
#include "runtime/http/server_connection.hpp"

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

namespace troupe::http {

/// What a responder and its connection both know of one response.
struct H2Answer {
  std::int32_t stream = 0;
  bool to_head = false;  // the request was HEAD
  bool begun = false, ended = false, gone = false;
  std::function<void()> gone_hook;
};

class H2Connection final : public ServedConnection, public std::enable_shared_from_this<H2Connection> {
 public:
  H2Connection(std::shared_ptr<ServerCore> core, Socket socket);
  /// `received` begins with the preface.
  void start(std::string_view received);
  void drop() override;

  // For the responders, while their answer is neither ended nor gone.
  void send(H2Answer& answer, const Response& response);
  void begin(H2Answer& answer, const ResponseHead& head);
  void write(H2Answer& answer, std::string_view bytes);
  void finish(H2Answer& answer, Ending ending);

 private:
  bool put_head(H2Answer& answer, const ResponseHead& head, std::optional<std::size_t> length, bool body);
  void read();
  void on_read(error_code ec, std::size_t n);
  void advance();
  void take_turn();
  void on_request(std::int32_t stream, const Request& request);
  void on_stream_closed(std::int32_t stream);
  void write_out();
  void on_written(error_code ec, std::size_t n);
  void drain();
  void look_again();
  void on_look();
  void close();

  std::shared_ptr<ServerCore> core_;
  Stream stream_;
  InputBuffer input_;
  H2Session session_;
  SteadyTimer timer_;
  std::string writing_;
  std::size_t written_ = 0;
  std::unordered_map<std::int32_t, std::shared_ptr<H2Answer>> answers_;

  std::size_t read_during_write_bytes_ = 0, drained_bytes_ = 0;
  bool reading_ = false, write_under_way_ = false;
  bool advancing_ = false;  // a call of ours is on the stack, and does what is left to do
  bool broken_ = false;     // closed once our GOAWAY is out
  bool draining_ = false, closed_ = false;
  bool busy_ = true;  // since the last look
};

}  // namespace troupe::http
