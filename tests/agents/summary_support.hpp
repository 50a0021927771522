// What summary tests share: small windows, and a fake model that repeats the lines it is shown.
#pragma once

#include "agents/summary/summary.hpp"
#include "runtime/json/json.hpp"
#include "tests/support/scripted_driver.hpp"

#include <cstddef>
#include <string>
#include <string_view>

namespace troupe::summary_test {

/// A model for ScriptedDriver that repeats every `nth` line with its number: as marked text, or as points.
testing::ScriptedDriver::Model marking_model(std::size_t nth = 1);
Completion mark_lines(const CompletionRequest& request, std::size_t nth);

/// `count` lines "m0", "m1", … a minute apart by ann, bob and cy in turn, about as long as chat is.
summary::Window chat(std::size_t count);

/// Drives summarise_window to its end.
Result<JsonText> outcome(testing::ScriptedDriver& driver, summary::Window window,
                         summary::SummaryInput input = {});
/// The same as JSON; null when it failed or hung.
Json made(testing::ScriptedDriver& driver, summary::Window window, summary::SummaryInput input = {});

/// So small that sixty lines are several; with or without a first look.
summary::SummaryInput small_chunks();
summary::SummaryInput small_chunks_and_a_look();

/// How many calls named `step` were bought.
std::size_t calls_of(const testing::ScriptedDriver& driver, const std::string& step);

/// The estimated tokens of a prompt's user text.
std::size_t prompt_tokens(const CompletionRequest& request);

}  // namespace troupe::summary_test
