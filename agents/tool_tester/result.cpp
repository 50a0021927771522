// Both ways between a result and its JSON.
#include "agents/tool_tester/result.hpp"

namespace troupe::tool_tester {
namespace {

Json outcomes_json(const std::vector<Outcome>& outcomes) {
  Json out = Json::array();
  for (const auto& one : outcomes)
    out.push_back(Json{{"solved", one.solved},
                       {"calls", one.calls},
                       {"errors", one.errors},
                       {"asked", one.asked},
                       {"ms", one.ms},
                       {"chosen", one.chosen}});
  return out;
}

std::vector<Outcome> outcomes_from(const Json& list) {
  std::vector<Outcome> out;
  if (!list.is_array()) return out;
  for (const auto& item : list) {
    Outcome one;
    one.solved = get_bool(item, "solved");
    one.calls = get_int(item, "calls");
    one.errors = get_int(item, "errors");
    one.asked = get_int(item, "asked");
    one.ms = get_int(item, "ms");
    out.push_back(std::move(one));
  }
  return out;
}

Json interval_json(const evaluation::Interval& interval) {
  return Json{{"mean", interval.mean}, {"low", interval.low}, {"high", interval.high}};
}

Json pairs_json(const std::vector<Pair>& pairs) {
  Json out = Json::array();
  for (const auto& pair : pairs)
    out.push_back(Json{{"id", pair.probe.id},
                       {"task", pair.probe.task},
                       {"tool", pair.probe.tool},
                       {"before", outcomes_json(pair.before)},
                       {"after", outcomes_json(pair.after)}});
  return out;
}

}  // namespace

Json to_json(const ToolTestResult& result) {
  const auto& verdict = result.verdict;
  return Json{
      {"tool", result.tool},
      {"before", result.before},
      {"before_hash", result.before_hash},
      {"after", result.after},
      {"by", result.by},
      {"accepted", verdict.accepted},
      {"why", verdict.why},
      {"gate", result.gate ? "on" : "off"},
      {"practice", Json{{"tasks", result.practised}, {"solved", result.practice_solved}}},
      {"held_out", pairs_json(result.pairs)},
      {"calls_saved", interval_json(verdict.calls_saved)},
      {"ms_saved", interval_json(verdict.ms_saved)},
      {"solved",
       Json{{"before", verdict.solved_before}, {"after", verdict.solved_after}, {"of", verdict.worked}}},
      {"calls", result.calls},
      {"tool_calls", result.tool_calls}};
}

Result<ToolTestResult> read_tool_test_result(const Json& json) {
  ToolTestResult out;
  out.tool = get_string(json, "tool");
  out.before = get_string(json, "before");
  out.before_hash = get_string(json, "before_hash");
  out.after = get_string(json, "after");
  out.by = get_string(json, "by");
  out.gate = get_string(json, "gate") == "on";
  const auto* held_out = find(json, "held_out");
  if (out.tool.empty() || out.before_hash.empty() || held_out == nullptr || !held_out->is_array())
    return fail(Errc::invalid_input, "this is no tool_test.json");
  for (const auto& item : *held_out) {
    Pair pair;
    pair.probe.id = get_string(item, "id");
    if (const auto* before = find(item, "before")) pair.before = outcomes_from(*before);
    if (const auto* after = find(item, "after")) pair.after = outcomes_from(*after);
    out.pairs.push_back(std::move(pair));
  }
  out.verdict = judge(out.pairs);
  return out;
}

}  // namespace troupe::tool_tester
