// The fake model and the made-up chat.
#include "tests/agents/summary_support.hpp"

#include "tests/agents/recap_support.hpp"

#include <fmt/format.h>
#include <algorithm>

namespace troupe::summary_test {

Completion mark_lines(const CompletionRequest& request, std::size_t nth) {
  auto lines = recap_test::prompt_lines(request);
  if (request.response_schema) return recap_test::repeat_lines(request, nth);
  std::string text;
  for (std::size_t i = 0; i < lines.size(); i += nth)
    text += fmt::format("- {}: {} [{}]\n", lines[i].who, lines[i].text, lines[i].id);
  return testing::text_completion(text);
}

testing::ScriptedDriver::Model marking_model(std::size_t nth) {
  return [nth](const StepKey&, const CompletionRequest& request) -> Result<Completion> {
    return mark_lines(request, nth);
  };
}

summary::Window chat(std::size_t count) {
  static const char* people[] = {"ann", "bob", "cy"};
  summary::Window window{.name = "#general, 2019-03-05"};
  for (std::size_t i = 0; i < count; ++i)
    window.lines.push_back({.id = fmt::format("m{}", i),
                            .who = people[i % 3],
                            .text = fmt::format("message {} is about the release of part {}", i, i / 7),
                            .at = WallTime{static_cast<std::int64_t>(i) * 60'000}});
  return window;
}

Result<JsonText> outcome(testing::ScriptedDriver& driver, summary::Window window,
                         summary::SummaryInput input) {
  Workflow wf(driver);
  auto result = testing::drive(driver, summary::summarise_window(wf, std::move(window), std::move(input)));
  return result ? std::move(*result) : fail(Errc::internal, "the workflow never ended");
}

Json made(testing::ScriptedDriver& driver, summary::Window window, summary::SummaryInput input) {
  auto result = outcome(driver, std::move(window), std::move(input));
  return result ? parse_json(result->text).value_or(nullptr) : Json(nullptr);
}

std::size_t prompt_tokens(const CompletionRequest& request) {
  return (std::get<TextPart>(request.messages.back().parts.front()).text.size() + 3) / 4;
}

std::size_t calls_of(const testing::ScriptedDriver& driver, const std::string& step) {
  return static_cast<std::size_t>(std::ranges::count(driver.bought, step, &StepKey::name));
}

summary::SummaryInput small_chunks() {
  summary::SummaryInput input;
  input.chunk_tokens_max = input.line_tokens_max = 300;
  input.first_look = false;
  return input;
}

summary::SummaryInput small_chunks_and_a_look() {
  auto input = small_chunks();
  input.first_look = true;
  return input;
}

}  // namespace troupe::summary_test
