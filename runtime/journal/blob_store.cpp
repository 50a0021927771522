// How large content is found again: by hash, then byte by byte.
#include "runtime/journal/blob_store.hpp"

#include "runtime/journal/schema.hpp"

#include <bit>
#include <cstring>
#include <utility>

namespace troupe::journal {

// Word-wise multiply and rotate, where the FNV-1a of base takes bytes one by one: this runs on the
// committer's thread over whole prompts. Words are read as they lie in memory; a machine of the other byte
// order would store content anew and check() would complain, but no content would be mistaken for another.
std::uint64_t content_hash(std::string_view bytes) {
  constexpr std::uint64_t factor = 0x9e3779b97f4a7c15;
  std::uint64_t hash = bytes.size() * factor;
  auto mix = [&](std::uint64_t word) { hash = std::rotl((hash ^ word) * factor, 29); };
  std::size_t at = 0;
  for (; at + 8 <= bytes.size(); at += 8) {
    std::uint64_t word;
    std::memcpy(&word, bytes.data() + at, 8);
    mix(word);
  }
  std::uint64_t tail = 0;
  if (at < bytes.size()) std::memcpy(&tail, bytes.data() + at, bytes.size() - at);
  mix(tail);
  mix(hash >> 32);
  return hash;
}

Result<BlobStore> BlobStore::open(Connection& connection) {
  // The limit keeps content crafted to collide from making every write search: past it, it is stored again.
  auto find = connection.prepare("SELECT id, bytes FROM blob WHERE hash = ? LIMIT 4");
  if (!find) return std::unexpected(std::move(find.error()));
  auto add = connection.prepare("INSERT INTO blob(hash, bytes) VALUES (?, ?)");
  if (!add) return std::unexpected(std::move(add.error()));
  return BlobStore(connection, std::move(*find), std::move(*add));
}

BlobStore::BlobStore(Connection& connection, Statement find, Statement add)
    : connection_(&connection), find_(std::move(find)), add_(std::move(add)) {}

Result<Stored> BlobStore::put(std::string_view bytes) {
  if (bytes.size() <= kInlineBytesMax) return Stored{bytes, std::nullopt};
  auto hash = content_hash(bytes);
  auto row = find_.with(hash).step();
  for (; row && *row; row = find_.step()) {
    if (find_.bytes(1) != bytes) continue;
    auto id = find_.integer(0);
    find_.reset();
    return Stored{{}, id};
  }
  find_.reset();
  if (!row) return std::unexpected(std::move(row.error()));
  if (auto added = add_.with(hash, BlobView{bytes}).run(); !added)
    return std::unexpected(std::move(added.error()));
  return Stored{{}, connection_->last_rowid()};
}

}  // namespace troupe::journal
