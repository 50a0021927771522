#include "actors/credentials.hpp"

#include "providers/auth/aws_chain.hpp"
#include "providers/auth/azure.hpp"
#include "providers/auth/google.hpp"
#include "providers/auth/sigv4.hpp"
#include "runtime/base/log.hpp"
#include "runtime/config/validate_auth.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace troupe::actors {
namespace {

using config::AuthKind;
using providers::Secret;

// Where on a request a secret goes.
struct Placement {
  enum class Way { signature, bearer, own_header } way = Way::bearer;
  providers::SigningScope scope;
  const providers::Dialect* dialect = nullptr;
  providers::SigningKeys signing_keys = {};
};

Result<void> put(Placement& placement, const Secret& secret, http::Request& request, WallTime wall) {
  if (const auto* keys = std::get_if<providers::AwsCredentials>(&secret))
    return providers::sign(request, *keys, placement.scope, wall, placement.signing_keys);
  const auto& token = std::get<providers::BearerToken>(secret).value;
  if (placement.way == Placement::Way::own_header)
    placement.dialect->put_api_key(request, token);
  else
    http::set_header(request.headers, "authorization", "Bearer " + token);
  return {};
}

/// A secret that only people change. A rejected one is read again, since its file may have been replaced.
class StandingAuthorizer final : public Authorizer {
 public:
  using Read = std::function<Result<Secret>()>;
  static Result<std::shared_ptr<Authorizer>> make(Placement placement, Read read) {
    auto secret = read();
    if (!secret) return std::unexpected(secret.error());
    return std::make_shared<StandingAuthorizer>(std::move(placement), std::move(read), std::move(*secret));
  }
  StandingAuthorizer(Placement placement, Read read, Secret secret)
      : placement_(std::move(placement)), read_(std::move(read)), secret_(std::move(secret)) {}

  Result<Stamp> authorize(http::Request& request, WallTime wall) override {
    auto done = put(placement_, secret_, request, skew_.correct(wall));
    if (!done) return std::unexpected(done.error());
    return Stamp{generation_, skew_.offset_ms()};
  }

  bool rejected(const Stamp& stamp, const http::Response& response, WallTime wall) override {
    if (skew_.learn(response, wall) || stamp.clock_offset_ms != skew_.offset_ms()) return true;
    if (stamp.generation != generation_) return true;
    auto secret = read_();
    if (!secret || same(*secret, secret_)) return false;
    secret_ = std::move(*secret);
    ++generation_;
    return true;
  }

 private:
  static bool same(const Secret& a, const Secret& b) {
    if (a.index() != b.index()) return false;
    if (const auto* token = std::get_if<providers::BearerToken>(&a))
      return token->value == std::get<providers::BearerToken>(b).value;
    const auto& x = std::get<providers::AwsCredentials>(a);
    const auto& y = std::get<providers::AwsCredentials>(b);
    return x.access_key_id == y.access_key_id && x.secret_access_key == y.secret_access_key &&
           x.session_token == y.session_token;
  }

  Placement placement_;
  Read read_;
  Secret secret_;
  providers::ClockSkew skew_;
  std::uint64_t generation_ = 0;
};

class PrincipalAuthorizer final : public Authorizer {
 public:
  PrincipalAuthorizer(Placement placement, std::shared_ptr<Principal> principal)
      : placement_(std::move(placement)), principal_(std::move(principal)) {}

  bool ready() override { return principal_->ready(); }
  void when_ready(std::function<void(Result<void>)> done) override {
    principal_->when_ready(std::move(done));
  }
  Result<Stamp> authorize(http::Request& request, WallTime wall) override {
    const auto* secret = principal_->secret();
    if (secret == nullptr) return fail(Errc::auth, "the credential has expired");
    auto done = put(placement_, *secret, request, principal_->corrected(wall));
    if (!done) return std::unexpected(done.error());
    return principal_->stamp();
  }
  bool rejected(const Stamp& stamp, const http::Response& response, WallTime wall) override {
    return principal_->rejected(stamp, response, wall);
  }

