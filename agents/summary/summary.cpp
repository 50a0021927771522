// The order of the work: one call where one is enough; else points of chunks, fewer points, and the text.
#include "agents/summary/summary.hpp"

#include "agents/recap/ask.hpp"
#include "agents/summary/marks.hpp"
#include "agents/summary/plan.hpp"
#include "agents/summary/points.hpp"
#include "agents/summary/prompts.hpp"
#include "agents/summary/read_window.hpp"
#include "agents/summary/result.hpp"
#include "agents/summary/standing.hpp"
#include "runtime/json/json.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>

namespace troupe::summary {

// Named, because coroutine frames that hold these must not depend on an unnamed namespace.
struct AskedPoints {
  BelievedPoints believed;
  std::vector<std::string> problems;
};

/// A text as it came back, before it is believed.
struct WrittenText {
  std::string text;
  std::string model;
  /// Why there is none; empty when there is.
  std::string problem;
  bool too_long = false;
};

/// All there is while a summary is made. Everything the tasks refer to lives here, longer than they do.
struct SummaryMaking {
  SummaryMaking(Workflow& workflow, Window read, SummaryInput asked)
      : wf(workflow), window(std::move(read)), input(std::move(asked)), questions(workflow) {
    subject = {window.name, input.query};
  }
  Workflow& wf;
  Window window;
  SummaryInput input;
  recap::Questions questions;
  PromptSubject subject;
  ShowPlan plan;
  SummaryResult result;
  /// How many calls at once read chunks.
  std::size_t readers = 1;
  /// The text's prompt was too long for every model.
  bool too_long = false;
};

namespace {

// A chunk nobody could answer for is halved twice: what one line of it caused shall not cost the others.
constexpr int kHalvingsMax = 2;
constexpr int kShrinkingsMax = 3;
constexpr std::size_t kMergeRoundsMax = 6;

void add_points(AskedPoints& sum, AskedPoints&& more) {
  std::ranges::move(more.believed.points, std::back_inserter(sum.believed.points));
  std::ranges::move(more.problems, std::back_inserter(sum.problems));
  sum.believed.dropped_points += more.believed.dropped_points;
  sum.believed.dropped_sources += more.believed.dropped_sources;
}

std::array<ShownRange, 2> halves_of(ShownRange range) {
  auto middle = range.begin + (range.end - range.begin) / 2;
  return {{{range.begin, middle}, {middle, range.end}}};
}

Task<Result<AskedPoints>> ask_chunk(SummaryMaking& making, ShownRange range, int halvings) {
  auto lines = source_lines(making.window, making.plan, range);
  auto request = chunk_request(making.subject, lines, making.input);
  StepKey key{"map", ""};
  auto question = making.questions.ask(std::move(key), std::move(request));
  auto asked = co_await question;
  if (!asked) co_return std::unexpected(asked.error());
  AskedPoints out;
  if (asked->claims) {
    out.believed = believe_claims(*asked->claims, numbered_lines(making.plan, range), kChunkPointsMax);
    co_return out;
  }
  if (halvings == 0 || range.end - range.begin < 2) {
    out.problems.push_back(
        fmt::format("lines {} to {} not summarised: {}", range.begin + 1, range.end, asked->problem));
    co_return out;
  }
  for (auto half : halves_of(range)) {
    auto asking = ask_chunk(making, half, halvings - 1);
    auto points = co_await asking;
    if (!points) co_return std::unexpected(points.error());
    add_points(out, std::move(*points));
  }
  co_return out;
}

Task<Result<AskedPoints>> ask_merge(SummaryMaking& making, const std::vector<SummaryPoint>& points,
                                    ShownRange range, std::size_t round) {
  auto group = std::span(points).subspan(range.begin, range.end - range.begin);
  auto lines = point_lines(group, range.begin + 1);
  auto request = condense_request(making.subject, lines, making.input);
  // A later round may by chance repeat an earlier prompt.
  StepKey key{"merge", fmt::format("round{}", round + 1)};
  auto question = making.questions.ask(std::move(key), std::move(request));
  auto asked = co_await question;
  if (!asked) co_return std::unexpected(asked.error());
  AskedPoints out;
  if (asked->claims)
    out.believed = believe_claims(*asked->claims, numbered_points(group, range.begin + 1), kChunkPointsMax);
  inherit_kinds(out.believed.points, group);
  if (!out.believed.points.empty()) co_return out;
  // Nothing that has a source is lost to a bad answer.
  out.problems.push_back("not merged: " +
                         (asked->problem.empty() ? "no point had a source" : asked->problem));
  out.believed.points = most_important({group.begin(), group.end()}, kChunkPointsMax);
  co_return out;
}

void keep_counts(SummaryMaking& making, AskedPoints& points) {
  making.result.dropped_points += points.believed.dropped_points;
  making.result.dropped_sources += points.believed.dropped_sources;
  for (auto& problem : points.problems)
    making.result.problems.push_back({making.window.name, std::move(problem)});
}

Task<Result<AskedPoints>> joined_points(std::vector<Task<Result<AskedPoints>>> tasks,
                                        std::size_t parallel_max) {
  auto joined = all(std::move(tasks), parallel_max);
  auto parts = co_await joined;
  AskedPoints out;
  for (auto& part : parts) {
    if (!part) co_return std::unexpected(part.error());
    add_points(out, std::move(*part));
  }
  co_return out;
}

// What one prompt holds of them, the most important first when not all fit.
std::vector<SummaryPoint> fitting(std::vector<SummaryPoint> points, std::size_t tokens_max) {
  auto groups = pack_points(points, tokens_max);
  return groups.size() > 1 ? most_important(std::move(points), groups.front().end) : points;
}

// The points of all chunks, merged until one prompt holds them.
Task<Result<std::vector<SummaryPoint>>> gather_points(SummaryMaking& making) {
  std::vector<Task<Result<AskedPoints>>> tasks;
  for (auto range : making.plan.chunks) tasks.push_back(ask_chunk(making, range, kHalvingsMax));
  auto mapping = joined_points(std::move(tasks), making.readers);
  auto mapped = co_await mapping;
  if (!mapped) co_return std::unexpected(mapped.error());
  keep_counts(making, *mapped);
  auto points = std::move(mapped->believed.points);
  for (std::size_t round = 0; round < kMergeRoundsMax; ++round) {
    auto groups = pack_points(points, making.input.chunk_tokens_max);
    if (groups.size() <= 1) break;
    std::vector<Task<Result<AskedPoints>>> merges;
    for (auto group : groups) merges.push_back(ask_merge(making, points, group, round));
    auto merging = joined_points(std::move(merges), making.readers);
    auto merged = co_await merging;
    if (!merged) co_return std::unexpected(merged.error());
    keep_counts(making, *merged);
    bool fewer = merged->believed.points.size() < points.size();
    points = std::move(merged->believed.points);
    // A model that gives back as much as it got will never be done.
    if (!fewer) break;
  }
  co_return fitting(std::move(points), making.input.chunk_tokens_max);
}

WrittenText read_text(const Completion& completion) {
  WrittenText out{.text = completion.text(), .model = completion.model};
  if (completion.stop == StopReason::content_filter) out.problem = "refused by the provider's safety system";
  if (completion.stop == StopReason::context_length) out.problem = "too long for the model";
  out.too_long = completion.stop == StopReason::context_length;
  // The last line of a text that was cut short is cut in the middle.
  if (completion.stop == StopReason::length) {
    auto end = out.text.rfind('\n');
    if (end != std::string::npos) out.text.resize(end);
  }
  return out;
}

Task<Result<WrittenText>> ask_text(SummaryMaking& making, StepKey key, CompletionRequest request) {
  auto call = making.wf.complete(std::move(key), std::move(request));
  auto answer = co_await call;
  if (answer) co_return read_text(answer->completion);
  const auto& error = answer.error();
  WrittenText out;
  out.too_long = error.code == Errc::context_length_exceeded;
  if (!out.too_long && error.code != Errc::content_filtered) co_return std::unexpected(error);
  out.problem = fmt::format("{}: {}", to_string(error.code), error.what);
  co_return out;
}

// Believes what the text says. False when nothing of it can be kept although there is a text.
bool keep_text(SummaryMaking& making, const WrittenText& written, const Numbered& numbers,
               std::span<const SummaryPoint> from) {
  auto& result = making.result;
  result.model = written.model;
  if (!making.input.query.empty() && says_not_found(written.text)) {
    result.found = false;
    return true;
  }
  auto believed = believe_text(written.text, numbers, making.input.statements_max);
  if (believed.points.empty()) return false;
  inherit_kinds(believed.points, from);
  result.dropped_points += believed.dropped_points;
  result.dropped_sources += believed.dropped_sources;
  result.points = std::move(believed.points);
  return true;
}

void keep_problem(SummaryMaking& making, std::string reason) {
  making.result.problems.push_back({making.window.name, std::move(reason)});
}

// The text from `lines`, whose numbers stand for `numbers`; `from` are the points they are, or nothing.
Task<Result<void>> write_text(SummaryMaking& making, std::vector<recap::SourceLine> lines, Numbered numbers,
                              std::span<const SummaryPoint> from) {
  auto request = text_request(making.subject, lines, !from.empty(), making.input);
  auto hash = recap::content_hash(request);
  auto asking = ask_text(making, live_key(lines.size(), hash), request);
  auto written = co_await asking;
  if (!written) co_return std::unexpected(written.error());
  making.too_long = written->too_long;
  if (written->problem.empty() && keep_text(making, *written, numbers, from)) co_return Result<void>{};
  if (written->problem.empty()) {
    // Not the live step: a reader who saw the first text is told of it by the result alone.
    StepKey again{"rewrite", hash};
    auto rewriting = ask_text(making, std::move(again), text_again(request));
    auto rewritten = co_await rewriting;
    if (!rewritten) co_return std::unexpected(rewritten.error());
    if (rewritten->problem.empty() && keep_text(making, *rewritten, numbers, from)) co_return Result<void>{};
    written->problem = rewritten->problem.empty() ? "no statement had a valid source (asked twice)"
                                                  : std::move(rewritten->problem);
  }
  if (!making.too_long) keep_problem(making, "no text: " + written->problem);
  co_return Result<void>{};
}

// What can be said when nobody writes the text: the points themselves.
void stand_in(SummaryMaking& making, const std::vector<SummaryPoint>& points) {
  auto best = points;
  for (std::size_t i = 0; i < best.size(); ++i) best[i].marks = {i + 1};
  making.result.points = most_important(std::move(best), making.input.statements_max);
}

Task<Result<void>> summarise_points(SummaryMaking& making) {
  auto gathering = gather_points(making);
  auto points = co_await gathering;
  if (!points) co_return std::unexpected(points.error());
  if (points->empty()) {
    keep_problem(making, "no point with a valid source was found");
    co_return Result<void>{};
  }
  auto lines = point_lines(*points, 1);
  auto writing = write_text(making, std::move(lines), numbered_points(*points, 1), *points);
  auto written = co_await writing;
  if (!written) co_return std::unexpected(written.error());
  making.too_long = false;
  if (making.result.points.empty() && making.result.found) stand_in(making, *points);
  for (const auto& point : making.result.points)
    for (auto mark : point.marks) making.result.marks[mark] = (*points)[mark - 1].lines;
  co_return Result<void>{};
}

// What somebody who waits can read while the chunks are (K1). It is for the screen alone: whatever becomes
// of it, the summary is the same.
Task<Result<void>> look_first(SummaryMaking& making) {
  auto plan = plan_window(making.window, making.input, making.input.chunk_tokens_max);
  auto lines = source_lines(making.window, plan, {0, plan.shown.size()});
  auto request = look_request(making.subject, lines, making.input);
  auto asking =
      ask_text(making, live_key(lines.size(), recap::content_hash(request), kFirstLookStep), request);
  auto written = co_await asking;
  if (!written || !written->problem.empty()) co_return Result<void>{};
  making.result.look_tokens = plan.tokens;
  making.result.look_coverage = plan.coverage;
  co_return Result<void>{};
}

Task<Result<void>> summarise_chunks(SummaryMaking& making, bool look) {
  making.readers = making.input.parallel_max - (look ? 1 : 0);
  std::vector<Task<Result<void>>> tasks;
  if (look) tasks.push_back(look_first(making));
  tasks.push_back(summarise_points(making));
  auto joined = all(std::move(tasks));
  auto done = co_await joined;
  co_return std::move(done.back());
}

Task<Result<void>> summarise_lines(SummaryMaking& making) {
  ShownRange whole{0, making.plan.shown.size()};
  auto lines = source_lines(making.window, making.plan, whole);
  auto writing = write_text(making, std::move(lines), numbered_lines(making.plan, whole), {});
  auto written = co_await writing;
  if (!written) co_return std::unexpected(written.error());
  for (const auto& point : making.result.points)
    for (auto mark : point.marks) making.result.marks[mark] = {making.plan.shown[mark - 1].line};
  co_return Result<void>{};
}

void note_plan(SummaryMaking& making, bool look) {
  auto& result = making.result;
  const auto& plan = making.plan;
  result.conversations = plan.conversations;
  result.chunks = plan.chunks.size();
  result.tokens_before = plan.tokens_before;
  result.tokens = plan.tokens;
  result.lines_kept = plan.shown.size();
  result.coverage = plan.coverage;
  making.wf.plan(plan.chunks.size() == 1 ? 1 : plan.chunks.size() + 1 + (look ? 1 : 0));
}

}  // namespace

Task<Result<JsonText>> summarise_window(Workflow& wf, Window window, SummaryInput input) {
  SummaryMaking making(wf, std::move(window), std::move(input));
  auto budget = making.input.prepass_tokens_max;
  for (int shrinking = 0;; ++shrinking) {
    making.plan = plan_window(making.window, making.input, budget);
    making.too_long = false;
    bool one_call = making.plan.chunks.size() == 1;
    bool look = !one_call && shrinking == 0 && making.input.first_look && making.input.parallel_max > 1;
    note_plan(making, look);
    auto work = one_call ? summarise_lines(making) : summarise_chunks(making, look);
    auto done = co_await work;
    if (!done) co_return std::unexpected(done.error());
    if (!making.too_long) break;
    bool give_up = making.input.prepass_tokens_max == 0 || shrinking == kShrinkingsMax;
    if (give_up) {
      keep_problem(making,
                   "too long for every model" +
                       std::string(making.input.prepass_tokens_max == 0 ? "; the pre-pass is off" : ""));
      break;
    }
    budget = std::max<std::size_t>(100, making.plan.tokens / 2);
    keep_problem(making, fmt::format("too long for every model; cut to about {} tokens", budget));
  }
  co_return JsonText{dump_json(summary_json(making.window, making.input, making.result))};
}

Task<Result<JsonText>> summarise(Workflow& wf, JsonText input) {
  auto asked = read_summary_input(input);
  if (!asked) co_return std::unexpected(asked.error());
  auto window = read_window(*asked);
  if (!window) co_return std::unexpected(window.error());
  auto making = summarise_window(wf, std::move(*window), std::move(*asked));
  auto made = co_await making;
  if (!made) co_return made;
  // Not recorded, like the reading above: what went while it was made is not in the result of any life. When
  // it cannot be read the run fails, and may be resumed without buying anything again.
  co_return summary_as_of_now(*made, input);
}

}  // namespace troupe::summary
