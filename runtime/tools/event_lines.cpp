#include "runtime/tools/event_lines.hpp"

namespace troupe::tools {

bool EventLines::take(std::string_view bytes) {
  for (char c : bytes) {
    if (too_large_) return false;
    bool second_of_crlf = c == '\n' && std::exchange(after_return_, c == '\r');
    if (c != '\n') after_return_ = c == '\r';
    if (second_of_crlf) continue;
    if (c == '\n' || c == '\r')
      on_line();
    else
      line_ += c;
    too_large_ = line_.size() + data_.size() > bytes_max_;
  }
  return !too_large_;
}

void EventLines::on_line() {
  auto line = std::exchange(line_, {});
  if (line.empty()) {
    if (has_data_ && (kind_.empty() || kind_ == "message")) events_.push_back(std::move(data_));
    data_.clear();
    kind_.clear();
    has_data_ = false;
    return;
  }
  auto colon = line.find(':');
  auto field = line.substr(0, colon);
  auto value = colon == std::string::npos ? std::string() : line.substr(colon + 1);
  if (value.starts_with(' ')) value.erase(0, 1);
  if (field == "event") kind_ = std::move(value);
  if (field != "data") return;
  if (has_data_) data_ += '\n';
  data_ += value;
  has_data_ = true;
}

}  // namespace troupe::tools