 private:
  Placement placement_;
  std::shared_ptr<Principal> principal_;
};

// ---- secrets that stand ----

Result<Secret> read_token(const config::SecretRef& reference) {
  auto token = config::read_secret(reference);
  if (!token) return std::unexpected(token.error());
  return providers::BearerToken{std::move(*token)};
}

// api_key on Bedrock may be left to the variable AWS's own tools read (WIRE 1.1).
Result<Secret> read_api_key(const config::AuthConfig& auth) {
  if (!auth.api_key.empty()) return read_token(auth.api_key);
  return read_token(config::SecretRef{"${AWS_BEARER_TOKEN_BEDROCK}"});
}

Result<Secret> read_aws_keys(const config::AuthConfig& auth) {
  if (auth.kind == AuthKind::aws_env) {
    auto found = providers::credentials_from_environment();
    if (!found) return std::unexpected(found.error());
    return Secret(std::move(*found));
  }
  auto id = config::read_secret(auth.access_key_id);
  auto secret = config::read_secret(auth.secret_access_key);
  auto token = config::read_secret(auth.session_token);
  for (const auto* each : {&id, &secret, &token})
    if (!*each) return std::unexpected(each->error());
  return Secret(providers::AwsCredentials{*id, *secret, *token});
}

Result<Secret> read_standing(const config::AuthConfig& auth, bool is_signed) {
  if (auth.kind == AuthKind::bearer) return read_token(auth.api_key);
  if (auth.kind == AuthKind::aws_env || auth.kind == AuthKind::aws_static) return read_aws_keys(auth);
  if (auth.kind != AuthKind::simulated) return read_api_key(auth);
  auto keys = config::simulated_credentials();
  if (is_signed) return Secret(providers::AwsCredentials{keys.access_key_id, keys.secret_access_key, {}});
  return Secret(providers::BearerToken{keys.api_key});
}

// ---- flows ----

template <class T>
Principal::Grant as_grant(Result<providers::Expiring<T>> from) {
  if (!from) return std::unexpected(from.error());
  return providers::Expiring<Secret>{std::move(from->value), from->lifetime};
}

Task<Principal::Grant> fetch_aws(providers::Ports& ports, providers::AwsOptions options) {
  auto asking = providers::aws_credentials(ports, std::move(options));
  co_return as_grant(co_await asking);
}
Task<Principal::Grant> fetch_google(providers::Ports& ports, providers::GoogleOptions options) {
  auto asking = providers::google_token(ports, std::move(options));
  co_return as_grant(co_await asking);
}
Task<Principal::Grant> fetch_azure(providers::Ports& ports, providers::AzureOptions options) {
  auto asking = providers::azure_token(ports, std::move(options));
  co_return as_grant(co_await asking);
}

Principal::Fetch fetch_of(const config::AuthConfig& auth, const std::string& region) {
  if (auth.kind == AuthKind::google) {
    providers::GoogleOptions options{auth.credentials_file, auth.metadata_url, auth.token_url};
    return [options](providers::Ports& ports) { return fetch_google(ports, options); };
  }
  if (auth.kind == AuthKind::azure) {
    auto read = [reference = auth.client_secret] { return config::read_secret(reference); };
    providers::AzureOptions options{auth.tenant_id,  auth.client_id, read,
                                    auth.token_file, auth.scope,     auth.token_url};
    return [options](providers::Ports& ports) { return fetch_azure(ports, options); };
  }
  providers::AwsOptions options{region,           auth.profile, auth.role_arn,
                                auth.external_id, auth.sts_url, auth.imds_url};
  return [options](providers::Ports& ports) { return fetch_aws(ports, options); };
}

// As AWS's own tools: the key in the variable goes before the chain, unless an identity was asked for.
bool uses_bedrock_variable(const config::ProviderConfig& provider) {
  const char* key = std::getenv("AWS_BEARER_TOKEN_BEDROCK");
  return provider.dialect.starts_with("bedrock") && provider.auth.profile.empty() &&
         provider.auth.role_arn.empty() && key != nullptr && *key != '\0';
}

}  // namespace

Principal::Principal(Parts parts)
    : parts_(std::move(parts)),
      keeper_(parts_.policy),
      ports_(*parts_.loop, parts_.clients, *parts_.processes, *parts_.clock, skew_) {}

void Principal::tend() {
  auto now = parts_.clock->now();
  if (keeper_.begin_fetch(now)) {
    timer_.reset();
    flow_.emplace(parts_.fetch(ports_));
    flow_->start([this](Grant grant) { on_fetched(std::move(grant)); });
    return;
  }
  auto next = keeper_.next_fetch();
  if (!next) return timer_.reset();
  timer_ = parts_.loop->after(std::max<Duration>(*next - now, Duration::zero()), [this] { tend(); });
}

void Principal::on_fetched(Grant grant) {
  if (parts_.metrics) parts_.metrics->credential_fetched(parts_.name, grant.has_value());
  if (!grant) log::warn("credentials", fmt::format("none for {}: {}", parts_.name, grant.error().what));
  keeper_.fetched(std::move(grant), parts_.clock->now());
  tend();
}

