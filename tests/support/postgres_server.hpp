// A real PostgreSQL of the test program's own: no port, only a socket in a temporary folder, gone with the
// program however it ends.
#pragma once

#include "runtime/journal/postgres_connection.hpp"

#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fcntl.h>
#include <signal.h>

#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <sstream>
#include <string>
#include <vector>

namespace troupe::testing {

/// Durable like a real one: fsync stays on, because what is tested are promises about crashes. Root may not
/// run PostgreSQL, so then the user `postgres` (or `nobody`) does.
class PostgresServer {
 public:
  /// Started with the first call; `available()` is false where no PostgreSQL is installed.
  static PostgresServer& shared() {
    static PostgresServer server;
    return server;
  }
  /// In a folder of its own inside of `parent`, which everyone must be able to enter.
  explicit PostgresServer(const std::filesystem::path& parent = std::filesystem::temp_directory_path())
      : bin_(find_programs()) {
    if (bin_.empty()) return;
    folder_ = make_folder(parent);
    if (run({bin_ / "initdb", "-D", data(), "-A", "trust", "-U", "troupe", "--no-sync", "-E", "UTF8",
             "--locale=C.UTF-8"}) != 0)
      return;
    start();
  }
  ~PostgresServer() {
    stop(SIGQUIT);
    std::error_code ignored;
    if (!folder_.empty()) std::filesystem::remove_all(folder_, ignored);
  }
  PostgresServer(const PostgresServer&) = delete;
  PostgresServer& operator=(const PostgresServer&) = delete;

  bool available() const { return pid_ > 0; }
  /// For tests to say why they are skipped.
  static const char* why_not() {
    return "no PostgreSQL server is installed here (Debian: postgresql); these tests prove nothing without "
           "one";
  }
  std::string conninfo() const { return "host=" + folder_.string() + " user=troupe dbname=postgres"; }
  const std::filesystem::path& folder() const { return folder_; }
  std::string socket() const { return (folder_ / ".s.PGSQL.5432").string(); }

  /// SIGQUIT: `immediate`, as a crash; SIGINT: `fast`.
  void stop(int how = SIGQUIT) {
    if (pid_ <= 0) return;
    kill(pid_, how);
    waitpid(pid_, nullptr, 0);
    pid_ = 0;
  }
  /// Returns when it answers.
  void start() {
    pid_ = spawn({bin_ / "postgres", "-D", data(), "-k", folder_, "-c", "listen_addresses=", "-c", "fsync=on",
                  "-c", "max_connections=60", "-c", "shared_buffers=64MB", "-c", "max_wal_size=256MB", "-c",
                  "recovery_init_sync_method=syncfs"});
    wait_until_it_answers();
  }
  /// A schema for one test after another: it is emptied here. Making one anew for each takes most of the time
  /// of most tests.
  std::string emptied_schema() {
    auto connection = journal::PgConnection::open({.conninfo = conninfo(), .schema = "shared"});
    if (connection)
      (void)connection->execute(
          "DO $$ DECLARE t text; BEGIN FOR t IN SELECT tablename FROM pg_tables"
          " WHERE schemaname = 'shared' AND tablename <> 'meta' LOOP EXECUTE 'DELETE FROM ' || t; END LOOP;"
          " END $$");
    return "shared";
  }
  /// A schema nobody else uses.
  std::string fresh_schema() {
    std::lock_guard lock(mutex_);
    return "t" + std::to_string(getpid()) + "_" + std::to_string(++schemas_);
  }

 private:
  static std::filesystem::path find_programs() {
    std::filesystem::path best;
    std::error_code none;
    for (const auto& version : std::filesystem::directory_iterator("/usr/lib/postgresql", none)) {
      auto bin = version.path() / "bin";
      bool whole = std::filesystem::exists(bin / "postgres") && std::filesystem::exists(bin / "initdb");
      if (whole && bin > best) best = bin;
    }
    return best;
  }

  struct Account {
    unsigned user = 0, group = 0;
  };
  /// Whom to become when we are root; ourselves otherwise.
  static Account account() {
    if (geteuid() != 0) return {geteuid(), getegid()};
    Account found{65534, 65534};
    std::ifstream accounts("/etc/passwd");
    for (std::string line; std::getline(accounts, line);) {
      std::istringstream fields(line);
      std::string name, password, user, group;
      std::getline(fields, name, ':') && std::getline(fields, password, ':') &&
          std::getline(fields, user, ':') && std::getline(fields, group, ':');
      if (name == "postgres")
        found = {static_cast<unsigned>(std::stoul(user)), static_cast<unsigned>(std::stoul(group))};
    }
    return found;
  }

  static std::filesystem::path make_folder(const std::filesystem::path& parent) {
    std::string name = (parent / "troupe_pg_XXXXXX").string();
    if (!mkdtemp(name.data())) std::abort();
    auto owner = account();
    if (chown(name.c_str(), owner.user, owner.group) != 0) std::abort();
    return name;
  }
  std::filesystem::path data() const { return folder_ / "data"; }

  int spawn(const std::vector<std::string>& words) {
    std::vector<char*> arguments;
    for (const auto& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
    arguments.push_back(nullptr);
    auto log = (folder_ / "log").string();
    auto owner = account();
    int child = fork();
    if (child != 0) return child;
    int out = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    dup2(out, 1);
    dup2(out, 2);
    bool ours = geteuid() != 0 || (setgid(owner.group) == 0 && setuid(owner.user) == 0);
    // A test program that dies takes its server along. Asked for after the change of user, which forgets it.
    prctl(PR_SET_PDEATHSIG, SIGQUIT);
    if (ours && chdir(folder_.c_str()) == 0) execv(arguments[0], arguments.data());
    _exit(127);
  }
  int run(const std::vector<std::string>& words) {
    int status = 0;
    auto child = spawn(words);
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
  }
  void wait_until_it_answers() {
    for (int tries = 0; tries < 1500; ++tries) {
      if (journal::PgConnection::open({.conninfo = conninfo(), .schema = "public"})) return;
      if (waitpid(pid_, nullptr, WNOHANG) == pid_) break;
      std::mutex nobody;
      std::unique_lock lock(nobody);
      std::condition_variable().wait_for(lock, std::chrono::milliseconds(20));
    }
    pid_ = 0;
  }

  std::filesystem::path bin_, folder_;
  int pid_ = 0, schemas_ = 0;
  std::mutex mutex_;
};

}  // namespace troupe::testing
