// The order of the work: what is ready goes, what ends makes more ready.
#include "agents/declared/acting.hpp"
#include "agents/declared/inputs.hpp"
#include "runtime/base/clock.hpp"
#include "runtime/base/rng.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

namespace troupe::declared {

/// The items of a step and where each one's value goes; equal items are one.
struct Items {
  struct One {
    Place place;
    std::vector<std::size_t> stands_at;
  };
  std::vector<One> each;
  /// By place in the list; nothing for those that gave none.
  std::vector<std::optional<Json>> values;
};

namespace {

bool is_recorded(const Step& step) { return !std::holds_alternative<ValueStep>(step.action); }

void plan_more(Going& going, std::size_t steps) {
  going.planned += steps;
  going.wf.plan(going.planned);
}

Json as_collected(const Error& error) {
  return Json{{"error", {{"code", to_string(error.code)}, {"what", error.what}}}};
}

/// No new work is begun, so the whole run must end, whatever a step says of its errors.
bool ends_everything(const Error& error) {
  return error.code == Errc::cancelled || error.code == Errc::storage || error.code == Errc::internal;
}

Error at_step(Error error, const Step& step, const char* option) {
  error.what = fmt::format("step {}, {}: {}", step.id, option, error.what);
  return error;
}

// The value of a failure, or the failure.
Result<std::optional<Json>> settled(const Step& step, Result<Json> value) {
  if (value) return std::optional<Json>(std::move(*value));
  if (step.on_error == OnError::fail || ends_everything(value.error())) return std::unexpected(value.error());
  if (step.on_error == OnError::skip) return std::optional<Json>();
  return std::optional<Json>(as_collected(value.error()));
}

// ---- items ----

Result<Items> items_of(const Going& going, const Step& step) {
  auto list = step.for_each->list.value(scope_of(going, nullptr));
  if (!list) return std::unexpected(at_step(list.error(), step, "for_each"));
  // A step that was skipped gives null: nothing to do for each of.
  if (list->is_null()) *list = Json::array();
  if (!list->is_array() || list->size() > kItemsMax) {
    auto what = fmt::format("expected a list of at most {} items, not {}", kItemsMax,
                            list->is_array() ? fmt::format("one of {}", list->size()) : list->type_name());
    return std::unexpected(at_step(make_error(Errc::invalid_input, what), step, "for_each"));
  }
  Items out;
  out.values.resize(list->size());
  std::map<std::string, std::size_t> known;
  for (std::size_t i = 0; i < list->size(); ++i) {
    auto text = dump_json((*list)[i]);
    auto [it, fresh] = known.try_emplace(text, out.each.size());
    if (fresh) {
      Place place{std::move((*list)[i]), i, fmt::format("{:016x}", stable_hash(text))};
      out.each.push_back({std::move(place), {}});
    }
    out.each[it->second].stands_at.push_back(i);
  }
  return out;
}

Result<void> leave_out(const Going& going, const Step& step, Items& items) {
  if (!step.when) return {};
  std::vector<Items::One> kept;
  for (auto& one : items.each) {
    auto wanted = holds(*step.when, scope_of(going, &one.place));
    if (!wanted) return std::unexpected(at_step(wanted.error(), step, "when"));
    if (*wanted) kept.push_back(std::move(one));
  }
  items.each = std::move(kept);
  return {};
}

Json list_of(Items& items) {
  auto out = Json::array();
  for (auto& value : items.values)
    if (value) out.push_back(std::move(*value));
  return out;
}

Task<Result<Json>> for_each(Going& going, const Step& step) {
  auto items = items_of(going, step);
  if (!items) co_return std::unexpected(items.error());
  if (auto left = leave_out(going, step, *items); !left) co_return std::unexpected(left.error());
  if (is_recorded(step) && items->each.size() > 1) plan_more(going, items->each.size() - 1);
  TaskGroup<Result<Json>> group(step.for_each->parallel);
  for (const auto& one : items->each) group.add(act(going, step, one.place));
  std::size_t ended_well = 0;
  while (step.first_k == 0 || ended_well < step.first_k) {
    auto next = group.next();
    auto ended = co_await next;
    if (!ended) break;
    bool well = ended->value.has_value();
    auto value = settled(step, std::move(ended->value));
    if (!value) co_return std::unexpected(value.error());
    // Of the first to end well, failures are none, collected or not.
    if (!*value || (step.first_k > 0 && !well)) continue;
    ++ended_well;
    for (auto at : items->each[ended->number].stands_at) items->values[at] = **value;
  }
  co_return list_of(*items);
}

// ---- steps ----

Task<Result<Json>> do_step(Going& going, const Step& step) {
  if (step.for_each) {
    auto each = for_each(going, step);
    auto list = co_await each;
    co_return list;
  }
  if (step.when) {
    auto wanted = holds(*step.when, scope_of(going, nullptr));
    if (!wanted) co_return std::unexpected(at_step(wanted.error(), step, "when"));
    if (!*wanted) co_return Json(nullptr);
  }
  Place nowhere;
  auto acting = act(going, step, std::move(nowhere));
  auto value = settled(step, co_await acting);
  if (!value) co_return std::unexpected(value.error());
  co_return *value ? std::move(**value) : Json(nullptr);
}

/// Which steps wait for what, while they go.
class Waiting {
 public:
  explicit Waiting(const Declared& declared) {
    for (const auto& step : declared.steps) needs_.push_back(step.needs);
  }
  /// Those that wait for nothing any more, each once.
  std::vector<std::size_t> ready() {
    std::vector<std::size_t> out;
    for (std::size_t i = 0; i < needs_.size(); ++i)
      if (needs_[i].empty() && begun_.insert(i).second) out.push_back(i);
    return out;
  }
  void ended(std::size_t step) {
    for (auto& needs : needs_) needs.erase(step);
  }

