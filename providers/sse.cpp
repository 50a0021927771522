#include "providers/sse.hpp"

#include <utility>

namespace troupe::providers {

Result<void> SseParser::feed(std::string_view bytes, std::vector<SseEvent>& out) {
  while (!bytes.empty()) {
    // A CR has ended its line already, so an LF right behind it is only its other half.
    if (std::exchange(after_cr_, false) && bytes.front() == '\n') {
      bytes.remove_prefix(1);
      continue;
    }
    auto end = bytes.find_first_of("\r\n");
    if (auto grown = extend_line(bytes.substr(0, end)); !grown) return grown;
    if (end == std::string_view::npos) break;
    after_cr_ = bytes[end] == '\r';
    bytes.remove_prefix(end + 1);
    end_line(out);
  }
  return {};
}

Result<void> SseParser::extend_line(std::string_view bytes) {
  if (line_.size() + event_.data.size() + bytes.size() > event_bytes_max_)
    return fail(Errc::stream_broken, "an event of the stream exceeds the size limit");
  line_ += bytes;
  return {};
}

void SseParser::end_line(std::vector<SseEvent>& out) {
  std::string_view line = line_;
  if (std::exchange(first_line_, false) && line.starts_with("\xef\xbb\xbf")) line.remove_prefix(3);
  if (!line.empty()) {
    read_field(line);
  } else {
    if (has_data_) out.push_back(std::move(event_));
    event_ = {};
    has_data_ = false;
  }
  line_.clear();
}

void SseParser::read_field(std::string_view line) {
  auto colon = line.find(':');
  auto name = line.substr(0, colon);
  auto value = colon == std::string_view::npos ? std::string_view() : line.substr(colon + 1);
  if (value.starts_with(' ')) value.remove_prefix(1);
  if (name == "event") event_.type = value;
  if (name != "data") return;
  if (has_data_) event_.data += '\n';
  event_.data += value;
  has_data_ = true;
}

std::string write_sse(std::string_view data) {
  std::string out = "data: ";
  out += data;
  out += "\n\n";
  return out;
}

}  // namespace troupe::providers
