// Finds the addresses of host names, through the system's resolver or the one the configuration brings.
#pragma once

#include "runtime/http/client.hpp"
#include "runtime/http/loop_impl.hpp"

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace troupe::http {

/// Nothing is kept: each connection asks anew, so that a host that moves is followed. Those that ask while
/// the system is being asked for the same host share its answer, which bounds a burst of connections to one
/// look-up, and one that hangs to one thread (look_up_threads_max of them). Loop thread only.
class Lookups : public std::enable_shared_from_this<Lookups> {
 public:
  Lookups(std::shared_ptr<Loop::Impl> loop, Resolve resolve);
  /// Calls `found` once, perhaps from within, perhaps after its caller has lost interest. An address as host
  /// is its own answer.
  void find(const std::string& host, Found found);

 private:
  void ask_system(const std::string& host);
  void answer(const std::string& host, const Result<std::vector<std::string>>& addresses);

  std::shared_ptr<Loop::Impl> loop_;
  Resolve resolve_;
  std::map<std::string, std::vector<Found>> asking_;
};

}  // namespace troupe::http
