#include "runtime/http/parser.hpp"

#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>

#include <algorithm>
#include <optional>
#include <string>

namespace troupe::http {
namespace {

namespace beast_http = boost::beast::http;
using BeastError = boost::beast::error_code;
using BeastView = boost::beast::string_view;

// A chunk's size line with its extensions, or the trailers, may not grow past this while incomplete.
constexpr std::size_t chunk_line_bytes_max = 16 * 1024;
// "0\r\n\r\n": what is left of a message between its chunks is never less. Asked again with fewer, Beast
// asserts.
constexpr std::size_t last_chunk_bytes = 5;
// 1xx responses before the real one.
constexpr int informational_max = 16;

std::string to_text(BeastView view) { return std::string(view.data(), view.size()); }

ParseProblem problem_of(BeastError ec) {
  if (!ec) return ParseProblem::none;
  if (ec == beast_http::error::header_limit) return ParseProblem::head_too_large;
  if (ec == beast_http::error::body_limit) return ParseProblem::body_too_large;
  if (ec == beast_http::error::partial_message) return ParseProblem::cut_short;
  return ParseProblem::malformed;
}

// Why a head is refused although Beast takes it. Two parties that read such a head differently can be made to
// disagree on where a message ends (RFC 9112 section 11.2).
bool ambiguous_framing(const Headers& headers, int version) {
  int lengths = 0, codings = 0;
  for (const auto& [name, value] : headers) {
    if (same_header_name(name, "content-length")) {
      ++lengths;
      // "5, 5" is allowed to be read as 5; nobody honest sends it.
      if (value.empty() || value.find_first_not_of("0123456789") != std::string::npos) return true;
    }
    if (!same_header_name(name, "transfer-encoding")) continue;
    ++codings;
    if (!same_header_name(value, "chunked") || version < 11) return true;
  }
  return lengths + codings > 1;
}

// Feeds Beast until it needs more, is done or fails; what it did not take is given back.
template <class Parser>
std::size_t feed_beast(Parser& parser, std::string_view bytes, std::size_t head_bytes_max,
                       ParseProblem& problem) {
  BeastError ec;
  std::size_t taken = 0;
  while (taken < bytes.size() && !parser.is_done() && problem == ParseProblem::none) {
    if (parser.between_chunks() && bytes.size() - taken < last_chunk_bytes) break;
    auto n = parser.put(boost::asio::const_buffer(bytes.data() + taken, bytes.size() - taken), ec);
    taken += n;
    if (ec == beast_http::error::need_more) break;
    if (problem == ParseProblem::none) problem = problem_of(ec);
  }
  // In a body Beast takes all there is; only a line that has not ended is left.
  auto line_bytes_max = parser.is_header_done() ? chunk_line_bytes_max : head_bytes_max;
  if (problem == ParseProblem::none && !parser.is_done() && bytes.size() - taken > line_bytes_max)
    problem = parser.is_header_done() ? ParseProblem::malformed : ParseProblem::head_too_large;
  return taken;
}

}  // namespace

// Named, because ResponseParser::Impl and RequestParser::Impl have members of these types.
namespace beast_bridge {

// The part of Beast's interface we use, in our words.
template <bool is_request>
class BeastBridge : public beast_http::basic_parser<is_request> {
 public:
  explicit BeastBridge(const ParseLimits& limits) {
    this->eager(true);
    this->header_limit(static_cast<std::uint32_t>(limits.head_bytes_max));
    this->body_limit(limits.body_bytes_max);
  }
  int version() const { return version_; }
  bool between_chunks() const { return this->is_header_done() && this->chunked() && !in_chunk_; }

 protected:
  virtual bool accept_head() = 0;
  virtual void take_body(std::string_view bytes) = 0;

  Headers headers_;
  int version_ = 11;
  int status_ = 0;
  std::string method_, target_;

 private:
  void on_request_impl(beast_http::verb, BeastView method, BeastView target, int version,
                       BeastError&) override {
    method_ = to_text(method);
    target_ = to_text(target);
    version_ = version;
  }
  void on_response_impl(int code, BeastView, int version, BeastError&) override {
    status_ = code;
    version_ = version;
  }
  void on_field_impl(beast_http::field, BeastView name, BeastView value, BeastError&) override {
    // Trailers say nothing we use, and merging them into the head is a known way to smuggle.
    if (!head_done_) headers_.emplace_back(to_text(name), to_text(value));
  }
  void on_header_impl(BeastError& ec) override {
    head_done_ = true;
    if (ambiguous_framing(headers_, version_) || !accept_head()) ec = beast_http::error::bad_value;
  }
  void on_body_init_impl(const boost::optional<std::uint64_t>&, BeastError&) override {}
  std::size_t on_body_impl(BeastView body, BeastError&) override {
    take_body({body.data(), body.size()});
    return body.size();
  }
  void on_chunk_header_impl(std::uint64_t size, BeastView, BeastError&) override { in_chunk_ = size > 0; }
  std::size_t on_chunk_body_impl(std::uint64_t left, BeastView body, BeastError&) override {
    in_chunk_ = left > body.size();
    take_body({body.data(), body.size()});
    return body.size();
  }
  void on_finish_impl(BeastError&) override {}

