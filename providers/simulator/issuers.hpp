// The simulated clouds' issuers of credentials: who gets keys and tokens, and whether what a call shows is
// good. Pure.
#pragma once

#include "providers/auth/sigv4.hpp"
#include "providers/simulator/issuers_ledger.hpp"
#include "runtime/config/simulated_issuers.hpp"
#include "runtime/http/message.hpp"
#include "runtime/json/json.hpp"

#include <troupe/error.hpp>
#include <troupe/time.hpp>

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace troupe::providers::simulator {

/// Found by their paths, which are the real services' own; each answers in its service's words
/// (WIRE 2.2, 4.6):
///   AWS STS                 POST or GET / with an Action
///   AWS instance metadata   /latest/api/token, /latest/meta-data/..., /latest/dynamic/...
///   AWS containers          /v1/credentials, /v2/credentials/ID
///   Google metadata         /computeMetadata/..., and GET / with Metadata-Flavor
///   Google OAuth            POST /token
///   Google STS              POST /v1/token
///   Google IAM credentials  POST /v1/projects/-/serviceAccounts/EMAIL:generateAccessToken
///   Microsoft Entra ID      POST /TENANT/oauth2/v2.0/token
///
/// Signatures are verified, lifetimes enforced: what has expired by `wall` is refused by issuers and by the
/// checks below. Same requests at the same times, same credentials (they follow from the seed). Nothing that
/// arrives is kept but counts; what is issued is bounded by issued_max. Not thread-safe.
class Issuers {
 public:
  static constexpr std::size_t body_bytes_max = 64 * 1024;

  Issuers(config::SimulatedIssuers config, std::uint64_t seed);

  /// nullopt: not a path of an issuer. 503 from all while down, 413 beyond body_bytes_max.
  std::optional<http::Response> respond(const http::Request& request, WallTime wall);

  /// Is this a token we issued for that cloud and still good, or the api key of simulated_credentials()?
  /// Azure's must be for Cognitive Services or AI. Fails with `auth`, with the cloud's words as vendor_text.
  Result<void> check_bearer(std::string_view token, Audience audience, WallTime wall) const;

  /// Is this request signed for that region and service (empty: any), with a key pair of
  /// simulated_credentials() or one we issued, unexpired and with its session token? Fails with `auth`, and
  /// with `permission` when the key's role may not call in the region (A2); vendor_text is AWS's, its name is
  /// aws_error_names(error).json.
  Result<void> check_signed(const http::Request& request, const SigningScope& scope, WallTime wall) const;

  /// For providers::verify, which compares the session token too. Expired keys are found: ask find_key. Valid
  /// as long as this object stays where it is.
  CredentialLookup lookup() const;
  /// Issued or static; nullptr when unknown or forgotten. Good while wall < expires. Until the next respond.
  const IssuedKey* find_key(std::string_view access_key_id) const { return ledger_.find_key(access_key_id); }

  /// Every issuer answers 503, as in an outage. What was issued stays good.
  void set_down(bool down) { down_ = down; }
  bool down() const { return down_; }
  /// How late answers are. The caller's to wait: nothing here sleeps. Negative counts as zero.
  void set_delay(Duration delay) { delay_ = std::max(delay, Duration{}); }
  Duration delay() const { return delay_; }

  /// {"down", "delay_s", "keys", "bearers", "services": {NAME: {"requests", "granted", "refused"}}}: requests
  /// are granted plus refused; keys and bearers are those remembered. NAME: aws_sts, aws_instance,
  /// aws_container, google_metadata, google_oauth, google_sts, google_iam, azure.
  Json stats() const;

 private:
  enum class Service : std::uint8_t {
    sts,
    instance,
    container,
    metadata,
    oauth,
    google_sts,
    google_iam,
    azure
  };
  static constexpr std::size_t service_count = 8;
  struct Count {
    std::uint64_t granted = 0, refused = 0;
  };

  static std::optional<Service> find_service(const http::Request& request);
  http::Response answer(Service service, const http::Request& request, WallTime wall);

  config::SimulatedIssuers config_;
  IssuerLedger ledger_;
  std::array<Count, service_count> counts_{};
  bool down_ = false;
  Duration delay_{};
};

}  // namespace troupe::providers::simulator
