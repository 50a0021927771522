#include "providers/auth/credentials.hpp"

#include <cstdlib>

namespace troupe::providers {
namespace {

std::string read_variable(const Environment& environment, const char* name) {
  const char* value = environment ? environment(name) : std::getenv(name);
  return value != nullptr ? value : "";
}

}  // namespace

Result<AwsCredentials> credentials_from_environment(const Environment& environment) {
  AwsCredentials found{read_variable(environment, "AWS_ACCESS_KEY_ID"),
                       read_variable(environment, "AWS_SECRET_ACCESS_KEY"),
                       read_variable(environment, "AWS_SESSION_TOKEN")};
  if (found.access_key_id.empty()) return fail(Errc::auth, "AWS_ACCESS_KEY_ID is not set");
  if (found.secret_access_key.empty()) return fail(Errc::auth, "AWS_SECRET_ACCESS_KEY is not set");
  return found;
}

std::string region_from_environment(const Environment& environment) {
  auto region = read_variable(environment, "AWS_REGION");
  return region.empty() ? read_variable(environment, "AWS_DEFAULT_REGION") : region;
}

}  // namespace troupe::providers
