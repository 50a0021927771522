// The lock is an flock, which the kernel lets go whatever happens to its holder.
#include "runtime/journal/file_lock.hpp"

#include <fmt/format.h>

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace troupe::journal {
namespace {

std::string holder_of(int descriptor) {
  char text[24] = {};
  auto got = pread(descriptor, text, sizeof text - 1, 0);
  if (got <= 0) return "another process";
  return fmt::format("process {}", std::string_view(text, strcspn(text, "\n")));
}

bool write_holder(int descriptor) {
  auto text = fmt::format("{}\n", getpid());
  if (ftruncate(descriptor, 0) != 0) return false;
  return pwrite(descriptor, text.data(), text.size(), 0) == static_cast<ssize_t>(text.size());
}

}  // namespace

Result<FileLock> FileLock::acquire(const std::string& path) {
  int descriptor = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (descriptor < 0)
    return fail(Errc::storage, fmt::format("cannot open the lock {}: {}", path, std::strerror(errno)));
  FileLock lock(descriptor);
  if (flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK)
      return fail(Errc::storage, fmt::format("cannot lock {}: {}", path, std::strerror(errno)));
    return fail(Errc::storage, fmt::format("{} holds {}: one process at a time may write this journal",
                                           holder_of(descriptor), path));
  }
  if (!write_holder(descriptor))
    return fail(Errc::storage, fmt::format("cannot write the lock {}: {}", path, std::strerror(errno)));
  return lock;
}

FileLock::FileLock(FileLock&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}

FileLock::~FileLock() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

}  // namespace troupe::journal
