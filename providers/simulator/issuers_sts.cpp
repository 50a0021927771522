// AWS STS: who may be whom, in XML.
#include "providers/simulator/issuers_services.hpp"
#include "providers/text.hpp"
#include "runtime/base/clock.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace troupe::providers::simulator {
namespace {

constexpr const char* kStsNamespace = "https://sts.amazonaws.com/doc/2011-06-15/";
constexpr std::int64_t kSessionSecondsMin = 900, kSessionSecondsMax = 43'200;

struct StsRefusal {
  int status = 400;
  std::string code, message;
};
template <class T>
using StsResult = std::expected<T, StsRefusal>;

std::unexpected<StsRefusal> refuse_sts(int status, std::string code, std::string message) {
  return std::unexpected(StsRefusal{status, std::move(code), std::move(message)});
}

std::string xml_text(std::string_view text) {
  std::string out;
  for (char c : text) {
    switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      // Control characters have no place in XML 1.0.
      default: out += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
    }
  }
  return to_valid_utf8(out);
}

std::string element(std::string_view name, std::string_view text) {
  return fmt::format("<{0}>{1}</{0}>", name, xml_text(text));
}

http::Response xml_answer(int status, std::string body, const std::string& request_id) {
  return {status, {{"content-type", "text/xml"}, {"x-amzn-requestid", request_id}}, std::move(body)};
}

http::Response write_refusal(const StsRefusal& refusal, IssuerDesk& desk) {
  auto id = desk.ledger.uuid();
  auto fault = refusal.status < 500 ? "Sender" : "Receiver";
  auto body = fmt::format("<ErrorResponse xmlns=\"{}\"><Error>{}{}{}</Error>{}</ErrorResponse>",
                          kStsNamespace, element("Type", fault), element("Code", refusal.code),
                          element("Message", refusal.message), element("RequestId", id));
  return xml_answer(refusal.status, std::move(body), id);
}

http::Response write_result(std::string_view action, const std::string& result, IssuerDesk& desk) {
  auto id = desk.ledger.uuid();
  auto body = fmt::format(
      "<{0}Response xmlns=\"{1}\"><{0}Result>{2}</{0}Result><ResponseMetadata>{3}</ResponseMetadata>"
      "</{0}Response>",
      action, kStsNamespace, result, element("RequestId", id));
  return xml_answer(200, std::move(body), id);
}

StsResult<const IssuedKey*> sts_caller(const http::Request& request, const IssuerDesk& desk) {
  auto scope = claimed_scope(request);
  if (scope && scope->service != "sts")
    return refuse_sts(403, "SignatureDoesNotMatch", "Credential should be scoped to correct service: 'sts'.");
  auto caller = signed_by(request, desk.ledger, desk.wall);
  if (caller) return *caller;
  return refuse_sts(403, aws_error_names(caller.error()).query, caller.error().vendor_text);
}

// The name in "arn:aws:iam::ACCOUNT:role/PATH/NAME"; empty for anything else.
std::string_view role_name(std::string_view arn) {
  constexpr std::string_view start = "arn:aws:iam::", kind = ":role/";
  bool sound =
      arn.starts_with(start) && arn.size() <= 2048 && arn.substr(start.size() + 12).starts_with(kind);
  if (!sound || !read_digits(arn.substr(start.size(), 6)) || !read_digits(arn.substr(start.size() + 6, 6)))
    return {};
  return arn.substr(arn.rfind('/') + 1);
}

bool is_session_name(std::string_view name) {
  auto allowed = [](unsigned char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
           std::string_view("_+=,.@-").find(static_cast<char>(c)) != std::string_view::npos;
  };
  return name.size() >= 2 && name.size() <= 64 && std::ranges::all_of(name, allowed);
}

struct Assumption {
  std::string role, session;
  std::int64_t seconds = 0;
};

StsResult<Assumption> read_assumption(const FormFields& form) {
  Assumption asked{form["RoleArn"], form["RoleSessionName"]};
  auto invalid = [](const char* member) {
    return refuse_sts(
        400, "ValidationError",
        fmt::format("1 validation error detected: Value at '{}' failed to satisfy constraint", member));
  };
  if (asked.role.size() < 20 || role_name(asked.role).empty()) return invalid("roleArn");
  if (!is_session_name(asked.session)) return invalid("roleSessionName");
  if (form["DurationSeconds"].empty()) return asked;
  asked.seconds = read_digits(form["DurationSeconds"]).value_or(0);
  if (asked.seconds < kSessionSecondsMin || asked.seconds > kSessionSecondsMax)
    return invalid("durationSeconds");
  return asked;
}

// The configured role, or one without restrictions when none is configured; nullptr: not to be assumed.
const config::SimulatedRole* find_role(const Assumption& asked, const IssuerDesk& desk) {
  static const config::SimulatedRole unrestricted;
  if (desk.config.roles.empty()) return &unrestricted;
  auto it = std::ranges::find(desk.config.roles, asked.role, &config::SimulatedRole::arn);
  return it == desk.config.roles.end() ? nullptr : &*it;
}

