#include "runtime/policy/splice.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace troupe::policy {
namespace {

constexpr const char* kBlanks = " \t\r\n";

/// Says that an answer is whole, or what it cost: true of this attempt only once it has ended well.
bool is_ending(const StreamEvent& event) {
  return std::holds_alternative<StreamStopped>(event) || std::holds_alternative<UsageReported>(event) ||
         std::holds_alternative<DetailsReported>(event);
}

std::size_t common_length(std::string_view a, std::string_view b) {
  auto [in_a, in_b] = std::ranges::mismatch(a, b);
  return static_cast<std::size_t>(in_a - a.begin());
}

}  // namespace

const char* to_string(AfterFirstToken policy) {
  constexpr std::array names{"buffer", "resume", "restart", "error"};
  return names[static_cast<std::size_t>(policy)];
}

void Splice::begin(bool resumes) {
  ++attempts_;
  held_.clear();
  unseen_.clear();
  skip_.clear();
  bool shown = !shown_.empty() || other_shown_;
  mode_ = policy_ == AfterFirstToken::buffer ? Mode::hold : shown ? Mode::catch_up : Mode::show;
  if (!resumes || mode_ != Mode::catch_up) return;
  mode_ = Mode::join;
  skip_ = shown_.substr(prefix().size());
}

void Splice::feed(std::span<const StreamEvent> events, Output& out) {
  for (const auto& event : events) take(event, out);
}

void Splice::take(const StreamEvent& event, Output& out) {
  if (mode_ == Mode::hold || is_ending(event)) {
    held_.push_back(event);
    return;
  }
  if (std::holds_alternative<StreamStarted>(event)) {
    if (!std::exchange(started_, true)) show(event, out);
    return;
  }
  const auto* text = std::get_if<TextDelta>(&event);
  if (mode_ == Mode::catch_up && text != nullptr && !other_shown_) return catch_up(*text, out);
  if (mode_ == Mode::catch_up) take_back(out);
  if (mode_ == Mode::join && text != nullptr) return join(*text, out);
  show(event, out);
}

void Splice::show(const StreamEvent& event, Output& out) {
  if (const auto* text = std::get_if<TextDelta>(&event)) shown_ += text->text;
  if (is_content(event) && !std::holds_alternative<TextDelta>(event)) other_shown_ = true;
  builder_.add(event);
  out.events.push_back(event);
}

void Splice::catch_up(const TextDelta& delta, Output& out) {
  unseen_ += delta.text;
  auto same = common_length(unseen_, shown_);
  if (same == unseen_.size()) return;
  if (same < shown_.size()) return take_back(out);
  mode_ = Mode::show;
  show(TextDelta{unseen_.substr(same)}, out);
}

// It says something else than was shown.
void Splice::take_back(Output& out) {
  mode_ = Mode::show;
  out.taken_back = true;
  out.events.clear();
  shown_.clear();
  other_shown_ = false;
  builder_ = {};
  if (!unseen_.empty()) show(TextDelta{std::exchange(unseen_, {})}, out);
}

void Splice::join(const TextDelta& delta, Output& out) {
  auto same = common_length(delta.text, skip_);
  // The first text that is no repeated white space ends the skipping.
  bool goes_on = same == delta.text.size() && same < skip_.size();
  goes_on ? skip_.erase(0, same) : skip_.erase();
  if (same < delta.text.size()) show(TextDelta{delta.text.substr(same)}, out);
}

void Splice::end(bool whole, Output& out) {
  if (!whole) {
    held_.clear();
    return;
  }
  // A shorter answer that never caught up is another answer.
  bool behind = mode_ == Mode::catch_up && (unseen_.size() < shown_.size() || other_shown_);
  if (behind) take_back(out);
  for (const auto& event : std::exchange(held_, {})) {
    bool again = std::holds_alternative<StreamStarted>(event) && std::exchange(started_, true);
    if (!again) show(event, out);
  }
}

bool Splice::resumable() const {
  return policy_ == AfterFirstToken::resume && !other_shown_ && !prefix().empty();
}

std::string Splice::prefix() const { return shown_.substr(0, shown_.find_last_not_of(kBlanks) + 1); }

Completion Splice::whole(Completion last) && {
  if (attempts_ < 2 || policy_ == AfterFirstToken::buffer) return last;
  auto sum = std::move(builder_).take();
  last.parts = std::move(sum.parts);
  return last;
}

CompletionRequest resumed(CompletionRequest request, const std::string& prefix) {
  if (request.messages.empty() || request.messages.back().role != Role::assistant)
    request.messages.push_back({Role::assistant, {}});
  request.messages.back().parts.push_back(TextPart{prefix, false});
  return request;
}

}  // namespace troupe::policy
