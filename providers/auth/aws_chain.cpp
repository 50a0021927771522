#include "providers/auth/aws_chain.hpp"

#include "providers/auth/aws_profile.hpp"
#include "providers/classify.hpp"
#include "runtime/json/json.hpp"

#include <fmt/format.h>

namespace troupe::providers {
namespace {

// Chains of source_profile are short; a loop among them is a mistake.
constexpr int kProfilesDeep = 5;
constexpr Duration kProcessTimeout = std::chrono::seconds(60);

using Profiles = std::map<std::string, AwsProfile>;

std::string value_of(const AwsProfile& profile, const std::string& key) {
  auto it = profile.find(key);
  return it == profile.end() ? std::string() : it->second;
}

std::string shared_file(Ports& ports, const char* variable, const char* name) {
  auto path = ports.variable(variable);
  if (!path) {
    auto home = ports.variable("HOME");
    if (!home) return {};
    path = *home + "/.aws/" + name;
  }
  return ports.read_file(*path).value_or("");
}

Result<Profiles> shared_profiles(Ports& ports) {
  return read_aws_profiles(shared_file(ports, "AWS_SHARED_CREDENTIALS_FILE", "credentials"),
                           shared_file(ports, "AWS_CONFIG_FILE", "config"));
}

AwsGrant from_variables(Ports& ports) {
  AwsCredentials found{ports.variable("AWS_ACCESS_KEY_ID").value_or(""),
                       ports.variable("AWS_SECRET_ACCESS_KEY").value_or(""),
                       ports.variable("AWS_SESSION_TOKEN").value_or("")};
  if (found.access_key_id.empty() || found.secret_access_key.empty())
    return fail(Errc::auth, "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not both set");
  auto expiration = ports.variable("AWS_CREDENTIAL_EXPIRATION");
  if (!expiration) return Expiring<AwsCredentials>{std::move(found), std::nullopt};
  auto life = lifetime_until(*expiration, {}, ports.wall());
  if (!life) return std::unexpected(life.error());
  return Expiring<AwsCredentials>{std::move(found), *life};
}

// {"Version": 1, "AccessKeyId", "SecretAccessKey", "SessionToken", "Expiration"}
AwsGrant read_process_output(const std::string& output, WallTime wall) {
  auto json = parse_json(output);
  if (!json || get_int(*json, "Version") != 1)
    return fail(Errc::auth, "credential_process printed something that is not version 1 of its JSON");
  AwsCredentials found{get_string(*json, "AccessKeyId"), get_string(*json, "SecretAccessKey"),
                       get_string(*json, "SessionToken")};
  if (found.access_key_id.empty() || found.secret_access_key.empty())
    return fail(Errc::auth, "credential_process printed no credentials");
  auto expiration = get_string(*json, "Expiration");
  if (expiration.empty()) return Expiring<AwsCredentials>{std::move(found), std::nullopt};
  auto life = lifetime_until(expiration, {}, wall);
  if (!life) return std::unexpected(life.error());
  return Expiring<AwsCredentials>{std::move(found), *life};
}

Task<AwsGrant> from_process(Ports& ports, std::string command) {
  Callback<Result<std::string>> printed([&ports, command](std::function<void(Result<std::string>)> done) {
    ports.run(command, kProcessTimeout, std::move(done));
  });
  auto output = co_await printed;
  if (!output) co_return std::unexpected(output.error());
  co_return read_process_output(*output, ports.wall());
}

RoleOrder role_of(const AwsProfile& profile) {
  RoleOrder role{value_of(profile, "role_arn")};
  if (auto name = value_of(profile, "role_session_name"); !name.empty()) role.session_name = name;
  role.external_id = value_of(profile, "external_id");
  return role;
}

Task<AwsGrant> from_source(Ports& ports, std::string source, std::string imds_url) {
  if (source == "Environment") co_return from_variables(ports);
  if (source == "EcsContainer") {
    auto asking = container_credentials(ports);
    co_return co_await asking;
  }
  if (source != "Ec2InstanceMetadata")
    co_return fail(Errc::auth, "a profile's credential_source is none that AWS defines");
  Imds imds(ports, std::move(imds_url));
  auto asking = imds.credentials();
  co_return co_await asking;
}

AwsCredentials keys_of(const AwsProfile& profile) {
  return {value_of(profile, "aws_access_key_id"), value_of(profile, "aws_secret_access_key"),
          value_of(profile, "aws_session_token")};
}

bool has_keys(const AwsProfile& profile) {
  auto keys = keys_of(profile);
  return !keys.access_key_id.empty() && !keys.secret_access_key.empty();
}

/// Where we are among the shared files. `files` outlives the flows below.
struct ProfilePlace {
  const Profiles* files;
  std::string name;
  AwsOptions options;
  int deep = 0;
};

Task<AwsGrant> from_profile(Ports& ports, ProfilePlace at);

// Who assumes the profile's role.
Task<AwsGrant> base_of_profile(Ports& ports, ProfilePlace at) {
  const auto& profile = at.files->at(at.name);
  auto base = value_of(profile, "source_profile");
  if (base.empty()) {
    auto asking = from_source(ports, value_of(profile, "credential_source"), at.options.imds_url);
    co_return co_await asking;
  }
  // A profile that is its own source means its keys.
  if (base == at.name && has_keys(profile))
    co_return Expiring<AwsCredentials>{keys_of(profile), std::nullopt};
  if (at.deep == kProfilesDeep)
    co_return fail(Errc::auth, "AWS profiles name each other as source in a circle");
  at.name = base;
  ++at.deep;
  auto asking = from_profile(ports, std::move(at));
  co_return co_await asking;
}

Task<AwsGrant> from_profile(Ports& ports, ProfilePlace at) {
  if (!at.files->contains(at.name))
    // A mangled file may have put anything where a name belongs.
    co_return fail(Errc::auth, fmt::format("there is no AWS profile \"{}\"", printable_type(at.name)));
  const auto& profile = at.files->at(at.name);
  StsPlace place{at.options.region.empty() ? value_of(profile, "region") : at.options.region,
                 at.options.sts_url};
  auto role = role_of(profile);
  auto token_file = value_of(profile, "web_identity_token_file");
  if (!role.role_arn.empty() && !token_file.empty()) {
    auto asking = assume_role_with_web_identity(ports, place, role, token_file);
    co_return co_await asking;
  }
  if (!role.role_arn.empty() &&
      (profile.contains("source_profile") || profile.contains("credential_source"))) {
    auto finding = base_of_profile(ports, at);
    auto base = co_await finding;
    if (!base) co_return base;
    auto asking = assume_role(ports, place, base->value, role);
    co_return co_await asking;
  }
  if (has_keys(profile)) co_return Expiring<AwsCredentials>{keys_of(profile), std::nullopt};
  auto command = value_of(profile, "credential_process");
  if (command.empty())
    co_return fail(Errc::auth,
                   fmt::format("AWS profile \"{}\" says no credentials that we can read", at.name));
  auto asking = from_process(ports, std::move(command));
  co_return co_await asking;
}

// Does a profile say anything about credentials? A default profile often holds only a region.
bool says_credentials(const Profiles& files, const std::string& name) {
  auto it = files.find(name);
  if (it == files.end()) return false;
  for (const char* key : {"aws_access_key_id", "role_arn", "credential_process"})
    if (it->second.contains(key)) return true;
  return false;
}

// What the machine or container brings: web identity, then container, then IMDS.
Task<AwsGrant> from_surroundings(Ports& ports, AwsOptions options) {
  auto token_file = ports.variable("AWS_WEB_IDENTITY_TOKEN_FILE"), arn = ports.variable("AWS_ROLE_ARN");
  if (token_file && arn) {
    RoleOrder role{*arn, ports.variable("AWS_ROLE_SESSION_NAME").value_or("troupe"), {}};
    StsPlace place{options.region, options.sts_url};
    auto asking = assume_role_with_web_identity(ports, std::move(place), std::move(role), *token_file);
    co_return co_await asking;
  }
  if (has_container_credentials(ports)) {
    auto asking = container_credentials(ports);
    co_return co_await asking;
  }
  Imds imds(ports, options.imds_url);
  auto asking = imds.credentials();
  auto last = co_await asking;
  if (last) co_return last;
  co_return fail(Errc::auth, "no AWS credentials in environment, profile, web identity or container; and " +
                                 last.error().what);
}

Task<AwsGrant> from_chain(Ports& ports, AwsOptions options) {
  auto named = options.profile.empty() ? ports.variable("AWS_PROFILE").value_or("") : options.profile;
  if (named.empty() && ports.variable("AWS_ACCESS_KEY_ID")) co_return from_variables(ports);
  auto files = shared_profiles(ports);
  if (!files) co_return std::unexpected(files.error());
  auto profile = named.empty() ? std::string("default") : named;
  if (!named.empty() || says_credentials(*files, profile)) {
    ProfilePlace place{&*files, profile, options};
    auto asking = from_profile(ports, std::move(place));
    co_return co_await asking;
  }
  auto asking = from_surroundings(ports, std::move(options));
  co_return co_await asking;
}

}  // namespace

Task<AwsGrant> aws_credentials(Ports& ports, AwsOptions options) {
  if (options.region.empty())
    options.region = ports.variable("AWS_REGION").value_or(ports.variable("AWS_DEFAULT_REGION").value_or(""));
  auto finding = from_chain(ports, options);
  auto base = co_await finding;
  if (!base || options.role_arn.empty()) co_return base;
  StsPlace place{options.region, options.sts_url};
  RoleOrder role{options.role_arn, "troupe", options.external_id};
  auto assuming = assume_role(ports, std::move(place), base->value, std::move(role));
  co_return co_await assuming;
}

}  // namespace troupe::providers
