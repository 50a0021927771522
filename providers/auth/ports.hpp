// What obtaining a credential needs of the world: calls to issuers, files, programs, variables, the time.
#pragma once

#include "providers/auth/credentials.hpp"
#include "runtime/http/message.hpp"

#include <troupe/error.hpp>
#include <troupe/time.hpp>

#include <functional>
#include <optional>
#include <string>

namespace troupe::providers {

/// One request to an issuer. `timeout` covers all of it.
struct IssuerCall {
  http::Origin origin;
  http::Request request;
  Duration timeout = std::chrono::seconds(10);
};

/// The world as the flows of this folder see it; actors/issuer_ports implements it, tests script it. One
/// thread. A `done` is called at most once, possibly before the call returns; destroying the flow that waits
/// makes a late one harmless.
class Ports {
 public:
  static constexpr std::size_t file_bytes_max = 1024 * 1024;
  static constexpr std::size_t answer_bytes_max = 256 * 1024;
  static constexpr std::size_t output_bytes_max = 64 * 1024;

  virtual ~Ports() = default;
  virtual void call(IssuerCall call, std::function<void(Result<http::Response>)> done) = 0;
  /// input_missing when there is none, invalid_input beyond file_bytes_max.
  virtual Result<std::string> read_file(const std::string& path) = 0;
  /// Runs a program without a shell: words are split as a POSIX shell would split them, quotes included.
  /// What it prints, or `auth` when it fails, prints too much or takes longer than `timeout`.
  virtual void run(const std::string& command, Duration timeout,
                   std::function<void(Result<std::string>)> done) = 0;
  /// Absent when unset or empty.
  virtual std::optional<std::string> variable(const std::string& name) = 0;
  /// Ours, corrected by what has been learnt of the providers' clocks.
  virtual WallTime wall() = 0;
};

}  // namespace troupe::providers
