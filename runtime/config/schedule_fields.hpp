// What the options of schedules are called in a file; part of fields.hpp.
#pragma once

#include "runtime/config/schedule_config.hpp"

namespace troupe::config {

template <class V>
void fields(V& v, ScheduleBudget& x) {
  v("usd", x.usd);
  v("tokens", x.tokens);
  v("calls", x.calls);
  v("tool_calls", x.tool_calls);
  v("subagents", x.subagents);
  v("depth", x.depth);
  v("wall", x.wall);
}
template <class V>
void fields(V& v, ScheduleConfig& x) {
  v("workflow", x.workflow);
  v("cron", x.cron);
  v("zone", x.zone);
  v("tenants", x.tenants);
  v("input", x.input);
  v("catch_up", x.catch_up);
  v("catch_up_max", x.catch_up_max);
  v("grace", x.grace);
  v("jitter", x.jitter);
  v("budget", x.budget);
  v("durability", x.durability);
  v("paused", x.paused);
}

}  // namespace troupe::config
