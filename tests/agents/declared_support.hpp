// What tests of declared workflows share: a file as text, a model that echoes, a run to its end.
#pragma once

#include "agents/declared/declared.hpp"
#include "runtime/base/clock.hpp"
#include "tests/support/scripted_driver.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <string>

namespace troupe::declared_test {

using testing::ScriptedDriver;

/// The last message's text.
inline std::string asked_text(const CompletionRequest& request) {
  return std::get<TextPart>(request.messages.back().parts.front()).text;
}

/// Answers "<prompt>".
inline ScriptedDriver::Model echo() {
  return [](const StepKey&, const CompletionRequest& request) -> Result<Completion> {
    return testing::text_completion("<" + asked_text(request) + ">");
  };
}

/// `steps` under a head that needs nothing more.
inline std::string file_of(const std::string& steps, const std::string& more = "") {
  return "workflow: test\ndefaults: {feature: summary}\n" + more + "steps:\n" + steps;
}

inline std::shared_ptr<const declared::Declared> made_of(const std::string& yaml) {
  auto read = declared::read_declared(yaml, "x.yaml");
  if (!read) {
    ADD_FAILURE() << read.error().what;
    return nullptr;
  }
  return std::make_shared<const declared::Declared>(std::move(*read));
}

/// The workflow's output as text, or "FAIL code: what", or "DRY" when it waits for what nobody answers.
inline std::string outcome(ScriptedDriver& driver, const std::string& yaml, const std::string& input = "{}",
                           const Clock* clock = nullptr) {
  auto file = made_of(yaml);
  if (!file) return "NO FILE";
  ManualClock still;
  auto workflow = declared::declared_workflow(file, clock != nullptr ? *clock : still);
  Workflow wf(driver);
  auto result = testing::drive(driver, workflow(wf, {input}));
  if (!result) return "DRY";
  if (*result) return (*result)->text;
  return std::string("FAIL ") + to_string(result->error().code) + ": " + result->error().what;
}

}  // namespace troupe::declared_test
