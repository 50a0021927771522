// The server's side: who is connected, and for each connection one request and its response at a time.
#pragma once

#include "runtime/http/loop_impl.hpp"
#include "runtime/http/parser.hpp"
#include "runtime/http/server.hpp"
#include "runtime/http/stream.hpp"
#include "runtime/http/tls.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>

namespace troupe::http {

/// Someone connected to a server. Loop thread only.
class ServedConnection {
 public:
  virtual ~ServedConnection() = default;
  /// Without telling anyone: the server closes or the loop stops.
  virtual void drop() = 0;
};

/// What the connections of one server share. Loop thread only, but for its construction and port().
class ServerCore final : public LoopGuest, public std::enable_shared_from_this<ServerCore> {
 public:
  ServerCore(std::shared_ptr<Loop::Impl> loop, ServerConfig config, RequestHandler handler);
  /// Any thread, once, before anything else.
  Result<void> bind();
  unsigned short port() const { return port_; }
  void accept();
  void close();
  void let_go() override { close(); }
  void forget(const ServedConnection* connection);
  /// The same client speaks another protocol from now on.
  void replace(const ServedConnection* old, std::shared_ptr<ServedConnection> by);

  const std::shared_ptr<Loop::Impl> loop;
  const ServerConfig config;
  RequestHandler handler;
  TlsContext tls;

 private:
  void on_accepted(error_code ec, Socket socket);
  void accept_later();

  Acceptor acceptor_;
  SteadyTimer backoff_;
  unsigned short port_ = 0;
  bool accepting_ = false, closed_ = false;
  std::unordered_map<const ServedConnection*, std::shared_ptr<ServedConnection>> connections_;
};

/// Asks nothing of the client and keeps nothing for the next one.
ResponseHead plain_head(int status);
/// Says "Connection: close".
bool asks_to_close(const Headers& headers);

/// HTTP/1.1, until the first bytes prove to be HTTP/2's.
class ServerConnection final : public ServedConnection,
                               public std::enable_shared_from_this<ServerConnection> {
 public:
  ServerConnection(std::shared_ptr<ServerCore> core, Socket socket);
  void start();
  void drop() override;

  // For the responder whose turn is `turn`; the others are of responses long finished.
  bool has_turn(std::uint64_t turn) const { return !closed_ && responding_ && !ended_ && turn == turn_; }
  bool closed() const { return closed_; }
  bool begun() const { return begun_; }
  void send(const Response& response);
  void begin(const ResponseHead& head);
  void write(std::string_view bytes);
  void finish(Ending ending);
  void on_gone(std::function<void()> hook) { gone_hook_ = std::move(hook); }

 private:
  void next_request();
  void read();
  void on_read(error_code ec, std::size_t n);
  bool decide_protocol();
  void become_h2();
  void consume();
  void dispatch();
  void refuse(ParseProblem problem);
  bool bodiless(int status) const { return head_request_ || status == 204 || status == 304; }
  bool put_head(const ResponseHead& head, std::optional<std::size_t> content_length);
  void put(std::string_view bytes);

  void flush();
  void write_more();
  void on_written(error_code ec, std::size_t n);
  void on_flushed();
  void drain();
  void set_deadline(Duration limit);
  void arm(Instant when);
  void client_gone();
  void give_up();
  void close(bool reset);

  std::shared_ptr<ServerCore> core_;
  Stream stream_;
  InputBuffer input_;
  RequestParser parser_;
  std::string out_, writing_;
  std::size_t written_ = 0;

  SteadyTimer timer_;
  std::optional<Instant> deadline_;
  bool armed_ = false;

  std::function<void()> gone_hook_;
  std::uint64_t turn_ = 0;
  bool reading_ = false, write_under_way_ = false;
  bool http1_ = false;       // not HTTP/2: known once its first bytes differ
  bool responding_ = false;  // a request has been handed over
  bool begun_ = false;       // its response has a head
  bool ended_ = false;       // its response is whole, perhaps not yet sent
  bool cut_ = false;         // reset once what was written is sent
  bool draining_ = false;    // only waiting for the client to read our last words
  std::size_t drained_bytes_ = 0;
  bool keep_alive_ = false, chunked_ = false, chunks_understood_ = false;
  bool head_request_ = false, body_wanted_ = false;
  bool closed_ = false;
};

}  // namespace troupe::http
