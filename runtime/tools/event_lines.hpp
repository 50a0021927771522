// Takes the messages out of a stream of server-sent events.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace troupe::tools {

/// The data of each "message" event, however the bytes are cut (HTML Living Standard 9.2.6). Other events are
/// left out.
class EventLines {
 public:
  explicit EventLines(std::size_t bytes_max) : bytes_max_(bytes_max) {}
  /// False once an event exceeds the bound; nothing more is taken then.
  bool take(std::string_view bytes);
  std::vector<std::string> events() { return std::exchange(events_, {}); }

 private:
  void on_line();
  const std::size_t bytes_max_;
  std::string line_, data_, kind_;
  bool has_data_ = false, after_return_ = false, too_large_ = false;
  std::vector<std::string> events_;
};

}  // namespace troupe::tools
