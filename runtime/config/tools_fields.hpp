// What the options of tools are called in a file; part of fields.hpp.
#pragma once

#include "runtime/config/tools_config.hpp"

namespace troupe::config {

template <class V>
void fields(V& v, McpServerConfig& x) {
  v("command", x.command);
  v("environment", x.environment);
  v("url", x.url);
  v("headers", x.headers);
  v("only", x.only);
  v("offer_all", x.offer_all);
  v("start_max", x.start_max);
  v("call_max", x.call_max);
}
template <class V>
void fields(V& v, SqlToolConfig& x) {
  v("path", x.path);
}
template <class V>
void fields(V& v, CorpusToolConfig& x) {
  v("path", x.path);
}
template <class V>
void fields(V& v, FetchToolConfig& x) {
  v("hosts", x.hosts);
  v("private_hosts", x.private_hosts);
  v("time_max", x.time_max);
  v("ca_file", x.ca_file);
}
template <class V>
void fields(V& v, ToolsConfig& x) {
  v("mcp", x.mcp);
  v("sql", x.sql);
  v("corpora", x.corpora);
  v("fetch", x.fetch);
  v("allow", x.allow);
}

}  // namespace troupe::config
