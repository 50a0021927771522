// What answers have cost, added up.
#pragma once

#include "runtime/json/json.hpp"

#include <troupe/workflow.hpp>

#include <cstdint>

namespace troupe::research {

/// Of recorded answers too: the price of the result, however often the run was resumed.
struct Spend {
  std::int64_t calls = 0, tool_calls = 0;
  std::int64_t input = 0, output = 0, cached = 0;
  double usd = 0;

  void add(const Answer& answer) {
    const auto& usage = answer.completion.usage;
    ++calls;
    input += usage.input + usage.cache_write;
    output += usage.output;
    cached += usage.cache_read;
    for (const auto& attempt : answer.attempts) usd += attempt.usd;
  }
  void add(const Spend& other) {
    calls += other.calls;
    tool_calls += other.tool_calls;
    input += other.input;
    output += other.output;
    cached += other.cached;
    usd += other.usd;
  }
};

inline Json to_json(const Spend& spend) {
  return Json{{"calls", spend.calls},   {"tool_calls", spend.tool_calls}, {"input", spend.input},
              {"output", spend.output}, {"cached", spend.cached},         {"usd", spend.usd}};
}
inline Spend spend_from(const Json& json) {
  Spend out;
  out.calls = get_int(json, "calls");
  out.tool_calls = get_int(json, "tool_calls");
  out.input = get_int(json, "input");
  out.output = get_int(json, "output");
  out.cached = get_int(json, "cached");
  out.usd = get_double(json, "usd");
  return out;
}

}  // namespace troupe::research
