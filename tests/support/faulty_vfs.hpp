// SQLite's file system with FaultyDisk in between: files on such a disk go through it, all others do not.
#pragma once

#include "tests/support/faulty_disk.hpp"

#include <sqlite3.h>

#include <cstring>
#include <new>
#include <string>

namespace troupe::testing {

/// From the first call on, every file this process's SQLite opens is looked up among the FaultyDisks. Real
/// syncs are left out on them: what is durable is the disk's own account, and a test has many.
class FaultyVfs {
 public:
  static void install() {
    static FaultyVfs vfs;
    (void)vfs;
  }

 private:
  // SQLite gives us szOsFile bytes for each file: ours, and behind it the real one.
  struct File {
    sqlite3_file base;
    FaultyDisk* disk;
    std::string* name;
    sqlite3_file* real() { return reinterpret_cast<sqlite3_file*>(this + 1); }
    const sqlite3_io_methods& methods() { return *real()->pMethods; }
    std::uint64_t size() {
      sqlite3_int64 bytes = 0;
      methods().xFileSize(real(), &bytes);
      return static_cast<std::uint64_t>(bytes);
    }
    /// What stands there; shorter at the file's end.
    std::string bytes(std::uint64_t at, std::uint64_t count) {
      auto end = size();
      if (at >= end) return {};
      std::string out(std::min(count, end - at), '\0');
      methods().xRead(real(), out.data(), static_cast<int>(out.size()), static_cast<sqlite3_int64>(at));
      return out;
    }
  };
  static File& ours(sqlite3_file* file) { return *reinterpret_cast<File*>(file); }

  FaultyVfs() : real_(sqlite3_vfs_find(nullptr)), vfs_(*real_) {
    vfs_.zName = "troupe-faulty";
    vfs_.szOsFile = static_cast<int>(sizeof(File)) + real_->szOsFile;
    vfs_.pAppData = real_;
    vfs_.xOpen = open;
    vfs_.xDelete = remove;
    sqlite3_vfs_register(&vfs_, 1);
  }

  static sqlite3_vfs* real_of(sqlite3_vfs* vfs) { return static_cast<sqlite3_vfs*>(vfs->pAppData); }

  static int open(sqlite3_vfs* vfs, const char* name, sqlite3_file* file, int flags, int* out_flags) {
    auto& mine = *new (file) File{};
    mine.disk = name ? FaultyDisk::of(name) : nullptr;
    if (mine.disk && mine.disk->off()) return SQLITE_CANTOPEN;
    auto* real = real_of(vfs);
    int code = real->xOpen(real, name, mine.real(), flags, out_flags);
    if (code != SQLITE_OK) return code;
    mine.name = new std::string(name ? name : "");
    mine.base.pMethods = methods();
    return SQLITE_OK;
  }

  static int remove(sqlite3_vfs* vfs, const char* name, int sync) {
    auto* disk = FaultyDisk::of(name);
    if (disk && disk->remove(name) != FaultyDisk::Answer::ok) return SQLITE_IOERR_DELETE;
    return real_of(vfs)->xDelete(real_of(vfs), name, disk ? 0 : sync);
  }

  static int close(sqlite3_file* file) {
    delete ours(file).name;
    return ours(file).methods().xClose(ours(file).real());
  }
  static int read(sqlite3_file* file, void* into, int count, sqlite3_int64 at) {
    auto& mine = ours(file);
    if (mine.disk && mine.disk->off()) return SQLITE_IOERR_READ;
    return mine.methods().xRead(mine.real(), into, count, at);
  }

