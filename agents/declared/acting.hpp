// Doing one step, or one item of it: filled in from the data there is, then done, with its retries.
#pragma once

#include "agents/declared/declared.hpp"

#include <troupe/task.hpp>
#include <troupe/workflow.hpp>

#include <optional>
#include <string>

namespace troupe::declared {

/// All there is while a declared workflow runs. What the tasks refer to lives here, longer than they do.
struct Going {
  Workflow& wf;
  const Declared& declared;
  const Clock& clock;
  /// Objects: what paths begin with.
  Json inputs = Json::object(), steps = Json::object(), run = Json::object();
  std::size_t planned = 0;
  /// What the run fails with: after it nothing is begun any more.
  std::optional<Error> failed;
};

/// An item and its place; without for_each null.
struct Place {
  Json item;
  Json index;
  /// What distinguishes the step keys of this item; empty without for_each.
  std::string key_id;
};
Scope scope_of(const Going& going, const Place* place);

/// Its value, or what it fails with. `what` names the step.
Task<Result<Json>> act(Going& going, const Step& step, Place place);

}  // namespace troupe::declared
