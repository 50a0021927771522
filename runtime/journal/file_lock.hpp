// One writer per file: an advisory lock on a file beside it that names its holder.
#pragma once

#include <troupe/error.hpp>

#include <string>

namespace troupe::journal {

/// Held until destroyed or until the process ends, however it ends. The lock file itself stays: removing it
/// would let two processes lock two different files of that name.
class FileLock {
 public:
  /// Locks `path`, creating it. `storage` when another holds it; the text names the holder's pid.
  static Result<FileLock> acquire(const std::string& path);

  FileLock(FileLock&& other) noexcept;
  FileLock& operator=(FileLock&&) = delete;
  ~FileLock();

 private:
  explicit FileLock(int descriptor) : descriptor_(descriptor) {}

  int descriptor_;
};

}  // namespace troupe::journal
