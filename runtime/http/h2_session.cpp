#include "runtime/http/h2_session.hpp"

#include <nghttp2/nghttp2.h>

#include <algorithm>
#include <cctype>
#include <cstring>
#include <unordered_map>
#include <utility>

namespace troupe::http {
namespace {

// Of request bodies: how far a client may run ahead of our reading. Only the kernel's buffers are behind it.
constexpr std::int32_t stream_window_bytes = 1024 * 1024, connection_window_bytes = 4 * 1024 * 1024;
// Sent bytes are cut from the front of what a stream holds only in large pieces.
constexpr std::size_t compact_bytes = 256 * 1024;

}  // namespace

// One request being gathered, then its response being sent.
struct H2Stream {
  Request request;
  std::string authority;
  std::size_t head_bytes = 0;
  int refusal = 0;
  bool handed_over = false;

  std::string unsent;
  std::size_t sent = 0;
  bool begun = false, body = false;
  std::optional<Ending> ending;

  // Since the last look for stalled ones.
  bool moved = true;
  bool looked_at = false;
};

namespace {

std::string h2_text(const std::uint8_t* bytes, std::size_t size) {
  return {reinterpret_cast<const char*>(bytes), size};
}

// RFC 9113 8.2: names are lower-case, and what is about one connection has no place.
bool about_connection(std::string_view name) {
  constexpr std::string_view names[] = {"connection",        "keep-alive", "proxy-connection",
                                        "transfer-encoding", "upgrade",    "content-length"};
  return std::ranges::any_of(names, [&](auto known) { return same_header_name(known, name); });
}

std::string lower_name(std::string_view name) {
  std::string lower(name);
  for (char& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return lower;
}

Headers h2_fields(const ResponseHead& head, std::optional<std::size_t> content_length) {
  Headers fields{{":status", std::to_string(head.status)}};
  for (const auto& [name, value] : head.headers)
    if (!about_connection(name)) fields.emplace_back(lower_name(name), value);
  if (content_length) fields.emplace_back("content-length", std::to_string(*content_length));
  return fields;
}

// Points into `fields`; nghttp2 copies.
std::vector<nghttp2_nv> h2_pairs(Headers& fields) {
  auto bytes = [](std::string& text) { return reinterpret_cast<std::uint8_t*>(text.data()); };
  std::vector<nghttp2_nv> pairs;
  for (auto& [name, value] : fields)
    pairs.push_back({bytes(name), bytes(value), name.size(), value.size(), NGHTTP2_NV_FLAG_NONE});
  return pairs;
}

}  // namespace

struct H2Session::Impl {
  H2Limits limits;
  nghttp2_session* native = nullptr;
  std::unordered_map<std::int32_t, H2Stream> streams;
  std::vector<H2Event> events;
  std::size_t unsent_bytes = 0;
  bool broken = false;

  explicit Impl(const H2Limits& given) : limits(given) {}
  ~Impl() { nghttp2_session_del(native); }

