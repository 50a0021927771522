#include "actors/edition.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace troupe::actors {

std::string edition_of(const std::filesystem::path& path) {
  std::error_code error;
  auto newest = std::filesystem::last_write_time(path, error);
  std::size_t files = 0;
  std::filesystem::recursive_directory_iterator at(path, error), end;
  for (; !error && at != end; at.increment(error), ++files) {
    std::error_code gone;
    newest = std::max(newest, at->last_write_time(gone));
  }
  return fmt::format("{}@{}/{}", path.string(), newest.time_since_epoch().count(), files);
}

}  // namespace troupe::actors
