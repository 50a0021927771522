// The key of the live step, and what becomes of its deltas.
#include "agents/summary/live.hpp"

#include <fmt/format.h>

#include <charconv>

namespace troupe::summary {

StepKey live_key(std::size_t marks_max, const std::string& hash, const char* name) {
  return {name, fmt::format("{}/{}", marks_max, hash)};
}

std::optional<LiveStep> live_step(const StepKey& key) {
  LiveStep out{.first_look = key.name == kFirstLookStep};
  if (!out.first_look && key.name != kSummaryStep && key.name != kAnswerStep) return std::nullopt;
  auto slash = key.id.find('/');
  if (slash == std::string::npos) return std::nullopt;
  auto [end, error] = std::from_chars(key.id.data(), key.id.data() + slash, out.marks_max);
  if (error != std::errc{} || end != key.id.data() + slash) return std::nullopt;
  return out;
}

OnText LiveSummary::hook() {
  return {.on_text = [this](const StepKey& key, std::string_view delta) { on_text(key, delta); },
          .on_restart = [this](const StepKey& key) { on_restart(key); },
          .on_end = [this](const StepKey& key) { on_end(key); }};
}

std::string_view LiveSummary::heading() const { return looked_ ? "\nFrom the whole of it:\n" : ""; }

// Null for a first look that comes when the text itself has begun.
LiveText* LiveSummary::begun(const LiveStep& step) {
  if (step.first_look && begun_) return nullptr;
  auto& text = text_of(step);
  if (text) return text.get();
  if (step.first_look && !looked_) show_("A first look, while the whole of it is read:\n");
  if (!step.first_look && !begun_) show_(heading());
  (step.first_look ? looked_ : begun_) = true;
  auto marks = step.first_look ? LiveText::Marks::hidden : LiveText::Marks::shown;
  text = std::make_unique<LiveText>(step.marks_max, show_, marks);
  return text.get();
}

void LiveSummary::on_text(const StepKey& key, std::string_view delta) {
  auto step = live_step(key);
  if (!step) return;
  if (auto* text = begun(*step)) text->add(delta);
}

void LiveSummary::on_restart(const StepKey& key) {
  auto step = live_step(key);
  if (!step || !text_of(*step) || (step->first_look && begun_)) return;
  text_of(*step).reset();
  show_("\n[the answer broke off; it begins anew]\n");
}

void LiveSummary::on_end(const StepKey& key) {
  auto step = live_step(key);
  if (!step || !text_of(*step) || (step->first_look && begun_)) return;
  auto text = std::move(text_of(*step));
  text->finish();
  show_("\n");
  if (step->first_look) return;
  withdrawn_ = text->withdrawn();
  shown_ = true;
}

}  // namespace troupe::summary
