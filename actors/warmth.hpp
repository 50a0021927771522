// Which connections are kept open before traffic wants them, as endpoints come and go (D8). A value.
#pragma once

#include "runtime/http/client.hpp"

#include <map>
#include <string>
#include <utility>
#include <vector>

namespace troupe::actors {

class Warmth {
 public:
  struct Wish {
    http::Client* client = nullptr;
    http::Origin origin;
    /// Of all endpoints there together; 0: nobody wants any.
    std::size_t count = 0;
  };

  /// Replaces what the endpoint wanted before.
  void want(const std::string& endpoint, Wish wish) { wishes_[endpoint] = std::move(wish); }
  void leave(const std::string& endpoint) { wishes_.erase(endpoint); }
  /// What Client::warm is to be told by whoever had told it `before`.
  std::vector<Wish> since(const Warmth& before) const;

 private:
  using Places = std::map<std::pair<http::Client*, http::Origin>, std::size_t>;
  Places places() const;

  std::map<std::string, Wish> wishes_;  // by endpoint
};

}  // namespace troupe::actors