  H2Stream* find(std::int32_t id) {
    auto found = streams.find(id);
    return found == streams.end() ? nullptr : &found->second;
  }
  bool fail(std::uint32_t code) {
    if (!std::exchange(broken, true)) nghttp2_session_terminate_session(native, code);
    return false;
  }
  // The reset that tells the client to send no more follows the head: nghttp2 would let it overtake.
  void refuse(std::int32_t id, H2Stream& stream, int status) {
    if (std::exchange(stream.refusal, status) != 0) return;
    stream.request = {};
    Headers fields{{":status", std::to_string(status)}, {"content-length", "0"}};
    auto pairs = h2_pairs(fields);
    nghttp2_submit_response(native, id, pairs.data(), pairs.size(), nullptr);
  }
  void take_field(H2Stream& stream, std::string name, std::string value);
  void end_of_head(std::int32_t id, H2Stream& stream, bool ended);
  void hand_over(std::int32_t id, H2Stream& stream);
  ssize_t give_body(H2Stream& stream, std::uint8_t* into, std::size_t room, std::uint32_t* flags);
  void on_closed(std::int32_t id);
};

void H2Session::Impl::take_field(H2Stream& stream, std::string name, std::string value) {
  stream.head_bytes += name.size() + value.size() + 4;
  if (stream.head_bytes > limits.head_bytes_max) return;
  if (name == ":method")
    stream.request.method = std::move(value);
  else if (name == ":path")
    stream.request.target = std::move(value);
  else if (name == ":authority")
    stream.authority = std::move(value);
  else if (!name.starts_with(':'))
    stream.request.headers.emplace_back(std::move(name), std::move(value));
}

void H2Session::Impl::end_of_head(std::int32_t id, H2Stream& stream, bool ended) {
  if (stream.head_bytes > limits.head_bytes_max) return refuse(id, stream, 431);
  // CONNECT has no path; we are no proxy.
  if (stream.request.target.empty()) return refuse(id, stream, 400);
  // RFC 9113 8.3.1: :authority is the word that counts. nghttp2 has seen to it that there is one of the two.
  if (!stream.authority.empty()) set_header(stream.request.headers, "host", stream.authority);
  const auto* expect = find_header(stream.request.headers, "expect");
  if (ended || !expect || !same_header_name(*expect, "100-continue")) return;
  Headers fields{{":status", "100"}};
  auto pairs = h2_pairs(fields);
  nghttp2_submit_headers(native, NGHTTP2_FLAG_NONE, id, nullptr, pairs.data(), pairs.size(), nullptr);
}

void H2Session::Impl::hand_over(std::int32_t id, H2Stream& stream) {
  if (stream.refusal != 0 || std::exchange(stream.handed_over, true)) return;
  events.push_back({H2Event::Kind::request, id, std::exchange(stream.request, {})});
}

ssize_t H2Session::Impl::give_body(H2Stream& stream, std::uint8_t* into, std::size_t room,
                                   std::uint32_t* flags) {
  auto n = std::min(room, stream.unsent.size() - stream.sent);
  std::memcpy(into, stream.unsent.data() + stream.sent, n);
  stream.sent += n;
  unsent_bytes -= n;
  if (n > 0) stream.moved = true;
  bool all = stream.sent == stream.unsent.size();
  if (all || stream.sent >= compact_bytes) {
    stream.unsent.erase(0, stream.sent);
    stream.sent = 0;
  }
  if (all && stream.ending == Ending::complete) *flags |= NGHTTP2_DATA_FLAG_EOF;
  if (n > 0 || (all && stream.ending == Ending::complete)) return static_cast<ssize_t>(n);
  // nghttp2 makes of a temporal failure RST_STREAM with INTERNAL_ERROR.
  return stream.ending ? NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE : NGHTTP2_ERR_DEFERRED;
}

void H2Session::Impl::on_closed(std::int32_t id) {
  auto gone = streams.extract(id);
  if (!gone) return;
  unsent_bytes -= gone.mapped().unsent.size() - gone.mapped().sent;
  if (gone.mapped().handed_over) events.push_back({H2Event::Kind::closed, id, {}});
}

// nghttp2's callbacks. Each finds its session behind the pointer given at the start.
struct H2Session::Callbacks {
  static Impl& of(void* self) { return *static_cast<Impl*>(self); }

  static int begin_headers(nghttp2_session*, const nghttp2_frame* frame, void* self) {
    if (frame->headers.cat != NGHTTP2_HCAT_REQUEST) return 0;
    auto& stream = of(self).streams[frame->hd.stream_id];
    stream.request.target.clear();
    return 0;
  }
  static int header(nghttp2_session*, const nghttp2_frame* frame, const std::uint8_t* name, std::size_t n,
                    const std::uint8_t* value, std::size_t m, std::uint8_t, void* self) {
    // Trailers say nothing we use.
    if (frame->hd.type != NGHTTP2_HEADERS || frame->headers.cat != NGHTTP2_HCAT_REQUEST) return 0;
    if (auto* stream = of(self).find(frame->hd.stream_id))
      of(self).take_field(*stream, h2_text(name, n), h2_text(value, m));
    return 0;
  }
  static int data(nghttp2_session*, std::uint8_t, std::int32_t id, const std::uint8_t* bytes, std::size_t n,
                  void* self) {
    auto* stream = of(self).find(id);
    if (!stream || stream->refusal != 0) return 0;
    if (stream->request.body.size() + n > of(self).limits.body_bytes_max)
      of(self).refuse(id, *stream, 413);
    else
      stream->request.body += h2_text(bytes, n);
    return 0;
  }
  static int frame(nghttp2_session*, const nghttp2_frame* frame, void* self) {
    if (frame->hd.type != NGHTTP2_HEADERS && frame->hd.type != NGHTTP2_DATA) return 0;
    auto id = frame->hd.stream_id;
    auto* stream = of(self).find(id);
    if (!stream) return 0;
    bool ended = frame->hd.flags & NGHTTP2_FLAG_END_STREAM;
    if (frame->hd.type == NGHTTP2_HEADERS && frame->headers.cat == NGHTTP2_HCAT_REQUEST)
      of(self).end_of_head(id, *stream, ended);
    if (ended) of(self).hand_over(id, *stream);
    return 0;
  }
  static int sent(nghttp2_session*, const nghttp2_frame* frame, void* self) {
    auto id = frame->hd.stream_id;
    auto* stream = frame->hd.type == NGHTTP2_HEADERS ? of(self).find(id) : nullptr;
    if (stream && stream->refusal != 0)
      nghttp2_submit_rst_stream(of(self).native, NGHTTP2_FLAG_NONE, id, NGHTTP2_NO_ERROR);
    return 0;
  }
  static int closed(nghttp2_session*, std::int32_t id, std::uint32_t, void* self) {
    of(self).on_closed(id);
    return 0;
  }
  static ssize_t body(nghttp2_session*, std::int32_t id, std::uint8_t* into, std::size_t room,
                      std::uint32_t* flags, nghttp2_data_source*, void* self) {
    auto* stream = of(self).find(id);
    if (!stream) return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    return of(self).give_body(*stream, into, room, flags);
  }
};

H2Session::H2Session(const H2Limits& limits) : impl_(std::make_unique<Impl>(limits)) {
  nghttp2_session_callbacks* callbacks = nullptr;
  nghttp2_session_callbacks_new(&callbacks);
  nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, Callbacks::begin_headers);
  nghttp2_session_callbacks_set_on_header_callback(callbacks, Callbacks::header);
  nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, Callbacks::data);
  nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, Callbacks::frame);
  nghttp2_session_callbacks_set_on_frame_send_callback(callbacks, Callbacks::sent);
  nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, Callbacks::closed);
  nghttp2_session_server_new(&impl_->native, callbacks, impl_.get());
  nghttp2_session_callbacks_del(callbacks);
  nghttp2_settings_entry settings[] = {
      {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, limits.streams_max},
      {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, stream_window_bytes},
      {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, static_cast<std::uint32_t>(limits.head_bytes_max)}};
  nghttp2_submit_settings(impl_->native, NGHTTP2_FLAG_NONE, settings, std::size(settings));
  nghttp2_session_set_local_window_size(impl_->native, NGHTTP2_FLAG_NONE, 0, connection_window_bytes);
}
H2Session::~H2Session() = default;

