// What the options about money are called in a file; part of fields.hpp.
#pragma once

#include "runtime/config/config.hpp"

namespace troupe::config {

template <class V>
void fields(V& v, policy::Price& x) {
  v("input", x.input);
  v("output", x.output);
  v("cache_read", x.cache_read);
  v("cache_write", x.cache_write);
  v("cache_write_1h", x.cache_write_1h);
}
template <class V>
void fields(V& v, PricesConfig& x) {
  v("file", x.file);
  v("models", x.models);
}
template <class V>
void fields(V& v, ReservedConfig& x) {
  v("units", x.units);
  v("unit", x.unit);
  v("term", x.term);
  v("usd_per_hour", x.usd_per_hour);
  v("since", x.since);
  v("until", x.until);
  v("kept", x.kept);
}
template <class V>
void fields(V& v, FeatureBudgetConfig& x) {
  fields(v, x.policy);
  v("model", x.model);
}

}  // namespace troupe::config

namespace troupe::policy {

template <class V>
void fields(V& v, Reservation& x) {
  v("feature", x.feature);
  v("units", x.units);
}
template <class V>
void fields(V& v, BudgetPolicy& x) {
  v("usd_per_day", x.usd_per_day);
  v("warn", x.warn);
  v("degrade", x.degrade);
  v("stop", x.stop);
}

}  // namespace troupe::policy
