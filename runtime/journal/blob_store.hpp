// Large content, stored once however often it is written.
#pragma once

#include "runtime/journal/database.hpp"

#include <cstdint>
#include <optional>
#include <string_view>

namespace troupe::journal {

/// 64 bits of the content, stable over builds. It only finds candidates: blobs are the same when their bytes
/// are, so neither chance nor an attacker can make one content stand for another.
std::uint64_t content_hash(std::string_view bytes);

/// Where a piece of content lies: in the row itself or in the blob table.
struct Stored {
  std::string_view here;
  std::optional<std::int64_t> blob;
};

/// Writes within the caller's transaction; used by its thread only.
class BlobStore {
 public:
  static Result<BlobStore> open(Connection& connection);

  /// Small content stays in the row, large content is found or added. `bytes` must outlive the answer.
  Result<Stored> put(std::string_view bytes);

 private:
  BlobStore(Connection& connection, Statement find, Statement add);

  Connection* connection_;
  Statement find_, add_;
};

}  // namespace troupe::journal
