// Steps that act outside the run: model calls, tools, child runs.
#include "actors/run_driver.hpp"

#include "actors/run_record.hpp"
#include "runtime/base/crash_point.hpp"
#include "runtime/base/rng.hpp"
#include "runtime/base/tokens.hpp"
#include "runtime/protocol/run_values.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace troupe::actors {
namespace {

Error unknown_outcome(const std::string& key) {
  auto error =
      make_error(Errc::unreachable,
                 fmt::format("an earlier life of this run began step {}; nobody knows how it ended", key));
  error.maybe_billed = true;
  return error;
}

Budget used_in(const CallResult& result) {
  auto spent = spent_on(result.attempts);
  Budget used;
  used.usd = spent.usd;
  used.tokens = spent.tokens_in + spent.tokens_out;
  used.calls = 1;
  return used;
}

// Passes a call's text on to the run's turn, so that whoever reads along hears it on one thread and in order.
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

std::uint64_t hash_of(const StepKey& step, const std::string& name, const JsonText& input) {
  return stable_hash(name + '\n' + step.name + '\n' + input.text);
}

}  // namespace

// ---- model calls ----

void RunDriver::complete(const StepKey& step, CompletionRequest request, OnUnknown on_unknown,
                         std::function<void(Result<Answer>)> done) {
  auto key = step.str();
  auto hash = stable_hash(protocol::to_bytes(request));
  if (replay<Answer>(key, hash, done)) return;
  auto calling = std::make_shared<Calling>();
  calling->key = key;
  calling->step = step;
  calling->request = std::make_shared<const CompletionRequest>(std::move(request));
  calling->attempt = history_.begun(key).times + 1;
  calling->hash = hash;
  calling->done = std::move(done);
  turns_.fresh(key, [this, calling, on_unknown] { begin_call(calling, on_unknown); });
}

Budget RunDriver::estimate(const CompletionRequest& request) const {
  Usage usage;
  usage.input = static_cast<std::int64_t>(estimate_input_tokens(request));
  usage.output = request.output_tokens_max;
  Budget amount;
  amount.calls = 1;
  amount.tokens = static_cast<std::int64_t>(
      std::ceil(static_cast<double>(usage.input + usage.output) * (1 + policy::kRetryAllowance)));
  if (config_.list_price) amount.usd = config_.list_price(request, usage) * (1 + policy::kRetryAllowance);
  return amount;
}

void RunDriver::give_up_unknown(const Shared<Calling>& calling) {
  auto error = unknown_outcome(calling->key);
  journal::Batch batch;
  batch.entries.push_back(pen_.entry(journal::Kind::failure, calling->key, protocol::to_bytes(error),
                                     calling->attempt - 1, calling->hash));
  record(calling->key, std::move(batch), [calling, error](auto) { calling->done(std::unexpected(error)); });
}

void RunDriver::begin_call(const Shared<Calling>& calling, OnUnknown on_unknown) {
  const auto& key = calling->key;
  in_flight_[key] = {};
  count_unknown();
  journal::Batch batch;
  if (calling->attempt > 1 && on_unknown == OnUnknown::fail) return give_up_unknown(calling);
  bool bounded = budget_.cap() != Budget{};
  auto amount = bounded ? estimate(*calling->request) : Budget{};
  if (bounded) {
    if (auto refusal = set_aside(key, amount)) {
      in_flight_.erase(key);
      return answer<Answer>(calling->done, std::unexpected(*std::move(refusal)));
    }
  }
  batch.entries.push_back(pen_.entry(journal::Kind::intent, key,
                                     bounded ? to_payload({IntentOf::model, amount}) : std::string(),
                                     calling->attempt, calling->hash));
  crash_point("call.before_intent");
  pen_.commit(std::move(batch), [this, calling](Result<void> committed) {
    crash_point("call.after_intent");
    if (committed && !stopping_) return send_call(calling);
    in_flight_.erase(calling->key);
    if (!committed) calling->done(std::unexpected(std::move(committed.error())));
  });
}

// A node whose lease may have run out starts nothing that costs: others may drive this run by now.
bool RunDriver::lost_seat(const std::string& key) {
  if (!config_.holds_seat || config_.holds_seat()) return false;
  in_flight_.erase(key);
  stop(false);
  return true;
}

void RunDriver::send_call(const Shared<Calling>& calling) {
  if (lost_seat(calling->key)) return;
  auto queues = config_.queues->load();
  auto queue = queues->find(calling->request->feature);
  if (queue == queues->end()) {
    in_flight_.erase(calling->key);
    return calling->done(
        fail(Errc::bad_config, "no feature named " + calling->request->feature + " is configured"));
  }
  auto call = std::make_shared<Call>();
  call->request = calling->request;
  call->run_id = pen_.row().run_id;
  call->step_key = calling->key;
  call->sink = reader_of(calling);
  call->done = [this, me = pen_.me(), calling](CallResult result) {
    auto shared = std::make_shared<CallResult>(std::move(result));
    RunPen::go_on(me, [this, calling, shared] { on_answer(calling, std::move(*shared)); });
  };
  CallPtr sent = std::move(call);
  // Not held: a call that nobody holds any more answers for itself.
  in_flight_[calling->key].call_off = [queue = queue->second, weak = std::weak_ptr(sent)] {
    if (auto alive = weak.lock()) caf::anon_send(queue, CancelCall{alive});
  };
  caf::anon_send(queue->second, std::move(sent));
}

