#include "agents/declared/order.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace troupe::declared {
namespace {

constexpr std::ptrdiff_t kNamesShown = 20;

}  // namespace

StepOrder::StepOrder(Declared& declared, Reading& reading) : declared_(declared), reading_(reading) {
  for (const auto& input : declared.inputs) inputs_.push_back(input.name);
  for (const auto& step : declared.steps) ids_.push_back(step.id);
}

std::optional<std::size_t> StepOrder::target(const Use& use, bool each) {
  const auto& root = std::get<std::string>(use.path[0]);
  const auto* member = use.path.size() > 1 ? std::get_if<std::string>(&use.path[1]) : nullptr;
  if (root == "steps") return step_named(use, member);
  if (root == "inputs") {
    check_input(use, member);
  } else if (root == "item" || root == "index") {
    if (!each) reading_.problem(use.option, root + " is there in a step with for_each only");
  } else if (root == "run") {
    bool known = member != nullptr && (*member == "date" || *member == "started");
    if (!known) reading_.problem(use.option, "of a run there is run.date and run.started");
  } else {
    auto hint = std::ranges::find(ids_, root) != ids_.end() ? "; write steps." + root : std::string();
    reading_.problem(use.option,
                     fmt::format("{} is not known; there are inputs.NAME, steps.ID, item, index, run.date{}",
                                 path_text(use.path), hint));
  }
  return std::nullopt;
}

void StepOrder::check_input(const Use& use, const std::string* name) {
  if (name != nullptr && std::ranges::find(inputs_, *name) == inputs_.end())
    unknown(use, "there is no input " + *name, inputs_, *name);
}

std::optional<std::size_t> StepOrder::step_named(const Use& use, const std::string* id) {
  if (id == nullptr) {
    reading_.problem(use.option, "write which step: steps.ID");
    return std::nullopt;
  }
  auto it = std::ranges::find(ids_, *id);
  if (it != ids_.end()) return static_cast<std::size_t>(it - ids_.begin());
  unknown(use, "there is no step " + *id, ids_, *id);
  return std::nullopt;
}

void StepOrder::unknown(const Use& use, std::string what, const std::vector<std::string>& names,
                        const std::string& wanted) {
  auto hint = nearest(wanted, names);
  auto shown = names.begin() + std::min(kNamesShown, std::ssize(names));
  if (hint.empty() && !names.empty())
    hint = fmt::format("; there are {}", fmt::join(names.begin(), shown, ", "));
  reading_.problem(use.option, what + hint);
}

void StepOrder::find_circles() {
  state_.assign(declared_.steps.size(), 0);
  for (std::size_t i = 0; i < declared_.steps.size(); ++i) visit(i);
}

// As deep as there are steps: kStepsMax.
void StepOrder::visit(std::size_t step) {
  if (state_[step] == 2) return;
  if (state_[step] == 1) return complain(step);
  state_[step] = 1;
  trail_.push_back(step);
  for (auto needed : declared_.steps[step].needs) visit(needed);
  trail_.pop_back();
  state_[step] = 2;
}

void StepOrder::complain(std::size_t step) {
  std::string circle;
  for (auto it = std::ranges::find(trail_, step); it != trail_.end(); ++it)
    circle += declared_.steps[*it].id + " needs ";
  reading_.problem(fmt::format("steps[{}]", step),
                   fmt::format("waits for itself: {}{}; take one of these references out", circle,
                               declared_.steps[step].id));
}

}  // namespace troupe::declared
