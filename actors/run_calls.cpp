// A run's model calls.
#include "actors/run_driver.hpp"

#include "actors/live_sink.hpp"
#include "actors/run_record.hpp"
#include "actors/run_spending.hpp"
#include "runtime/base/crash_point.hpp"
#include "runtime/base/rng.hpp"
#include "runtime/base/tokens.hpp"
#include "runtime/protocol/run_values.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace troupe::actors {

void RunDriver::complete(const StepKey& step, CompletionRequest request, OnUnknown on_unknown,
                         std::function<void(Result<Answer>)> done) {
  auto key = key_of(step);
  done = awaited(key, std::move(done));
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
  bool unknown = calling->attempt > 1 && !history_.begun(key).noted;
  if (unknown && on_unknown == OnUnknown::fail) return give_up_unknown(calling);
  bool bounded = budget_.cap() != Budget{};
  auto amount = bounded ? estimate(*calling->request) : Budget{};
  calling->cheaper = budget_.wants_cheaper();
  if (bounded) {
    if (auto refusal = set_aside(key, amount)) {
      in_flight_.erase(key);
      return answer<Answer>(calling->done, std::unexpected(*std::move(refusal)));
    }
  }
  batch.entries.push_back(
      pen_.entry(journal::Kind::intent, key,
                 bounded ? to_payload(IntentNote{IntentOf::model, amount, calling->cheaper}) : std::string(),
                 calling->attempt, calling->hash));
  crash_point("call.before_intent");
  pen_.commit(std::move(batch), [this, calling](Result<void> committed) {
    crash_point("call.after_intent");
    if (committed) return stopping_ ? not_begun(calling->key) : send_call(calling);
    in_flight_.erase(calling->key);
    calling->done(std::unexpected(std::move(committed.error())));
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
  if (config_.stand_in != nullptr) return ask_stand_in(calling);
  auto queues = config_.queues->load();
  auto queue = queues->find(calling->request->feature);
  if (queue == queues->end()) {
    auto error =
        make_error(Errc::bad_config, "no feature named " + calling->request->feature + " is configured");
    note_failed(calling->key, error);
    return calling->done(std::unexpected(std::move(error)));
  }
  auto sent = call_of(calling);
  // Not held: a call that nobody holds any more answers for itself.
  in_flight_[calling->key].call_off = [queue = queue->second, weak = std::weak_ptr(sent)] {
    if (auto alive = weak.lock()) caf::anon_send(queue, CancelCall{alive});
  };
  caf::anon_send(queue->second, std::move(sent));
}

void RunDriver::ask_stand_in(const Shared<Calling>& calling) {
  auto sent = call_of(calling);
  in_flight_[calling->key].call_off = [who = config_.stand_in, weak = std::weak_ptr(sent)] {
    if (auto alive = weak.lock()) who->call_off(alive);
  };
  config_.stand_in->ask(sent);
}

CallPtr RunDriver::call_of(const Shared<Calling>& calling) {
  auto call = std::make_shared<Call>();
  call->request = calling->request;
  call->cheaper = calling->cheaper;
  call->may_go = config_.holds_seat;
  call->run_id = pen_.row().run_id;
  call->tenant = pen_.row().tenant;
  call->step_key = calling->key;
  call->sink = reader_of(calling);
  call->done = [this, me = pen_.me(), calling](CallResult result) {
    auto shared = std::make_shared<CallResult>(std::move(result));
    RunPen::go_on(me, [this, calling, shared] { on_answer(calling, std::move(*shared)); });
  };
  return call;
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
  auto used = used_by_call(result.attempts);
  bool unknown = !result.completion && result.completion.error().maybe_billed && used.tokens == 0;
  unknown ? budget_.write_off(key) : budget_.settle(key, used);
  auto answer = std::make_shared<Result<Answer>>();
  if (result.completion) {
    *answer = Answer{std::move(*result.completion), std::move(result.attempts), false};
    batch.entries.push_back(pen_.entry(journal::Kind::result, key, protocol::to_bytes(**answer),
                                       calling->attempt, calling->hash));
  } else {
    *answer = std::unexpected(result.completion.error());
    bool for_good = answer->error().fault == Fault::caller && answer->error().code != Errc::cancelled;
    // What the workflow hears is in the record, and so is what was paid for it.
    if (!for_good || used.tokens > 0 || used.usd > 0)
      batch.entries.push_back(failed_note(key, {answer->error(), used, unknown}));
    if (for_good)
      batch.entries.push_back(pen_.entry(journal::Kind::failure, key, protocol::to_bytes(answer->error()),
                                         calling->attempt, calling->hash));
  }
  note_stage(batch);
  record(key, std::move(batch), [this, calling, answer](Result<void> committed) {
    crash_point("call.after_result");
    // Given up because others may have this run: for them to go on with, and no failure to be told of here.
    if (!*answer && lost_seat(calling->key)) return;
    if (config_.on_text) config_.on_text({LiveText::What::end, calling->step, {}});
    if (!committed) return calling->done(std::unexpected(std::move(committed.error())));
    calling->done(std::move(*answer));
  });
}

}  // namespace troupe::actors
