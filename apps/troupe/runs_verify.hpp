// Making recorded runs again for the command line: which code, which prices, how what differs is told.
#pragma once

#include "apps/troupe/command.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace troupe::app {

struct VerifyOptions {
  /// Files of declared workflows; those we know by name need none.
  std::vector<std::string> workflows;
  /// Where a recap's or summary's input lies now, when that is not where it was.
  std::string input;
  /// Whose prices the runs reserved by; empty: the demo clouds'.
  std::string config;
  bool json = false;
};

/// Makes every run of these lines again and prints a line for each, and for each decision that is not the
/// recorded one. kDone when there is none, else kBadInput; kInputMissing when a run's workflow is not here.
int verify_lines(std::string_view lines, const VerifyOptions& options);

}  // namespace troupe::app
