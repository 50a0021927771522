// When an open corpus is still what its files say.
#include "actors/open_corpora.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

namespace troupe::actors {
namespace {

// Of a folder the newest of all its files, since a file that is written to leaves the folder's own time
// alone.
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

}  // namespace

Result<std::shared_ptr<tools::Corpus>> OpenCorpora::open(const std::string& path) {
  auto name = edition_of(path);
  std::lock_guard lock(mutex_);
  std::erase_if(open_, [](const auto& each) { return each.second.expired(); });
  if (auto open = open_[name].lock()) return open;
  auto opened = tools::open_corpus(path);
  if (!opened) return std::unexpected(opened.error());
  open_[name] = *opened;
  // One is kept for the next run of a series.
  last_ = *opened;
  return *opened;
}

}  // namespace troupe::actors
