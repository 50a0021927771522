// The two paths of an endpoint, both ways (WIRE 3).
#pragma once

#include "runtime/http/message.hpp"

#include <troupe/error.hpp>

#include <optional>
#include <string>

namespace troupe::providers::sagemaker {

struct EndpointPath {
  std::string endpoint;
  bool stream = false;
};
/// Fails with bad_request for a name that is not 1 to 63 letters, digits and hyphens.
Result<std::string> write_path(const EndpointPath& path);
/// Absent for a request of another method or path. Any prefix may stand before /endpoints/.
std::optional<EndpointPath> read_path(const http::Request& request);

}  // namespace troupe::providers::sagemaker
