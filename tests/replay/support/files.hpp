// Files for a test, gone after it; and the data of others, where it is on this machine.
#pragma once

#include "tests/support/temp_folder.hpp"

#include <cstdlib>
#include <filesystem>
#include <string>

namespace troupe::replay {

using troupe::testing::TempFolder;

/// Empty when it is not there: skip, and say so.
inline std::string shared_data(const std::string& name) {
  const char* given = std::getenv("TROUPE_DATA");
  std::string base = given != nullptr ? given : std::string(TROUPE_SOURCE_DIR) + "/../shared/data";
  auto path = base + "/" + name;
  return std::filesystem::exists(path) ? path : std::string();
}

}  // namespace troupe::replay