  bool head_done_ = false;
  bool in_chunk_ = false;
};

class BeastResponse final : public BeastBridge<false> {
 public:
  BeastResponse(ResponseParts& parts, const ParseLimits& limits, bool to_head)
      : BeastBridge(limits), parts_(parts) {
    skip(to_head);
  }
  bool informational() const { return status_ / 100 == 1; }

 private:
  bool accept_head() override {
    if (status_ < 100 || status_ == 101) return false;
    if (!informational()) parts_.on_response_head({status_, std::move(headers_)});
    return true;
  }
  void take_body(std::string_view bytes) override { parts_.on_response_body(bytes); }

  ResponseParts& parts_;
};

class BeastRequest final : public BeastBridge<true> {
 public:
  explicit BeastRequest(const ParseLimits& limits) : BeastBridge(limits) {}
  bool expects_continue = false;
  Request take() { return {std::move(method_), std::move(target_), std::move(headers_), std::move(body_)}; }

 private:
  bool accept_head() override {
    auto is_host = [](const auto& header) { return same_header_name(header.first, "host"); };
    auto hosts = std::ranges::count_if(headers_, is_host);
    if (hosts > 1 || (version_ >= 11 && hosts != 1)) return false;
    // Beast joins folded lines; a header folded into Host would be one that others see on its own.
    const auto* host = find_header(headers_, "host");
    if (host && host->find_first_of(" \t,") != std::string::npos) return false;
    const auto* expect = find_header(headers_, "expect");
    expects_continue = version_ >= 11 && expect && same_header_name(*expect, "100-continue");
    return true;
  }
  void take_body(std::string_view bytes) override { body_.append(bytes); }

  std::string body_;
};

}  // namespace beast_bridge

struct ResponseParser::Impl {
  ResponseParts& parts;
  ParseLimits limits;
  bool to_head;
  std::optional<beast_bridge::BeastResponse> beast;
  int informational = 0;
  ParseProblem problem = ParseProblem::none;
};

ResponseParser::ResponseParser(ResponseParts& parts, const ParseLimits& limits, bool to_head)
    : impl_(std::make_unique<Impl>(parts, limits, to_head)) {
  impl_->beast.emplace(parts, limits, to_head);
}
ResponseParser::~ResponseParser() = default;

std::size_t ResponseParser::feed(std::string_view bytes) {
  auto& self = *impl_;
  std::size_t taken = 0;
  while (true) {
    taken += feed_beast(*self.beast, bytes.substr(taken), self.limits.head_bytes_max, self.problem);
    if (self.problem != ParseProblem::none || !self.beast->is_done() || !self.beast->informational())
      return taken;
    self.beast.emplace(self.parts, self.limits, self.to_head);
    if (++self.informational > informational_max) self.problem = ParseProblem::malformed;
  }
}

void ResponseParser::end_of_input() {
  if (done() || impl_->problem != ParseProblem::none) return;
  BeastError ec;
  // put_eof completes a body that ends with the connection, and fails everything else with partial_message.
  if (impl_->beast->got_some()) impl_->beast->put_eof(ec);
  if (!done()) impl_->problem = ParseProblem::cut_short;
}

bool ResponseParser::done() const {
  return impl_->problem == ParseProblem::none && impl_->beast->is_done() && !impl_->beast->informational();
}
bool ResponseParser::head_seen() const {
  return impl_->beast->is_header_done() && !impl_->beast->informational();
}
bool ResponseParser::keeps_connection() const { return done() && impl_->beast->keep_alive(); }
ParseProblem ResponseParser::problem() const { return impl_->problem; }

struct RequestParser::Impl {
  ParseLimits limits;
  beast_bridge::BeastRequest beast;
  ParseProblem problem = ParseProblem::none;
  explicit Impl(const ParseLimits& given) : limits(given), beast(given) {}
};

RequestParser::RequestParser(const ParseLimits& limits) : impl_(std::make_unique<Impl>(limits)) {}
RequestParser::~RequestParser() = default;
RequestParser::RequestParser(RequestParser&&) noexcept = default;
RequestParser& RequestParser::operator=(RequestParser&&) noexcept = default;

std::size_t RequestParser::feed(std::string_view bytes) {
  return feed_beast(impl_->beast, bytes, impl_->limits.head_bytes_max, impl_->problem);
}

bool RequestParser::take_expectation() {
  return impl_->beast.is_header_done() && !done() && std::exchange(impl_->beast.expects_continue, false);
}
bool RequestParser::done() const { return impl_->problem == ParseProblem::none && impl_->beast.is_done(); }
bool RequestParser::chunks_understood() const { return impl_->beast.version() >= 11; }
bool RequestParser::keeps_connection() const { return done() && impl_->beast.keep_alive(); }
ParseProblem RequestParser::problem() const { return impl_->problem; }
Request RequestParser::take() { return impl_->beast.take(); }

}  // namespace troupe::http
