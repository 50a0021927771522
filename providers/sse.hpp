// Server-sent events: bytes in pieces of any size become whole events (WHATWG HTML, section 9.2).
#pragma once

#include <troupe/error.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::providers {

struct SseEvent {
  /// The `event:` field; empty when there was none.
  std::string type;
  /// The `data:` lines, joined by LF.
  std::string data;
  friend bool operator==(const SseEvent&, const SseEvent&) = default;
};

/// Lines may end in LF, CR or CRLF, even mixed; comments, unknown fields and a leading byte-order mark are
/// skipped; events without data are dropped, and so is an event the body ends inside of. One per stream.
class SseParser {
 public:
  explicit SseParser(std::size_t event_bytes_max = 16 * 1024 * 1024) : event_bytes_max_(event_bytes_max) {}
  /// Appends the events completed by `bytes`. Fails with stream_broken when one event exceeds the limit.
  Result<void> feed(std::string_view bytes, std::vector<SseEvent>& out);

 private:
  Result<void> extend_line(std::string_view bytes);
  void end_line(std::vector<SseEvent>& out);
  void read_field(std::string_view line);

  std::size_t event_bytes_max_;
  std::string line_;
  SseEvent event_;
  bool has_data_ = false;
  bool after_cr_ = false;
  bool first_line_ = true;
};

/// One event with this data and no type. `data` must not hold CR or LF.
std::string write_sse(std::string_view data);

}  // namespace troupe::providers
