// What one run's history breaks of the rules the engine keeps. Pure.
#pragma once

#include "actors/audit.hpp"
#include "actors/run_history.hpp"

#include <map>
#include <span>

namespace troupe::actors {

/// A run and what its store knows of its children.
struct AuditedRun {
  const journal::RunRow& row;
  const std::vector<journal::Entry>& entries;
};

/// Attempts, the budget, what was left under way.
void audit_history(const AuditedRun& run, std::vector<std::string>& out);
/// Does the child have what the parent gave it, and did the parent book what the child used?
void audit_child(const AuditedRun& parent, const AuditedRun& child, std::vector<std::string>& out);
void audit_liveness(const AuditedRun& run, const LivenessRule& rule, std::vector<std::string>& out);

}  // namespace troupe::actors
