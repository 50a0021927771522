// Who reads the recap, and which channel-days are theirs.
#pragma once

#include "agents/slack/workspace.hpp"

#include <troupe/error.hpp>

#include <cstddef>
#include <string>
#include <vector>

namespace troupe::recap {

struct Reader {
  /// The display name.
  std::string name;
  /// Indices into Workspace::days of the channels this user is a member of, ascending.
  std::vector<std::size_t> days;
};

/// Users by display name or id, in the order given, doubles removed. Fails with invalid_input naming an
/// unknown one.
Result<std::vector<Reader>> find_readers(const slack::Workspace& workspace,
                                         const std::vector<std::string>& users);

/// How many channel-days more than one reader has: each was summarised once instead of that often (K2).
std::size_t shared_days(const std::vector<Reader>& readers);

}  // namespace troupe::recap
