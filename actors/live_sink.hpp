// Passes a call's text on to whoever reads along.
#pragma once

#include "actors/interfaces.hpp"

#include <troupe/run.hpp>

#include <functional>
#include <span>
#include <string>
#include <utility>

namespace troupe::actors {

/// `tell` brings it to the run's turn, so that whoever reads along hears it on one thread and in order.
class LiveSink final : public StreamSink {
 public:
  using Tell = std::function<void(LiveText)>;
  LiveSink(StepKey step, Tell tell) : step_(std::move(step)), tell_(std::move(tell)) {}
  void on_events(std::span<const StreamEvent> events) override {
    std::string text;
    for (const auto& event : events)
      if (const auto* delta = std::get_if<TextDelta>(&event)) text += delta->text;
    if (!text.empty()) tell_({LiveText::What::delta, step_, std::move(text)});
  }
  void on_taken_back() override { tell_({LiveText::What::restart, step_, {}}); }

 private:
  StepKey step_;
  Tell tell_;
};

}  // namespace troupe::actors
