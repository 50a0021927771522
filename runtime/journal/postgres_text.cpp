// What of a batch PostgreSQL could not store, said before it is queued.
#include "runtime/journal/postgres_group.hpp"

#include <fmt/format.h>

#include <initializer_list>

namespace troupe::journal {
namespace {

/// A statement's values must fit into 1 GB; this is far below and far above any sound batch.
constexpr std::size_t kPgBatchBytesMax = 256u << 20;

/// How many bytes the character at `at` has; 0 when it is none. Shortest forms only, no surrogates, up to
/// U+10FFFF (RFC 3629).
std::size_t character_bytes(std::string_view text, std::size_t at) {
  auto byte = [&](std::size_t i) {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : static_cast<unsigned char>(0);
  };
  auto follows = [&](std::size_t i) { return (byte(i) & 0xc0) == 0x80; };
  auto lead = byte(at), second = byte(at + 1);
  if (lead < 0x80) return lead != 0 ? 1 : 0;
  if (lead < 0xc2 || lead > 0xf4 || !follows(at + 1)) return 0;
  if (lead < 0xe0) return 2;
  if (!follows(at + 2)) return 0;
  if (lead < 0xf0) return (lead == 0xe0 && second < 0xa0) || (lead == 0xed && second > 0x9f) ? 0 : 3;
  bool out = (lead == 0xf0 && second < 0x90) || (lead == 0xf4 && second > 0x8f);
  return out || !follows(at + 3) ? 0 : 4;
}

Result<void> check_storable(std::string_view of, std::initializer_list<std::string_view> texts) {
  for (auto text : texts)
    if (!is_storable_text(text))
      return fail(Errc::invalid_input, fmt::format("a text of the {} is not UTF-8, or has a zero byte", of));
  return {};
}

}  // namespace

bool is_storable_text(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    auto length = character_bytes(text, at);
    if (length == 0) return false;
    at += length;
  }
  return true;
}

Result<void> validate_for_postgres(const RunRow& row) {
  return check_storable(
      "run", {row.run_id, row.workflow, row.tenant, row.node, row.parent, row.budget, row.version});
}

Result<void> validate_for_postgres(const Batch& batch) {
  Result<void> ok;
  std::size_t bytes = 0;
  if (batch.run) ok = validate_for_postgres(*batch.run);
  for (const auto& e : batch.entries) {
    bytes += e.payload.size();
    if (ok) ok = check_storable("entry", {e.run_id, e.step_key});
  }
  for (const auto& u : batch.usage)
    if (ok)
      ok = check_storable("usage row", {u.run_id, u.step_key, u.feature, u.tenant, u.model, u.endpoint,
                                        u.cause, u.error, u.node, u.price});
  for (const auto& b : batch.breakers)
    if (ok) ok = check_storable("breaker row", {b.endpoint, b.node, b.from, b.to, b.reason, b.detail});
  for (const auto& m : batch.breaker_memories)
    if (ok) ok = check_storable("breaker memory", {m.endpoint, m.node, m.memory});
  for (const auto& c : batch.controls)
    if (ok) ok = check_storable("control row", {c.kind, c.subject, c.node, c.who, c.why});
  for (const auto& x : batch.exposures)
    if (ok) ok = check_storable("exposure row", {x.experiment, x.arm, x.decision, x.node});
  for (const auto& d : batch.decisions)
    if (ok) ok = check_storable("decision row", {d.id, d.run_id, d.step_key, d.arm});
  for (const auto& f : batch.feedback)
    if (ok)
      ok = check_storable("rating", {f.run_id, f.step_key, f.rater, f.decision, f.feature, f.tenant, f.arm,
                                     f.model, f.endpoint, f.surface, f.note, f.node});
  if (ok && bytes > kPgBatchBytesMax)
    return fail(Errc::invalid_input,
                fmt::format("the batch has {} bytes, {} are allowed", bytes, kPgBatchBytesMax));
  return ok;
}

}  // namespace troupe::journal
