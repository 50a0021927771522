// The tool that reads a web page, and cannot be made to read anything else.
#pragma once

#include "runtime/http/client.hpp"

#include <troupe/tool.hpp>

#include <cstddef>
#include <string>
#include <vector>

namespace troupe::tools {

/// A host that may be read from.
struct FetchHost {
  /// "example.org", or "*.example.org" for every host beneath it.
  std::string host;
  /// May its addresses be ours: loopback, private, link-local? For tests and
  /// intranets.
  bool private_addresses = false;
};

struct FetchConfig {
  /// No host but these, redirects included.
  std::vector<FetchHost> hosts;
  int redirects_max = 5;
  /// Of a page as it arrives, and of its text as it is shown; more text is cut,
  /// and the answer says so.
  std::size_t body_bytes_max = 4 * 1024 * 1024, text_bytes_max = 64 * 1024;
  /// Of one page, redirects included.
  Duration time_max = std::chrono::seconds(20);
  std::size_t running_max = 16;
  std::string ca_file;
  /// Empty: the system's resolver.
  http::Resolve resolve;
};

/// Is this numeric address one that the public internet reaches? Not: loopback,
/// private, carrier-shared (100.64/10), link-local (which is where clouds keep
/// their metadata), unique local, multicast, documentation, reserved and
/// unspecified ones (RFC 6890 and its registries), nor an IPv6 form that
/// carries such an IPv4 address (mapped, compatible, 6to4, NAT64, Teredo). What
/// is no address is not public.
bool is_public_address(const std::string &address);
/// Is a host written as a number, in whatever form?
bool is_numeric_host(const std::string &host);

/// "fetch" {url}: GET, answers {"url","title"?,"text","cut"?}. HTML is shown as
/// html_text makes it, text/*, JSON and XML as they are; other kinds are
/// refused. No cookies, no credentials, no proxy, no referrer. Each connection,
/// after a redirect too, looks its host up itself and connects to what was
/// found and judged: there is no second look-up to lie to. What is refused or
/// fails is an error for the model. Runs on a thread of its own.
ToolPtr make_fetch_tool(const FetchConfig &config);

} // namespace troupe::tools
