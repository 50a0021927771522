// Runs actors on a thread of ours: the I/O loop or the gateway, instead of CAF's workers (STACK 1.6).
#pragma once

#include "runtime/base/executor.hpp"

#include <caf/execution_unit.hpp>
#include <caf/resumable.hpp>

#include <deque>

namespace troupe::actors {

/// One per executor. Must outlive every actor pinned to it. `exec_later` is callable from any thread.
class Unit final : public caf::execution_unit {
 public:
  Unit(caf::actor_system& system, Executor& executor) : caf::execution_unit(&system), executor_(executor) {}
  ~Unit() override;
  void exec_later(caf::resumable* job) override;

 private:
  void arm();
  void drain();

  Executor& executor_;
  std::deque<caf::resumable*> jobs_;  // executor's thread only
  bool armed_ = false;
};

}  // namespace troupe::actors