bool H2Session::feed(std::string_view bytes) {
  if (impl_->broken) return false;
  auto taken = nghttp2_session_mem_recv(impl_->native, reinterpret_cast<const std::uint8_t*>(bytes.data()),
                                        bytes.size());
  if (taken >= 0) return true;
  return impl_->fail(taken == NGHTTP2_ERR_FLOODED ? NGHTTP2_ENHANCE_YOUR_CALM : NGHTTP2_PROTOCOL_ERROR);
}

std::vector<H2Event> H2Session::take_events() { return std::exchange(impl_->events, {}); }

bool H2Session::pull(std::string& out, std::size_t bytes_max) {
  while (out.size() < bytes_max) {
    const std::uint8_t* bytes = nullptr;
    auto n = nghttp2_session_mem_send(impl_->native, &bytes);
    if (n < 0) return impl_->fail(NGHTTP2_INTERNAL_ERROR);
    if (n == 0) break;
    out.append(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(n));
  }
  return !impl_->broken;
}

bool H2Session::over() const {
  return !nghttp2_session_want_read(impl_->native) && !nghttp2_session_want_write(impl_->native);
}

void H2Session::begin(std::int32_t id, const ResponseHead& head, std::optional<std::size_t> content_length,
                      bool body) {
  auto* stream = impl_->find(id);
  if (!stream || std::exchange(stream->begun, true)) return;
  stream->body = body;
  auto fields = h2_fields(head, content_length);
  auto pairs = h2_pairs(fields);
  nghttp2_data_provider provider{};
  provider.read_callback = Callbacks::body;
  auto failed =
      nghttp2_submit_response(impl_->native, id, pairs.data(), pairs.size(), body ? &provider : nullptr);
  if (failed) reset(id);
}

void H2Session::write(std::int32_t id, std::string_view bytes) {
  auto* stream = impl_->find(id);
  if (!stream || !stream->body || stream->ending) return;
  // The wait for the client begins when there is something to take.
  if (stream->unsent.empty()) stream->moved = true;
  stream->unsent += bytes;
  impl_->unsent_bytes += bytes.size();
  nghttp2_session_resume_data(impl_->native, id);
}

void H2Session::finish(std::int32_t id, Ending ending) {
  auto* stream = impl_->find(id);
  if (!stream || stream->ending) return;
  stream->ending = ending;
  if (!stream->body) return ending == Ending::cut ? reset(id) : void();
  nghttp2_session_resume_data(impl_->native, id);
}

void H2Session::reset(std::int32_t id) {
  auto* stream = impl_->find(id);
  if (!stream) return;
  impl_->unsent_bytes -= stream->unsent.size() - stream->sent;
  std::string().swap(stream->unsent);
  stream->sent = 0;
  stream->body = false;
  nghttp2_submit_rst_stream(impl_->native, NGHTTP2_FLAG_NONE, id, NGHTTP2_INTERNAL_ERROR);
}

void H2Session::shut() {
  auto last = nghttp2_session_get_last_proc_stream_id(impl_->native);
  nghttp2_submit_goaway(impl_->native, NGHTTP2_FLAG_NONE, last, NGHTTP2_NO_ERROR, nullptr, 0);
}

std::size_t H2Session::unsent_bytes() const { return impl_->unsent_bytes; }
bool H2Session::has_streams() const { return !impl_->streams.empty(); }

void H2Session::reset_stalled() {
  for (auto& [id, stream] : impl_->streams) {
    bool waits = !stream.unsent.empty() && !std::exchange(stream.moved, false);
    bool gathers = !stream.handed_over && std::exchange(stream.looked_at, true);
    if (waits || gathers) nghttp2_submit_rst_stream(impl_->native, NGHTTP2_FLAG_NONE, id, NGHTTP2_CANCEL);
  }
}

}  // namespace troupe::http
