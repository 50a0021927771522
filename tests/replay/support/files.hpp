// Files for a test, gone after it; and the data of others, where it is on this machine.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

namespace troupe::replay {

class TempFolder {
 public:
  TempFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "troupe_replay_XXXXXX").string();
    path_ = ::mkdtemp(name.data());
  }
  ~TempFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;
  const std::string& path() const { return path_; }
  /// Writes it and gives its path.
  std::string file(const std::string& name, const std::string& text) const {
    auto full = std::filesystem::path(path_) / name;
    std::filesystem::create_directories(full.parent_path());
    std::ofstream(full, std::ios::binary) << text;
    return full.string();
  }

 private:
  std::string path_;
};

/// Empty when it is not there: skip, and say so.
inline std::string shared_data(const std::string& name) {
  const char* given = std::getenv("TROUPE_DATA");
  std::string base = given != nullptr ? given : std::string(TROUPE_SOURCE_DIR) + "/../shared/data";
  auto path = base + "/" + name;
  return std::filesystem::exists(path) ? path : std::string();
}

}  // namespace troupe::replay
