// Which step waits for which: what references name, and whether that can be done at all.
#pragma once

#include "agents/declared/reading.hpp"

#include <optional>
#include <string>
#include <vector>

namespace troupe::declared {

/// Of one document, once all its inputs and steps are known. Fills in Step::needs.
class StepOrder {
 public:
  StepOrder(Declared& declared, Reading& reading);

  void refer(const Use& use, std::size_t step, bool each) {
    if (auto needed = target(use, each)) declared_.steps[step].needs.insert(*needed);
  }
  /// The step a use names; nothing for other data, and for what does not exist, which is a problem. `each`:
  /// is there an item?
  std::optional<std::size_t> target(const Use& use, bool each);
  /// `step` waits for the step `id`; `option` says so.
  void follow(const std::string& option, const std::string& id, std::size_t step) {
    refer(Use{option, {std::string("steps"), id}}, step, false);
  }
  /// One problem per circle found.
  void find_circles();

 private:
  std::optional<std::size_t> step_named(const Use& use, const std::string* id);
  void check_input(const Use& use, const std::string* name);
  void unknown(const Use& use, std::string what, const std::vector<std::string>& names,
               const std::string& wanted);
  void visit(std::size_t step);
  void complain(std::size_t step);

  Declared& declared_;
  Reading& reading_;
  std::vector<std::string> inputs_, ids_;
  std::vector<int> state_;  // 0 unseen, 1 on the trail, 2 done
  std::vector<std::size_t> trail_;
};

}  // namespace troupe::declared
