// The order of the work: read, map, merge, digest, write.
#include "agents/recap/recap.hpp"

#include "agents/recap/ask.hpp"
#include "agents/recap/condense.hpp"
#include "agents/recap/readers.hpp"
#include "agents/recap/result.hpp"
#include "runtime/json/json.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

namespace troupe::recap {

// Named, because coroutine frames that hold these must not depend on an unnamed namespace.
struct ChunkOutcome {
  Checked checked;
  std::string problem;
};

struct ChunkJob {
  std::size_t day = 0;
  Chunk chunk;
  /// This is part `part` of `parts` of its channel-day, from 1.
  std::size_t part = 1;
  std::size_t parts = 1;
};

/// All there is while a recap is made. Everything the tasks refer to lives here, longer than they do.
struct Making {
  Making(Workflow& workflow, slack::Workspace read, RecapInput asked)
      : wf(workflow), workspace(std::move(read)), input(std::move(asked)), questions(workflow) {}
  Workflow& wf;
  slack::Workspace workspace;
  RecapInput input;
  Questions questions;
  std::vector<ChunkJob> jobs;
  std::vector<Reader> readers;
  RecapResult result;
};

namespace {

std::string about_day(const slack::ChannelDay& day) { return fmt::format("#{}, {}", day.channel, day.date); }
std::string day_id(const slack::ChannelDay& day) { return fmt::format("{}/{}", day.channel, day.date); }

void cut_into_jobs(Making& making) {
  for (std::size_t i = 0; i < making.workspace.days.size(); ++i) {
    const auto& day = making.workspace.days[i];
    auto conversations = group_conversations(day, making.input.conversations);
    DayRecap recap;
    recap.conversations = conversations.size();
    recap.threads = static_cast<std::size_t>(std::ranges::count_if(conversations, &Conversation::thread));
    making.result.days.push_back(std::move(recap));
    auto chunks = chunk_day(day, conversations, making.input.chunks);
    for (std::size_t k = 0; k < chunks.size(); ++k) {
      making.jobs.push_back({.day = i, .chunk = std::move(chunks[k]), .part = k + 1, .parts = chunks.size()});
    }
  }
}

std::size_t merges_planned(const Making& making) {
  auto merged = [](const ChunkJob& job) { return job.parts > 1 && job.part == 1; };
  return static_cast<std::size_t>(std::ranges::count_if(making.jobs, merged));
}

std::vector<SourceLine> chunk_lines(const slack::ChannelDay& day, const ChunkJob& job,
                                    const ChunkPolicy& policy) {
  std::vector<SourceLine> lines;
  for (auto i : job.chunk.messages) {
    const auto& message = day.messages[i];
    auto text = cut_text(message.text, policy.message_tokens_max);
    lines.push_back({.id = message.ts, .who = message.user, .text = std::move(text), .heading = {}});
  }
  return lines;
}

Task<Result<ChunkOutcome>> map_chunk(Making& making, const ChunkJob& job) {
  const auto& day = making.workspace.days[job.day];
  auto lines = chunk_lines(day, job, making.input.chunks);
  auto request = map_request(about_day(day), lines, making.input.prompts);
  StepKey key{"map", day_id(day)};
  auto question = making.questions.ask(std::move(key), std::move(request));
  auto asked = co_await question;
  if (!asked) co_return std::unexpected(asked.error());
  ChunkOutcome out;
  out.problem = asked->problem;
  if (asked->claims) {
    out.checked =
        check_against_chunk(*asked->claims, day, job.day, job.chunk, making.input.prompts.chunk_points_max);
  }
  co_return out;
}

void keep_chunk(Making& making, const ChunkJob& job, ChunkOutcome&& outcome) {
  auto& result = making.result;
  result.dropped_points += outcome.checked.dropped_points;
  result.dropped_sources += outcome.checked.dropped_sources;
  std::ranges::move(outcome.checked.points, std::back_inserter(result.days[job.day].points));
  if (outcome.problem.empty()) return;
  auto where = job.parts == 1 ? std::string() : fmt::format("part {} of {}: ", job.part, job.parts);
  result.problems.push_back({day_id(making.workspace.days[job.day]) + ".json",
                             fmt::format("not recapped: {}{}", where, outcome.problem)});
}

Task<Result<void>> map_all(Making& making) {
  std::vector<Task<Result<ChunkOutcome>>> tasks;
  for (const auto& job : making.jobs) tasks.push_back(map_chunk(making, job));
  auto joined = all(std::move(tasks), making.input.parallel_max);
  auto outcomes = co_await joined;
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    if (!outcomes[i]) co_return std::unexpected(outcomes[i].error());
    keep_chunk(making, making.jobs[i], std::move(*outcomes[i]));
  }
  co_return Result<void>{};
}

void keep_condensed(Making& making, Condensed& condensed, const std::string& file) {
  making.result.dropped_points += condensed.dropped_points;
  making.result.dropped_sources += condensed.dropped_sources;
  for (auto& problem : condensed.problems) {
    making.result.problems.push_back({file, fmt::format("not condensed: {}", problem)});
  }
}

Task<Result<void>> merge_all(Making& making) {
  std::vector<std::size_t> days;
  std::vector<Task<Result<Condensed>>> tasks;
  for (const auto& job : making.jobs) {
    auto& points = making.result.days[job.day].points;
    if (job.parts == 1 || job.part != 1 || points.empty()) continue;
    const auto& day = making.workspace.days[job.day];
    Condensing what{
        .kind = Condensing::Kind::merge, .id = day_id(day), .about = about_day(day), .parallel_max = 1};
    days.push_back(job.day);
    tasks.push_back(
        condense(making.questions, making.workspace, making.input, std::move(what), std::move(points)));
  }
  auto joined = all(std::move(tasks), making.input.parallel_max);
  auto merged = co_await joined;
  for (std::size_t i = 0; i < merged.size(); ++i) {
    if (!merged[i]) co_return std::unexpected(merged[i].error());
    keep_condensed(making, *merged[i], day_id(making.workspace.days[days[i]]) + ".json");
    making.result.days[days[i]].points = std::move(merged[i]->points);
  }
  co_return Result<void>{};
}

std::vector<Point> points_of(const Making& making, const std::vector<std::size_t>& days) {
  std::vector<Point> out;
  for (auto day : days) std::ranges::copy(making.result.days[day].points, std::back_inserter(out));
  return out;
}

// Of `days`, or of all when there is no reader, those that have points: sets that differ only in silent days
// would ask the same question under the same key.
std::vector<std::size_t> telling_days(const Making& making, const Reader* reader) {
  std::vector<std::size_t> out;
  for (std::size_t i = 0; i < making.result.days.size(); ++i) {
    bool theirs = reader == nullptr || std::ranges::binary_search(reader->days, i);
    if (theirs && !making.result.days[i].points.empty()) out.push_back(i);
  }
  return out;
}

/// Readers of the same channels get the same digest, bought once; so does a reader of everything.
using DigestOf = std::map<std::vector<std::size_t>, std::vector<Point>>;

DigestOf digests_wanted(const Making& making) {
  DigestOf wanted;
  wanted[telling_days(making, nullptr)] = {};
  for (const auto& reader : making.readers) wanted[telling_days(making, &reader)] = {};
  return wanted;
}

void plan_digests(Making& making, const DigestOf& wanted) {
  auto steps = making.jobs.size() + merges_planned(making);
  for (const auto& [days, digest] : wanted) {
    auto groups = pack_points(points_of(making, days), making.input.chunks.points_tokens_max).size();
    steps += groups > 1 ? groups + 1 : groups;
  }
  making.wf.plan(steps);
}

Task<Result<void>> digest_all(Making& making, DigestOf& digests) {
  // One reader set after the other; within each, groups go in parallel. The common digest is one set.
  for (auto& [days, digest] : digests) {
    Condensing what{.kind = Condensing::Kind::digest,
                    .id = "",
                    .about = making.workspace.name,
                    .parallel_max = making.input.parallel_max};
    auto points = points_of(making, days);
    auto condensing =
        condense(making.questions, making.workspace, making.input, std::move(what), std::move(points));
    auto condensed = co_await condensing;
    if (!condensed) co_return std::unexpected(condensed.error());
    keep_condensed(making, *condensed, "digest");
    digest = std::move(condensed->points);
  }
  co_return Result<void>{};
}

JsonText written(Making& making, const DigestOf& digests) {
  making.result.digest = digests.at(telling_days(making, nullptr));
  for (const auto& reader : making.readers) {
    making.result.personal.push_back({reader.name, reader.days, digests.at(telling_days(making, &reader))});
  }
  making.result.summarised_once = shared_days(making.readers);
  return JsonText{dump_json(recap_json(making.workspace, making.result))};
}

}  // namespace

