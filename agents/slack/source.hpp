// The files of an export, whether they lie in a folder or in a ZIP.
#pragma once

#include "agents/slack/reader.hpp"

#include <cstdint>
#include <memory>

namespace troupe::slack {

/// A file or folder of the export. `name` is relative, with forward slashes, and never leaves the export.
struct Entry {
  std::string name;
  bool folder = false;
  /// As the folder or archive declares it; an archive may lie.
  std::uint64_t bytes = 0;
  /// The archive's own number for it.
  std::uint64_t index = 0;
};

/// One thread at a time.
class Source {
 public:
  virtual ~Source() = default;
  /// Sorted by name.
  virtual const std::vector<Entry>& entries() const = 0;
  /// The whole file, at most `bytes_max`; larger, unreadable or damaged ones fail with invalid_input.
  virtual Result<std::string> read(const Entry& entry, std::size_t bytes_max) = 0;
};

/// Fails with input_missing when nothing is there, invalid_input when it is neither folder nor ZIP, when the
/// ZIP is cut short, or when it has more than `files_max` files. Names and links leading out of the export go
/// to `problems`.
Result<std::unique_ptr<Source>> open_source(const std::filesystem::path& path, const ReadOptions& options,
                                            std::vector<Problem>& problems);

/// The ZIP half of open_source.
Result<std::unique_ptr<Source>> open_archive(const std::filesystem::path& path, const ReadOptions& options,
                                             std::vector<Problem>& problems);

}  // namespace troupe::slack