bool Principal::ready() const { return keeper_.ready(parts_.clock->now()); }

void Principal::when_ready(providers::Keeper::Waiter waiter) {
  keeper_.when_ready(std::move(waiter), parts_.clock->now());
  tend();
}

bool Principal::rejected(const Authorizer::Stamp& stamp, const http::Response& response, WallTime wall) {
  if (skew_.learn(response, wall)) {
    log::warn("credentials", fmt::format("{}: our clock is {} ms away from the provider's; corrected",
                                         parts_.name, skew_.offset_ms()));
    return true;
  }
  if (stamp.clock_offset_ms != skew_.offset_ms()) return true;
  bool again = keeper_.refused(stamp.generation, parts_.clock->now());
  tend();
  return again;
}

namespace {

// What a principal is made by; references, no secrets.
std::string auth_text(const config::AuthConfig& auth) {
  return fmt::format("{}", fmt::join({std::string(to_string(auth.kind)), auth.api_key.reference,
                                      auth.access_key_id.reference, auth.secret_access_key.reference,
                                      auth.session_token.reference, auth.profile, auth.role_arn,
                                      auth.external_id, auth.credentials_file, auth.tenant_id, auth.client_id,
                                      auth.client_secret.reference, auth.token_file, auth.scope, auth.sts_url,
                                      auth.imds_url, auth.metadata_url, auth.token_url},
                                     "\n"));
}

Result<std::shared_ptr<Authorizer>> of_principal(Placement placement,
                                                 Result<std::shared_ptr<Principal>> principal) {
  if (!principal) return std::unexpected(principal.error());
  return std::make_shared<PrincipalAuthorizer>(std::move(placement), std::move(*principal));
}

}  // namespace

Credentials::Credentials(http::Loop& loop, Clock& clock, std::shared_ptr<telemetry::Metrics> metrics)
    : loop_(loop), clock_(clock), metrics_(std::move(metrics)), plain_(loop, {}) {}

Credentials::~Credentials() = default;

Result<std::shared_ptr<Principal>> Credentials::principal(const Place& place) {
  auto& known = principals_[{place.provider, place.region}];
  auto wanted = auth_text(place.config->auth);
  if (known.principal && known.auth == wanted) return known.principal;
  if (known.principal)
    return fail(Errc::bad_config,
                fmt::format("provider {} had other credentials before; a restart is needed, or another name",
                            place.provider));
  known.auth = std::move(wanted);
  Principal::Parts parts;
  parts.name = place.region.empty() ? place.provider : place.provider + " " + place.region;
  parts.fetch = fetch_of(place.config->auth, place.region);
  parts.loop = &loop_;
  parts.clock = &clock_;
  parts.clients = {place.client, &plain_};
  parts.processes = &processes_;
  parts.metrics = metrics_;
  known.principal = std::make_shared<Principal>(std::move(parts));
  return known.principal;
}

void Credentials::keep_new() {
  for (auto& [key, known] : principals_) known.kept = true;
}

void Credentials::drop_new() {
  std::erase_if(principals_, [](const auto& each) { return !each.second.kept; });
}

Result<std::shared_ptr<Authorizer>> Credentials::authorizer(const Place& place) {
  const auto& auth = place.config->auth;
  if (auth.kind == AuthKind::none) return std::shared_ptr<Authorizer>();
  bool signs =
      auth.kind == AuthKind::aws || auth.kind == AuthKind::aws_env || auth.kind == AuthKind::aws_static;
  if (signs && place.region.empty())
    return fail(Errc::bad_config, fmt::format("provider {} signs for a region: give it one", place.provider));
  Placement placement{
      Placement::Way::bearer, {place.region, config::signing_service(*place.config)}, place.dialect};
  bool by_key = auth.kind == AuthKind::aws && uses_bedrock_variable(*place.config);
  bool renewed = auth.kind == AuthKind::aws || auth.kind == AuthKind::google || auth.kind == AuthKind::azure;
  if (renewed && !by_key) return of_principal(std::move(placement), principal(place));
  if (by_key || auth.kind == AuthKind::api_key || auth.kind == AuthKind::simulated)
    placement.way = Placement::Way::own_header;
  bool is_signed = !placement.scope.service.empty();
  return StandingAuthorizer::make(placement, [auth, is_signed] { return read_standing(auth, is_signed); });
}

void Credentials::prefetch() {
  for (const auto& [key, known] : principals_)
    loop_.post([weak = std::weak_ptr(known.principal)] {
      if (auto alive = weak.lock()) alive->tend();
    });
}

}  // namespace troupe::actors
