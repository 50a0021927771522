// Lets somebody we do not trust ask a database questions: SELECT only, from an allow-list, within bounds.
#pragma once

#include "runtime/base/clock.hpp"
#include "runtime/journal/database.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace troupe::journal {

struct SandboxLimits {
  std::size_t rows_max = 200, columns_max = 100;
  /// Of all values answered, and of any one value, also while it is being computed.
  std::size_t bytes_max = 64 * 1024, value_bytes_max = 1024 * 1024;
  std::size_t sql_bytes_max = 16 * 1024;
  Duration time_max = std::chrono::seconds(2);
};

/// A blob is told by its size alone.
struct BlobSize {
  std::size_t bytes = 0;
  friend bool operator==(const BlobSize&, const BlobSize&) = default;
};
using SandboxValue = std::variant<std::monostate, std::int64_t, double, std::string, BlobSize>;

struct SandboxRows {
  std::vector<std::string> columns;
  std::vector<std::vector<SandboxValue>> rows;
  /// There were more rows, or more bytes, than the limits allow.
  bool cut = false;
};

struct SandboxState;

/// One file, opened read-only on a connection of its own. SQLite's authorizer
/// (sqlite.org/c3ref/set_authorizer) sees every statement as it is compiled and refuses all but reading the
/// file's own tables and views and functions that neither touch the world nor load code. Used by one thread
/// at a time.
class Sandbox {
 public:
  /// Fails with input_missing when there is no such file, and invalid_input when it is no database. The clock
  /// must outlive it.
  static Result<Sandbox> open(const std::string& path, const SandboxLimits& limits, Clock& clock);
  ~Sandbox();
  Sandbox(Sandbox&&) noexcept;
  Sandbox& operator=(Sandbox&&) noexcept;

  /// One statement. Fails with `permission` when it may not run, invalid_input when it cannot (a syntax
  /// error, an unknown column: SQLite's words in `what`), and deadline_exceeded when it took too long.
  Result<SandboxRows> query(std::string_view sql);

 private:
  explicit Sandbox(std::unique_ptr<SandboxState> state);
  std::unique_ptr<SandboxState> state_;
};

}  // namespace troupe::journal
