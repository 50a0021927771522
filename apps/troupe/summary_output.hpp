// What a summary shows while it is written, and the file it leaves in --out.
#pragma once

#include "agents/summary/printed.hpp"
#include "runtime/json/json.hpp"

#include <troupe/error.hpp>
#include <troupe/run.hpp>

#include <functional>
#include <string>

namespace troupe::app {

/// Writes summary.json of a run that is done.
Result<void> write_summary(const std::string& out, const RunReport& report);

/// The text goes to stdout as it comes, what is to be said of it to stderr.
class SummaryOnTerminal {
 public:
  SummaryOnTerminal();
  /// For Node::run; called on the node's threads, one call after the other.
  std::function<void(const LiveText&)> reader();
  /// When the run is over and the node has stopped.
  void finish(const RunReport& report);

 private:
  summary::SummaryPrinter printer_;
};

}  // namespace troupe::app
