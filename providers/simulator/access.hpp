// Who may call a simulated endpoint: keys, signatures and tokens, each in the place its dialect wants it.
#pragma once

#include "runtime/config/simulator_config.hpp"
#include "runtime/http/message.hpp"

#include <troupe/error.hpp>
#include <troupe/time.hpp>

#include <string_view>

namespace troupe::providers::simulator {

/// What a cloud accepts besides the endpoint's own static keys.
class TokenAuthority {
 public:
  virtual ~TokenAuthority() = default;
  /// A bearer token issued for this dialect's cloud and not expired. `auth` otherwise.
  virtual Result<void> check_bearer(std::string_view token, std::string_view dialect,
                                    WallTime wall) const = 0;
  /// A signed request of a key pair issued and not expired, allowed in `region`. `auth` otherwise.
  virtual Result<void> check_signed(const http::Request& request, std::string_view region,
                                    WallTime wall) const = 0;
};

/// Nothing to check unless the endpoint says `verify`. AWS dialects want SigV4 in the scope of their region
/// and service, or (Bedrock) an API key as bearer; Azure `api-key` or a bearer; Anthropic `x-api-key` or a
/// bearer; Gemini `x-goog-api-key` or a bearer; OpenAI a bearer. `authority` may be null.
Result<void> check_access(const config::SimulatedEndpoint& endpoint, const http::Request& request,
                          const TokenAuthority* authority, WallTime wall);

}  // namespace troupe::providers::simulator
