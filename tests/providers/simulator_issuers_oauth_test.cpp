// The simulated issuers of bearer tokens against captured requests: Google's four and Microsoft's.
#include "tests/providers/simulator_issuers_support.hpp"

namespace troupe::providers::simulator::issuers_test {
namespace {

std::string access_token(const http::Response& response) {
  return get_string(json_of(response), "access_token");
}

bool opens_google(const Issuers& issuers, std::string_view token, WallTime wall = kSigned) {
  return issuers.check_bearer(token, Audience::google, wall).has_value();
}

TEST(SimulatedMetadata, GivesATokenToWhoKnowsTheFlavor) {
  Issuers issuers({}, 1);
  auto given = ask(issuers, captured("metadata_token"));
  ASSERT_EQ(given.status, 200);
  EXPECT_EQ(*http::find_header(given.headers, "metadata-flavor"), "Google");
  EXPECT_EQ(json_of(given)["expires_in"], 3600);
  EXPECT_EQ(get_string(json_of(given), "token_type"), "Bearer");
  EXPECT_TRUE(opens_google(issuers, access_token(given)));
  auto careless = captured("metadata_token");
  std::erase_if(careless.headers, [](const auto& header) { return header.first == "metadata-flavor"; });
  EXPECT_EQ(ask(issuers, careless).status, 403);
  auto proxied = captured("metadata_token");
  proxied.headers.emplace_back("X-Forwarded-For", "10.0.0.1");
  EXPECT_EQ(ask(issuers, proxied).status, 403);
}

TEST(SimulatedMetadata, TellsWhereItIs) {
  Issuers issuers({}, 1);
  auto read = [&](std::string path) {
    return ask(issuers, get("/computeMetadata/v1" + path, {{"Metadata-Flavor", "Google"}})).body;
  };
  EXPECT_EQ(read("/project/project-id"), "simulated-project");
  EXPECT_EQ(read("/instance/service-accounts/default/email"),
            "simulated@simulated-project.iam.gserviceaccount.com");
  EXPECT_EQ(read("/universe/universe-domain"), "googleapis.com");
  EXPECT_EQ(read("/instance/service-accounts/other/token"), "Not Found");
  EXPECT_EQ(ask(issuers, get("/", {{"Metadata-Flavor", "Google"}})).status, 200);
  EXPECT_EQ(ask(issuers, get("/computeMetadata/v1/x", {{"Metadata-Flavor", "Google"}})).status, 404);
}

TEST(SimulatedGoogleOauth, VerifiesAnAssertion) {
  Issuers issuers(with_signers(), 1);
  auto given = ask(issuers, captured("service_account"));
  ASSERT_EQ(given.status, 200) << given.body;
  EXPECT_TRUE(opens_google(issuers, access_token(given)));
  auto forged = captured("service_account");
  forged.body.replace(forged.body.size() - 8, 1, "_");
  EXPECT_EQ(get_string(json_of(ask(issuers, forged)), "error_description"), "Invalid JWT Signature.");
  EXPECT_EQ(oauth_error(ask(issuers, captured("service_account"), after(3600))), "400 invalid_grant");
  auto strangers = with_signers();
  strangers.signers.erase(strangers.signers.begin());
  Issuers others(strangers, 1);
  EXPECT_EQ(get_string(json_of(ask(others, captured("service_account"))), "error_description"),
            "Invalid grant: account not found");
}

// "alg":"RS256" unsigned, as issuers without signers take it.
std::string jwt(const std::string& claims) {
  auto part = [](const std::string& text) {
    auto out = base64_encode(text);
    std::erase(out, '=');
    return out;
  };
  return part(R"({"alg":"RS256"})") + "." + part(claims) + ".sig";
}

TEST(SimulatedGoogleOauth, JudgesAssertionsByTheirClaims) {
  Issuers issuers({}, 1);
  auto answer = [&](const std::string& claims) {
    auto response =
        ask(issuers, form("/token", "grant_type=urn:ietf:params:oauth:grant-type:jwt-bearer&assertion=" +
                                        percent_encode(jwt(claims))));
    return response.status == 200 ? "200" : oauth_error(response);
  };
  std::string rest = R"("iss":"a@b","scope":"s","aud":"https://oauth2.googleapis.com/token")";
  EXPECT_EQ(answer("{" + rest + R"(,"iat":1440938160,"exp":1440941760})"), "200");
  EXPECT_EQ(answer("{" + rest + R"(,"iat":1440938160,"exp":1440941761})"), "400 invalid_grant")
      << "over an hour";
  EXPECT_EQ(answer("{" + rest + R"(,"iat":1440938461,"exp":1440941760})"), "400 invalid_grant") << "not yet";
  EXPECT_EQ(answer("{" + rest + R"(,"exp":1440941760})"), "400 invalid_grant");
  EXPECT_EQ(answer("{" + rest + R"(,"iat":1440938160,"exp":1e300})"), "400 invalid_grant");
  EXPECT_EQ(answer("{" + rest + R"(,"iat":-9223372036854775808,"exp":9223372036854775807})"),
            "400 invalid_grant");
  EXPECT_EQ(answer(R"({"iss":"a@b","scope":"s","aud":"x","iat":1440938160,"exp":1440941760})"),
            "400 invalid_grant");
  EXPECT_EQ(answer(R"({"iss":"a@b","aud":"http://127.0.0.1:1/token","iat":1440938160,"exp":1440941760})"),
            "400 invalid_scope");
  EXPECT_EQ(answer("[]"), "400 invalid_grant");
  EXPECT_EQ(oauth_error(ask(issuers, form("/token", "grant_type=password"))), "400 unsupported_grant_type");
}

TEST(SimulatedGoogleSts, TakesAnAwsIdentity) {
  Issuers issuers({}, 1);
  auto given = ask(issuers, captured("exchange_aws"));
  ASSERT_EQ(given.status, 200) << given.body;
  EXPECT_EQ(get_string(json_of(given), "issued_token_type"), "urn:ietf:params:oauth:token-type:access_token");
  EXPECT_TRUE(opens_google(issuers, access_token(given)));
  Issuers session(with_session(), 1);
  EXPECT_EQ(ask(session, captured("exchange_aws_session")).status, 200);
  // The other way round: the session token is part of what is verified.
  EXPECT_EQ(oauth_error(ask(session, captured("exchange_aws"))), "400 invalid_grant");
  EXPECT_EQ(oauth_error(ask(issuers, captured("exchange_aws_session"))), "400 invalid_grant");
}

http::Request with_change(std::string name, std::string_view from, std::string_view to) {
  auto request = captured(name);
  auto at = request.body.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  if (at != std::string::npos) request.body.replace(at, from.size(), to);
  return request;
}

TEST(SimulatedGoogleSts, RefusesAnAwsIdentityThatDoesNotHold) {
  Issuers issuers({}, 1);
  auto error = [&](const http::Request& request, WallTime wall = kSigned) {
    auto response = ask(issuers, request, wall);
    return response.status == 200 ? "200" : oauth_error(response);
  };
  EXPECT_EQ(error(captured("exchange_aws"), after(301)), "400 invalid_grant") << "a stale x-amz-date";
  EXPECT_EQ(error(captured("exchange_aws"), after(-301)), "400 invalid_grant");
  EXPECT_EQ(error(with_change("exchange_aws", "Signature%253D", "Signature%253D0")), "400 invalid_grant");
  EXPECT_EQ(error(with_change("exchange_aws", "AKIDEXAMPLE", "AKIDSTRANGE")), "400 invalid_grant");
  EXPECT_EQ(error(with_change("exchange_aws", "x-goog-cloud-target-resource", "x-goog-other")),
            "400 invalid_grant");
  // Stolen for another pool: the header names the pool it was made for.
  EXPECT_EQ(error(with_change("exchange_aws", "aws-pool", "bad-pool")), "400 invalid_grant");
  EXPECT_EQ(error(with_change("exchange_aws", "GetCallerIdentity", "AssumeRole")), "400 invalid_request");
  EXPECT_EQ(error(with_change("exchange_aws", "sts.us-east-1.amazonaws.com", "evil.example.com")),
            "400 invalid_request");
  EXPECT_EQ(error(with_change("exchange_aws", "token-exchange", "password")), "400 unsupported_grant_type");
  EXPECT_EQ(error(with_change("exchange_aws", "aws%3Atoken-type%3Aaws4_request", "x")),
            "400 invalid_request");
}

TEST(SimulatedGoogleSts, TakesAnOidcTokenForItsAudience) {
  auto config = with_signers();
  config.google_audience =
      "//iam.googleapis.com/projects/123456789/locations/global/workloadIdentityPools/aws-pool/providers/"
      "aws-prov";
  Issuers issuers(config, 1);
  EXPECT_EQ(ask(issuers, captured("exchange_oidc")).status, 200);
  EXPECT_EQ(oauth_error(ask(issuers, captured("exchange_oidc"), after(3600))), "400 invalid_grant");
  EXPECT_EQ(oauth_error(ask(issuers, with_change("exchange_oidc", "aws-pool", "other"))),
            "400 invalid_request");
  EXPECT_EQ(oauth_error(ask(issuers, with_change("exchange_oidc", "eyJ", "e"))), "400 invalid_request");
  auto signature = captured("exchange_oidc").body.find("&subject_token_type");
  auto forged = captured("exchange_oidc");
  forged.body.replace(signature - 8, 1, "_");
  EXPECT_EQ(oauth_error(ask(issuers, forged)), "400 invalid_grant");
}

http::Request impersonate_with(const std::string& token) {
  auto request = captured("impersonate");
  http::set_header(request.headers, "authorization", "Bearer " + token);
  return request;
}

TEST(SimulatedGoogleIam, ImpersonatesForAGoodTokenOnly) {
  Issuers issuers({}, 1);
  auto federated = access_token(ask(issuers, captured("exchange_aws")));
  auto given = ask(issuers, impersonate_with(federated), after(1));
  ASSERT_EQ(given.status, 200) << given.body;
  EXPECT_EQ(get_string(json_of(given), "expireTime"), "2015-08-30T13:36:01Z");
  EXPECT_TRUE(opens_google(issuers, get_string(json_of(given), "accessToken"), after(3600)));
  auto refused = ask(issuers, captured("impersonate"));
  EXPECT_EQ(refused.status, 401);
  EXPECT_EQ(get_string(json_of(refused)["error"], "status"), "UNAUTHENTICATED");
  EXPECT_EQ(ask(issuers, impersonate_with(federated), after(3600)).status, 401);
}

TEST(SimulatedGoogleIam, ReadsLifetimeAndScope) {
  Issuers issuers({}, 1);
  auto answer = [&](std::string body) {
    auto request = impersonate_with("simulator-key");
    request.body = std::move(body);
    return ask(issuers, request);
  };
  auto brief = answer(R"({"scope":["s"],"lifetime":"300s"})");
  EXPECT_EQ(get_string(json_of(brief), "expireTime"), "2015-08-30T12:41:00Z");
  EXPECT_EQ(answer(R"({"scope":["s"]})").status, 200);
  for (const auto* bad :
       {R"({"scope":["s"],"lifetime":"3600"})", R"({"scope":["s"],"lifetime":"43201s"})",
        R"({"scope":["s"],"lifetime":300})", R"({"scope":[]})", R"({"scope":"s"})", "[]", ""}) {
    EXPECT_EQ(answer(bad).status, 400) << bad;
  }
}

const std::string kAzureForm =
    "grant_type=client_credentials&client_id=app&scope=https%3A%2F%2Fcognitiveservices.azure.com%2F.default";

TEST(SimulatedAzure, GrantsBySecret) {
  config::SimulatedIssuers config;
  config.azure_tenant = "tenant";
  config.azure_client_id = "app";
  config.azure_client_secret = "a secret+";
  Issuers issuers(config, 1);
  auto given = ask(issuers, form("/tenant/oauth2/v2.0/token", kAzureForm + "&client_secret=a+secret%2B"));
  ASSERT_EQ(given.status, 200) << given.body;
  EXPECT_EQ(json_of(given)["expires_in"], 3600);
  auto token = access_token(given);
  EXPECT_TRUE(issuers.check_bearer(token, Audience::azure, after(3599)));
  EXPECT_FALSE(issuers.check_bearer(token, Audience::azure, after(3600)));
  EXPECT_FALSE(opens_google(issuers, token)) << "one cloud's token opens no other";
  auto error = [&](const std::string& tenant, const std::string& body) {
    auto response = ask(issuers, form("/" + tenant + "/oauth2/v2.0/token", body));
    return oauth_error(response) + " " + json_of(response)["error_codes"].dump();
  };
  EXPECT_EQ(error("tenant", kAzureForm + "&client_secret=wrong"), "401 invalid_client [7000215]");
  EXPECT_EQ(error("tenant", kAzureForm), "401 invalid_client [7000218]");
  EXPECT_EQ(error("other", kAzureForm + "&client_secret=a+secret%2B"), "400 invalid_request [90002]");
  EXPECT_EQ(error("tenant", "grant_type=client_credentials&client_id=x&scope=s/.default"),
            "400 unauthorized_client [700016]");
  EXPECT_EQ(error("tenant", "grant_type=client_credentials&client_id=app&scope=s"),
            "400 invalid_scope [1002012]");
  EXPECT_EQ(error("tenant", "grant_type=password"), "400 unsupported_grant_type [70003]");
}

TEST(SimulatedAzure, GrantsByAssertion) {
  Issuers issuers(with_signers(), 1);
  auto body = captured("exchange_oidc").body;
  auto start = body.find("subject_token=") + std::string_view("subject_token=").size();
  auto assertion = body.substr(start, body.find('&', start) - start);
  std::string type =
      "&client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer";
  auto answer = [&](const std::string& text, WallTime wall = kSigned) {
    return ask(issuers, form("/t/oauth2/v2.0/token", kAzureForm + type + "&client_assertion=" + text), wall);
  };
  EXPECT_EQ(answer(assertion).status, 200);
  EXPECT_EQ(oauth_error(answer(assertion, after(3600))), "401 invalid_client");
  EXPECT_EQ(oauth_error(answer("EXAMPLE.JWT.TOKEN")), "401 invalid_client");
  auto forged = assertion;
  forged[forged.size() - 8] = '_';
  EXPECT_EQ(json_of(answer(forged))["error_codes"].dump(), "[700027]");
}

TEST(CheckBearer, WantsAzureTokensForModels) {
  Issuers issuers({}, 1);
  auto given = ask(issuers, form("/t/oauth2/v2.0/token",
                                 "grant_type=client_credentials&client_id=app&client_secret=s&"
                                 "scope=https%3A%2F%2Fgraph.microsoft.com%2F.default"));
  auto checked = issuers.check_bearer(access_token(given), Audience::azure, kSigned);
  ASSERT_FALSE(checked);
  EXPECT_NE(checked.error().vendor_text.find("audience is incorrect"), std::string::npos);
}

TEST(CheckBearer, KnowsTheStaticKeyAndNothingElse) {
  Issuers issuers({}, 1);
  EXPECT_TRUE(issuers.check_bearer("simulator-key", Audience::google, kSigned));
  EXPECT_TRUE(issuers.check_bearer("simulator-key", Audience::azure, kSigned));
  for (const auto* token : {"", "ya29.FEDERATED", "simulator-kez"}) {
    auto checked = issuers.check_bearer(token, Audience::google, kSigned);
    ASSERT_FALSE(checked) << token;
    EXPECT_EQ(checked.error().code, Errc::auth);
    EXPECT_TRUE(checked.error().vendor_text.starts_with("Request had invalid authentication credentials."));
  }
}

TEST(CheckBearer, EnforcesShortLives) {
  Issuers issuers({.token_lifetime = std::chrono::seconds(2)}, 1);
  auto token = access_token(ask(issuers, captured("metadata_token"), {kSigned.ms + 900}));
  // Lives end on whole seconds, as they are told.
  EXPECT_TRUE(opens_google(issuers, token, {kSigned.ms + 1999}));
  EXPECT_FALSE(opens_google(issuers, token, {kSigned.ms + 2000}));
}

}  // namespace
}  // namespace troupe::providers::simulator::issuers_test