Task<Result<DaysMade>> recap_days(Workflow& wf, slack::Workspace workspace, RecapInput input) {
  Making making(wf, std::move(workspace), std::move(input));
  cut_into_jobs(making);
  wf.plan(making.jobs.size() + merges_planned(making));
  auto mapping = map_all(making);
  auto mapped = co_await mapping;
  if (!mapped) co_return std::unexpected(mapped.error());
  auto merging = merge_all(making);
  auto merged = co_await merging;
  if (!merged) co_return std::unexpected(merged.error());
  co_return DaysMade{std::move(making.workspace), std::move(making.result)};
}

Task<Result<JsonText>> recap_workspace(Workflow& wf, slack::Workspace workspace, RecapInput input) {
  auto readers = find_readers(workspace, input.users);
  if (!readers) co_return std::unexpected(readers.error());
  Making making(wf, std::move(workspace), std::move(input));
  making.readers = std::move(*readers);
  cut_into_jobs(making);
  wf.plan(making.jobs.size() + merges_planned(making) + 1);

  auto mapping = map_all(making);
  auto mapped = co_await mapping;
  if (!mapped) co_return std::unexpected(mapped.error());
  auto merging = merge_all(making);
  auto merged = co_await merging;
  if (!merged) co_return std::unexpected(merged.error());
  auto digests = digests_wanted(making);
  plan_digests(making, digests);
  auto digesting = digest_all(making, digests);
  auto digested = co_await digesting;
  if (!digested) co_return std::unexpected(digested.error());
  co_return written(making, digests);
}

Task<Result<JsonText>> recap(Workflow& wf, JsonText input) {
  auto asked = read_recap_input(input);
  if (!asked) co_return std::unexpected(asked.error());
  auto workspace = slack::read_export(asked->path, asked->read);
  if (!workspace) co_return std::unexpected(workspace.error());
  auto making = recap_workspace(wf, std::move(*workspace), std::move(*asked));
  auto made = co_await making;
  co_return made;
}

}  // namespace troupe::recap