 private:
  std::vector<std::set<std::size_t>> needs_;
  std::set<std::size_t> begun_;
};

Task<Result<void>> do_all_steps(Going& going) {
  Waiting waiting(going.declared);
  TaskGroup<Result<Json>> group(kStepsMax);
  std::vector<std::size_t> step_of;  // by the task's number
  for (;;) {
    for (auto step : waiting.ready()) {
      step_of.push_back(step);
      group.add(do_step(going, going.declared.steps[step]));
    }
    auto next = group.next();
    auto ended = co_await next;
    if (!ended) co_return Result<void>{};
    if (!ended->value) co_return std::unexpected(ended->value.error());
    auto step = step_of[ended->number];
    going.steps[going.declared.steps[step].id] = std::move(*ended->value);
    waiting.ended(step);
  }
}

Task<Result<JsonText>> run_declared(Workflow& wf, std::shared_ptr<const Declared> declared,
                                    const Clock& clock, JsonText input) {
  Going going{wf, *declared, clock};
  auto started = to_iso8601(wf.now());
  going.run = {{"date", to_date(wf.now())}, {"started", started}};
  auto reading = read_run_inputs(wf, *declared, std::move(input));
  auto inputs = co_await reading;
  if (!inputs) co_return std::unexpected(inputs.error());
  going.inputs = std::move(*inputs);
  plan_more(going, static_cast<std::size_t>(std::ranges::count_if(declared->steps, is_recorded)));
  auto doing = do_all_steps(going);
  auto done = co_await doing;
  if (!done) co_return std::unexpected(done.error());
  auto output = declared->output.value(scope_of(going, nullptr));
  if (!output) {
    auto error = output.error();
    error.what = "output: " + error.what;
    co_return std::unexpected(std::move(error));
  }
  co_return JsonText{dump_json(*output)};
}

}  // namespace

WorkflowFunction declared_workflow(std::shared_ptr<const Declared> declared, const Clock& clock) {
  return [declared = std::move(declared), &clock](Workflow& wf, JsonText input) {
    return run_declared(wf, declared, clock, std::move(input));
  };
}

WorkflowType declared_type(std::shared_ptr<const Declared> declared, const Clock& clock) {
  WorkflowType type{declared->name, declared_workflow(declared, clock), declared->version, {}};
  type.migrates = [accepts = declared->accepts](const std::string& from) {
    return std::ranges::find(accepts, from) != accepts.end();
  };
  return type;
}

}  // namespace troupe::declared
