#include "runtime/policy/assignment.hpp"

#include "runtime/base/rng.hpp"

namespace troupe::policy {

const char* to_string(UnitKind kind) {
  switch (kind) {
    case UnitKind::tenant: return "tenant";
    case UnitKind::user: return "user";
    case UnitKind::request: return "request";
  }
  return "?";
}

std::uint64_t unit_hash(const Unit& unit, UnitKind kind) {
  if (kind == UnitKind::request) return Rng(unit.request).next();
  auto tenant = stable_hash(unit.tenant);
  if (kind == UnitKind::tenant || unit.user.empty()) return tenant;
  return stable_hash(unit.user, tenant);
}

std::uint64_t namespace_hash(std::string_view name, std::string_view salt) {
  return stable_hash(name, stable_hash(salt));
}

// The namespace is mixed before it meets the unit: with a plain sum or xor two namespaces would place units
// alike whenever their numbers differ in few bits.
double unit_point(std::uint64_t namespace_hash, std::uint64_t unit_hash) {
  auto mixed = Rng(unit_hash ^ Rng(namespace_hash).next()).next();
  return static_cast<double>(mixed >> 11) * 0x1.0p-53;
}

}  // namespace troupe::policy