const IssuedKey& issue_session_key(const Assumption& asked, const std::string& region, IssuerDesk& desk) {
  IssuedKey holder;
  auto account = std::string_view(asked.role).substr(13, 12);
  holder.arn =
      fmt::format("arn:aws:sts::{}:assumed-role/{}/{}", account, role_name(asked.role), asked.session);
  holder.user_id = "AROA" + desk.ledger.letters(17) + ":" + asked.session;
  holder.region = region;
  holder.expires = desk.expiry(asked.seconds);
  return desk.ledger.issue_key(std::move(holder));
}

std::string assumed_xml(const IssuedKey& key) {
  const auto& credentials = key.credentials;
  return "<AssumedRoleUser>" + element("Arn", key.arn) + element("AssumedRoleId", key.user_id) +
         "</AssumedRoleUser><Credentials>" + element("AccessKeyId", credentials.access_key_id) +
         element("SecretAccessKey", credentials.secret_access_key) +
         element("SessionToken", credentials.session_token) +
         element("Expiration", to_second_iso(key.expires)) + "</Credentials>";
}

std::unexpected<StsRefusal> not_authorized(std::string_view who, std::string_view action,
                                           std::string_view role) {
  return refuse_sts(
      403, "AccessDenied",
      fmt::format("User: {} is not authorized to perform: sts:{} on resource: {}", who, action, role));
}

StsResult<std::string> assume_role(const http::Request& request, const FormFields& form, IssuerDesk& desk) {
  auto caller = sts_caller(request, desk);
  if (!caller) return std::unexpected(caller.error());
  auto asked = read_assumption(form);
  if (!asked) return std::unexpected(asked.error());
  const auto* role = find_role(*asked, desk);
  if (role == nullptr || role->external_id != (role->external_id.empty() ? "" : form["ExternalId"]))
    return not_authorized((*caller)->arn, "AssumeRole", asked->role);
  return assumed_xml(issue_session_key(*asked, role->region, desk));
}

StsRefusal identity_refusal(JwtFlaw flaw, const IssuerDesk& desk) {
  switch (flaw) {
    case JwtFlaw::expired:
      return {400, "ExpiredTokenException",
              fmt::format("Token expired: current date/time {} must be before the expiration date/time",
                          desk.wall.ms / 1000)};
    case JwtFlaw::unknown_signer:
      return {400, "InvalidIdentityToken", "No OpenIDConnect provider found in your account for the issuer"};
    case JwtFlaw::bad_signature:
      return {400, "InvalidIdentityToken", "Couldn't retrieve verification key from your identity provider"};
    default: return {400, "InvalidIdentityToken", "The ID Token provided is not a valid JWT."};
  }
}

StsResult<std::string> assume_with_identity(const FormFields& form, IssuerDesk& desk) {
  auto asked = read_assumption(form);
  if (!asked) return std::unexpected(asked.error());
  auto jwt = read_jwt(form["WebIdentityToken"], desk);
  if (!jwt) return std::unexpected(identity_refusal(jwt.error(), desk));
  const auto* role = find_role(*asked, desk);
  if (role == nullptr) {
    // The real one says no more than this, so that roles cannot be probed.
    return refuse_sts(403, "AccessDenied", "Not authorized to perform sts:AssumeRoleWithWebIdentity");
  }
  const auto& key = issue_session_key(*asked, role->region, desk);
  return element("SubjectFromWebIdentityToken", get_string(jwt->claims, "sub")) +
         element("Audience", get_string(jwt->claims, "aud", "sts.amazonaws.com")) + assumed_xml(key) +
         element("Provider", jwt->issuer);
}

// ACCOUNT of "arn:aws:SERVICE::ACCOUNT:...".
std::string_view account_of(std::string_view arn) {
  auto start = arn.find("::");
  return start == std::string_view::npos ? arn : arn.substr(start + 2, 12);
}

StsResult<std::string> caller_identity(const http::Request& request, const IssuerDesk& desk) {
  auto caller = sts_caller(request, desk);
  if (!caller) return std::unexpected(caller.error());
  return element("Arn", (*caller)->arn) + element("UserId", (*caller)->user_id) +
         element("Account", account_of((*caller)->arn));
}

StsResult<std::string> run_action(const http::Request& request, const FormFields& form, IssuerDesk& desk) {
  const auto& action = form["Action"];
  if (form["Version"] == "2011-06-15") {
    if (action == "AssumeRole") return assume_role(request, form, desk);
    if (action == "AssumeRoleWithWebIdentity") return assume_with_identity(form, desk);
    if (action == "GetCallerIdentity") return caller_identity(request, desk);
  }
  return refuse_sts(400, "InvalidAction",
                    fmt::format("Could not find operation {} for version {}", action, form["Version"]));
}

std::string sts_fields(const http::Request& request) {
  return std::string(request.body.empty() ? query_of(request.target) : std::string_view(request.body));
}

}  // namespace

bool is_sts_request(const http::Request& request) {
  if (path_of(request.target) != "/") return false;
  auto fields = "&" + sts_fields(request);
  return fields.find("&Action=") != std::string::npos;
}

http::Response answer_sts(const http::Request& request, IssuerDesk& desk) {
  auto form = FormFields::read(sts_fields(request));
  if (!form)
    return write_refusal({400, "MalformedQueryString", "The query string contains a syntax error."}, desk);
  auto result = run_action(request, *form, desk);
  if (!result) return write_refusal(result.error(), desk);
  return write_result((*form)["Action"], *result, desk);
}

}  // namespace troupe::providers::simulator
