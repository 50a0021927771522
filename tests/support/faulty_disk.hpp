// A disk that fails as told, beneath SQLite: full, unable to write, unable to sync, off, and honest or not
// about what survives a power loss.
#pragma once

#include "runtime/base/rng.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace troupe::testing {

/// Everything SQLite writes beneath one folder while this lives, if faulty_vfs.hpp has been installed.
/// Thread-safe. What the folder's files hold is what the operating system would show; what is durable of it
/// is kept beside: a power loss keeps all that was synced and any part, by sectors, of what was not.
class FaultyDisk {
 public:
  enum class Answer { ok, full, failed };

  explicit FaultyDisk(const std::filesystem::path& folder)
      : folder_(std::filesystem::canonical(folder).string() + "/") {
    std::lock_guard lock(all_mutex());
    all()[folder_] = this;
  }
  ~FaultyDisk() {
    std::lock_guard lock(all_mutex());
    all().erase(folder_);
  }
  FaultyDisk(const FaultyDisk&) = delete;
  FaultyDisk& operator=(const FaultyDisk&) = delete;

  /// The disk on which this file lies; null: none of ours.
  static FaultyDisk* of(const std::string& file) {
    std::lock_guard lock(all_mutex());
    for (const auto& [folder, disk] : all())
      if (file.starts_with(folder)) return disk;
    return nullptr;
  }

  // ---- what the test orders ----

  /// Files may grow by this much more; nothing: without bound.
  void leave_room(std::optional<std::uint64_t> bytes) {
    set([&] { room_ = bytes; });
  }
  /// The write after so many more fails, half of it done, and all that follow; nothing: writes succeed.
  void fail_writes_after(std::optional<std::uint64_t> writes) {
    set([&] { good_writes_ = writes; });
  }
  void fail_syncs_after(std::optional<std::uint64_t> syncs) {
    set([&] { good_syncs_ = syncs; });
  }
  /// Syncs are acknowledged and make nothing durable.
  void lie_about_syncs(bool lie) {
    set([&] { lies_ = lie; });
  }
  /// Every call fails from here on: the process that used it is dead.
  void turn_off() {
    set([&] { off_ = true; });
  }
  /// The same, at the write or sync after so many more.
  void turn_off_after(std::uint64_t calls) {
    set([&] { calls_left_ = calls; });
  }
  /// As after the death of a process: what was written is there.
  void turn_on() {
    set([&] { make_well(); });
  }
  /// As after a power loss, with nobody using the files.
  void turn_on_after_power_loss(Rng& rng) {
    set([&] {
      for (auto& [file, log] : unsynced_) forget_unsynced(file, log, rng);
      unsynced_.clear();
      make_well();
    });
  }

  /// Times something was refused, by kind; and syncs that were good.
  struct Counts {
    std::uint64_t full = 0, writes_failed = 0, syncs_failed = 0, syncs = 0, sectors_lost = 0,
                  sectors_kept = 0;
  };
  Counts counts() const {
    std::lock_guard lock(mutex_);
    return counts_;
  }

  // ---- what the file system asks ----

