// Where the data sets are that are no part of the project.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <string>

namespace troupe::tools {

/// A file or folder of the shared data, or an empty path when it is not on this machine.
inline std::filesystem::path shared_data(const std::string& relative) {
  const char* named = std::getenv("TROUPE_DATA");
  std::filesystem::path root =
      named ? std::filesystem::path(named) : std::filesystem::path(TROUPE_SOURCE_DIR) / "../shared";
  for (const auto& path : {root / "data" / relative, root / relative})
    if (std::filesystem::exists(path)) return path;
  return {};
}

}  // namespace troupe::tools
