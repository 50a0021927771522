#include "tests/http/support/h2_client.hpp"

#include <nghttp2/nghttp2.h>

#include <algorithm>
#include <cstring>

namespace troupe::http::testing {

struct H2Client::Impl {
  std::unique_ptr<RawConnection> raw;
  nghttp2_session* native = nullptr;
  std::map<std::int32_t, H2Heard> streams;
  std::map<std::int32_t, std::string> bodies;
  std::optional<std::uint32_t> goaway;

  ~Impl() { nghttp2_session_del(native); }
  static Impl& of(void* self) { return *static_cast<Impl*>(self); }

  static int header(nghttp2_session*, const nghttp2_frame* frame, const std::uint8_t* name, std::size_t n,
                    const std::uint8_t* value, std::size_t m, std::uint8_t, void* self) {
    auto& heard = of(self).streams[frame->hd.stream_id];
    std::string key(reinterpret_cast<const char*>(name), n), text(reinterpret_cast<const char*>(value), m);
    if (key != ":status")
      heard.headers.emplace_back(key, text);
    else if (text.starts_with('1'))
      ++heard.informational;
    else
      heard.status = std::stoi(text);
    return 0;
  }
  static int data(nghttp2_session*, std::uint8_t, std::int32_t stream, const std::uint8_t* bytes,
                  std::size_t n, void* self) {
    of(self).streams[stream].body.append(reinterpret_cast<const char*>(bytes), n);
    return 0;
  }
  static int closed(nghttp2_session*, std::int32_t stream, std::uint32_t error, void* self) {
    of(self).streams[stream].closed = true;
    of(self).streams[stream].error = error;
    return 0;
  }
  static int frame(nghttp2_session*, const nghttp2_frame* frame, void* self) {
    if (frame->hd.type == NGHTTP2_GOAWAY) of(self).goaway = frame->goaway.error_code;
    return 0;
  }
  static ssize_t body(nghttp2_session*, std::int32_t stream, std::uint8_t* into, std::size_t room,
                      std::uint32_t* flags, nghttp2_data_source*, void* self) {
    auto& rest = of(self).bodies[stream];
    auto n = std::min(room, rest.size());
    std::memcpy(into, rest.data(), n);
    rest.erase(0, n);
    if (rest.empty()) *flags |= NGHTTP2_DATA_FLAG_EOF;
    return static_cast<ssize_t>(n);
  }
};

H2Client::H2Client(unsigned short port, std::uint32_t window_bytes) : impl_(std::make_unique<Impl>()) {
  impl_->raw = RawConnection::connect(port);
  nghttp2_session_callbacks* callbacks = nullptr;
  nghttp2_session_callbacks_new(&callbacks);
  nghttp2_session_callbacks_set_on_header_callback(callbacks, Impl::header);
  nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, Impl::data);
  nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, Impl::closed);
  nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, Impl::frame);
  nghttp2_option* options = nullptr;
  nghttp2_option_new(&options);
  if (window_bytes > 0) nghttp2_option_set_no_auto_window_update(options, 1);
  nghttp2_session_client_new2(&impl_->native, callbacks, impl_.get(), options);
  nghttp2_option_del(options);
  nghttp2_session_callbacks_del(callbacks);
  nghttp2_settings_entry window{NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, window_bytes};
  nghttp2_submit_settings(impl_->native, NGHTTP2_FLAG_NONE, &window, window_bytes > 0 ? 1 : 0);
}
H2Client::~H2Client() = default;

std::int32_t H2Client::ask(const Request& request) {
  Headers fields{{":method", request.method},
                 {":scheme", "http"},
                 {":authority", "model.example:8080"},
                 {":path", request.target}};
  fields.insert(fields.end(), request.headers.begin(), request.headers.end());
  return ask_raw(fields, request.body);
}

std::int32_t H2Client::ask_raw(const Headers& fields, std::string body) {
  std::vector<nghttp2_nv> pairs;
  auto bytes = [](const std::string& text) {
    return reinterpret_cast<std::uint8_t*>(const_cast<char*>(text.data()));
  };
  for (const auto& [name, value] : fields)
    pairs.push_back({bytes(name), bytes(value), name.size(), value.size(), NGHTTP2_NV_FLAG_NONE});
  nghttp2_data_provider provider{};
  provider.read_callback = Impl::body;
  auto stream = nghttp2_submit_request(impl_->native, nullptr, pairs.data(), pairs.size(),
                                       body.empty() ? nullptr : &provider, nullptr);
  impl_->streams[stream] = {};
  impl_->bodies[stream] = std::move(body);
  return stream;
}

void H2Client::flush() {
  const std::uint8_t* bytes = nullptr;
  ssize_t n = 0;
  while ((n = nghttp2_session_mem_send(impl_->native, &bytes)) > 0)
    impl_->raw->write({reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(n)});
}

bool H2Client::run_until(const std::function<bool()>& met) {
  while (true) {
    flush();
    if (met()) return true;
    auto got = impl_->raw->read_some();
    if (got.empty()) return false;
    nghttp2_session_mem_recv(impl_->native, reinterpret_cast<const std::uint8_t*>(got.data()), got.size());
  }
}

bool H2Client::run_until_closed(std::int32_t stream) {
  return run_until([&] { return impl_->streams[stream].closed; });
}

void H2Client::cancel(std::int32_t stream) {
  nghttp2_submit_rst_stream(impl_->native, NGHTTP2_FLAG_NONE, stream, NGHTTP2_CANCEL);
  flush();
}

void H2Client::take_more(std::int32_t stream, std::int32_t bytes) {
  nghttp2_submit_window_update(impl_->native, NGHTTP2_FLAG_NONE, stream, bytes);
  nghttp2_submit_window_update(impl_->native, NGHTTP2_FLAG_NONE, 0, bytes);
  flush();
}

H2Heard& H2Client::heard(std::int32_t stream) { return impl_->streams[stream]; }
std::optional<std::uint32_t> H2Client::goaway() const { return impl_->goaway; }
RawConnection& H2Client::raw() { return *impl_->raw; }

}  // namespace troupe::http::testing