  bool off() const {
    std::lock_guard lock(mutex_);
    return off_;
  }
  /// How many of `size` bytes go through, and what to answer; `before`: what the file held there.
  Answer before_write(const std::string& file, std::uint64_t at, std::string bytes, std::string before,
                      std::uint64_t file_size, std::size_t& passes) {
    std::lock_guard lock(mutex_);
    if (spent(calls_left_)) off_ = true;
    passes = 0;
    auto end = at + bytes.size();
    auto growth = end > file_size ? end - file_size : 0;
    if (off_ || spent(good_writes_)) {
      if (!off_) ++counts_.writes_failed, passes = bytes.size() / 2;
    } else if (room_ && growth > *room_) {
      ++counts_.full;
      return Answer::full;
    } else {
      if (room_) *room_ -= growth;
      passes = bytes.size();
    }
    auto answer = passes == bytes.size() ? Answer::ok : Answer::failed;
    bytes.resize(passes);
    before.resize(std::min(before.size(), passes));
    if (passes > 0) unsynced_[file].push_back({at, std::move(before), std::move(bytes), file_size, {}});
    return answer;
  }
  Answer before_truncate(const std::string& file, std::uint64_t to, std::string tail,
                         std::uint64_t file_size) {
    std::lock_guard lock(mutex_);
    if (off_) return Answer::failed;
    unsynced_[file].push_back({to, std::move(tail), {}, file_size, to});
    return Answer::ok;
  }
  Answer sync(const std::string& file) {
    std::lock_guard lock(mutex_);
    if (spent(calls_left_)) off_ = true;
    if (off_) return Answer::failed;
    if (spent(good_syncs_)) {
      ++counts_.syncs_failed;
      return Answer::failed;
    }
    ++counts_.syncs;
    if (!lies_) unsynced_.erase(file);
    return Answer::ok;
  }
  /// Removal of a whole file is durable at once.
  Answer remove(const std::string& file) {
    std::lock_guard lock(mutex_);
    if (off_) return Answer::failed;
    unsynced_.erase(file);
    return Answer::ok;
  }

 private:
  static constexpr std::size_t kSector = 512;
  struct Change {
    std::uint64_t at = 0;
    std::string before, after;
    std::uint64_t size_before = 0;
    std::optional<std::uint64_t> truncated_to;
  };
  using Log = std::vector<Change>;

  static std::map<std::string, FaultyDisk*>& all() {
    static std::map<std::string, FaultyDisk*> disks;
    return disks;
  }
  static std::mutex& all_mutex() {
    static std::mutex mutex;
    return mutex;
  }

  template <class Change>
  void set(Change change) {
    std::lock_guard lock(mutex_);
    change();
  }
  void make_well() {
    off_ = false;
    room_.reset();
    good_writes_.reset();
    good_syncs_.reset();
    calls_left_.reset();
  }
  static bool spent(std::optional<std::uint64_t>& left) {
    if (!left) return false;
    if (*left == 0) return true;
    --*left;
    return false;
  }

  // Back to what was synced, then forward again with the sectors that happened to reach the platter.
  void forget_unsynced(const std::string& file, const Log& log, Rng& rng) {
    int descriptor = ::open(file.c_str(), O_RDWR | O_CLOEXEC);
    if (descriptor < 0) return;
    for (auto it = log.rbegin(); it != log.rend(); ++it) {
      put(descriptor, it->at, it->before);
      (void)!::ftruncate(descriptor, static_cast<off_t>(it->size_before));
    }
    // How much of it the disk had got to is chance too: sometimes nothing, sometimes all.
    auto share = rng.uniform() * 1.5 - 0.25;
    for (const auto& change : log) redo(descriptor, change, share, rng);
    ::close(descriptor);
  }

  void redo(int descriptor, const Change& change, double share, Rng& rng) {
    if (change.truncated_to) {
      if (rng.uniform() < share) (void)!::ftruncate(descriptor, static_cast<off_t>(*change.truncated_to));
      return;
    }
    for (std::size_t from = 0; from < change.after.size(); from += kSector) {
      bool kept = rng.uniform() < share;
      ++(kept ? counts_.sectors_kept : counts_.sectors_lost);
      if (kept) put(descriptor, change.at + from, change.after.substr(from, kSector));
    }
  }

  static void put(int descriptor, std::uint64_t at, const std::string& bytes) {
    if (!bytes.empty()) (void)!::pwrite(descriptor, bytes.data(), bytes.size(), static_cast<off_t>(at));
  }

  std::string folder_;
  mutable std::mutex mutex_;
  std::map<std::string, Log> unsynced_;
  std::optional<std::uint64_t> room_, good_writes_, good_syncs_, calls_left_;
  bool lies_ = false, off_ = false;
  Counts counts_;
};

}  // namespace troupe::testing