SinkPtr RunDriver::reader_of(const Shared<Calling>& calling) const {
  if (!config_.on_text) return nullptr;
  return std::make_shared<LiveSink>(calling->step, [this, me = pen_.me()](LiveText heard) {
    RunPen::go_on(me, [this, heard = std::move(heard)] { config_.on_text(heard); });
  });
}

void RunDriver::on_answer(const Shared<Calling>& calling, CallResult result) {
  const auto& key = calling->key;
  crash_point("call.before_result");
  attempts_.insert(attempts_.end(), result.attempts.begin(), result.attempts.end());
  journal::Batch batch;
  batch.usage = usage_rows({pen_.row().run_id, key, config_.node}, *calling->request, result.attempts);
  auto used = used_in(result);
  bool unknown = !result.completion && result.completion.error().maybe_billed && used.tokens == 0;
  unknown ? budget_.write_off(key) : budget_.settle(key, used);
  auto answer = std::make_shared<Result<Answer>>();
  if (result.completion) {
    *answer = Answer{std::move(*result.completion), std::move(result.attempts), false};
    batch.entries.push_back(pen_.entry(journal::Kind::result, key, protocol::to_bytes(**answer),
                                       calling->attempt, calling->hash));
  } else {
    *answer = std::unexpected(result.completion.error());
    if (answer->error().fault == Fault::caller && answer->error().code != Errc::cancelled)
      batch.entries.push_back(pen_.entry(journal::Kind::failure, key, protocol::to_bytes(answer->error()),
                                         calling->attempt, calling->hash));
  }
  record(key, std::move(batch), [this, calling, answer](Result<void> committed) {
    crash_point("call.after_result");
    if (config_.on_text) config_.on_text({LiveText::What::end, calling->step, {}});
    if (!committed) return calling->done(std::unexpected(std::move(committed.error())));
    calling->done(std::move(*answer));
  });
}

// ---- tools ----

void RunDriver::tool(const StepKey& step, ToolPtr tool, JsonText input, RetryPolicy retry,
                     std::function<void(Result<ToolOutput>)> done) {
  auto key = step.str();
  auto hash = hash_of(step, tool->spec().name, input);
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
  pen_.commit(
      pen_.entry(journal::Kind::intent, key, to_payload({IntentOf::tool, one}), use->attempt, use->hash),
      [this, use](Result<void> committed) {
        if (committed && !stopping_) return use_tool(use);
        in_flight_.erase(use->key);
        if (!committed) use->done(std::unexpected(std::move(committed.error())));
      });
}

void RunDriver::use_tool(const Shared<Using>& use) {
  if (lost_seat(use->key)) return;
  ++use->tried;
  crash_point("tool.before_use");
  ToolContext context;
  context.run_id = pen_.row().run_id;
  context.step_key = use->key;
  context.tenant = pen_.row().tenant;
  use->tool->call(context, use->input, [this, me = pen_.me(), use](Result<ToolOutput> output) {
    auto shared = std::make_shared<Result<ToolOutput>>(std::move(output));
    RunPen::go_on(me, [this, use, shared] { on_output(use, std::move(*shared)); });
  });
}

bool RunDriver::try_again(const Shared<Using>& use, const Error& error) {
  if (stopping_ || !error.retryable || use->tried >= use->retry.attempts_max) return false;
  auto pause = seconds(use->retry.pause) * std::pow(use->retry.growth, use->tried - 1);
  pause = std::min(pause, seconds(use->retry.pause_max));
  ++use->attempt;
  pauses_.push_back({use->key, pen_.clock().now() + from_seconds(pause), [this, use] { begin_tool(use); }});
  return true;
}

void RunDriver::on_output(const Shared<Using>& use, Result<ToolOutput> output) {
  crash_point("tool.after_use");
  Budget one;
  one.tool_calls = 1;
  budget_.settle(use->key, one);
  if (!output && try_again(use, output.error())) return;
  journal::Batch batch;
  // Recorded whosever fault it is: the workflow goes on from here knowing that the tool failed (M13), and
  // must find the same when it is resumed.
  auto payload = output ? protocol::to_bytes(*output) : protocol::to_bytes(output.error());
  auto kind = output ? journal::Kind::result : journal::Kind::failure;
  batch.entries.push_back(pen_.entry(kind, use->key, std::move(payload), use->attempt, use->hash));
  record(use->key, std::move(batch), [use, output = std::move(output)](Result<void> committed) {
    if (!committed) return use->done(std::unexpected(std::move(committed.error())));
    use->done(output);
  });
}

// ---- child runs ----

