// What somebody who waits sees of a run: its text as it comes, and what is said of it at the end.
#pragma once

#include "agents/summary/live.hpp"
#include "runtime/json/json.hpp"

#include <troupe/run.hpp>

#include <functional>

namespace troupe::app {

/// The text goes to stdout as it comes, what is to be said of it to stderr.
struct TerminalText {
  summary::OnText hook;
  /// With the workflow's result.
  std::function<void(const Json& result)> finish;
};
TerminalText summary_on_terminal();
TerminalText search_on_terminal();

/// For Node::run; called on the node's threads, one call after the other.
std::function<void(const LiveText&)> reader_of(const TerminalText& terminal);
/// When the run is over and the node has stopped; nothing is said of one that is not done.
void finish_on(const TerminalText& terminal, const RunReport& report);

}  // namespace troupe::app
