// Where a unit stands in a namespace: sticky, monotone, the same on every node (MECHANISMS B7, E4, E6).
// Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace troupe::policy {

/// Whom one decision holds for: all of a tenant, one user, or one request.
enum class UnitKind : std::uint8_t { tenant, user, request };
const char* to_string(UnitKind kind);

/// Who asks, as assignment sees it. `request` is any text or number unique to the request. A request without
/// a user counts as its tenant's, so that nobody changes sides because a field was left out.
struct Unit {
  std::string_view tenant, user;
  std::uint64_t request = 0;
};

/// A stable number for the unit: equal over builds, nodes and restarts; names nobody. Users of two tenants
/// are two users.
std::uint64_t unit_hash(const Unit& unit, UnitKind kind);

/// A namespace's number from its name and salt. Made once, when rules are read. Two namespaces, or one with
/// another salt, place units independently of each other.
std::uint64_t namespace_hash(std::string_view name, std::string_view salt);

/// In [0, 1): where the unit stands in the namespace. A share x holds the units below x, so a unit that is in
/// at 5 % is in at 10 %. Allocates nothing.
double unit_point(std::uint64_t namespace_hash, std::uint64_t unit_hash);

}  // namespace troupe::policy