// The key's name for people, its hash because names repeat.
std::string RunDriver::child_id(const std::string& key) const {
  auto name = key.substr(0, key.find('/'));
  return fmt::format("{}.{}-{:08x}", pen_.row().run_id, name, static_cast<std::uint32_t>(stable_hash(key)));
}

void RunDriver::child(const StepKey& step, ChildSpec spec, std::function<void(Result<ChildEnd>)> done) {
  auto key = step.str();
  if (replay<ChildEnd>(key, hash_of(step, spec.workflow, spec.input), done)) return;
  auto starting = std::make_shared<Starting>();
  starting->key = key;
  starting->spec = std::move(spec);
  starting->done = std::move(done);
  turns_.fresh(key, [this, starting] { begin_child(starting); });
}

std::optional<Error> RunDriver::refuse_child(const std::string& key) {
  if (budget_.view(elapsed()).stage >= BudgetStage::degrade)
    return make_error(Errc::refused, "the budget allows no further child run");
  Budget one;
  one.subagents = 1;
  return set_aside(key, one);
}

void RunDriver::begin_child(const Shared<Starting>& starting) {
  const auto& key = starting->key;
  if (config_.children == nullptr)
    return answer<ChildEnd>(starting->done, fail(Errc::unsupported, "runs cannot be started from here"));
  count_unknown();
  ChildNote note{child_id(key), budget_.slice(starting->spec.slice)};
  Budget amount = note.slice;
  amount.subagents = std::max<std::int64_t>(amount.subagents, 0) + 1;
  in_flight_[key] = {};
  if (auto begun = history_.begun(key); begun.times > 0) {
    // It goes on where it was, with what it was given.
    note.slice = begun.reserved_last;
    return start_child(starting, note);
  }
  if (auto refusal = refuse_child(key)) {
    in_flight_.erase(key);
    return answer<ChildEnd>(starting->done, std::unexpected(*std::move(refusal)));
  }
  budget_.reserve(key, amount);
  pen_.commit(pen_.entry(journal::Kind::child_start, key, to_payload(note), 1),
              [this, starting, note](Result<void> committed) {
                if (committed && !stopping_) return start_child(starting, note);
                in_flight_.erase(starting->key);
                if (!committed) starting->done(std::unexpected(std::move(committed.error())));
              });
}

void RunDriver::start_child(const Shared<Starting>& starting, const ChildNote& note) {
  crash_point("child.before_start");
  RunSpec spec{starting->spec.workflow, starting->spec.input, note.run_id,
               pen_.row().tenant,       note.slice,           pen_.row().run_id};
  in_flight_[starting->key].call_off = [children = config_.children, id = note.run_id] {
    children->cancel(id, false);
  };
  auto started = config_.children->start(std::move(spec), [this, me = pen_.me(), starting](RunReport report) {
    auto shared = std::make_shared<RunReport>(std::move(report));
    RunPen::go_on(me, [this, starting, shared] { on_child_end(starting, std::move(*shared)); });
  });
  if (started) return;
  in_flight_.erase(starting->key);
  answer<ChildEnd>(starting->done, std::unexpected(std::move(started.error())));
}

void RunDriver::on_child_end(const Shared<Starting>& starting, RunReport report) {
  crash_point("child.before_end");
  ChildOutcome outcome{ChildEnd{report.output, report.spent, false}, report.spent};
  outcome.spent.subagents += 1;
  outcome.spent.wall = {};
  if (report.end != RunEnd::done)
    outcome.end = std::unexpected(report.error.value_or(
        make_error(Errc::cancelled, "the child run was " + std::string(to_string(report.end)))));
  budget_.settle(starting->key, outcome.spent);
  if (report.end == RunEnd::interrupted) {
    // It is not over: whoever resumes this run resumes it too.
    in_flight_.erase(starting->key);
    if (!stopping_) starting->done(std::move(outcome.end));
    return;
  }
  if (outcome.end) outcome.end->spent = outcome.spent;
  journal::Batch batch;
  batch.entries.push_back(pen_.entry(journal::Kind::child_end, starting->key, to_payload(outcome), 1));
  record(starting->key, std::move(batch), [starting, outcome](Result<void> committed) {
    if (!committed) return starting->done(std::unexpected(std::move(committed.error())));
    starting->done(outcome.end);
  });
}

void RunDriver::signal_child(const StepKey& child, std::string name, JsonText json,
                             std::function<void(Result<void>)> done) {
  auto key = child.str();
  auto what = fmt::format("{}\n{}\n{}\n{}", pen_.row().run_id, key, name, json.text);
  // The same words again are another signal; the same words of a resumed run are the same.
  auto id = stable_hash(fmt::format("{}\n{}", what, signals_sent_[what]++));
  turns_.fresh(key, [this, key, name = std::move(name), json = std::move(json), id, done = std::move(done)] {
    bool sent = config_.children != nullptr &&
                config_.children->signal(child_id(key), name, json.text, id == 0 ? 1 : id);
    answer<void>(done, sent ? Result<void>() : fail(Errc::not_found, "child " + key + " does not run"));
  });
}

}  // namespace troupe::actors
