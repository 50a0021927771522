// Reads a Slack export, as a folder or as the ZIP Slack gives. What cannot be read is listed, not fatal.
#pragma once

#include "agents/slack/workspace.hpp"

#include <troupe/error.hpp>

#include <filesystem>
#include <string>
#include <vector>

namespace troupe::slack {

struct ReadOptions {
  /// "YYYY-MM-DD", inclusive, UTC. Both empty: the newest day that has messages.
  std::string from, to;
  /// Only these channels; empty: all.
  std::vector<std::string> channels;
  /// Only the channels this user (display name, name or id) is a member of; empty: all.
  std::string user;
  std::size_t file_bytes_max = 64u << 20;
  std::size_t archive_bytes_max = 4ull << 30;
  std::size_t files_max = 1'000'000;
};

/// Fails with input_missing when `path` is not there, and with invalid_input when it is no export, holds no
/// message at all, or names an unknown channel, user or date; everything smaller becomes a Problem.
Result<Workspace> read_export(const std::filesystem::path& path, const ReadOptions& options);

}  // namespace troupe::slack
