// What every actor of ours is made of: a state class with methods, and a shell that CAF sees.
#pragma once

#include "actors/unit.hpp"

#include <caf/actor_system.hpp>
#include <caf/send.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <optional>
#include <tuple>
#include <utility>

namespace troupe::actors {

/// An actor of interface `Handle` whose state is a `State`: constructed with the actor's pointer, then given
/// its collaborators through `start(args...)`, which returns the behaviour. The state dies when the actor
/// ends, so cycles of handles between actors break.
///
/// Spawned on a Unit, the actor is pinned: whoever sends, it runs on that unit's thread only.
template <class Handle, class State, class... Args>
class Shell final : public Handle::base {
 public:
  using base = typename Handle::base;
  Shell(caf::actor_config& config, Args... args)
      : base(config), unit_(dynamic_cast<Unit*>(config.host)), args_(std::in_place, std::move(args)...) {}

  const char* name() const override { return State::name; }
  void on_exit() override { state_.reset(); }
  void enqueue(caf::mailbox_element_ptr message, caf::execution_unit* sender_unit) override {
    base::enqueue(std::move(message), unit_ != nullptr ? unit_ : sender_unit);
  }

 protected:
  typename base::behavior_type make_behavior() override {
    state_.emplace(this);
    auto args = std::move(*args_);
    args_.reset();
    return std::apply([this](auto&... each) { return state_->start(std::move(each)...); }, args);
  }

 private:
  Unit* unit_;
  std::optional<std::tuple<Args...>> args_;
  std::optional<State> state_;
};

/// Spawns on the CAF scheduler (`unit` null) or pinned to `unit`'s thread.
template <class Handle, class State, class... Args>
Handle spawn_shell(caf::actor_system& system, Unit* unit, Args... args) {
  caf::actor_config config{unit};
  return system.spawn_class<Shell<Handle, State, Args...>, caf::no_spawn_options>(config, std::move(args)...);
}

}  // namespace troupe::actors
