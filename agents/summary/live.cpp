// The key of the live step, and what becomes of its deltas.
#include "agents/summary/live.hpp"

#include <fmt/format.h>

#include <charconv>

namespace troupe::summary {

StepKey live_key(std::size_t marks_max, const std::string& hash, const char* name) {
  return {name, fmt::format("{}/{}", marks_max, hash)};
}

std::optional<LiveStep> live_step(const StepKey& key) {
  if (key.name != kSummaryStep && key.name != kAnswerStep) return std::nullopt;
  auto slash = key.id.find('/');
  if (slash == std::string::npos) return std::nullopt;
  LiveStep out;
  auto [end, error] = std::from_chars(key.id.data(), key.id.data() + slash, out.marks_max);
  if (error != std::errc{} || end != key.id.data() + slash) return std::nullopt;
  return out;
}

OnText LiveSummary::hook() {
  return {.on_text = [this](const StepKey& key, std::string_view delta) { on_text(key, delta); },
          .on_restart = [this](const StepKey& key) { on_restart(key); },
          .on_end = [this](const StepKey& key) { on_end(key); }};
}

void LiveSummary::on_text(const StepKey& key, std::string_view delta) {
  auto step = live_step(key);
  if (!step) return;
  if (!text_) text_ = std::make_unique<LiveText>(step->marks_max, show_);
  text_->add(delta);
}

void LiveSummary::on_restart(const StepKey& key) {
  if (!text_ || !live_step(key)) return;
  text_.reset();
  show_("\n[the answer broke off; it begins anew]\n");
}

void LiveSummary::on_end(const StepKey& key) {
  if (!text_ || !live_step(key)) return;
  text_->finish();
  withdrawn_ = text_->withdrawn();
  shown_ = true;
  text_.reset();
  show_("\n");
}

}  // namespace troupe::summary