  static int write(sqlite3_file* file, const void* from, int count, sqlite3_int64 at) {
    auto& mine = ours(file);
    std::size_t passes = static_cast<std::size_t>(count);
    auto answer = FaultyDisk::Answer::ok;
    if (mine.disk) {
      auto place = static_cast<std::uint64_t>(at);
      answer = mine.disk->before_write(*mine.name, place, std::string(static_cast<const char*>(from), passes),
                                       mine.bytes(place, passes), mine.size(), passes);
    }
    int code =
        passes == 0 ? SQLITE_OK : mine.methods().xWrite(mine.real(), from, static_cast<int>(passes), at);
    if (answer == FaultyDisk::Answer::full) return SQLITE_FULL;
    return answer == FaultyDisk::Answer::failed ? SQLITE_IOERR_WRITE : code;
  }

  static int truncate(sqlite3_file* file, sqlite3_int64 to) {
    auto& mine = ours(file);
    auto place = static_cast<std::uint64_t>(to);
    if (mine.disk && mine.disk->before_truncate(*mine.name, place, mine.bytes(place, mine.size()),
                                                mine.size()) != FaultyDisk::Answer::ok)
      return SQLITE_IOERR_TRUNCATE;
    return mine.methods().xTruncate(mine.real(), to);
  }

  static int sync(sqlite3_file* file, int flags) {
    auto& mine = ours(file);
    if (!mine.disk) return mine.methods().xSync(mine.real(), flags);
    return mine.disk->sync(*mine.name) == FaultyDisk::Answer::ok ? SQLITE_OK : SQLITE_IOERR_FSYNC;
  }

  static int control(sqlite3_file* file, int what, void* with) {
    // Writing ahead of the file's end would pass us by.
    if (what == SQLITE_FCNTL_CHUNK_SIZE || what == SQLITE_FCNTL_SIZE_HINT) return SQLITE_OK;
    return ours(file).methods().xFileControl(ours(file).real(), what, with);
  }

  static const sqlite3_io_methods* methods() {
    static const sqlite3_io_methods all = [] {
      sqlite3_io_methods m{};
      m.iVersion = 2;  // no memory maps: they too would pass us by
      m.xClose = close, m.xRead = read, m.xWrite = write, m.xTruncate = truncate, m.xSync = sync;
      m.xFileControl = control;
      m.xFileSize = [](sqlite3_file* f, sqlite3_int64* size) {
        return ours(f).methods().xFileSize(ours(f).real(), size);
      };
      m.xLock = [](sqlite3_file* f, int level) { return ours(f).methods().xLock(ours(f).real(), level); };
      m.xUnlock = [](sqlite3_file* f, int level) { return ours(f).methods().xUnlock(ours(f).real(), level); };
      m.xCheckReservedLock = [](sqlite3_file* f, int* out) {
        return ours(f).methods().xCheckReservedLock(ours(f).real(), out);
      };
      m.xSectorSize = [](sqlite3_file* f) { return ours(f).methods().xSectorSize(ours(f).real()); };
      m.xDeviceCharacteristics = [](sqlite3_file* f) {
        // What tears, tears within what is written; nothing else is promised.
        int all_of_it = ours(f).methods().xDeviceCharacteristics(ours(f).real());
        return ours(f).disk ? all_of_it & SQLITE_IOCAP_POWERSAFE_OVERWRITE : all_of_it;
      };
      m.xShmMap = [](sqlite3_file* f, int page, int size, int extend, void volatile** out) {
        return ours(f).methods().xShmMap(ours(f).real(), page, size, extend, out);
      };
      m.xShmLock = [](sqlite3_file* f, int offset, int n, int flags) {
        return ours(f).methods().xShmLock(ours(f).real(), offset, n, flags);
      };
      m.xShmBarrier = [](sqlite3_file* f) { ours(f).methods().xShmBarrier(ours(f).real()); };
      m.xShmUnmap = [](sqlite3_file* f, int remove_it) {
        return ours(f).methods().xShmUnmap(ours(f).real(), remove_it);
      };
      return m;
    }();
    return &all;
  }

  sqlite3_vfs* real_;
  sqlite3_vfs vfs_;
};

}  // namespace troupe::testing
