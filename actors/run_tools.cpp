// A run's tools: used, tried again, given up.
#include "actors/run_driver.hpp"

#include "actors/run_record.hpp"
#include "runtime/base/crash_point.hpp"
#include "runtime/protocol/run_values.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace troupe::actors {
namespace {

/// A tool that does not keep to the time it was told of is given up so much later.
constexpr Duration kToolGrace = std::chrono::seconds(5);

}  // namespace

void RunDriver::tool(const StepKey& step, ToolPtr tool, JsonText input, RetryPolicy retry,
                     std::function<void(Result<ToolOutput>)> done) {
  auto key = key_of(step);
  done = awaited(key, std::move(done));
  auto hash = input_hash(step, tool->spec().name, input);
  if (replay<ToolOutput>(key, hash, done)) return;
  auto use = std::make_shared<Using>();
  use->key = key;
  use->tool = std::move(tool);
  use->input = std::move(input);
  use->retry = retry;
  use->attempt = history_.begun(key).times + 1;
  use->hash = hash;
  use->done = std::move(done);
  turns_.fresh(key, [this, use] { begin_tool(use); });
}

void RunDriver::begin_tool(const Shared<Using>& use) {
  const auto& key = use->key;
  in_flight_[key] = {};
  count_unknown();
  if (use->tried == 0 && use->attempt > 1 && !use->tool->repeatable()) {
    --use->attempt;
    use->tried = use->retry.attempts_max;
    return on_output(use, std::unexpected(unknown_outcome(key)));
  }
  Budget one;
  one.tool_calls = 1;
  if (auto refusal = set_aside(key, one)) {
    in_flight_.erase(key);
    return answer<ToolOutput>(use->done, std::unexpected(*std::move(refusal)));
  }
  pen_.commit(pen_.entry(journal::Kind::intent, key, to_payload(IntentNote{IntentOf::tool, one}),
                         use->attempt, use->hash),
              [this, use](Result<void> committed) {
                if (committed) return stopping_ ? not_begun(use->key) : use_tool(use);
                in_flight_.erase(use->key);
                use->done(std::unexpected(std::move(committed.error())));
              });
}

void RunDriver::use_tool(const Shared<Using>& use) {
  if (lost_seat(use->key)) return;
  ++use->tried;
  use->over = false;
  crash_point("tool.before_use");
  ToolContext context;
  context.run_id = pen_.row().run_id;
  context.step_key = use->key;
  context.tenant = pen_.row().tenant;
  patience_.push_back({pen_.clock().now() + context.deadline + kToolGrace, use, use->tried});
  in_flight_[use->key].call_off = [this, use] { give_up_tool(use, Errc::cancelled, "was called off"); };
  auto output_of = [this, me = pen_.me(), use, tried = use->tried](Result<ToolOutput> output) {
    auto shared = std::make_shared<Result<ToolOutput>>(std::move(output));
    RunPen::go_on(me, [this, use, tried, shared] {
      if (use->over || use->tried != tried) return;
      settle_use(use);
      on_output(use, std::move(*shared));
    });
  };
  if (config_.stand_in != nullptr) return config_.stand_in->use(use->key, std::move(output_of));
  use->tool->call(context, use->input, std::move(output_of));
}

void RunDriver::settle_use(const Shared<Using>& use) {
  Budget one;
  one.tool_calls = 1;
  budget_.settle(use->key, one);
}

// Whatever it may still answer is not listened to.
void RunDriver::give_up_tool(const Shared<Using>& use, Errc code, const char* why) {
  if (use->over) return;
  auto error = make_error(code, fmt::format("tool {} {}", use->tool->spec().name, why));
  error.maybe_billed = true;
  settle_use(use);
  on_output(use, std::unexpected(std::move(error)));
}

void RunDriver::give_up_late_tools() {
  std::erase_if(patience_,
                [](const Patience& each) { return each.use->over || each.use->tried != each.tried; });
  auto now = pen_.clock().now();
  auto late =
      std::partition(patience_.begin(), patience_.end(), [&](const auto& each) { return each.until > now; });
  std::vector<Patience> given_up(std::make_move_iterator(late), std::make_move_iterator(patience_.end()));
  patience_.erase(late, patience_.end());
  for (const auto& each : given_up) give_up_tool(each.use, Errc::timeout, "did not answer in its time");
}

bool RunDriver::try_again(const Shared<Using>& use, const Error& error) {
  if (stopping_ || !error.retryable || use->tried >= use->retry.attempts_max) return false;
  auto pause = seconds(use->retry.pause) * std::pow(use->retry.growth, use->tried - 1);
  pause = std::min(pause, seconds(use->retry.pause_max));
  Budget one;
  one.tool_calls = 1;
  pen_.commit(failed_note(use->key, {error, one, false}), [](auto) {});
  ++use->attempt;
  pauses_.push_back({use->key, pen_.clock().now() + from_seconds(pause), [this, use] { begin_tool(use); }});
  return true;
}

void RunDriver::on_output(const Shared<Using>& use, Result<ToolOutput> output) {
  crash_point("tool.after_use");
  use->over = true;
  if (auto it = in_flight_.find(use->key); it != in_flight_.end()) it->second.call_off = {};
  if (!output && try_again(use, output.error())) return;
  journal::Batch batch;
  // Recorded whosever fault it is: the workflow goes on from here knowing that the tool failed (M13), and
  // must find the same when it is resumed.
  auto payload = output ? protocol::to_bytes(*output) : protocol::to_bytes(output.error());
  auto kind = output ? journal::Kind::result : journal::Kind::failure;
  batch.entries.push_back(pen_.entry(kind, use->key, std::move(payload), use->attempt, use->hash));
  note_stage(batch);
  record(use->key, std::move(batch), [use, output = std::move(output)](Result<void> committed) {
    if (!committed) return use->done(std::unexpected(std::move(committed.error())));
    use->done(output);
  });
}

}  // namespace troupe::actors
