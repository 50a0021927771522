// The server's side of HTTP/2.
#include "runtime/http/h2_session.hpp"
#include "tests/fuzz/targets.hpp"

namespace troupe::fuzz {
namespace {

constexpr http::H2Limits h2_fuzz_limits{.head_bytes_max = 2048, .body_bytes_max = 4096, .streams_max = 8};

struct H2Read {
  std::vector<http::H2Event> events;
  bool ok = true;
};

// Answers every request with its own body.
void answer_request(http::H2Session& session, const http::H2Event& event) {
  require(event.request.body.size() <= h2_fuzz_limits.body_bytes_max, "no body beyond the limit");
  require(!event.request.target.empty(), "a request has a target");
  for (const auto& [name, value] : event.request.headers)
    require(is_header_safe(name) && is_header_safe(value), "no header holds another");
  session.begin(event.stream, {200, {{"content-type", "text/plain"}}}, std::nullopt, true);
  session.write(event.stream, event.request.body);
  session.finish(event.stream,
                 event.request.body.size() % 3 == 2 ? http::Ending::cut : http::Ending::complete);
}

void take_h2_events(http::H2Session& session, H2Read& out) {
  for (auto& event : session.take_events()) {
    if (event.kind == http::H2Event::Kind::request) answer_request(session, event);
    out.events.push_back(std::move(event));
  }
}

// `answer_each`: after every piece, as a live connection does; else when all has been read.
H2Read read_h2(const std::vector<std::string_view>& pieces, bool answer_each) {
  H2Read out;
  http::H2Session session(h2_fuzz_limits);
  std::string sent;
  for (auto piece : pieces) {
    bool ok = session.feed(piece);
    require(out.ok || !ok, "a connection that broke stays broken");
    out.ok = ok;
    if (!answer_each) continue;
    take_h2_events(session, out);
    session.pull(sent, sent.size() + 4096);
  }
  take_h2_events(session, out);
  session.pull(sent, sent.size() + (1U << 20));
  session.reset_stalled();
  session.reset_stalled();
  session.shut();
  session.pull(sent, sent.size() + (1U << 20));
  take_h2_events(session, out);
  return out;
}

bool same_requests(const H2Read& a, const H2Read& b) {
  auto is_request = [](const auto& event) { return event.kind == http::H2Event::Kind::request; };
  auto next = b.events.begin();
  for (const auto& event : a.events) {
    if (!is_request(event)) continue;
    next = std::find_if(next, b.events.end(), is_request);
    if (next == b.events.end() || next->stream != event.stream ||
        next->request.target != event.request.target || next->request.headers != event.request.headers ||
        next->request.body != event.request.body)
      return false;
    ++next;
  }
  return std::none_of(next, b.events.end(), is_request);
}

// TYPE FLAGS STREAM LENGTH payload, a byte each: lengths that fit, so that mutations reach what is behind
// them.
std::string h2_frames(Input& in) {
  std::string out(http::h2_preface);
  out += std::string("\0\0\0\4\0\0\0\0\0", 9);
  while (!in.empty()) {
    auto type = in.take(1), flags = in.take(1), stream = in.take(1), length = in.take(1);
    if (length.empty()) break;
    auto payload = in.take(static_cast<unsigned char>(length[0]));
    out += std::string("\0\0", 2) + static_cast<char>(payload.size());
    out += std::string(type) + std::string(flags) + std::string("\0\0\0", 3) + std::string(stream);
    out += payload;
  }
  return out;
}

}  // namespace

// FORM SEED bytes. FORM 0: as they are; 1: behind the preface; 2: frames by their parts.
void fuzz_h2(std::string_view input) {
  Input in(input);
  auto form = in.number(3);
  auto seed = in.number(256);
  auto bytes =
      form == 2 ? h2_frames(in) : (form == 1 ? std::string(http::h2_preface) : "") + std::string(in.rest());
  auto pieces = pieces_of(bytes, seed);
  std::erase(pieces, std::string_view());
  auto whole = read_h2({bytes}, false);
  auto cut = read_h2(pieces, false);
  // After a breach nghttp2 may let go of a stream or of the connection, as the cuts fall.
  require(!whole.ok || !cut.ok || same_requests(whole, cut), "HTTP/2 reads the same however it is cut");
  // Answers in between change what a client may do next, so only safety is asked of it.
  read_h2(pieces, true);
}

}  // namespace troupe::fuzz
